// Similarities of the objects of two sides, frame by frame.
//
// A crowded frame has a hundred objects on each side, and each overlaps a few of the other side's:
// so only the pairs whose similarity is above 0 are listed. Boxes are looked up in bins along both
// axes, a set of boxes for each bin; where the sets of a box's bins meet, its overlaps are found
// without measuring the rest, and come in the order of the rows.
//
// The numbers are TrackEval's bit for bit (12c8791, datasets/_base_dataset.py,
// _calculate_box_ious and _calculate_euclidean_similarity): the order of operations is theirs.
// Compile without floating-point contraction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// Rows begin[t] … begin[t + 1] − 1 of a side are the objects of frame t.
struct FrameRows {
  const std::int64_t* truth_begin;  // n_frames + 1
  const std::int64_t* pred_begin;
  std::size_t n_frames;
};

// The pairs of truth row i: begin[i] … begin[i + 1] − 1 of the rest, ascending by pred row.
struct FramePairs {
  Column<std::int64_t> begin;
  Column<std::int32_t> pred;
  Column<double> similarity;  // above 0; a pair that is not listed has 0
};

enum class BoxSimilarity {
  kIou,
  kIoaTruth,  // intersection over the area of the truth box
  kIoaPred,
  kGiou,  // (1 + GIoU) / 2: above 0 for boxes that are apart, too, so nearly every pair is listed
};

// Boxes are corners x0, y0, x1, y1. A box has no similarity with any other where its area
// (x1 − x0)(y1 − y0) is at most 2.2e-16 (2⁻⁵², the reference's floor) or a side is negative;
// intersections over one area ask that of this area alone.
FramePairs box_pairs(const FrameRows& frames, const double* truth_xyxy, const double* pred_xyxy,
                     BoxSimilarity kind);

// max(0, 1 − distance / zero_distance) of points of n_axes coordinates. Up to 7 axes the squares
// are added as NumPy adds them.
FramePairs point_pairs(const FrameRows& frames, const double* truth, const double* pred,
                       std::size_t n_axes, double zero_distance);

// Intersection over union of volumes. A box is seven numbers: x, y, z of its centre, its length,
// width and height along its own axes, and the angle in radians by which it is turned about the
// vertical axis z. A box of itself has exactly 1. Sine and cosine are the C library's, whose last
// bit may differ between systems.
FramePairs box3d_pairs(const FrameRows& frames, const double* truth, const double* pred);

struct KeptPairs {
  Column<std::int64_t> truth_begin, pred_begin;  // a frame that loses all its rows stays, empty
  FramePairs pairs;
};

// The rows whose flag is not 0, renumbered, and the pairs between them.
KeptPairs kept_pairs(const FrameRows& frames, const std::int64_t* pair_begin,
                     const std::int32_t* pair_pred, const double* similarity,
                     const std::uint8_t* keep_truth, const std::uint8_t* keep_pred);

}  // namespace snellen
