// Intersection over union of boxes (x, y, width, height), with COCO's crowd rule.
//
// The order of the operations is the one of the reference mask API (bbIou in maskApi.c, P. Dollár
// and T.-Y. Lin), because thresholds are compared with >= and one unit in the last place decides a
// match. Compile without floating-point contraction.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace snellen {

// Against a crowd region the union is the detection alone: a detection inside it scores 1.
inline double box_iou(const double* pred, const double* truth, bool crowd) {
  const double width =
      std::min(pred[2] + pred[0], truth[2] + truth[0]) - std::max(pred[0], truth[0]);
  if (width <= 0) return 0;
  const double height =
      std::min(pred[3] + pred[1], truth[3] + truth[1]) - std::max(pred[1], truth[1]);
  if (height <= 0) return 0;
  const double intersection = width * height;
  const double pred_area = pred[2] * pred[3];
  const double truth_area = truth[2] * truth[3];
  return intersection / (crowd ? pred_area : pred_area + truth_area - intersection);
}

// Whether every IoU with this box is a number: its corners and its area are finite, and its area
// has not vanished into 0 while its sides have not.
inline bool is_measurable(const double* box) {
  const double area = box[2] * box[3];
  return std::isfinite(box[0] + box[2]) && std::isfinite(box[1] + box[3]) && std::isfinite(area) &&
         (area > 0 || box[2] == 0 || box[3] == 0);
}

// The first box that is not measurable; n_boxes where all are.
inline std::size_t first_unmeasurable(const double* xywh, std::size_t n_boxes) {
  std::size_t i = 0;
  while (i < n_boxes && is_measurable(xywh + 4 * i)) ++i;
  return i;
}

// All pairs: iou[i * n_truth + j] for box i of pred and box j of truth.
inline void box_iou_matrix(const double* pred, std::size_t n_pred, const double* truth,
                           const std::uint8_t* crowd, std::size_t n_truth, double* iou) {
  for (std::size_t i = 0; i < n_pred; ++i) {
    for (std::size_t j = 0; j < n_truth; ++j) {
      iou[i * n_truth + j] = box_iou(pred + 4 * i, truth + 4 * j, crowd[j] != 0);
    }
  }
}

}  // namespace snellen
