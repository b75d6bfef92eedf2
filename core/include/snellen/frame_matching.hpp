// Objects of both sides in the frames of a sequence, which of them overlap, and which are matched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "snellen/assignment.hpp"

namespace snellen {

// Rows of truth in frame t are truth_begin[t] … truth_begin[t + 1] − 1, those of predictions
// likewise; pairs of truth row i are pair_begin[i] … pair_begin[i + 1] − 1. A pair names a row of
// predictions of the same frame, ascending; its similarity is above 0. Where there is no pair the
// similarity is 0.
struct PairLists {
  std::size_t n_frames;
  const std::int64_t* truth_begin;
  const std::int64_t* pred_begin;
  const std::int64_t* pair_begin;
  const std::int32_t* pair_pred;
  const double* similarity;

  std::size_t n_truth() const { return static_cast<std::size_t>(truth_begin[n_frames]); }
  std::size_t n_pred() const { return static_cast<std::size_t>(pred_begin[n_frames]); }
  std::size_t n_pairs() const { return static_cast<std::size_t>(pair_begin[n_truth()]); }
};

// By how much TrackEval lets a similarity fall short of a threshold.
inline constexpr double kSlack = std::numeric_limits<double>::epsilon();

// Thresholds are at least this, so that no pair of similarity 0 reaches one.
inline constexpr double kLeastThreshold = 1e-15;

// What sums of similarities, or of products of them, may differ by from rounding alone: both
// solvers make a few hundred additions of numbers up to 1.
inline constexpr double kRounding = 1e-12;

// The cells of one frame, filled in row by row.
class FrameTable {
 public:
  FrameTable() : begin_(1, 0) {}

  void clear() {
    begin_.resize(1);
    column_.clear();
    score_.clear();
  }
  void add(std::int64_t column, double score) {
    column_.push_back(static_cast<std::int32_t>(column));
    score_.push_back(score);
  }
  void end_row() { begin_.push_back(static_cast<std::int64_t>(column_.size())); }

  ScoreTable view(std::size_t n_columns) const {
    return {begin_.size() - 1, n_columns, begin_.data(), column_.data(), score_.data()};
  }

 private:
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> column_;
  std::vector<double> score_;
};

// The truth row that each row of predictions is matched to, or −1: in each frame the largest sum
// of the similarities that are at least the threshold.
void match_frames(const PairLists& pairs, double threshold, std::int32_t* truth_of_pred);

}  // namespace snellen
