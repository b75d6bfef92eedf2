#include "snellen/oks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "snellen/grouping.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// Rows of pred in a block of work.
constexpr std::size_t kBlockRows = 2048;
// Terms that are kept for one call of the exponential: 512 KiB.
constexpr std::size_t kTerms = 1 << 16;
// np.spacing(1): the reference divides by area + this, so that area 0 divides too.
constexpr double kSpacing = std::numeric_limits<double>::epsilon();
// The share of the lowest similarity that a far keypoint can add at most, and room for rounding.
constexpr double kFarShare = 0.125;
constexpr double kRoom = 1e-9;

// One label in one image: where its rows stand in (label, image) order.
struct Cell {
  std::size_t pred_begin, pred_end;
  std::size_t truth_begin, truth_end;
};

// A table in (label, image) order.
struct Ordered {
  Grouping grouping;
  Column<std::uint32_t> row;  // row[place]: which row stands there

  Ordered(const std::int32_t* image, const std::int32_t* label, std::size_t n_rows,
          std::size_t n_images, std::size_t n_labels)
      : grouping(group_rows(image, label, n_rows, n_images, n_labels)) {
    row.resize_uninitialised(n_rows);
    for (std::size_t i = 0; i < n_rows; ++i) row[grouping.place[i]] = static_cast<std::uint32_t>(i);
  }

  std::size_t end_of_cell(std::size_t begin, std::size_t label_end) const {
    std::size_t end = begin + 1;
    while (end < label_end && grouping.image[end] == grouping.image[begin]) ++end;
    return end;
  }
};

// How far a truth pose reaches.
struct Reach {
  std::size_t n_terms;     // keypoints that count
  std::size_t least_near;  // with fewer near ones the similarity stays below the lowest
  bool is_labelled;
  double size;                      // the area, a little enlarged
  double left, top, right, bottom;  // of the doubled box
};

// What a block of work found, its rows in the order of places.
struct Found {
  std::size_t begin, end;  // places of pred
  std::size_t label;
  Column<std::int32_t> truth;
  Column<double> similarity;
};

// Measures one cell after another; holds the scratch memory for it.
class CellMeasurer {
 public:
  CellMeasurer(const TruthPoses& truth, const Ordered& truth_order, const PredPoses& pred,
               const Ordered& pred_order, const OksRules& rules, const Exponential& exponential,
               std::int64_t* count)
      : truth_(truth),
        truth_row_(truth_order.row.data()),
        pred_(pred),
        pred_row_(pred_order.row.data()),
        rules_(rules),
        exponential_(exponential),
        count_(count),
        n_points_(rules.sigmas.size()),
        can_skip_(rules.lowest > 0),
        far_(kFarShare * rules.lowest * (1 + kRoom)),
        far_exponent_(can_skip_ ? std::max(0.0, -std::log(kFarShare * rules.lowest)) : 0.0),
        pred_x_(n_points_),
        pred_y_(n_points_) {
    for (const double sigma : rules.sigmas) {
      const double doubled = sigma * 2;
      variance_.push_back(doubled * doubled);
    }
  }

  void measure(const Cell& cell, Found& found) {
    read_truth(cell);
    keep_best(cell);
    for (const std::size_t place : kept_) {
      const std::size_t row = pred_row_[place];
      const double* const points = pred_.keypoints + 3 * n_points_ * row;
      for (std::size_t k = 0; k < n_points_; ++k) {
        pred_x_[k] = points[3 * k];
        pred_y_[k] = points[3 * k + 1];
      }
      for (std::size_t g = 0; g < reach_.size(); ++g) {
        if (can_skip_ && near_points(g) < reach_[g].least_near) continue;
        add_terms(g);
        pairs_.push_back({row, truth_row_[cell.truth_begin + g], reach_[g].n_terms});
        if (terms_.size() >= kTerms) finish(found);
      }
    }
  }

