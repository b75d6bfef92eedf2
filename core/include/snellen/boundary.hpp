// Boundaries of label images, of all classes at once.
//
// Two ideas of a boundary. The *border zone* of a class: its pixels within chessboard distance d
// of a pixel that is not of the class or not in the image; that is its mask without what d
// erosions by a 3 × 3 square leave (Boundary IoU: Cheng et al., CVPR 2021). And its *contour*, one
// pixel wide: pixels of which exactly one, the pixel itself or any of its right, lower and
// lower-right neighbours, is of the class and another is not (boundary F of DAVIS: Perazzi et al.,
// CVPR 2016); the edge of the image is none.
//
// A pixel lies in the border zone of its own class or of none, so one pass finds all zones. In a
// contour a pixel may be for up to four classes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// near[p] becomes 1 where the window of 2 · distance + 1 pixels a side around p holds another
// label than that of p or leaves the image, else 0. Less than 2³² pixels (checked by the caller).
// Label is uint8, uint16 or int32.
template <class Label>
void near_border(const Label* labels, std::size_t height, std::size_t width, std::size_t distance,
                 std::uint8_t* near);

// The columns of `boundary_counts`, each a number of pixels of a class. On contours, a pixel is
// matched where one of the other side's contour of that class lies within the tolerance.
enum BoundaryColumn : std::size_t {
  kPixelsBoth,
  kPixelsTruth,
  kPixelsPred,
  kBorderBoth,
  kBorderTruth,
  kBorderPred,
  kContourTruth,
  kContourTruthMatched,
  kContourPred,
  kContourPredMatched,
  kBoundaryColumns,
};

struct BoundaryRules {
  std::size_t n_classes;
  std::size_t distance;   // the width of border zones, in pixels
  std::size_t tolerance;  // between contours: Euclidean, from pixel to pixel, itself included
};

// counts (n_images, n_classes, kBoundaryColumns) of pairs of code images (n_images, height, width).
// Codes from n_classes on are no class. Where truth has none, prediction is taken to have none
// either: so much of an image is on neither side, and on both sides it borders on the classes
// alike. Less than 2³² pixels an image (checked by the caller). Code is uint8 or uint16. Threads
// over images.
template <class Code>
void boundary_counts(const Code* truth, const Code* pred, std::size_t n_images, std::size_t height,
                     std::size_t width, const BoundaryRules& rules, std::int64_t* counts);

}  // namespace snellen
