#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/ranking.hpp"

namespace {

std::vector<std::uint32_t> rank(const std::vector<double>& score) {
  snellen::Column<std::uint32_t> column;
  snellen::rank_by_score(score.data(), score.size(), column);
  return {column.begin(), column.end()};
}

// The definition: rows sorted by falling score, equal scores as they came.
std::vector<std::uint32_t> by_definition(const std::vector<double>& score) {
  std::vector<std::uint32_t> rows(score.size());
  std::iota(rows.begin(), rows.end(), 0U);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return score[a] > score[b]; });
  return rows;
}

void worked_by_hand() {
  CHECK(rank({}).empty());
  CHECK(rank({0.5}) == std::vector<std::uint32_t>{0});
  CHECK(rank({0.1, 0.9, 0.5}) == (std::vector<std::uint32_t>{1, 2, 0}));
  // Equal scores stay as they came; −0 equals 0.
  CHECK(rank({0.5, 0.9, 0.5, 0.9}) == (std::vector<std::uint32_t>{1, 3, 0, 2}));
  CHECK(rank({-0.0, 0.0, -0.0, -1.0, 1.0}) == (std::vector<std::uint32_t>{4, 0, 1, 2, 3}));
}

// From 512 rows on the radix sort does the work.
constexpr std::size_t kMany = 3000;

void check_many(const std::function<double()>& draw) {
  for (const std::size_t n_rows : {std::size_t{511}, std::size_t{512}, kMany}) {
    std::vector<double> score(n_rows);
    std::generate(score.begin(), score.end(), draw);
    CHECK(rank(score) == by_definition(score));
  }
}

void many_rows() {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  check_many([&] { return uniform(random); });
  // Ties everywhere.
  check_many([&] { return std::floor(uniform(random) * 20) / 20; });
  check_many([] { return 0.25; });
  // Equal in their upper 32 bits, different below, and equal throughout, in runs.
  check_many([&] { return 0.5 + std::floor(uniform(random) * 50) * 0x1p-53; });
  check_many([&] {
    return std::floor(uniform(random) * 8) / 8 + std::floor(uniform(random) * 8) * 0x1p-50;
  });
  // float32 scores, negative scores, both zeros.
  check_many([&] { return static_cast<double>(static_cast<float>(uniform(random))); });
  check_many([&] { return uniform(random) - 0.5; });
  check_many([&] {
    const double u = uniform(random);
    return u < 0.3 ? -0.0 : u < 0.6 ? 0.0 : u < 0.8 ? -1e-310 : 1e-310;
  });
  // From the smallest to the largest.
  check_many([&] {
    const double sign = uniform(random) < 0.5 ? -1 : 1;
    return sign * std::ldexp(1 + uniform(random), static_cast<int>(uniform(random) * 2098) - 1074);
  });
  check_many([&] {
    constexpr double kHighest = std::numeric_limits<double>::max();
    constexpr double kTiny = std::numeric_limits<double>::denorm_min();
    const double u = uniform(random);
    return u < 0.2 ? kHighest : u < 0.4 ? -kHighest : u < 0.6 ? kTiny : u < 0.8 ? -kTiny : 0.0;
  });
}

void a_used_column_may_be_given() {
  snellen::Column<std::uint32_t> column;
  for (std::uint32_t i = 0; i < 100; ++i) column.push_back(i);
  const std::vector<double> score = {0.1, 0.2};
  snellen::rank_by_score(score.data(), 2, column);
  CHECK_EQUAL(column.size(), 2U);
  CHECK_EQUAL(column[0], 1U);
}

void groups_are_ranked_one_by_one() {
  std::mt19937_64 random(4);
  std::uniform_int_distribution<int> tenths(0, 10);
  // An empty group at either end and between; one that the radix sort takes.
  const std::vector<std::size_t> sizes = {0, 3, 0, kMany, 1, 0};
  std::vector<double> score;
  std::vector<std::int32_t> group;
  std::vector<std::uint32_t> expected;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    std::vector<double> own(sizes[g]);
    std::generate(own.begin(), own.end(), [&] { return tenths(random) / 10.0; });
    const auto first = static_cast<std::uint32_t>(score.size());
    for (const std::uint32_t row : by_definition(own)) expected.push_back(first + row);
    score.insert(score.end(), own.begin(), own.end());
    group.insert(group.end(), own.size(), static_cast<std::int32_t>(g));
  }
  const auto rows = snellen::rank_in_groups(score.data(), group.data(), group.size(), sizes.size());
  CHECK(std::vector<std::uint32_t>(rows.begin(), rows.end()) == expected);
  CHECK_EQUAL(snellen::rank_in_groups(nullptr, nullptr, 0, 3).size(), 0U);
}

}  // namespace

int main() {
  groups_are_ranked_one_by_one();
  worked_by_hand();
  many_rows();
  a_used_column_may_be_given();
  return snellen::testing::report();
}
