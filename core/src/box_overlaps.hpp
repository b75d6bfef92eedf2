// IoU of many boxes with many, a truth box at a time against columns of detections: the compiler
// makes vector instructions of it. Box by box it is box_iou of iou.hpp, operation for operation.
#pragma once

#include <algorithm>
#include <cstddef>

#include "snellen/column.hpp"

namespace snellen {

class BoxOverlaps {
 public:
  // truth(g) and pred(d) point to boxes x, y, width, height.
  template <class TruthBox, class IsCrowd, class PredBox>
  void measure(std::size_t n_truth, const TruthBox& truth, const IsCrowd& is_crowd,
               std::size_t n_pred, const PredBox& pred) {
    n_truth_ = n_truth;
    n_pred_ = n_pred;
    for (Column<double>* side : {&left_, &top_, &right_, &bottom_, &size_}) {
      side->resize_uninitialised(n_pred);
    }
    for (std::size_t d = 0; d < n_pred; ++d) {
      const double* const box = pred(d);
      left_[d] = box[0];
      top_[d] = box[1];
      right_[d] = box[2] + box[0];
      bottom_[d] = box[3] + box[1];
      size_[d] = box[2] * box[3];
    }
    iou_.resize_uninitialised(n_truth * n_pred);
    for (std::size_t g = 0; g < n_truth; ++g) {
      overlaps_with(truth(g), is_crowd(g), iou_.data() + g * n_pred);
    }
  }

  // found(g, iou) for each truth box that detection d reaches the bar with.
  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) const {
    for (std::size_t g = 0; g < n_truth_; ++g) {
      const double iou = iou_[g * n_pred_ + d];
      if (iou >= bar) found(g, iou);
    }
  }

 private:
  // `__restrict` and the single `|` let the compiler know that nothing here waits for anything
  // else.
  void overlaps_with(const double* truth, bool crowd, double* __restrict iou) const {
    const double truth_left = truth[0], truth_top = truth[1];
    const double truth_right = truth[2] + truth[0], truth_bottom = truth[3] + truth[1];
    const double truth_size = truth[2] * truth[3];
    const double* const __restrict left = left_.data();
    const double* const __restrict top = top_.data();
    const double* const __restrict right = right_.data();
    const double* const __restrict bottom = bottom_.data();
    const double* const __restrict size = size_.data();
    const std::size_t n = n_pred_;
    for (std::size_t d = 0; d < n; ++d) {
      const double width = std::min(right[d], truth_right) - std::max(left[d], truth_left);
      const double height = std::min(bottom[d], truth_bottom) - std::max(top[d], truth_top);
      const double intersection = width * height;
      const double joint = size[d] + truth_size - intersection;
      const double ratio = intersection / (crowd ? size[d] : joint);
      iou[d] = (width <= 0) | (height <= 0) ? 0.0 : ratio;
    }
  }

  std::size_t n_truth_ = 0, n_pred_ = 0;
  Column<double> left_, top_, right_, bottom_, size_;  // of the detections
  Column<double> iou_;                                 // [truth][detection]
};

}  // namespace snellen