  // Turns the terms that have come together into similarities.
  void finish(Found& found) {
    if (pairs_.empty()) return;
    exponential_(terms_.data(), terms_.size());
    const double* terms = terms_.data();
    for (const Pair& pair : pairs_) {
      const double similarity =
          pairwise_sum(terms, pair.n_terms) / static_cast<double>(pair.n_terms);
      terms += pair.n_terms;
      if (!(similarity >= rules_.lowest)) continue;
      ++count_[pair.pred];
      found.truth.push_back(static_cast<std::int32_t>(pair.truth));
      found.similarity.push_back(similarity);
    }
    terms_.clear();
    pairs_.clear();
  }

 private:
  struct Pair {
    std::size_t pred, truth;  // rows
    std::size_t n_terms;
  };

  void read_truth(const Cell& cell) {
    const std::size_t n_truth = cell.truth_end - cell.truth_begin;
    reach_.clear();
    for (Column<double>* column : {&truth_x_, &truth_y_, &limit_}) {
      column->resize_uninitialised(n_truth * n_points_);
    }
    for (std::size_t g = 0; g < n_truth; ++g) {
      const std::size_t row = truth_row_[cell.truth_begin + g];
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
      const double needed = n * rules_.lowest * (1 - kRoom);
      while (reach.least_near <= reach.n_terms) {
        const auto near = static_cast<double>(reach.least_near);
        if (near + (n - near) * far_ >= needed) break;
        ++reach.least_near;
      }
      reach_.push_back(reach);
    }
  }

  // The places whose poses a matcher looks at.
  void keep_best(const Cell& cell) {
    kept_.clear();
    for (std::size_t place = cell.pred_begin; place < cell.pred_end; ++place) {
      kept_.push_back(place);
    }
    if (kept_.size() <= rules_.max_detections) return;
    const auto cut = kept_.begin() + static_cast<std::ptrdiff_t>(rules_.max_detections);
    std::nth_element(kept_.begin(), cut, kept_.end(), [this](std::size_t a, std::size_t b) {
      const double score_a = pred_.score[pred_row_[a]], score_b = pred_.score[pred_row_[b]];
      return score_a > score_b || (score_a == score_b && a < b);
    });
    kept_.erase(cut, kept_.end());
    std::sort(kept_.begin(), kept_.end());
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
  const std::uint32_t* truth_row_;
  const PredPoses& pred_;
  const std::uint32_t* pred_row_;
  const OksRules& rules_;
  const Exponential& exponential_;
  std::int64_t* count_;  // of each row of pred: its candidates
  const std::size_t n_points_;
  const bool can_skip_;
  const double far_;           // more than a far keypoint can add
  const double far_exponent_;  // the e from which a keypoint is far
  std::vector<double> variance_;

  std::vector<Reach> reach_;                  // of each truth pose of the cell
  Column<double> truth_x_, truth_y_, limit_;  // [truth][keypoint]
  std::vector<std::size_t> kept_;             // places
  std::vector<double> pred_x_, pred_y_;
  Column<double> terms_;
  std::vector<Pair> pairs_;
};

class BlockMeasurer {
 public:
  BlockMeasurer(const TruthPoses& truth, const PredPoses& pred, std::size_t n_images,
                std::size_t n_labels, const OksRules& rules, const Exponential& exponential)
      : truth_(truth),
        pred_(pred),
        rules_(rules),
        exponential_(exponential),
        // Across labels all truth of an image has label 0.
        no_label_(rules.across_labels ? truth.n_rows : 0, 0),
        truth_order_(truth.image, rules.across_labels ? no_label_.data() : truth.label,
                     truth.n_rows, n_images, rules.across_labels ? 1 : n_labels),
        pred_order_(pred.image, pred.label, pred.n_rows, n_images, n_labels) {}

