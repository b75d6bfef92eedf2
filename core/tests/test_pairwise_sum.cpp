#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/pairwise_sum.hpp"

namespace {

// Beside 2⁵³ a single 1 is lost, two that were added before are not.
constexpr double kLarge = 9007199254740992.0;

struct Two {
  double a = 0.0, b = 0.0;
  Two& operator+=(const Two& other) {
    a += other.a;
    b += other.b;
    return *this;
  }
};

double from_left(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

// The sum of the numbers that are not 0, by their places.
double sum_of_given(const std::vector<double>& values, std::int32_t begin, bool blocked) {
  std::vector<double> given;
  std::vector<std::int32_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0.0) continue;
    given.push_back(values[i]);
    places.push_back(begin + static_cast<std::int32_t>(i));
  }
  if (blocked) {
    return snellen::blocked_sum(given.data(), places.data(), given.size(), values.size());
  }
  return snellen::pairwise_sum(given.data(), places.data(), given.size(), begin, values.size());
}

double sum(const std::vector<double>& values) {
  return snellen::pairwise_sum(values.data(), values.size());
}

void worked_by_hand() {
  // Seven from the left: (2⁵³ + 1) + 1 = 2⁵³.
  CHECK_EQUAL(sum({kLarge, 0, 1, 1, 0, 0, 0}), kLarge);
  // Eight: (2⁵³ + 0) + (1 + 1).
  CHECK_EQUAL(sum({kLarge, 0, 1, 1, 0, 0, 0, 0}), kLarge + 2);
  // ((2⁵³ + 1) + (1 + 0)) + …: both are lost, one after the other.
  CHECK_EQUAL(sum({kLarge, 1, 1, 0, 0, 0, 0, 0}), kLarge);
  // Numbers 8 and 16 join running sum 0 before all else: 2⁵³ + 1 + 1.
  CHECK_EQUAL(sum({kLarge, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}),
              kLarge);
  // Those that no eight are left of come last, one by one.
  CHECK_EQUAL(sum({kLarge, 0, 0, 0, 0, 0, 0, 0, 1, 1}), kLarge);
  // 129 numbers are halved at 64: the ones of the second half meet first.
  std::vector<double> values(129, 0.0);
  values[0] = kLarge;
  values[64] = values[72] = 1.0;
  CHECK_EQUAL(sum(values), kLarge + 2);
  values[63] = 1.0;
  values[64] = 0.0;
  CHECK_EQUAL(sum(values), kLarge);
  // Blocks of 8192 are added from the left; without them the last two, of one half, meet first.
  values.assign(5 * 8192, 0.0);
  values[0] = kLarge;
  values[3 * 8192] = values[4 * 8192] = 1.0;
  CHECK_EQUAL(sum(values), kLarge + 2);
  CHECK_EQUAL(sum_of_given(values, 0, false), kLarge + 2);
  CHECK_EQUAL(sum_of_given(values, 0, true), kLarge);
}

void places_of_zeros_are_enough() {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> any(0.0, 1.0);
  int n_unlike = 0;
  for (const std::size_t n : {0U, 1U, 7U, 8U, 9U, 15U, 16U, 100U, 127U, 128U, 129U, 135U, 136U,
                              256U, 257U, 1000U, 8192U, 8193U, 20'000U}) {
    for (const double share : {0.0, 0.001, 0.05, 0.5, 1.0}) {
      std::vector<double> values(n, 0.0);
      for (double& value : values) {
        if (any(random) < share) value = any(random);
      }
      const double whole = sum(values);
      CHECK_EQUAL(sum_of_given(values, 0, false), whole);
      CHECK_EQUAL(sum_of_given(values, 1003, false), whole);
      double blocks = 0.0;
      for (std::size_t begin = 0; begin < n; begin += 8192) {
        blocks +=
            snellen::pairwise_sum(values.data() + begin, std::min<std::size_t>(8192, n - begin));
      }
      CHECK_EQUAL(sum_of_given(values, 0, true), blocks);
      n_unlike += whole != from_left(values);
    }
  }
  // The order shows.
  CHECK(n_unlike > 10);
}

void numbers_side_by_side() {
  const std::vector<Two> values{{kLarge, 1}, {1, kLarge}, {1, 0}};
  const std::vector<std::int64_t> places{0, 2, 3};
  const Two found =
      snellen::pairwise_sum(values.data(), places.data(), values.size(), std::int64_t{0}, 8);
  CHECK_EQUAL(found.a, kLarge + 2);
  // (1 + 0) + (2⁵³ + 0).
  CHECK_EQUAL(found.b, kLarge);
}

}  // namespace

int main() {
  worked_by_hand();
  places_of_zeros_are_enough();
  numbers_side_by_side();
  return snellen::testing::report();
}
