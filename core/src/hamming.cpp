#include "snellen/hamming.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "near_findings.hpp"
#include "snellen/parallel.hpp"

// x86-64 counts bits in one instruction that the first of them lack, so a build for all of them
// asks at run time. Elsewhere std::popcount is what the processor has.
#if defined(__x86_64__) && defined(__GNUC__)
#define SNELLEN_ASK_FOR_POPCNT
#define SNELLEN_INLINE inline __attribute__((always_inline))
#else
#define SNELLEN_INLINE inline
#endif

namespace snellen {
namespace {

constexpr int kBands = 16;
constexpr int kBandBits = 16;
constexpr std::size_t kCodes = std::size_t{1} << kBandBits;
constexpr int kLargestRadius = 3;
constexpr std::size_t kBlockPoints = 512;

// What the steps of the search cost, in comparisons of two points: measured to about a half. They
// decide how the search goes, never what it finds.
constexpr double kLookUpCost = 1;
constexpr double kSortCost = 10;

using Radii = std::array<int, kBands>;  // −1: the band is left out

// Band b of a hash lies in its bits 16 b … 16 b + 15 here; the order of bits changes no distance.
// Bits beside or above each other in a picture are alike; a band takes one bit of each 16, five
// further than the last, so that what pictures of a set share (a sky, a margin) fills no band.
Hash banded(const Hash& hash) {
  Hash result{};
  for (std::size_t row = 0; row < 16; ++row) {
    const std::uint64_t bits = hash[row / 4] >> (row % 4 * 16);
    for (std::size_t band = 0; band < kBands; ++band) {
      const std::uint64_t bit = bits >> ((band + 5 * row) % 16) & 1;
      result[band / 4] |= bit << (band % 4 * kBandBits + row);
    }
  }
  return result;
}

SNELLEN_INLINE std::size_t code_of(const Hash& hash, int band) {
  return hash[static_cast<std::size_t>(band / 4)] >> (band % 4 * kBandBits) & (kCodes - 1);
}

Hash difference(const Hash& a, const Hash& b) {
  return {a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]};
}

// The distance of two hashes, or more than `limit`: different hashes mostly show it by half.
SNELLEN_INLINE int distance_up_to(int limit, const Hash& a, const Hash& b) {
  const int half = std::popcount(a[0] ^ b[0]) + std::popcount(a[1] ^ b[1]);
  if (half > limit) return half;
  return half + std::popcount(a[2] ^ b[2]) + std::popcount(a[3] ^ b[3]);
}

// All codes that differ from 0 in at most `radius` bits.
std::vector<std::size_t> ball(int radius) {
  std::vector<std::size_t> masks;
  for (std::size_t mask = 0; mask < kCodes; ++mask) {
    if (std::popcount(mask) <= radius) masks.push_back(mask);
  }
  return masks;
}

// Points in the order of one band's codes.
struct Bucketed {
  int band;
  std::vector<std::uint32_t> start;  // points of code c: start[c] … start[c + 1] − 1
  std::vector<Hash> hash;
  std::vector<std::uint32_t> number;

  Bucketed(const std::vector<Hash>& hashes, int of_band)
      : band(of_band), start(kCodes + 1), hash(hashes.size()), number(hashes.size()) {
    for (const Hash& one : hashes) ++start[code_of(one, band) + 1];
    for (std::size_t code = 0; code < kCodes; ++code) start[code + 1] += start[code];
    std::vector<std::uint32_t> next(start.begin(), start.end() - 1);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const std::uint32_t place = next[code_of(hashes[i], band)]++;
      hash[place] = hashes[i];
      number[place] = static_cast<std::uint32_t>(i);
    }
  }
};

// A job of the search of all pairs: points from `begin` to `end` with all points after them.
SNELLEN_INLINE void compare_all(const std::vector<Hash>& hash, std::size_t begin, std::size_t end,
                                int distance, Findings& findings, Findings::Counts& counts) {
  constexpr std::size_t kTile = 512;  // of 32 bytes a point: what the first cache holds
  for (std::size_t tile = begin; tile < hash.size(); tile += kTile) {
    const std::size_t tile_end = std::min(hash.size(), tile + kTile);
    for (std::size_t i = begin; i < end; ++i) {
      const Hash one = hash[i];
      for (std::size_t j = std::max(tile, i + 1); j < tile_end; ++j) {
        const int bits = distance_up_to(distance, one, hash[j]);
        if (bits > distance) continue;
        findings.add(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), bits, counts);
      }
    }
  }
}

