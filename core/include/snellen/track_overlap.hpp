// How far two tracks of boxes are the same over all their frames.
//
// The IoU of two tracks is the sum of their boxes' intersections over the sum of their unions; in a
// frame that only one of them has, the union is its box. Frames are added in ascending order, each
// with the arithmetic
//   intersection = max(min(right) − max(left), 0) · max(min(bottom) − max(top), 0)
//   union = (area of pred + area of truth) − intersection, area = (right − left) · (bottom − top).
// Rules: TrackEval 12c8791, metrics/track_map.py, _compute_bb_track_iou (which adds frames in the
// order of a Python set: the last bit of a sum of fractions can be another there).
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// Track k has the rows begin[k] … begin[k + 1], of ascending frames, at least one.
struct TrackBoxes {
  const std::int64_t* begin;
  std::size_t n_tracks;
  const std::int64_t* frame;
  const double* xyxy;  // 4 a row, right and bottom at least left and top
};

// Group g (a class in a sequence) has the tracks begin[g] … begin[g + 1] of each side; tracks of
// different groups have nothing to do with each other.
struct TrackGroups {
  const std::int64_t* truth_begin;
  const std::int64_t* pred_begin;
  std::size_t n_groups;
};

// Of each pred track the truth tracks that it shares anything with, ascending; IoU above 0.
struct TrackOverlaps {
  Column<std::int64_t> begin;  // n_pred_tracks + 1
  Column<std::int32_t> truth;
  Column<double> iou;
};

TrackOverlaps track_overlaps(const TrackBoxes& truth, const TrackBoxes& pred,
                             const TrackGroups& groups);

}  // namespace snellen
