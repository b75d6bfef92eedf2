#include "snellen/resample.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {

namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Where the counter of a replicate starts. Two rounds, so that neighbouring seeds and replicates
// lead to far-apart starts.
std::uint64_t start_of(std::uint64_t seed, std::uint64_t replicate) {
  return mix(mix(seed + kGolden) + kGolden * (2 * replicate + 1));
}

// The upper half of the product of 64 and 32 bits: floor(bits · n / 2^64).
std::uint32_t below(std::uint64_t bits, std::uint64_t n) {
  return static_cast<std::uint32_t>(((bits >> 32) * n + (((bits & 0xffffffffu) * n) >> 32)) >> 32);
}

}  // namespace

void multiplicities(const std::int64_t* counts, std::size_t n_kinds, std::uint64_t seed,
                    std::uint64_t first, std::size_t n_replicates, std::int32_t* times) {
  const std::uint64_t n_units =
      static_cast<std::uint64_t>(std::accumulate(counts, counts + n_kinds, std::int64_t{0}));
  const bool one_each = std::all_of(counts, counts + n_kinds, [](auto n) { return n == 1; });
  std::vector<std::uint32_t> kind_of;
  if (!one_each) {
    kind_of.reserve(n_units);
    for (std::size_t kind = 0; kind < n_kinds; ++kind) {
      kind_of.insert(kind_of.end(), static_cast<std::size_t>(counts[kind]),
                     static_cast<std::uint32_t>(kind));
    }
  }
  parallel_for(n_replicates, [&](std::size_t replicate) {
    std::int32_t* const row = times + replicate * n_kinds;
    std::fill(row, row + n_kinds, 0);
    std::uint64_t counter = start_of(seed, first + replicate);
    if (one_each) {
      for (std::uint64_t i = 0; i < n_units; ++i) ++row[below(mix(counter += kGolden), n_units)];
    } else {
      for (std::uint64_t i = 0; i < n_units; ++i) {
        ++row[kind_of[below(mix(counter += kGolden), n_units)]];
      }
    }
  });
}

void random_bits(std::size_t n_units, std::uint64_t seed, std::uint64_t first,
                 std::size_t n_replicates, std::uint8_t* bits) {
  parallel_for(n_replicates, [&](std::size_t replicate) {
    std::uint8_t* const row = bits + replicate * n_units;
    std::uint64_t counter = start_of(seed, first + replicate);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < n_units; ++i) {
      if (i % 64 == 0) word = mix(counter += kGolden);
      row[i] = static_cast<std::uint8_t>(word >> (i % 64) & 1);
    }
  });
}

void sums_by_cell(const std::int32_t* times, std::size_t n_replicates, std::size_t n_units,
                  const std::int32_t* unit, const double* weight, const std::int32_t* cell,
                  std::size_t n_pairs, std::size_t n_cells, double* sums) {
  parallel_for(n_replicates, [&](std::size_t replicate) {
    const std::int32_t* const row = times + replicate * n_units;
    double* const out = sums + replicate * n_cells;
    std::fill(out, out + n_cells, 0.0);
    for (std::size_t j = 0; j < n_pairs; ++j) {
      const double often = row[unit == nullptr ? j : static_cast<std::size_t>(unit[j])];
      out[cell[j]] += weight == nullptr ? often : often * weight[j];
    }
  });
}

void label_sums(const std::int32_t* times, std::size_t n_replicates, std::size_t n_units,
                const LabelPairs& pairs, const LabelSums& sums) {
  // What does not depend on the replicate: which pairs are right, and how far apart others are.
  std::vector<std::uint32_t> right, wrong;
  std::vector<double> distance;
  for (std::size_t j = 0; j < pairs.n_pairs; ++j) {
    const std::int64_t apart = std::int64_t{pairs.truth[j]} - pairs.predicted[j];
    (apart == 0 ? right : wrong).push_back(static_cast<std::uint32_t>(j));
    if (apart != 0) distance.push_back(static_cast<double>(apart < 0 ? -apart : apart));
  }
  parallel_for(n_replicates, [&](std::size_t replicate) {
    const std::int32_t* const row = times + replicate * n_units;
    const auto weight_of = [&](std::size_t j) {
      const double often = row[pairs.unit == nullptr ? j : static_cast<std::size_t>(pairs.unit[j])];
      return pairs.weight == nullptr ? often : often * pairs.weight[j];
    };
    double* const correct = sums.correct + replicate * pairs.n_classes;
    double* const truth = sums.truth + replicate * pairs.n_classes;
    double* const predicted = sums.predicted + replicate * pairs.n_classes;
    for (double* const out : {correct, truth, predicted}) std::fill_n(out, pairs.n_classes, 0.0);
    for (std::size_t j = 0; j < pairs.n_pairs; ++j) {
      const double weight = weight_of(j);
      truth[pairs.truth[j]] += weight;
      predicted[pairs.predicted[j]] += weight;
    }
    for (const std::uint32_t j : right) correct[pairs.truth[j]] += weight_of(j);
    double unequal = 0, linear = 0, quadratic = 0;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      const double weight = weight_of(wrong[i]);
      unequal += weight;
      linear += weight * distance[i];
      quadratic += weight * distance[i] * distance[i];
    }
    double* const costs = sums.costs + replicate * 3;
    costs[0] = unequal;
    costs[1] = linear;
    costs[2] = quadratic;
  });
}

}  // namespace snellen