  OksCandidates run() {
    cut_into_blocks();
    out_.begin.resize_uninitialised(pred_.n_rows + 1);
    std::fill(out_.begin.begin(), out_.begin.end(), 0);
    std::int64_t* const count = out_.begin.data() + 1;
    parallel_for_workers(blocks_.size(), [&] {
      return [&, measurer = CellMeasurer(truth_, truth_order_, pred_, pred_order_, rules_,
                                         exponential_, count)](std::size_t b) mutable {
        measure_block(blocks_[b], measurer);
        measurer.finish(blocks_[b]);
      };
    });
    for (std::size_t row = 0; row < pred_.n_rows; ++row) out_.begin[row + 1] += out_.begin[row];
    const auto n_found = static_cast<std::size_t>(out_.begin[pred_.n_rows]);
    out_.truth.resize_uninitialised(n_found);
    out_.similarity.resize_uninitialised(n_found);
    parallel_for(blocks_.size(), [&](std::size_t b) { write_block(blocks_[b]); });
    return std::move(out_);
  }

 private:
  // Blocks of whole cells of one label.
  void cut_into_blocks() {
    const auto& label_start = pred_order_.grouping.label_start;
    for (std::size_t label = 0; label + 1 < label_start.size(); ++label) {
      const std::size_t label_end = label_start[label + 1];
      for (std::size_t begin = label_start[label]; begin < label_end;) {
        std::size_t end = begin;
        while (end < label_end && end - begin < kBlockRows) {
          end = pred_order_.end_of_cell(end, label_end);
        }
        blocks_.push_back({begin, end, label, {}, {}});
        begin = end;
      }
    }
  }

  void measure_block(Found& block, CellMeasurer& measurer) {
    const std::int32_t* const truth_image = truth_order_.grouping.image.data();
    const auto& truth_start = truth_order_.grouping.label_start;
    const std::size_t label = rules_.across_labels ? 0 : block.label;
    const std::size_t truth_label_end = truth_start[label + 1];
    auto truth_begin = static_cast<std::size_t>(
        std::lower_bound(truth_image + truth_start[label], truth_image + truth_label_end,
                         pred_order_.grouping.image[block.begin]) -
        truth_image);
    for (std::size_t begin = block.begin; begin < block.end;) {
      const std::int32_t image = pred_order_.grouping.image[begin];
      const std::size_t end = pred_order_.end_of_cell(begin, block.end);
      while (truth_begin < truth_label_end && truth_image[truth_begin] < image) ++truth_begin;
      std::size_t truth_end = truth_begin;
      while (truth_end < truth_label_end && truth_image[truth_end] == image) ++truth_end;
      if (truth_begin < truth_end) measurer.measure({begin, end, truth_begin, truth_end}, block);
      truth_begin = truth_end;
      begin = end;
    }
  }

  void write_block(const Found& block) {
    std::size_t from = 0;
    for (std::size_t place = block.begin; place < block.end; ++place) {
      const std::size_t row = pred_order_.row[place];
      const auto to = static_cast<std::size_t>(out_.begin[row]);
      const auto n = static_cast<std::size_t>(out_.begin[row + 1]) - to;
      std::copy_n(block.truth.begin() + from, n, out_.truth.begin() + to);
      std::copy_n(block.similarity.begin() + from, n, out_.similarity.begin() + to);
      from += n;
    }
  }

  const TruthPoses& truth_;
  const PredPoses& pred_;
  const OksRules& rules_;
  const Exponential& exponential_;
  const std::vector<std::int32_t> no_label_;
  const Ordered truth_order_, pred_order_;
  std::vector<Found> blocks_;
  OksCandidates out_;
};

}  // namespace

OksCandidates oks_candidates(const TruthPoses& truth, const PredPoses& pred, std::size_t n_images,
                             std::size_t n_labels, const OksRules& rules,
                             const Exponential& exponential) {
  if (truth.n_rows > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw std::length_error("expected fewer than 2^31 rows of truth");
  }
  return BlockMeasurer(truth, pred, n_images, n_labels, rules, exponential).run();
}

}  // namespace snellen