// Whether an earlier band has found the pair already.
SNELLEN_INLINE bool found_before(const Hash& apart, int band, const Radii& radii) {
  for (int earlier = 0; earlier < band; ++earlier) {
    if (std::popcount(code_of(apart, earlier)) <= radii[static_cast<std::size_t>(earlier)]) {
      return true;
    }
  }
  return false;
}

// A job of the search of one band: the points at places from `begin` to `end`, with those of all
// codes near theirs that are not smaller.
SNELLEN_INLINE void compare_near(const Bucketed& points, std::size_t begin, std::size_t end,
                                 const std::vector<std::size_t>& masks, const Radii& radii,
                                 int distance, Findings& findings, Findings::Counts& counts) {
  for (std::size_t run = begin; run < end;) {
    const std::size_t code = code_of(points.hash[run], points.band);
    const std::size_t run_end = std::min(end, static_cast<std::size_t>(points.start[code + 1]));
    for (const std::size_t mask : masks) {
      const std::size_t other = code ^ mask;
      if (other < code) continue;
      const std::size_t other_end = points.start[other + 1];
      for (std::size_t i = run; i < run_end; ++i) {
        const Hash one = points.hash[i];
        for (std::size_t j = mask == 0 ? i + 1 : points.start[other]; j < other_end; ++j) {
          const int bits = distance_up_to(distance, one, points.hash[j]);
          if (bits > distance) continue;
          if (found_before(difference(one, points.hash[j]), points.band, radii)) continue;
          findings.add(points.number[i], points.number[j], bits, counts);
        }
      }
    }
    run = run_end;
  }
}

#if defined(SNELLEN_ASK_FOR_POPCNT)
__attribute__((target("popcnt"))) void compare_all_popcnt(const std::vector<Hash>& hash,
                                                          std::size_t begin, std::size_t end,
                                                          int distance, Findings& findings,
                                                          Findings::Counts& counts) {
  compare_all(hash, begin, end, distance, findings, counts);
}
__attribute__((target("popcnt"))) void compare_near_popcnt(const Bucketed& points,
                                                           std::size_t begin, std::size_t end,
                                                           const std::vector<std::size_t>& masks,
                                                           const Radii& radii, int distance,
                                                           Findings& findings,
                                                           Findings::Counts& counts) {
  compare_near(points, begin, end, masks, radii, distance, findings, counts);
}
bool has_popcnt() { return __builtin_cpu_supports("popcnt"); }
#endif

void compare_all_any(const std::vector<Hash>& hash, std::size_t begin, std::size_t end,
                     int distance, Findings& findings, Findings::Counts& counts) {
#if defined(SNELLEN_ASK_FOR_POPCNT)
  if (has_popcnt()) return compare_all_popcnt(hash, begin, end, distance, findings, counts);
#endif
  compare_all(hash, begin, end, distance, findings, counts);
}

void compare_near_any(const Bucketed& points, std::size_t begin, std::size_t end,
                      const std::vector<std::size_t>& masks, const Radii& radii, int distance,
                      Findings& findings, Findings::Counts& counts) {
#if defined(SNELLEN_ASK_FOR_POPCNT)
  if (has_popcnt()) {
    return compare_near_popcnt(points, begin, end, masks, radii, distance, findings, counts);
  }
#endif
  compare_near(points, begin, end, masks, radii, distance, findings, counts);
}

// Runs job(begin, end, counts) over blocks of points.
template <class Job>
void for_blocks(std::size_t n_points, Findings& findings, const Job& job) {
  parallel_for((n_points + kBlockPoints - 1) / kBlockPoints, [&](std::size_t block) {
    Findings::Counts counts = findings.no_counts();
    job(block * kBlockPoints, std::min(n_points, (block + 1) * kBlockPoints), counts);
    findings.add(counts);
  });
}

