// Pairs out of order, which is what Kendall's rank correlation counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// For each of n_sets data sets, in which row i occurs times[i] times, the number of pairs (i, j)
// with i before j and code[i] > code[j]. Codes lie in [0, n_codes); `times` is (n_sets, n). A set
// must have fewer than 2^32 rows, counted as often as they occur.
//
// A tree of partial sums over the codes (P. M. Fenwick, 1994): O(n log n_codes) a set.
void count_inversions(const std::int32_t* code, std::size_t n, std::size_t n_codes,
                      const std::int64_t* times, std::size_t n_sets, std::int64_t* inversions);

}  // namespace snellen
