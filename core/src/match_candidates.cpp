#include "cell_blocks.hpp"
#include "snellen/matching.hpp"

namespace snellen {
namespace {

// Looked up in the list of candidates, which speaks of rows as they came.
class ListedSimilarities {
 public:
  ListedSimilarities(const CandidateView& listed, const std::uint32_t* truth_place,
                     const std::uint32_t* pred_row, const double* pred_area)
      : listed_(listed), truth_place_(truth_place), pred_row_(pred_row), pred_area_(pred_area) {}

  void enter(const Cell& cell, const RankedRow* kept, std::size_t) {
    cell_ = cell;
    kept_ = kept;
  }

  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) const {
    const std::uint32_t row = pred_row_[kept_[d].row];
    for (std::int64_t k = listed_.begin[row]; k < listed_.begin[row + std::size_t{1}]; ++k) {
      const std::size_t place = truth_place_[listed_.truth[k]];
      // Rows of a cell keep their order, so these ascend as the list does.
      if (place < cell_.truth_begin || place >= cell_.truth_end) continue;
      if (listed_.similarity[k] >= bar) found(place - cell_.truth_begin, listed_.similarity[k]);
    }
  }

  double pred_area(std::size_t row) const { return pred_area_[row]; }

 private:
  const CandidateView listed_;
  const std::uint32_t* truth_place_;
  const std::uint32_t* pred_row_;  // of each place
  const double* pred_area_;
  Cell cell_{};
  const RankedRow* kept_ = nullptr;
};

}  // namespace

Matching match_candidates(const TruthColumns& truth, const PredColumns& pred,
                          const CandidateView& candidates, std::size_t n_images,
                          std::size_t n_labels, const MatchRules& rules) {
  OrderedTruth ordered_truth(truth, n_images, n_labels);
  const OrderedPred ordered_pred(pred, n_images, n_labels);
  const Column<std::uint32_t> pred_row = rows_in_order(ordered_pred.grouping);
  const auto make_similarities = [&] {
    return ListedSimilarities(candidates, ordered_truth.grouping.place.data(), pred_row.data(),
                              ordered_pred.area.data());
  };
  return BlockMatcher(ordered_truth, ordered_pred, rules, make_similarities).run();
}

}  // namespace snellen