// What a band costs at each radius from −1: pairs to compare, codes to look up, points to sort.
std::array<double, kLargestRadius + 2> band_costs(const std::vector<Hash>& hash, int band) {
  // near[t][c]: points whose code differs from c in exactly t bits, of the bits seen so far.
  std::array<std::vector<std::uint32_t>, kLargestRadius + 1> near;
  for (auto& counts : near) counts.assign(kCodes, 0);
  for (const Hash& one : hash) ++near[0][code_of(one, band)];
  const std::vector<std::uint32_t> count = near[0];
  for (std::size_t bit = 1; bit < kCodes; bit <<= 1) {
    for (std::size_t t = kLargestRadius; t > 0; --t) {
      for (std::size_t code = 0; code < kCodes; ++code) near[t][code] += near[t - 1][code ^ bit];
    }
  }
  const auto n_codes = static_cast<double>(
      kCodes - static_cast<std::size_t>(std::count(count.begin(), count.end(), 0U)));

  std::array<double, kLargestRadius + 2> costs{};
  double pairs = 0, n_masks = 1;
  for (std::size_t t = 0; t <= kLargestRadius; ++t) {
    for (std::size_t code = 0; code < kCodes; ++code) {
      pairs += static_cast<double>(count[code]) * static_cast<double>(near[t][code]) / 2;
    }
    costs[t + 1] =
        pairs + kLookUpCost * n_codes * n_masks + kSortCost * static_cast<double>(hash.size());
    n_masks +=
        n_masks * static_cast<double>(kBandBits - static_cast<int>(t)) / static_cast<double>(t + 1);
  }
  return costs;
}

struct Plan {
  double cost;
  Radii radii;
};

// The cheapest radii whose sum, each counted from −1, is distance + 1; infinite cost where the
// bands have no such radii.
Plan cheapest_radii(const std::vector<Hash>& hash, int distance) {
  const auto wanted = static_cast<std::size_t>(distance) + 1;
  constexpr double kImpossible = std::numeric_limits<double>::infinity();
  if (wanted > kBands * (kLargestRadius + 1)) return {kImpossible, {}};
  std::array<std::array<double, kLargestRadius + 2>, kBands> costs{};
  parallel_for(kBands,
               [&](std::size_t band) { costs[band] = band_costs(hash, static_cast<int>(band)); });

  // best[s]: the cheapest way of the bands so far to reach the sum s.
  std::vector<Plan> best(wanted + 1, Plan{kImpossible, {}});
  best[0].cost = 0;
  for (std::size_t band = 0; band < kBands; ++band) {
    std::vector<Plan> next(wanted + 1, Plan{kImpossible, {}});
    for (std::size_t sum = 0; sum <= wanted; ++sum) {
      for (std::size_t share = 0; share <= std::min<std::size_t>(sum, kLargestRadius + 1);
           ++share) {
        const double cost = best[sum - share].cost + costs[band][share];
        if (cost >= next[sum].cost) continue;
        next[sum] = {cost, best[sum - share].radii};
        next[sum].radii[band] = static_cast<int>(share) - 1;
      }
    }
    best = std::move(next);
  }
  return best[wanted];
}

}  // namespace

NearDuplicates near_duplicates(const std::uint64_t* hash, const std::int32_t* part,
                               std::size_t n_rows, std::size_t n_parts, int distance,
                               NearSearch search) {
  const Points points = points_of(hash, part, n_rows);
  Findings findings(points, n_parts);
  std::vector<Hash> hashes(points.size());
  std::transform(points.hash.begin(), points.hash.end(), hashes.begin(), banded);

  const auto n = static_cast<double>(hashes.size());
  const double every_pair = n * (n - 1) / 2;
  Plan plan{std::numeric_limits<double>::infinity(), {}};
  // The counts of the codes cost as much as a million comparisons.
  if (search == NearSearch::kBands || (search == NearSearch::kCheapest && every_pair > 1e7)) {
    plan = cheapest_radii(hashes, distance);
  }
  const bool by_bands = search == NearSearch::kBands
                            ? plan.cost < std::numeric_limits<double>::infinity()
                            : plan.cost < every_pair;
  if (!by_bands) {
    for_blocks(hashes.size(), findings,
               [&](std::size_t begin, std::size_t end, Findings::Counts& counts) {
                 compare_all_any(hashes, begin, end, distance, findings, counts);
               });
    return findings.of_rows();
  }
  for (int band = 0; band < kBands; ++band) {
    const int radius = plan.radii[static_cast<std::size_t>(band)];
    if (radius < 0) continue;
    const Bucketed bucketed(hashes, band);
    const std::vector<std::size_t> masks = ball(radius);
    for_blocks(
        hashes.size(), findings, [&](std::size_t begin, std::size_t end, Findings::Counts& counts) {
          compare_near_any(bucketed, begin, end, masks, plan.radii, distance, findings, counts);
        });
  }
  return findings.of_rows();
}

}  // namespace snellen
