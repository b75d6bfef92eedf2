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

}  // namespace snellen
