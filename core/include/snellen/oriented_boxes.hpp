// Boxes that are turned: four corners each, and the areas that they have in common.
//
// A box is a quadrilateral x1 y1 … x4 y4, its corners in either direction. Annotators click and
// networks regress corners, so not every one is a rectangle, nor even convex:
//   * a convex one is taken as it is;
//   * one with a corner that points inwards is two triangles, which is exact;
//   * one whose outline crosses itself is the same four corners in a wrong order: they are taken in
//     the order around them (there is one), as the eye does;
//   * one without an area (a line, a point) has nothing in common with any other, nor with itself.
//
// Common areas are those of outlines clipped side by side, in coordinates from the truth box's
// first corner: far from the image's origin no digits are lost. A detection that lies wholly inside
// a convex truth box has exactly its own area in common with it, so that a box of itself, in
// whatever order its corners come, has exactly 1; other values are right to a few units in the last
// place of the longer box's squared length.
//
// How it is fast: upright boxes around the turned ones first; then what they leave possible is
// compared with the lowest value that is asked for; what remains, a few percent of the pairs of an
// image, is clipped, about 0.1 µs a pair.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

inline constexpr std::size_t kCornerNumbers = 8;

// One row an object; label and image are positions in lists that truth and pred share.
struct OrientedRows {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* corners;  // kCornerNumbers a row, finite
  std::size_t n_rows;
};

// The pairs of pred row i: begin[i] … begin[i + 1] − 1 of the rest, ascending by truth row.
struct OrientedCandidates {
  Column<std::int64_t> begin;
  Column<std::int32_t> truth;
  Column<double> similarity;  // IoU; of a crowd the part of the detection's area inside it
};

// The pairs of one image, and of one label unless across_labels, with similarity >= lowest.
// Threads take stretches of pred rows.
OrientedCandidates oriented_candidates(const OrientedRows& truth, const std::uint8_t* truth_crowd,
                                       const OrientedRows& pred, std::size_t n_images,
                                       std::size_t n_labels, double lowest, bool across_labels);

// All pairs: iou[i * n_truth + j] for box i of pred and box j of truth.
void oriented_iou_matrix(const double* pred_corners, std::size_t n_pred,
                         const double* truth_corners, const std::uint8_t* truth_crowd,
                         std::size_t n_truth, double* iou);

// For each box its corners, with two of them exchanged where the outline crosses itself; its area;
// and whether it did.
void order_corners(const double* corners, std::size_t n_rows, double* in_order, double* area,
                   std::uint8_t* crossed);

}  // namespace snellen
