#include "snellen/oks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "listed_pairs.hpp"
#include "snellen/pairwise_sum.hpp"

namespace snellen {
namespace {

// Terms that are kept for one call of the exponential: 512 KiB.
constexpr std::size_t kTerms = 1 << 16;
// np.spacing(1): the reference divides by area + this, so that area 0 divides too.
constexpr double kSpacing = std::numeric_limits<double>::epsilon();
// The share of the lowest similarity that a far keypoint can add at most, and room for rounding.
constexpr double kFarShare = 0.125;
constexpr double kRoom = 1e-9;

// How far a truth pose reaches.
struct Reach {
  std::size_t n_terms;     // keypoints that count
  std::size_t least_near;  // with fewer near ones the similarity stays below the lowest
  bool is_labelled;
  double size;                      // the area, a little enlarged
  double left, top, right, bottom;  // of the doubled box
};

// Lists one cell after another (listed_pairs.hpp); holds the scratch memory for it.
class PoseLister {
 public:
  PoseLister(const TruthPoses& truth, const double* pred_keypoints, const OksRules& rules,
             const Exponential& exponential)
      : truth_(truth),
        pred_keypoints_(pred_keypoints),
        exponential_(exponential),
        n_points_(rules.sigmas.size()),
        lowest_(rules.candidates.lowest),
        can_skip_(lowest_ > 0),
        far_(kFarShare * lowest_ * (1 + kRoom)),
        far_exponent_(can_skip_ ? std::max(0.0, -std::log(kFarShare * lowest_)) : 0.0),
        pred_x_(n_points_),
        pred_y_(n_points_) {
    for (const double sigma : rules.sigmas) {
      const double doubled = sigma * 2;
      variance_.push_back(doubled * doubled);
    }
  }

  void list(const PairedCell& cell, Listed& listed, std::int64_t* count) {
    read_truth(cell);
    for (std::size_t d = 0; d < cell.n_pred; ++d) {
      const double* const points = pred_keypoints_ + 3 * n_points_ * cell.pred[d];
      for (std::size_t k = 0; k < n_points_; ++k) {
        pred_x_[k] = points[3 * k];
        pred_y_[k] = points[3 * k + 1];
      }
      for (std::size_t g = 0; g < cell.n_truth; ++g) {
        if (can_skip_ && near_points(g) < reach_[g].least_near) continue;
        add_terms(g);
        pairs_.push_back({cell.pred[d], cell.truth[g], reach_[g].n_terms});
        if (terms_.size() >= kTerms) finish(listed, count);
      }
    }
  }

  // Turns the terms that have come together into similarities.
  void finish(Listed& listed, std::int64_t* count) {
    if (pairs_.empty()) return;
    exponential_(terms_.data(), terms_.size());
    const double* terms = terms_.data();
    for (const Pair& pair : pairs_) {
      const double similarity =
          pairwise_sum(terms, pair.n_terms) / static_cast<double>(pair.n_terms);
      terms += pair.n_terms;
      if (!(similarity >= lowest_)) continue;
      ++count[pair.pred];
      listed.truth.push_back(static_cast<std::int32_t>(pair.truth));
      listed.similarity.push_back(similarity);
    }
    terms_.clear();
    pairs_.clear();
  }

 private:
  struct Pair {
    std::uint32_t pred, truth;  // rows
    std::size_t n_terms;
  };

