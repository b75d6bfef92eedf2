// Hashes of 256 bits that differ in few bits: every such pair, without comparing every pair.
//
// A pair is counted, joins the groups of its rows, and stands as a row's nearest of a part where
// no other is nearer; pairs are not listed, so that memory grows with the rows alone even where
// all of them are alike.
//
// Equal hashes are one point. Points that differ in at most d bits are found by the pigeonhole
// principle: the bits are cut into bands, a band gets a radius t (or is left out: t = −1) such
// that the radii + 1 add up to d + 1; then at least one band of the pair differs in at most its
// radius, and looking up each band's neighbourhood misses nothing. Which band gets which radius is
// decided by the counts of the data (bands of flat picture areas, where most hashes agree, are
// left out), and where comparing every pair is expected to be cheaper, every pair is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

inline constexpr std::size_t kHashWords = 4;
inline constexpr int kHashBits = 256;

struct NearDuplicates {
  Column<std::int32_t> group;  // the first row that is connected to the row by near pairs
  // Of each row and part (n_rows × n_parts) the nearest other row, of equally near ones the first,
  // and its distance; −1 where none of the part is near.
  Column<std::int32_t> nearest;
  Column<std::int16_t> bits;
  std::vector<std::int64_t> n_pairs;  // near pairs of parts p <= q (n_parts × n_parts)
};

enum class NearSearch { kCheapest, kEveryPair, kBands };

// 0 <= part[i] < n_parts, 0 <= distance < kHashBits, n_rows < 2³¹ (checked by the caller). The
// result does not depend on the search; kBands falls back to comparing every pair where the
// distance is too large for bands.
NearDuplicates near_duplicates(const std::uint64_t* hash, const std::int32_t* part,
                               std::size_t n_rows, std::size_t n_parts, int distance,
                               NearSearch search = NearSearch::kCheapest);

}  // namespace snellen
