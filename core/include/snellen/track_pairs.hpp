// One sequence of one class, ready for the metrics of multi-object tracking: which tracks its
// objects belong to, which objects overlap, and which tracks therefore meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/frame_matching.hpp"

namespace snellen {

class TrackPairs {
 public:
  // Looks at what it is given, which must last as long. Tracks are numbered 0 … n − 1, and row i
  // belongs to track[i].
  // Throws std::invalid_argument where a track is twice in a frame.
  TrackPairs(const PairLists& pairs, const std::int32_t* truth_track,
             const std::int32_t* pred_track, std::size_t n_truth_tracks, std::size_t n_pred_tracks);

  const PairLists& pairs() const { return pairs_; }
  const std::int32_t* truth_track() const { return truth_track_; }
  const std::int32_t* pred_track() const { return pred_track_; }
  std::size_t n_truth_tracks() const { return truth_frames_.size(); }
  std::size_t n_pred_tracks() const { return pred_frames_.size(); }
  // In how many frames each track is.
  const std::vector<std::int32_t>& truth_frames() const { return truth_frames_; }
  const std::vector<std::int32_t>& pred_frames() const { return pred_frames_; }

  // A cell is a truth track and a track of predictions that have a pair in some frame. Those of
  // truth track i are cell_begin[i] … cell_begin[i + 1] − 1, ascending by the other track.
  std::size_t n_cells() const { return cell_pred_.size(); }
  const std::vector<std::int64_t>& cell_begin() const { return cell_begin_; }
  const std::int32_t* cell_pred() const { return cell_pred_.data(); }
  // The cell of each pair.
  const std::int32_t* pair_cell() const { return pair_cell_.data(); }

  // For each cell, how many of its pairs have at least this similarity.
  std::vector<std::int32_t> count_pairs(double threshold) const;
  // The cells with a count above 0 and scores for them, as a table of truth tracks.
  template <class Score>
  void fill(FrameTable& table, const std::vector<std::int32_t>& count, const Score& score) const {
    table.clear();
    for (std::size_t i = 0; i < n_truth_tracks(); ++i) {
      for (std::int64_t c = cell_begin_[i]; c < cell_begin_[i + 1]; ++c) {
        const auto cell = static_cast<std::size_t>(c);
        if (count[cell] > 0) table.add(cell_pred_[cell], score(i, cell));
      }
      table.end_row();
    }
  }

 private:
  void find_cells();

  PairLists pairs_;
  const std::int32_t* truth_track_;
  const std::int32_t* pred_track_;
  std::vector<std::int32_t> truth_frames_, pred_frames_;
  std::vector<std::int64_t> cell_begin_;
  Column<std::int32_t> cell_pred_, pair_cell_;
};

}  // namespace snellen
