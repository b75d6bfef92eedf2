#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/hamming.hpp"
#include "snellen/parallel.hpp"

using snellen::NearDuplicates;
using snellen::NearSearch;
using Hash = std::array<std::uint64_t, 4>;

namespace {

struct Rows {
  std::vector<Hash> hash;
  std::vector<std::int32_t> part;
  std::size_t n_parts;

  void add(const Hash& one, std::int32_t in) {
    hash.push_back(one);
    part.push_back(in);
  }
};

// Everything as plain vectors, to compare.
struct Plain {
  std::vector<std::int32_t> group, nearest;
  std::vector<std::int16_t> bits;
  std::vector<std::int64_t> n_pairs;
  bool operator==(const Plain&) const = default;
};

Plain find(const Rows& rows, int distance, NearSearch search) {
  const NearDuplicates found =
      snellen::near_duplicates(rows.hash.empty() ? nullptr : rows.hash[0].data(), rows.part.data(),
                               rows.part.size(), rows.n_parts, distance, search);
  return {{found.group.begin(), found.group.end()},
          {found.nearest.begin(), found.nearest.end()},
          {found.bits.begin(), found.bits.end()},
          found.n_pairs};
}

int distance_of(const Hash& a, const Hash& b) {
  int bits = 0;
  for (std::size_t i = 0; i < 4; ++i) bits += std::popcount(a[i] ^ b[i]);
  return bits;
}

// Every pair of rows, in their order: the first nearest one stays.
Plain by_hand(const Rows& rows, int distance) {
  const std::size_t n = rows.hash.size(), p = rows.n_parts;
  Plain plain{std::vector<std::int32_t>(n), std::vector<std::int32_t>(n * p, -1),
              std::vector<std::int16_t>(n * p, -1), std::vector<std::int64_t>(p * p)};
  std::iota(plain.group.begin(), plain.group.end(), 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const int bits = distance_of(rows.hash[i], rows.hash[j]);
      if (i == j || bits > distance) continue;
      const std::size_t cell = i * p + static_cast<std::size_t>(rows.part[j]);
      if (plain.nearest[cell] < 0 || bits < plain.bits[cell]) {
        plain.nearest[cell] = static_cast<std::int32_t>(j);
        plain.bits[cell] = static_cast<std::int16_t>(bits);
      }
      if (j < i) continue;
      const auto [low, high] = std::minmax(rows.part[i], rows.part[j]);
      ++plain.n_pairs[static_cast<std::size_t>(low) * p + static_cast<std::size_t>(high)];
      // Both groups become the one whose first row is smaller.
      const auto [first, second] = std::minmax({plain.group[i], plain.group[j]});
      std::replace(plain.group.begin(), plain.group.end(), std::int32_t{second},
                   std::int32_t{first});
    }
  }
  return plain;
}

using Random = std::mt19937_64;

Hash random_hash(Random& random) { return {random(), random(), random(), random()}; }

Hash flipped(Hash hash, int n_bits, Random& random) {
  std::array<int, 256> places;
  std::iota(places.begin(), places.end(), 0);
  for (int k = 0; k < n_bits; ++k) {
    const auto chosen = static_cast<std::size_t>(k) +
                        static_cast<std::size_t>(random() % static_cast<unsigned>(256 - k));
    std::swap(places[static_cast<std::size_t>(k)], places[chosen]);
    const auto bit = static_cast<unsigned>(places[static_cast<std::size_t>(k)]);
    hash[bit / 64] ^= std::uint64_t{1} << (bit % 64);
  }
  return hash;
}

std::int32_t some_part(const Rows& rows, Random& random) {
  return static_cast<std::int32_t>(random() % rows.n_parts);
}

void check_all(const Rows& rows, int distance) {
  const Plain want = by_hand(rows, distance);
  CHECK(find(rows, distance, NearSearch::kEveryPair) == want);
  CHECK(find(rows, distance, NearSearch::kBands) == want);
  CHECK(find(rows, distance, NearSearch::kCheapest) == want);
}

void worked_by_hand() {
  // Rows 0 and 2 are equal; row 1 is 2 bits from them; row 3 is 1 bit from row 1 and 3 from them;
  // row 4 is far from all.
  const Rows rows{{{0, 0, 0, 0}, {3, 0, 0, 0}, {0, 0, 0, 0}, {7, 0, 0, 0}, {~0ULL, 0, 0, 0}},
                  {0, 0, 1, 1, 1},
                  2};
  for (const NearSearch search : {NearSearch::kEveryPair, NearSearch::kBands}) {
    const Plain found = find(rows, 2, search);
    CHECK(found.group == (std::vector<std::int32_t>{0, 0, 0, 0, 4}));
    CHECK(found.nearest == (std::vector<std::int32_t>{1, 2, 0, 3, 0, -1, 1, -1, -1, -1}));
    CHECK(found.bits == (std::vector<std::int16_t>{2, 0, 2, 1, 0, -1, 1, -1, -1, -1}));
    // Pairs 0–1 within part 0; 0–2, 1–2, 1–3 across; none within part 1 (2–3 is 3 bits).
    CHECK(found.n_pairs == (std::vector<std::int64_t>{1, 3, 0, 0}));
  }
}

