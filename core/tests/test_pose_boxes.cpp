#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "snellen/pose_boxes.hpp"

namespace {

using Numbers = std::vector<double>;

Numbers boxes(const Numbers& keypoints, const std::vector<std::uint8_t>* counted,
              std::size_t n_rows, std::size_t n_points) {
  Numbers xywh(4 * n_rows, -1);
  snellen::pose_boxes(keypoints.data(), counted == nullptr ? nullptr : counted->data(), n_rows,
                      n_points, xywh.data());
  return xywh;
}

void around_all_or_those_that_count() {
  const Numbers keypoints = {3,  4,  0, 1,  9,  2, 2, 2, 1,  //
                             -5, -6, 1, -7, -6, 1, 0, 0, 0};
  CHECK(boxes(keypoints, nullptr, 2, 3) == (Numbers{1, 2, 2, 7, -7, -6, 7, 6}));
  const std::vector<std::uint8_t> counted = {1, 0, 1, 1, 1, 0};
  CHECK(boxes(keypoints, &counted, 2, 3) == (Numbers{2, 2, 1, 2, -7, -6, 2, 0}));
}

void around_none() {
  const std::vector<std::uint8_t> none = {0, 0};
  CHECK(boxes({7, 8, 2, 9, 9, 2}, &none, 1, 2) == (Numbers{0, 0, 0, 0}));
  CHECK(boxes({}, nullptr, 2, 0) == (Numbers(8, 0)));
  CHECK(boxes({}, nullptr, 0, 17).empty());
}

void wider_than_any_number() {
  const double most = std::numeric_limits<double>::max();
  CHECK(boxes({-most, 1, 2, most, 1, 2}, nullptr, 1, 2)[2] ==
        std::numeric_limits<double>::infinity());
}

}  // namespace

int main() {
  around_all_or_those_that_count();
  around_none();
  wider_than_any_number();
  return snellen::testing::report();
}
