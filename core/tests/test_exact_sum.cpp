#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "snellen/exact_sum.hpp"

namespace {

// Limbs for all of float64 and its products, and one for the sign.
constexpr std::int32_t kLow = -70;
constexpr std::size_t kLimbs = 140;

double sum(const std::vector<double>& values) {
  std::vector<std::int64_t> limbs(kLimbs);
  snellen::add_exactly(values.data(), nullptr, values.size(), limbs.data(), 1, kLimbs, kLow);
  snellen::pass_carries(limbs.data(), 1, kLimbs);
  double rounded = 0;
  snellen::round_sums(limbs.data(), 1, kLimbs, kLow, &rounded);
  return rounded;
}

void single_values_come_back() {
  const double smallest = std::numeric_limits<double>::denorm_min();
  const double largest = std::numeric_limits<double>::max();
  for (const double x : {0.0, 1.0, 0.1, smallest, 3 * smallest, largest, 0x1p-1022, 0x1p32}) {
    CHECK_EQUAL(sum({x}), x);
    CHECK_EQUAL(sum({-x}), -x);
    CHECK_EQUAL(sum({x, -x}), 0.0);
    CHECK_EQUAL(sum({x, 1e300, -1e300}), x);
  }
}

void rounded_once() {
  CHECK_EQUAL(sum({1.0, 0x1p-53}), 1.0);
  CHECK_EQUAL(sum({1.0, 0x1p-53, 0x1p-1074}), 1.0 + 0x1p-52);
  CHECK_EQUAL(sum({1.0, -0x1p-54}), 1.0);  // half way to the next below
  CHECK_EQUAL(sum({1.0, -0x1p-54, -0x1p-1074}), 1.0 - 0x1p-53);
  CHECK(std::isinf(sum({std::numeric_limits<double>::max(), std::numeric_limits<double>::max()})));
}

void products_are_exact() {
  // (1 + 2^-52)² = 1 + 2^-51 + 2^-104; less 1 and 2^-51 it is 2^-104.
  const std::vector<double> a = {1 + 0x1p-52, -1.0, 0x1p-51};
  const std::vector<double> b = {1 + 0x1p-52, 1.0, -1.0};
  std::vector<std::int64_t> limbs(kLimbs);
  snellen::add_products_exactly(a.data(), b.data(), a.size(), limbs.data(), 1, kLimbs, kLow);
  snellen::pass_carries(limbs.data(), 1, kLimbs);
  double rounded = 0;
  snellen::round_sums(limbs.data(), 1, kLimbs, kLow, &rounded);
  CHECK_EQUAL(rounded, 0x1p-104);
}

void cells_and_columns() {
  const std::vector<double> values = {1, 2, 3, 4};
  const std::vector<std::int64_t> cell = {1, 1, 0, 1};
  std::vector<std::int64_t> by_cell(2 * kLimbs), by_column(2 * kLimbs);
  snellen::add_exactly(values.data(), cell.data(), 4, by_cell.data(), 2, kLimbs, kLow);
  snellen::add_exactly(values.data(), nullptr, 4, by_column.data(), 2, kLimbs, kLow);
  double rounded[2] = {0, 0};
  snellen::round_sums(by_cell.data(), 2, kLimbs, kLow, rounded);
  CHECK_EQUAL(rounded[0], 3.0);
  CHECK_EQUAL(rounded[1], 7.0);
  snellen::round_sums(by_column.data(), 2, kLimbs, kLow, rounded);
  CHECK_EQUAL(rounded[0], 4.0);
  CHECK_EQUAL(rounded[1], 6.0);
}

void spans() {
  const auto span = [](std::vector<double> values) {
    const snellen::LimbSpan found = snellen::limb_span(values.data(), values.size());
    return std::vector<std::int32_t>{found.begin, found.end};
  };
  // 1 is 2^52 · 2^-52: its lowest bit that may be set stands at 2^-52, in limb -2.
  CHECK((span({1.0}) == std::vector<std::int32_t>{-2, 1}));
  CHECK((span({0.0, -0.0}) == std::vector<std::int32_t>{0, 0}));
  CHECK((span({0x1p32}) == std::vector<std::int32_t>{-1, 2}));
}

}  // namespace

int main() {
  single_values_come_back();
  rounded_once();
  products_are_exact();
  cells_and_columns();
  spans();
  return snellen::testing::report();
}
