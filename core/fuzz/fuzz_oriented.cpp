// Any four corners, crossed, flat or far away: common areas are parts of areas, what is listed is
// what the matrix says, and corners in order stay so.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "snellen/oriented_boxes.hpp"

namespace {

using namespace snellen;

constexpr std::size_t kMostBoxes = 6;
constexpr double kFarthest = 1e100;  // farther corners are refused before
constexpr double kSlack = 1e-6;

void check(bool holds) {
  if (!holds) std::abort();
}

// Doubles as they come, or eighths of pixels, of which many coincide.
std::vector<double> corners_of(const std::uint8_t* data, std::size_t size) {
  const bool is_wide = data[0] % 2 == 0;
  std::vector<double> corners;
  for (std::size_t at = 1; at + 8 <= size && corners.size() < kMostBoxes * kCornerNumbers;
       at += is_wide ? 8 : 1) {
    double value = static_cast<std::int8_t>(data[at]) / 8.0;
    if (is_wide) std::memcpy(&value, data + at, sizeof(value));
    corners.push_back(std::isfinite(value) && std::fabs(value) <= kFarthest ? value : 0.0);
  }
  corners.resize(corners.size() / kCornerNumbers * kCornerNumbers);
  return corners;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::vector<double> given = corners_of(data, size);
  const std::size_t n = given.size() / kCornerNumbers;
  if (n == 0) return 0;
  std::vector<double> corners(given.size()), again(given.size()), area(n), area_again(n);
  std::vector<std::uint8_t> crossed(n), crossed_again(n);
  order_corners(given.data(), n, corners.data(), area.data(), crossed.data());
  order_corners(corners.data(), n, again.data(), area_again.data(), crossed_again.data());
  check(std::memcmp(corners.data(), again.data(), corners.size() * sizeof(double)) == 0);
  check(std::memcmp(area.data(), area_again.data(), n * sizeof(double)) == 0);
  std::vector<std::uint8_t> crowd(n);
  for (std::size_t i = 0; i < n; ++i) {
    check(area[i] >= 0 && crossed_again[i] == 0);
    crowd[i] = data[0] / 2 % 2 == 1 && i % 2 == 1;
  }
  std::vector<double> iou(n * n);
  oriented_iou_matrix(corners.data(), n, corners.data(), crowd.data(), n, iou.data());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double found = iou[i * n + j];
      check(found >= 0 && found <= 1 + kSlack);
      if (area[i] == 0 || (area[j] == 0 && !crowd[j])) check(found == 0);
    }
  }
  // Of one image and class; those that reach a threshold.
  const std::vector<std::int32_t> zeros(n);
  const double lowest = (1 + data[0] / 4 % 9) / 10.0;
  const Candidates listed =
      oriented_candidates({zeros.data(), zeros.data(), n, zeros.data(), zeros.data(), n, 1, 1},
                          corners.data(), crowd.data(), corners.data(), {lowest, false});
  check(listed.begin.size() == n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    auto k = static_cast<std::size_t>(listed.begin[i]);
    for (std::size_t j = 0; j < n; ++j) {
      const bool is_listed = k < static_cast<std::size_t>(listed.begin[i + 1]) &&
                             listed.truth[k] == static_cast<std::int32_t>(j);
      check(is_listed == (iou[i * n + j] >= lowest));
      if (is_listed) check(listed.similarity[k++] == iou[i * n + j]);
    }
    check(k == static_cast<std::size_t>(listed.begin[i + 1]));
  }
  return 0;
}
