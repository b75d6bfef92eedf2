#include <cstring>

#include "contours.hpp"
#include "snellen/boundary.hpp"
#include "snellen/column.hpp"
#include "snellen/parallel.hpp"
#include "uniform_block.hpp"

namespace snellen {
namespace {

constexpr std::size_t kAreaColumns = kContourTruth;  // those before: of masks and border zones

// The sum of eight flags of 0 or 1.
std::int64_t sum_of(std::uint64_t flags) {
  return static_cast<std::int64_t>((flags * 0x0101010101010101u) >> 56);
}

std::uint64_t flags_at(const std::uint8_t* near) {
  std::uint64_t flags;
  std::memcpy(&flags, near, sizeof(flags));
  return flags;
}

// One thread's scratch memory, for images of one size.
template <class Code>
class Worker {
 public:
  Worker(std::size_t height, std::size_t width, const BoundaryRules& rules)
      : height_(height),
        width_(width),
        rules_(rules),
        areas_((rules.n_classes + 1) * kAreaColumns),
        in_truth_(rules.n_classes),
        in_pred_(rules.n_classes),
        matcher_(height, width, rules.tolerance) {
    masked_.resize_uninitialised(height * width);
    near_truth_.resize_uninitialised(height * width);
    near_pred_.resize_uninitialised(height * width);
  }

  // Writes the counts (n_classes, kBoundaryColumns) of one image.
  void count(const Code* truth, const Code* pred, std::int64_t* counts) {
    const std::size_t n = height_ * width_;
    const auto no_class = static_cast<Code>(rules_.n_classes);
    Code* const masked = masked_.data();
    for (std::size_t i = 0; i < n; ++i) masked[i] = truth[i] >= no_class ? no_class : pred[i];
    near_border(truth, height_, width_, rules_.distance, near_truth_.data());
    near_border(masked, height_, width_, rules_.distance, near_pred_.data());
    count_areas(truth, masked);
    find_contours(truth, height_, width_, in_truth_);
    find_contours(masked, height_, width_, in_pred_);
    for (std::size_t k = 0; k < rules_.n_classes; ++k) {
      std::int64_t* const row = counts + k * kBoundaryColumns;
      std::memcpy(row, &areas_[k * kAreaColumns], kAreaColumns * sizeof(*row));
      row[kContourTruth] = static_cast<std::int64_t>(in_truth_[k].size());
      row[kContourTruthMatched] = matcher_.count(in_truth_[k], in_pred_[k]);
      row[kContourPred] = static_cast<std::int64_t>(in_pred_[k].size());
      row[kContourPredMatched] = matcher_.count(in_pred_[k], in_truth_[k]);
    }
  }

 private:
  std::int64_t* areas_of(Code code) {
    return &areas_[std::min(static_cast<std::size_t>(code), rules_.n_classes) * kAreaColumns];
  }

  // n pixels of one code on each side, of which so many lie in the border zones of a side.
  void add(Code truth, Code pred, std::int64_t n, std::int64_t near_truth, std::int64_t near_pred,
           std::int64_t near_both) {
    std::int64_t* const in_truth = areas_of(truth);
    std::int64_t* const in_pred = areas_of(pred);
    in_truth[kPixelsTruth] += n;
    in_pred[kPixelsPred] += n;
    in_truth[kBorderTruth] += near_truth;
    in_pred[kBorderPred] += near_pred;
    if (truth != pred) return;
    in_truth[kPixelsBoth] += n;
    in_truth[kBorderBoth] += near_both;
  }

  void count_areas(const Code* truth, const Code* pred) {
    std::fill(areas_.begin(), areas_.end(), 0);
    const std::size_t n = height_ * width_;
    const std::uint8_t* const near_truth = near_truth_.data();
    const std::uint8_t* const near_pred = near_pred_.data();
    std::size_t i = 0;
    while (i < n) {
      if (i + kBlock <= n && is_uniform(truth + i, truth[i]) && is_uniform(pred + i, pred[i])) {
        const std::uint64_t a = flags_at(near_truth + i), b = flags_at(near_pred + i);
        add(truth[i], pred[i], kBlock, sum_of(a), sum_of(b), sum_of(a & b));
        i += kBlock;
        continue;
      }
      for (const std::size_t end = std::min(n, i + kBlock); i < end; ++i) {
        add(truth[i], pred[i], 1, near_truth[i], near_pred[i], near_truth[i] & near_pred[i]);
      }
    }
  }

  std::size_t height_, width_;
  const BoundaryRules& rules_;
  std::vector<std::int64_t> areas_;  // (n_classes + 1, kAreaColumns), the last row of no class
  Contours in_truth_, in_pred_;
  ContourMatcher matcher_;
  Column<Code> masked_;  // the prediction, of no class where truth has none
  Column<std::uint8_t> near_truth_, near_pred_;
};

}  // namespace

template <class Code>
void boundary_counts(const Code* truth, const Code* pred, std::size_t n_images, std::size_t height,
                     std::size_t width, const BoundaryRules& rules, std::int64_t* counts) {
  parallel_for_workers(n_images, [&] {
    return [&, worker = Worker<Code>(height, width, rules)](std::size_t i) mutable {
      const std::size_t at = i * height * width;
      worker.count(truth + at, pred + at, counts + i * rules.n_classes * kBoundaryColumns);
    };
  });
}

template void boundary_counts<std::uint8_t>(const std::uint8_t*, const std::uint8_t*, std::size_t,
                                            std::size_t, std::size_t, const BoundaryRules&,
                                            std::int64_t*);
template void boundary_counts<std::uint16_t>(const std::uint16_t*, const std::uint16_t*,
                                             std::size_t, std::size_t, std::size_t,
                                             const BoundaryRules&, std::int64_t*);

}  // namespace snellen
