#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "snellen/iou.hpp"

using Box = std::array<double, 4>;

namespace {

double iou(const Box& pred, const Box& truth, bool crowd = false) {
  return snellen::box_iou(pred.data(), truth.data(), crowd);
}

void worked_by_hand() {
  CHECK_EQUAL(iou({0, 0, 10, 10}, {0, 0, 10, 10}), 1.0);
  // 5 × 10 in common of 100 + 100 − 50.
  CHECK_EQUAL(iou({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0 / 150.0);
  // 4 × 3 in common of 36 + 20 − 12, at negative coordinates.
  CHECK_EQUAL(iou({-6, -6, 6, 6}, {-4, -3, 4, 5}), 12.0 / 44.0);
  // One inside the other.
  CHECK_EQUAL(iou({2, 2, 2, 2}, {0, 0, 10, 10}), 0.04);
}

void a_crowd_is_measured_by_the_detection() {
  CHECK_EQUAL(iou({2, 2, 2, 2}, {0, 0, 10, 10}, true), 1.0);
  // Half of the detection lies in the crowd.
  CHECK_EQUAL(iou({-5, 0, 10, 10}, {0, 0, 100, 100}, true), 0.5);
  CHECK_EQUAL(iou({50, 50, 10, 10}, {0, 0, 10, 10}, true), 0.0);
}

void nothing_in_common() {
  // Apart, and touching in a side or a corner.
  CHECK_EQUAL(iou({0, 0, 10, 10}, {30, 0, 10, 10}), 0.0);
  CHECK_EQUAL(iou({0, 0, 10, 10}, {0, 30, 10, 10}), 0.0);
  CHECK_EQUAL(iou({0, 0, 10, 10}, {10, 0, 10, 10}), 0.0);
  CHECK_EQUAL(iou({0, 0, 10, 10}, {10, 10, 10, 10}), 0.0);
  // Without extent there is no 0 / 0.
  CHECK_EQUAL(iou({0, 0, 0, 10}, {0, 0, 0, 10}), 0.0);
  CHECK_EQUAL(iou({0, 0, 10, 0}, {0, 0, 10, 10}), 0.0);
}

void the_order_of_operations_counts() {
  // The reference adds both areas, then takes the intersection away; one unit in the last place
  // lies between that and adding what is left of one area to the other.
  const double small = 0.1 * 0.1;
  const double large = 0.1 * (0.1 * 6);
  const double joint = small + large - small;
  CHECK(joint != small + (large - small));
  CHECK_EQUAL(iou({0, 0, 0.1, 0.1}, {0, 0, 0.1, 0.1 * 6}), small / joint);
}

void all_pairs() {
  const std::vector<double> pred = {0, 0, 10, 10, 0, 0, 10, 5};
  const std::vector<double> truth = {0, 0, 10, 10, 0, 0, 5, 5, 20, 20, 1, 1};
  const std::vector<std::uint8_t> crowd = {0, 1, 0};
  std::vector<double> matrix(6, -7);
  snellen::box_iou_matrix(pred.data(), 2, truth.data(), crowd.data(), 3, matrix.data());
  // Against the crowd: 25 / 100 and 25 / 50.
  CHECK(matrix == (std::vector<double>{1.0, 0.25, 0.0, 0.5, 0.5, 0.0}));
}

void boxes_that_cannot_be_measured() {
  auto measurable = [](std::array<double, 4> box) { return snellen::is_measurable(box.data()); };
  CHECK(measurable({0, 0, 10, 10}));
  CHECK(measurable({-5, 3, 0, 10}));  // a line
  CHECK(measurable({0, 0, 0, 0}));    // a point
  CHECK(measurable({1e300, -1e300, 1, 1}));
  CHECK(!measurable({0, 0, 1e200, 1e200}));     // its area is infinite
  CHECK(!measurable({1e308, 0, 1e308, 1e-9}));  // its right side is
  CHECK(!measurable({0, 1e308, 1e-9, 1e308}));
  CHECK(!measurable({0, 0, 1e-200, 1e-200}));  // its area has vanished
  const std::vector<double> boxes = {0, 0, 1, 1, 0, 0, 1e200, 1e200, 0, 0, 1e200, 1e200};
  CHECK_EQUAL(snellen::first_unmeasurable(boxes.data(), 3), 1U);
  CHECK_EQUAL(snellen::first_unmeasurable(boxes.data(), 1), 1U);
}

}  // namespace

int main() {
  worked_by_hand();
  a_crowd_is_measured_by_the_detection();
  nothing_in_common();
  the_order_of_operations_counts();
  all_pairs();
  boxes_that_cannot_be_measured();
  return snellen::testing::report();
}
