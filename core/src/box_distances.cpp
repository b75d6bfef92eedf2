#include "snellen/box_distances.hpp"

#include <algorithm>
#include <vector>

namespace snellen {
namespace {

struct Corners {
  double left, top, right, bottom, area;
};

// The size of a box is taken from its corners, which were rounded.
Corners corners_of(const double* xywh) {
  const double right = xywh[0] + xywh[2], bottom = xywh[1] + xywh[3];
  return {xywh[0], xywh[1], right, bottom,
          std::max(right - xywh[0], 0.0) * std::max(bottom - xywh[1], 0.0)};
}

double overlap_of(const Corners& a, const Corners& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  return std::max(width, 0.0) * std::max(height, 0.0);
}

}  // namespace

BoxDistances box_distances(const std::int64_t* truth_begin, const std::int64_t* pred_begin,
                           std::size_t n_frames, const double* truth_xywh, const double* pred_xywh,
                           double max_distance) {
  BoxDistances found;
  const std::size_t n_truth = static_cast<std::size_t>(truth_begin[n_frames]);
  found.pair_begin.reserve(n_truth + 1);
  found.pair_begin.push_back(0);
  std::vector<Corners> preds;
  for (std::size_t t = 0; t < n_frames; ++t) {
    preds.clear();
    for (std::int64_t j = pred_begin[t]; j < pred_begin[t + 1]; ++j) {
      preds.push_back(corners_of(pred_xywh + 4 * j));
    }
    for (std::int64_t i = truth_begin[t]; i < truth_begin[t + 1]; ++i) {
      const Corners truth = corners_of(truth_xywh + 4 * i);
      for (std::size_t j = 0; j < preds.size(); ++j) {
        const double overlap = overlap_of(truth, preds[j]);
        const double iou = overlap == 0 ? 0 : overlap / (truth.area + preds[j].area - overlap);
        const double distance = 1 - iou;
        // Beyond what a double holds, a distance is no number: not a pair.
        if (!(distance <= max_distance)) continue;
        found.pair_pred.push_back(static_cast<std::int32_t>(pred_begin[t]) +
                                  static_cast<std::int32_t>(j));
        found.distance.push_back(distance);
      }
      found.pair_begin.push_back(static_cast<std::int64_t>(found.pair_pred.size()));
    }
  }
  return found;
}

}  // namespace snellen
