#include <algorithm>

#include "listed_pairs.hpp"
#include "rle_spans.hpp"
#include "snellen/candidates.hpp"

namespace snellen {
namespace {

// Some rows of masks: what is known of each at a glance, and its spans once they are asked for.
class MaskRows {
 public:
  explicit MaskRows(const MeasuredRle& measured) : measured_(measured) {}

  void enter(const std::uint32_t* rows, std::size_t n_rows) {
    rows_ = rows;
    spans_.clear();
    first_.resize_uninitialised(n_rows);
    last_.resize_uninitialised(n_rows);
    std::fill(first_.begin(), first_.end(), 0);
    std::fill(last_.begin(), last_.end(), 0);
  }

  std::int64_t area(std::size_t i) const { return measured_.area[rows_[i]]; }
  const std::int32_t* box(std::size_t i) const { return measured_.box + 4 * std::size_t{rows_[i]}; }
  const std::int32_t* size(std::size_t i) const {
    return measured_.masks.size + 2 * std::size_t{rows_[i]};
  }

  // Makes the spans of a row, which has pixels; spans made before may move.
  void ready(std::size_t i) {
    if (last_[i] != 0) return;
    first_[i] = spans_.size();
    append_spans(measured_.masks, rows_[i], spans_);
    last_[i] = spans_.size();
  }
  SpanRange spans(std::size_t i) const {
    return {spans_.data() + first_[i], spans_.data() + last_[i]};
  }

 private:
  const MeasuredRle measured_;
  const std::uint32_t* rows_ = nullptr;
  Column<std::size_t> first_, last_;  // of the spans; 0, 0: not made
  Column<Span> spans_;
};

// The pixels that two boxes share.
std::int64_t shared_by_boxes(const std::int32_t* a, const std::int32_t* b) {
  const auto along = [&](int axis) {
    return std::min(std::int64_t{a[axis]} + a[axis + 2], std::int64_t{b[axis]} + b[axis + 2]) -
           std::max(a[axis], b[axis]);
  };
  const std::int64_t width = along(0), height = along(1);
  return width <= 0 || height <= 0 ? 0 : width * height;
}

class MaskMeasure {
 public:
  MaskMeasure(const MeasuredRle& truth, const std::uint8_t* truth_crowd, const MeasuredRle& pred)
      : truth_crowd_(truth_crowd), truth_(truth), pred_(pred) {}

  void enter(const PairedCell& cell) {
    cell_ = cell;
    truth_.enter(cell.truth, cell.n_truth);
    pred_.enter(cell.pred, cell.n_pred);
  }

  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) {
    for (std::size_t g = 0; g < cell_.n_truth; ++g) {
      const std::int64_t at_most =
          std::min({pred_.area(d), truth_.area(g), shared_by_boxes(pred_.box(d), truth_.box(g))});
      // Rounded or not, a larger intersection never gives a smaller quotient.
      if (!(similarity(d, g, at_most) >= bar)) continue;
      if (at_most == 0) {
        found(g, 0.0);
        continue;
      }
      if (!std::equal(pred_.size(d), pred_.size(d) + 2, truth_.size(g))) continue;
      pred_.ready(d);
      truth_.ready(g);
      const double iou = similarity(d, g, shared_pixels(pred_.spans(d), truth_.spans(g)));
      if (iou >= bar) found(g, iou);
    }
  }

 private:
  double similarity(std::size_t d, std::size_t g, std::int64_t shared) const {
    if (shared == 0) return 0;
    const bool crowd = truth_crowd_[cell_.truth[g]] != 0;
    const std::int64_t whole = crowd ? pred_.area(d) : pred_.area(d) + truth_.area(g) - shared;
    return static_cast<double>(shared) / static_cast<double>(whole);
  }

  const std::uint8_t* truth_crowd_;
  MaskRows truth_, pred_;
  PairedCell cell_{};
};

}  // namespace

Candidates mask_candidates(const PairedRows& rows, const MeasuredRle& truth,
                           const std::uint8_t* truth_crowd, const MeasuredRle& pred,
                           const CandidateRules& rules) {
  return list_candidates(rows, rules, [&] { return MaskMeasure(truth, truth_crowd, pred); });
}

}  // namespace snellen
