#include "box_overlaps.hpp"
#include "cell_blocks.hpp"
#include "snellen/matching.hpp"

namespace snellen {
namespace {

// Measured cell by cell, never written down. Tables in (label, image) order.
class BoxSimilarities {
 public:
  BoxSimilarities(const double* truth_xywh, const std::uint8_t* truth_crowd,
                  const double* pred_xywh, const double* pred_area)
      : truth_xywh_(truth_xywh),
        truth_crowd_(truth_crowd),
        pred_xywh_(pred_xywh),
        pred_area_(pred_area) {}

  void enter(const Cell& cell, const RankedRow* kept, std::size_t n_kept) {
    overlaps_.measure(
        cell.truth_end - cell.truth_begin,
        [&](std::size_t g) { return truth_xywh_ + 4 * (cell.truth_begin + g); },
        [&](std::size_t g) { return truth_crowd_[cell.truth_begin + g] != 0; }, n_kept,
        [&](std::size_t d) { return pred_xywh_ + 4 * kept[d].row; });
  }

  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) const {
    overlaps_.visit(d, bar, found);
  }

  double pred_area(std::size_t row) const {
    return pred_area_ != nullptr ? pred_area_[row]
                                 : pred_xywh_[4 * row + 2] * pred_xywh_[4 * row + 3];
  }

 private:
  const double* truth_xywh_;
  const std::uint8_t* truth_crowd_;
  const double* pred_xywh_;
  const double* pred_area_;  // null: width * height
  BoxOverlaps overlaps_;
};

}  // namespace

Matching match_boxes(const TruthColumns& truth, const double* truth_xywh, const PredColumns& pred,
                     const double* pred_xywh, std::size_t n_images, std::size_t n_labels,
                     const MatchRules& rules) {
  OrderedTruth ordered_truth(truth, n_images, n_labels);
  const OrderedPred ordered_pred(pred, n_images, n_labels);
  const Column<double> truth_boxes = ordered_truth.grouping.ordered<4>(truth_xywh);
  const Column<double> pred_boxes = ordered_pred.grouping.ordered<4>(pred_xywh);
  const auto make_similarities = [&] {
    return BoxSimilarities(truth_boxes.data(), ordered_truth.crowd.data(), pred_boxes.data(),
                           pred.area == nullptr ? nullptr : ordered_pred.area.data());
  };
  return BlockMatcher(ordered_truth, ordered_pred, rules, make_similarities).run();
}

}  // namespace snellen
