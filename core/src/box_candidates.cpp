#include "box_overlaps.hpp"
#include "listed_pairs.hpp"
#include "snellen/candidates.hpp"

namespace snellen {
namespace {

class BoxMeasure {
 public:
  BoxMeasure(const double* truth_xywh, const std::uint8_t* truth_crowd, const double* pred_xywh)
      : truth_xywh_(truth_xywh), truth_crowd_(truth_crowd), pred_xywh_(pred_xywh) {}

  void enter(const PairedCell& cell) { cell_ = cell; }

  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) {
    if (d % kRowsAtOnce == 0) {
      overlaps_.measure(
          cell_.n_truth,
          [&](std::size_t g) { return truth_xywh_ + 4 * std::size_t{cell_.truth[g]}; },
          [&](std::size_t g) { return truth_crowd_[cell_.truth[g]] != 0; },
          std::min(kRowsAtOnce, cell_.n_pred - d),
          [&](std::size_t i) { return pred_xywh_ + 4 * std::size_t{cell_.pred[d + i]}; });
    }
    overlaps_.visit(d % kRowsAtOnce, bar, found);
  }

 private:
  // All pairs of an image with thousands of boxes on each side would not stay in a cache.
  static constexpr std::size_t kRowsAtOnce = 256;

  const double* truth_xywh_;
  const std::uint8_t* truth_crowd_;
  const double* pred_xywh_;
  PairedCell cell_{};
  BoxOverlaps overlaps_;
};

}  // namespace

Candidates box_candidates(const PairedRows& rows, const double* truth_xywh,
                          const std::uint8_t* truth_crowd, const double* pred_xywh,
                          const CandidateRules& rules) {
  return list_candidates(rows, rules,
                         [&] { return BoxMeasure(truth_xywh, truth_crowd, pred_xywh); });
}

}  // namespace snellen
