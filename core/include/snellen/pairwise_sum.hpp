// NumPy's order of adding up float64.
//
// np.sum adds along contiguous memory in a tree: up to 7 numbers from left to right; up to 128 in
// eight running sums, which are joined two by two; more are halved, the first half a multiple of
// eight. A zero changes no sum, so the tree can be walked along the other numbers alone, as long
// as their places are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace snellen {

// Fewer numbers than this are added from left to right.
inline constexpr std::size_t kStraight = 8;

double pairwise_sum(const double* values, std::size_t n);

// The sum of n numbers of which those at the given places, ascending, may be other than 0.
double pairwise_sum(const double* values, const std::int32_t* places, std::size_t n_given,
                    std::size_t n);

// The same of n_lanes arrays at once that share the places: lane k of number i is
// values[i * n_lanes + k]. Up to NumPy 2.2 a sum over all axes of an array goes through blocks of
// 8192 numbers, each a tree of its own, and adds them from left to right: `blocked`.
std::vector<double> pairwise_sums(const double* values, const std::int64_t* places,
                                  std::size_t n_given, std::size_t n, std::size_t n_lanes,
                                  bool blocked);

}  // namespace snellen
