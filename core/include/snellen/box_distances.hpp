// 1 − IoU of the boxes of each frame, as py-motmetrics computes it, where it is small enough.
//
// It differs from other toolkits in what happens at the edge: boxes of any size take part, a box of
// negative width or height has no area, and without an overlap the distance is exactly 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// Pairs of truth row i: pair_begin[i] … pair_begin[i + 1] − 1; rows of predictions, ascending.
struct BoxDistances {
  Column<std::int64_t> pair_begin;
  Column<std::int32_t> pair_pred;
  Column<double> distance;
};

// Rows of frame t: begin[t] … begin[t + 1] − 1. Boxes are x, y, width, height; finite numbers.
BoxDistances box_distances(const std::int64_t* truth_begin, const std::int64_t* pred_begin,
                           std::size_t n_frames, const double* truth_xywh, const double* pred_xywh,
                           double max_distance);

}  // namespace snellen
