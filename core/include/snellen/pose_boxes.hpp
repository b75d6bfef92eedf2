// The smallest boxes around keypoints.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// Left, top, width and height of the box around the counted ones of n_points keypoints a row, each
// x, y and visibility; zeros around none. All count where `counted` is null. Coordinates are finite
// (a width may still be beyond all numbers). One pass over the numbers.
void pose_boxes(const double* keypoints, const std::uint8_t* counted, std::size_t n_rows,
                std::size_t n_points, double* xywh);

}  // namespace snellen
