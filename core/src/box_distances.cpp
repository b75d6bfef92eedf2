#include "snellen/box_distances.hpp"

#include <algorithm>
#include <vector>

namespace snellen {
namespace {

// The boxes of one side of a frame, by number instead of by box: one box meets all of them at once.
// The size of a box is taken from its corners, which were rounded.
struct Boxes {
  std::vector<double> left, top, right, bottom, area;

  void read(const double* xywh, std::size_t n) {
    for (std::vector<double>* const column : {&left, &top, &right, &bottom, &area}) {
      column->resize(n);
    }
    for (std::size_t i = 0; i < n; ++i, xywh += 4) {
      left[i] = xywh[0];
      top[i] = xywh[1];
      right[i] = xywh[0] + xywh[2];
      bottom[i] = xywh[1] + xywh[3];
      area[i] = std::max(right[i] - left[i], 0.0) * std::max(bottom[i] - top[i], 0.0);
    }
  }
};

// How much box i of one side overlaps each of the other.
void overlaps_of(const Boxes& one, std::size_t i, const Boxes& other, double* overlap) {
  const double left = one.left[i], top = one.top[i], right = one.right[i], bottom = one.bottom[i];
  const double* const lefts = other.left.data();
  const double* const tops = other.top.data();
  const double* const rights = other.right.data();
  const double* const bottoms = other.bottom.data();
  const std::size_t n = other.left.size();
  for (std::size_t j = 0; j < n; ++j) {
    const double width = std::min(right, rights[j]) - std::max(left, lefts[j]);
    const double height = std::min(bottom, bottoms[j]) - std::max(top, tops[j]);
    overlap[j] = std::max(width, 0.0) * std::max(height, 0.0);
  }
}

}  // namespace

BoxDistances box_distances(const std::int64_t* truth_begin, const std::int64_t* pred_begin,
                           std::size_t n_frames, const double* truth_xywh, const double* pred_xywh,
                           double max_distance) {
  BoxDistances found;
  found.pair_begin.reserve(static_cast<std::size_t>(truth_begin[n_frames]) + 1);
  found.pair_begin.push_back(0);
  Boxes truths, preds;
  std::vector<double> overlap;
  for (std::size_t t = 0; t < n_frames; ++t) {
    const std::int64_t first_truth = truth_begin[t], first_pred = pred_begin[t];
    const std::size_t n_truth = static_cast<std::size_t>(truth_begin[t + 1] - first_truth);
    const std::size_t n_pred = static_cast<std::size_t>(pred_begin[t + 1] - first_pred);
    truths.read(truth_xywh + 4 * first_truth, n_truth);
    preds.read(pred_xywh + 4 * first_pred, n_pred);
    overlap.resize(n_pred);
    for (std::size_t i = 0; i < n_truth; ++i) {
      overlaps_of(truths, i, preds, overlap.data());
      for (std::size_t j = 0; j < n_pred; ++j) {
        // Without an overlap the distance is 1.
        if (overlap[j] == 0 && max_distance < 1) continue;
        const double iou =
            overlap[j] == 0 ? 0 : overlap[j] / (truths.area[i] + preds.area[j] - overlap[j]);
        const double distance = 1 - iou;
        // Beyond what a double holds, a distance is no number: not a pair.
        if (!(distance <= max_distance)) continue;
        found.pair_pred.push_back(static_cast<std::int32_t>(first_pred) +
                                  static_cast<std::int32_t>(j));
        found.distance.push_back(distance);
      }
      found.pair_begin.push_back(static_cast<std::int64_t>(found.pair_pred.size()));
    }
  }
  return found;
}

}  // namespace snellen