void nothing_and_one() {
  for (const NearSearch search : {NearSearch::kEveryPair, NearSearch::kBands}) {
    const Plain none = find({{}, {}, 3}, 30, search);
    CHECK(none.group.empty());
    CHECK(none.n_pairs == std::vector<std::int64_t>(9, 0));
    CHECK(find({{}, {}, 0}, 0, search).n_pairs.empty());
    const Plain one = find({{{1, 2, 3, 4}}, {1}, 2}, 255, search);
    CHECK(one.group == std::vector<std::int32_t>{0});
    CHECK(one.nearest == (std::vector<std::int32_t>{-1, -1}));
  }
}

// At every distance pairs that are just near and pairs that are just not.
void planted_pairs_at_every_distance() {
  Random random(1);
  for (int distance = 0; distance < 256; distance += distance < 70 ? 1 : 37) {
    Rows rows{{}, {}, 3};
    for (int k = 0; k < 24; ++k) {
      const Hash base = random_hash(random);
      rows.add(base, some_part(rows, random));
      rows.add(flipped(base, distance, random), some_part(rows, random));
      rows.add(flipped(base, std::min(256, distance + 1), random), some_part(rows, random));
    }
    check_all(rows, distance);
  }
}

// Differences that sit in as few bands as can be, and spread over all of them.
void bits_beside_each_other() {
  for (const int distance : {15, 16, 30, 47}) {
    Rows rows{{}, {}, 1};
    rows.add({0, 0, 0, 0}, 0);
    for (unsigned from = 0; from < 256; from += 5) {
      for (const unsigned step : {1U, 15U, 16U, 17U, 21U}) {
        Hash hash{};
        for (unsigned k = 0; k < static_cast<unsigned>(distance); ++k) {
          const unsigned bit = (from + k * step) % 256;
          hash[bit / 64] ^= std::uint64_t{1} << (bit % 64);
        }
        rows.add(hash, 0);
      }
    }
    check_all(rows, distance);
  }
}

void clusters_with_copies() {
  Random random(3);
  Rows rows{{}, {}, 4};
  for (int cluster = 0; cluster < 6; ++cluster) {
    const Hash centre = random_hash(random);
    for (int k = 0; k < 60; ++k) {
      const Hash hash = flipped(centre, static_cast<int>(random() % 18), random);
      for (std::uint64_t copies = 1 + random() % 3; copies > 0; --copies) {
        rows.add(hash, some_part(rows, random));
      }
    }
  }
  for (const int distance : {0, 3, 12, 20, 34, 60}) check_all(rows, distance);
}

// Pictures with large flat areas: most bits are clear, most bands agree.
void hashes_with_few_bits() {
  Random random(4);
  Rows rows{{}, {}, 2};
  for (int k = 0; k < 400; ++k) {
    rows.add(flipped({0, 0, 0, 0}, static_cast<int>(random() % 25), random),
             some_part(rows, random));
  }
  for (const int distance : {0, 5, 15, 30}) check_all(rows, distance);
}

void all_equal_are_one_group() {
  constexpr std::int64_t n = 200'000;
  Rows rows{std::vector<Hash>(n, Hash{5, 0, 0, 9}), std::vector<std::int32_t>(n, 0), 2};
  rows.part[7] = rows.part[9] = 1;
  const Plain found = find(rows, 30, NearSearch::kCheapest);
  CHECK(found.group == std::vector<std::int32_t>(n, 0));
  // n − 2 rows of part 0 among themselves, with the two of part 1, and these two.
  CHECK(found.n_pairs == (std::vector<std::int64_t>{(n - 2) * (n - 3) / 2, 2 * (n - 2), 0, 1}));
  CHECK_EQUAL(found.nearest[0], 1);  // row 0, part 0: the next one
  CHECK_EQUAL(found.nearest[2], 0);  // row 1, part 0
  CHECK_EQUAL(found.nearest[1], 7);  // row 0, part 1
  CHECK_EQUAL(found.nearest[7 * 2 + 1], 9);
  CHECK_EQUAL(found.nearest[9 * 2 + 1], 7);
}

void threads_change_nothing() {
  Random random(5);
  Rows rows{{}, {}, 3};
  const Hash centre = random_hash(random);
  for (int k = 0; k < 6000; ++k) {
    const bool alike = random() % 4 == 0;
    rows.add(alike ? flipped(centre, static_cast<int>(random() % 20), random) : random_hash(random),
             some_part(rows, random));
  }
  snellen::set_thread_count(1);
  const Plain want = find(rows, 30, NearSearch::kEveryPair);
  for (const int n_threads : {1, 2, 3, 8}) {
    snellen::set_thread_count(n_threads);
    for (int repeat = 0; repeat < 3; ++repeat) {
      CHECK(find(rows, 30, NearSearch::kBands) == want);
      CHECK(find(rows, 30, NearSearch::kEveryPair) == want);
      CHECK(find(rows, 30, NearSearch::kCheapest) == want);
    }
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  worked_by_hand();
  nothing_and_one();
  planted_pairs_at_every_distance();
  bits_beside_each_other();
  clusters_with_copies();
  hashes_with_few_bits();
  all_equal_are_one_group();
  threads_change_nothing();
  return snellen::testing::report();
}