  void read_truth(const PairedCell& cell) {
    reach_.clear();
    for (Column<double>* column : {&truth_x_, &truth_y_, &limit_}) {
      column->resize_uninitialised(cell.n_truth * n_points_);
    }
    for (std::size_t g = 0; g < cell.n_truth; ++g) {
      const std::size_t row = cell.truth[g];
      const double* const points = truth_.keypoints + 3 * n_points_ * row;
      const double* const box = truth_.xywh + 4 * row;
      Reach reach{};
      reach.size = truth_.area[row] + kSpacing;
      reach.left = box[0] - box[2];
      reach.right = box[0] + box[2] * 2;
      reach.top = box[1] - box[3];
      reach.bottom = box[1] + box[3] * 2;
      for (std::size_t k = 0; k < n_points_; ++k) reach.n_terms += points[3 * k + 2] > 0 ? 1 : 0;
      reach.is_labelled = reach.n_terms > 0;
      if (!reach.is_labelled) reach.n_terms = n_points_;
      for (std::size_t k = 0; k < n_points_; ++k) {
        truth_x_[g * n_points_ + k] = points[3 * k];
        truth_y_[g * n_points_ + k] = points[3 * k + 1];
        const bool counts = !reach.is_labelled || points[3 * k + 2] > 0;
        // No squared distance lies below −1.
        limit_[g * n_points_ + k] =
            counts ? far_exponent_ * 2 * variance_[k] * reach.size * (1 + kRoom) : -1.0;
      }
      // The fewest near points whose best case reaches the lowest similarity.
      const auto n = static_cast<double>(reach.n_terms);
      const double needed = n * lowest_ * (1 - kRoom);
      while (reach.least_near <= reach.n_terms) {
        const auto near = static_cast<double>(reach.least_near);
        if (near + (n - near) * far_ >= needed) break;
        ++reach.least_near;
      }
      reach_.push_back(reach);
    }
  }

  // How many keypoints lie within their limits.
  std::size_t near_points(std::size_t g) const {
    const double* const limit = limit_.data() + g * n_points_;
    std::size_t n_near = 0;
    if (!reach_[g].is_labelled) {
      for (std::size_t k = 0; k < n_points_; ++k) {
        n_near += squared_distance_to_box(reach_[g], k) < limit[k] ? 1 : 0;
      }
      return n_near;
    }
    const double* const x = truth_x_.data() + g * n_points_;
    const double* const y = truth_y_.data() + g * n_points_;
    for (std::size_t k = 0; k < n_points_; ++k) {
      const double dx = pred_x_[k] - x[k], dy = pred_y_[k] - y[k];
      n_near += dx * dx + dy * dy < limit[k] ? 1 : 0;
    }
    return n_near;
  }

  double squared_distance_to_box(const Reach& reach, std::size_t k) const {
    const double dx =
        std::max(0.0, reach.left - pred_x_[k]) + std::max(0.0, pred_x_[k] - reach.right);
    const double dy =
        std::max(0.0, reach.top - pred_y_[k]) + std::max(0.0, pred_y_[k] - reach.bottom);
    return dx * dx + dy * dy;
  }

  void add_terms(std::size_t g) {
    const Reach& reach = reach_[g];
    const double* const x = truth_x_.data() + g * n_points_;
    const double* const y = truth_y_.data() + g * n_points_;
    const double* const limit = limit_.data() + g * n_points_;
    for (std::size_t k = 0; k < n_points_; ++k) {
      if (limit[k] < 0) continue;
      double squared;
      if (reach.is_labelled) {
        const double dx = pred_x_[k] - x[k], dy = pred_y_[k] - y[k];
        squared = dx * dx + dy * dy;
      } else {
        squared = squared_distance_to_box(reach, k);
      }
      terms_.push_back(-(squared / variance_[k] / reach.size / 2));
    }
  }

  const TruthPoses& truth_;
  const double* pred_keypoints_;
  const Exponential& exponential_;
  const std::size_t n_points_;
  const double lowest_;
  const bool can_skip_;
  const double far_;           // more than a far keypoint can add
  const double far_exponent_;  // the e from which a keypoint is far
  std::vector<double> variance_;

  std::vector<Reach> reach_;                  // of each truth pose of the cell
  Column<double> truth_x_, truth_y_, limit_;  // [truth][keypoint]
  std::vector<double> pred_x_, pred_y_;
  Column<double> terms_;
  std::vector<Pair> pairs_;
};

}  // namespace

Candidates oks_candidates(const PairedRows& rows, const TruthPoses& truth,
                          const double* pred_keypoints, const OksRules& rules,
                          const Exponential& exponential) {
  return list_blocks(rows, rules.candidates,
                     [&] { return PoseLister(truth, pred_keypoints, rules, exponential); });
}

}  // namespace snellen
