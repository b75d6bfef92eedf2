// Bootstrap resamples: how often each unit of a data set is drawn, with replacement, as many draws
// as there are units.
//
// Draw i of replicate r is a pure function of (seed, r, i): the finaliser of SplitMix64 (G. L.
// Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) over
// a counter that starts at a point of the replicate's own. So neither threads nor the order or
// grouping of replicates show. A draw maps 64 random bits to [0, n) by a wide product, whose bias
// is below n · 2^-64.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// For replicates first … first + n_replicates − 1, the number of times that a unit of each kind is
// drawn: rows of n_kinds. Kind k has counts[k] ≥ 0 equal units; of these there are fewer than 2^32.
void multiplicities(const std::int64_t* counts, std::size_t n_kinds, std::uint64_t seed,
                    std::uint64_t first, std::size_t n_replicates, std::int32_t* times);

// For replicates as above, one random bit for each unit: 0 or 1, rows of n_units.
void random_bits(std::size_t n_units, std::uint64_t seed, std::uint64_t first,
                 std::size_t n_replicates, std::uint8_t* bits);

// For each replicate the sum over pairs j of times[unit[j]] · weight[j], by cell[j]: rows of
// n_cells, from rows of n_units. Pair j is unit j where `unit` is null, and weighs 1 where `weight`
// is. Added in the order of the pairs.
void sums_by_cell(const std::int32_t* times, std::size_t n_replicates, std::size_t n_units,
                  const std::int32_t* unit, const double* weight, const std::int32_t* cell,
                  std::size_t n_pairs, std::size_t n_cells, double* sums);

// Pairs (true, predicted) of classes 0 … n_classes − 1. Pair j belongs to unit[j], or is unit j
// where `unit` is null, and weighs weight[j], or 1 where `weight` is null.
struct LabelPairs {
  const std::int32_t* truth;
  const std::int32_t* predicted;
  const std::int32_t* unit;
  const double* weight;
  std::size_t n_pairs;
  std::size_t n_classes;
};

// Where `label_sums` writes, rows of replicates: all weights of a class that are right, of its
// truth and of its predictions (n_classes each), and over all pairs that differ the weight, and the
// weight times the distance of the classes and its square (3).
struct LabelSums {
  double* correct;
  double* truth;
  double* predicted;
  double* costs;
};

// The sums of data sets in which unit u occurs times[u] times, rows of n_units; added in the order
// of the pairs.
void label_sums(const std::int32_t* times, std::size_t n_replicates, std::size_t n_units,
                const LabelPairs& pairs, const LabelSums& sums);

}  // namespace snellen
