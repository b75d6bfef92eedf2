#include "snellen/frame_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "box_bins.hpp"
#include "pairs_by_frame.hpp"

namespace snellen {
namespace {

// Areas up to this count as none.
constexpr double kNoArea = std::numeric_limits<double>::epsilon();

// Below so many cells a frame is measured whole; filling bins costs more.
constexpr std::size_t kFewCells = 64;

inline double area_of(const double* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

inline double intersection(const double* a, const double* b) {
  const double width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const double height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  return std::max(width, 0.0) * std::max(height, 0.0);
}

// Measures that are 0 for boxes that do not overlap.
template <BoxSimilarity kKind>
class OverlapMeasure {
 public:
  OverlapMeasure(const double* truth, const double* pred) : truth_(truth), pred_(pred) {}

  void operator()(const FrameSpan& frame, PairWriter& out) {
    const double* const pred = pred_ + 4 * frame.pred_first;
    const std::size_t n_pred = frame.pred_last - frame.pred_first;
    const bool few = (frame.truth_last - frame.truth_first) * n_pred < kFewCells;
    if (!few) bins_.fill(pred, n_pred);
    pred_area_.resize(n_pred);
    for (std::size_t j = 0; j < n_pred; ++j) pred_area_[j] = area_of(pred + 4 * j);
    for (std::size_t i = frame.truth_first; i < frame.truth_last; ++i) {
      const double* const box = truth_ + 4 * i;
      const double area = area_of(box);
      const auto measure = [&](std::size_t j) {
        out.add(frame.pred_first + j,
                similarity(intersection(box, pred + 4 * j), area, pred_area_[j]));
      };
      out.open_row(n_pred);
      if (few) {
        for (std::size_t j = 0; j < n_pred; ++j) measure(j);
      } else {
        bins_.for_each_near(box, measure);
      }
      out.close_row();
    }
  }

 private:
  static double similarity(double common, double truth_area, double pred_area) {
    if constexpr (kKind == BoxSimilarity::kIou) {
      const double joint = truth_area + pred_area - common;
      const bool counts = truth_area > kNoArea && pred_area > kNoArea && joint > kNoArea;
      return counts ? common / joint : 0;
    } else {
      const double area = kKind == BoxSimilarity::kIoaTruth ? truth_area : pred_area;
      return area > kNoArea ? common / area : 0;
    }
  }

  const double* truth_;
  const double* pred_;
  BoxBins bins_;
  std::vector<double> pred_area_;
};

// Generalised IoU: Rezatofighi et al., CVPR 2019.
class GiouMeasure {
 public:
  GiouMeasure(const double* truth, const double* pred) : truth_(truth), pred_(pred) {}

  void operator()(const FrameSpan& frame, PairWriter& out) const {
    for (std::size_t i = frame.truth_first; i < frame.truth_last; ++i) {
      out.open_row(frame.pred_last - frame.pred_first);
      for (std::size_t j = frame.pred_first; j < frame.pred_last; ++j) {
        out.add(j, similarity(truth_ + 4 * i, pred_ + 4 * j));
      }
      out.close_row();
    }
  }

 private:
  static bool counts(const double* box) { return box[2] > box[0] && area_of(box) > kNoArea; }

  static double similarity(const double* a, const double* b) {
    if (!counts(a) || !counts(b)) return 0;
    const double common = intersection(a, b);
    const double joint = area_of(a) + area_of(b) - common;
    const double hull_width = std::max(a[2], b[2]) - std::min(a[0], b[0]);
    const double hull_height = std::max(a[3], b[3]) - std::min(a[1], b[1]);
    const double hull = hull_width * hull_height;
    return (1 + (common / joint - (hull - joint) / hull)) / 2;
  }

  const double* truth_;
  const double* pred_;
};

template <class Measure>
FramePairs measured(const FrameRows& frames, const double* truth, const double* pred) {
  return pairs_by_frame(frames, [&] { return Measure(truth, pred); });
}

}  // namespace

FramePairs box_pairs(const FrameRows& frames, const double* truth_xyxy, const double* pred_xyxy,
                     BoxSimilarity kind) {
  switch (kind) {
    case BoxSimilarity::kIou:
      return measured<OverlapMeasure<BoxSimilarity::kIou>>(frames, truth_xyxy, pred_xyxy);
    case BoxSimilarity::kIoaTruth:
      return measured<OverlapMeasure<BoxSimilarity::kIoaTruth>>(frames, truth_xyxy, pred_xyxy);
    case BoxSimilarity::kIoaPred:
      return measured<OverlapMeasure<BoxSimilarity::kIoaPred>>(frames, truth_xyxy, pred_xyxy);
    case BoxSimilarity::kGiou:
      break;
  }
  return measured<GiouMeasure>(frames, truth_xyxy, pred_xyxy);
}

FramePairs point_pairs(const FrameRows& frames, const double* truth, const double* pred,
                       std::size_t n_axes, double zero_distance) {
  return pairs_by_frame(frames, [&] {
    return [&](const FrameSpan& frame, PairWriter& out) {
      for (std::size_t i = frame.truth_first; i < frame.truth_last; ++i) {
        const double* const a = truth + n_axes * i;
        out.open_row(frame.pred_last - frame.pred_first);
        for (std::size_t j = frame.pred_first; j < frame.pred_last; ++j) {
          const double* const b = pred + n_axes * j;
          double squares = 0;
          for (std::size_t k = 0; k < n_axes; ++k) squares += (a[k] - b[k]) * (a[k] - b[k]);
          out.add(j, 1 - std::sqrt(squares) / zero_distance);
        }
        out.close_row();
      }
    };
  });
}

KeptPairs kept_pairs(const FrameRows& frames, const std::int64_t* pair_begin,
                     const std::int32_t* pair_pred, const double* similarity,
                     const std::uint8_t* keep_truth, const std::uint8_t* keep_pred) {
  const auto n_truth = static_cast<std::size_t>(frames.truth_begin[frames.n_frames]);
  const auto n_pred = static_cast<std::size_t>(frames.pred_begin[frames.n_frames]);
  // How many rows stay before each row: the new number of a row that stays.
  Column<std::int64_t> truth_row;
  Column<std::int32_t> pred_row;
  const auto number = [](const std::uint8_t* keep, std::size_t n, auto& rows) {
    rows.resize_uninitialised(n + 1);
    rows[0] = 0;
    for (std::size_t i = 0; i < n; ++i) rows[i + 1] = rows[i] + (keep[i] != 0);
  };
  number(keep_truth, n_truth, truth_row);
  number(keep_pred, n_pred, pred_row);

  KeptPairs kept;
  kept.truth_begin.resize_uninitialised(frames.n_frames + 1);
  kept.pred_begin.resize_uninitialised(frames.n_frames + 1);
  for (std::size_t t = 0; t <= frames.n_frames; ++t) {
    kept.truth_begin[t] = truth_row[static_cast<std::size_t>(frames.truth_begin[t])];
    kept.pred_begin[t] = pred_row[static_cast<std::size_t>(frames.pred_begin[t])];
  }

  constexpr std::size_t kBlockRows = 4096;
  const std::size_t n_blocks = (n_truth + kBlockRows - 1) / kBlockRows;
  // Calls visit(row, its new number) for the truth rows of a block that stay.
  const auto for_each_kept = [&](std::size_t block, const auto& visit) {
    const std::size_t last = std::min(n_truth, (block + 1) * kBlockRows);
    for (std::size_t i = block * kBlockRows; i < last; ++i) {
      if (keep_truth[i] != 0) visit(i, static_cast<std::size_t>(truth_row[i]));
    }
  };
  FramePairs& pairs = kept.pairs;
  pairs.begin.resize_uninitialised(static_cast<std::size_t>(truth_row[n_truth]) + 1);
  parallel_for(n_blocks, [&](std::size_t block) {
    for_each_kept(block, [&](std::size_t i, std::size_t new_row) {
      std::int64_t n = 0;
      for (std::int64_t p = pair_begin[i]; p < pair_begin[i + 1]; ++p) {
        n += keep_pred[pair_pred[p]] != 0;
      }
      pairs.begin[new_row + 1] = n;
    });
  });
  sum_up(pairs.begin);
  const auto n_pairs = static_cast<std::size_t>(pairs.begin[pairs.begin.size() - 1]);
  pairs.pred.resize_uninitialised(n_pairs);
  pairs.similarity.resize_uninitialised(n_pairs);
  parallel_for(n_blocks, [&](std::size_t block) {
    for_each_kept(block, [&](std::size_t i, std::size_t new_row) {
      auto at = static_cast<std::size_t>(pairs.begin[new_row]);
      for (std::int64_t p = pair_begin[i]; p < pair_begin[i + 1]; ++p) {
        if (keep_pred[pair_pred[p]] == 0) continue;
        pairs.pred[at] = pred_row[static_cast<std::size_t>(pair_pred[p])];
        pairs.similarity[at++] = similarity[p];
      }
    });
  });
  return kept;
}

}  // namespace snellen
