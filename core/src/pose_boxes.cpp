#include "snellen/pose_boxes.hpp"

#include <algorithm>

namespace snellen {

void pose_boxes(const double* keypoints, const std::uint8_t* counted, std::size_t n_rows,
                std::size_t n_points, double* xywh) {
  for (std::size_t row = 0; row < n_rows; ++row) {
    double left = 0, top = 0, right = 0, bottom = 0;
    bool any = false;
    for (std::size_t k = row * n_points; k < (row + 1) * n_points; ++k) {
      if (counted != nullptr && counted[k] == 0) continue;
      const double x = keypoints[3 * k], y = keypoints[3 * k + 1];
      left = any ? std::min(left, x) : x;
      top = any ? std::min(top, y) : y;
      right = any ? std::max(right, x) : x;
      bottom = any ? std::max(bottom, y) : y;
      any = true;
    }
    double* const box = xywh + 4 * row;
    box[0] = left;
    box[1] = top;
    box[2] = right - left;
    box[3] = bottom - top;
  }
}

}  // namespace snellen
