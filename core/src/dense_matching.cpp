#include "snellen/dense_matching.hpp"

#include <algorithm>
#include <vector>

namespace snellen {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// The truth object that a detection takes; `taken` is that of the threshold.
std::size_t choose(const DenseCell& cell, const double* iou, const double* taken, double bar) {
  double best = bar;
  std::size_t at = kNone;
  for (std::size_t g = 0; g < cell.n_truth; ++g) {
    if (taken[g] > 0 && cell.crowd[g] == 0) continue;
    if (at != kNone && cell.ignored[at] == 0 && cell.ignored[g] != 0) break;
    if (iou[g] < best) continue;
    best = iou[g];
    at = g;
  }
  return at;
}

}  // namespace

void match_dense(const DenseCell& cell, const double* thresholds, std::size_t n_thresholds,
                 const DenseMatches& matches) {
  if (n_thresholds == 0 || cell.n_truth == 0) return;
  const auto bar_of = [](double threshold) {
    // A threshold that is no number stays one, as Python's min([threshold, …]) has it.
    return 1 - 1e-10 < threshold ? 1 - 1e-10 : threshold;
  };
  std::vector<std::size_t> suitors;  // detections that may reach a threshold
  for (std::size_t d = 0; d < cell.n_pred; ++d) {
    const double* const iou = cell.iou + d * cell.n_truth;
    const bool reaches = std::any_of(iou, iou + cell.n_truth, [&](double each) {
      return std::any_of(thresholds, thresholds + n_thresholds,
                         [&](double threshold) { return !(each < bar_of(threshold)); });
    });
    if (reaches) suitors.push_back(d);
  }
  for (std::size_t t = 0; t < n_thresholds; ++t) {
    double* const taken = matches.taken + t * cell.n_truth;
    const double bar = bar_of(thresholds[t]);
    for (const std::size_t d : suitors) {
      const std::size_t at = choose(cell, cell.iou + d * cell.n_truth, taken, bar);
      if (at == kNone) continue;
      taken[at] = cell.pred_id[d];
      matches.took[t * cell.n_pred + d] = cell.truth_id[at];
      matches.left_out[t * cell.n_pred + d] = cell.ignored[at];
    }
  }
}

}  // namespace snellen
