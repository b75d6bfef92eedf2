#include "snellen/track_pairs.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

namespace snellen {
namespace {

// In how many frames each track is.
std::vector<std::int32_t> count_frames(const std::int64_t* begin, std::size_t n_frames,
                                       const std::int32_t* track, std::size_t n_tracks) {
  std::vector<std::int32_t> count(n_tracks, 0);
  std::vector<std::int64_t> last(n_tracks, -1);
  for (std::size_t t = 0; t < n_frames; ++t) {
    for (std::int64_t i = begin[t]; i < begin[t + 1]; ++i) {
      const std::int32_t own = track[i];
      if (last[own] == static_cast<std::int64_t>(t)) {
        throw std::invalid_argument("expected each track once in a frame, got track " +
                                    std::to_string(own) + " twice in frame " + std::to_string(t));
      }
      last[own] = static_cast<std::int64_t>(t);
      ++count[own];
    }
  }
  return count;
}

}  // namespace

TrackPairs::TrackPairs(const PairLists& pairs, const std::int32_t* truth_track,
                       const std::int32_t* pred_track, std::size_t n_truth_tracks,
                       std::size_t n_pred_tracks)
    : pairs_(pairs),
      truth_track_(truth_track),
      pred_track_(pred_track),
      truth_frames_(count_frames(pairs.truth_begin, pairs.n_frames, truth_track, n_truth_tracks)),
      pred_frames_(count_frames(pairs.pred_begin, pairs.n_frames, pred_track, n_pred_tracks)) {
  find_cells();
}

// Truth tracks one after the other: first the tracks of predictions that each meets, then their
// cells, so that both tables are as large as the data.
void TrackPairs::find_cells() {
  const std::size_t n_tracks = n_truth_tracks();
  std::vector<std::int64_t> track_begin(n_tracks + 1, 0);
  for (std::size_t i = 0; i < n_tracks; ++i) track_begin[i + 1] = track_begin[i] + truth_frames_[i];
  std::vector<std::int32_t> rows(pairs_.n_truth());
  std::vector<std::int64_t> next(track_begin.begin(), track_begin.end() - 1);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[static_cast<std::size_t>(next[truth_track_[row]]++)] = static_cast<std::int32_t>(row);
  }

  cell_begin_.assign(n_tracks + 1, 0);
  pair_cell_.resize_uninitialised(pairs_.n_pairs());
  std::vector<std::int32_t> met(n_pred_tracks(), -1), cell(n_pred_tracks());
  for (std::size_t i = 0; i < n_tracks; ++i) {
    const std::size_t first_cell = cell_pred_.size();
    for (std::int64_t r = track_begin[i]; r < track_begin[i + 1]; ++r) {
      const std::int32_t row = rows[static_cast<std::size_t>(r)];
      for (std::int64_t k = pairs_.pair_begin[row]; k < pairs_.pair_begin[row + 1]; ++k) {
        const std::int32_t other = pred_track_[pairs_.pair_pred[k]];
        pair_cell_[k] = other;
        if (met[other] == static_cast<std::int32_t>(i)) continue;
        met[other] = static_cast<std::int32_t>(i);
        cell_pred_.push_back(other);
      }
    }
    std::sort(cell_pred_.begin() + first_cell, cell_pred_.end());
    for (std::size_t c = first_cell; c < cell_pred_.size(); ++c) {
      cell[cell_pred_[c]] = static_cast<std::int32_t>(c);
    }
    for (std::int64_t r = track_begin[i]; r < track_begin[i + 1]; ++r) {
      const std::int32_t row = rows[static_cast<std::size_t>(r)];
      for (std::int64_t k = pairs_.pair_begin[row]; k < pairs_.pair_begin[row + 1]; ++k) {
        pair_cell_[k] = cell[pair_cell_[k]];
      }
    }
    cell_begin_[i + 1] = static_cast<std::int64_t>(cell_pred_.size());
  }
}

std::vector<std::int32_t> TrackPairs::count_pairs(double threshold) const {
  std::vector<std::int32_t> count(n_cells(), 0);
  for (std::size_t k = 0; k < pairs_.n_pairs(); ++k) {
    count[pair_cell_[k]] += pairs_.similarity[k] >= threshold;
  }
  return count;
}

}  // namespace snellen
