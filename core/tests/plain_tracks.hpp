// Sequences as dense matrices, one a frame, for the plain twins of the kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "snellen/assignment.hpp"
#include "snellen/frame_matching.hpp"
#include "snellen/track_pairs.hpp"

namespace snellen::testing {

using Tracks = std::vector<std::int32_t>;
using Random = std::mt19937;

struct Frame {
  Tracks truth, pred;
  std::vector<double> similarity;  // row by row

  double at(std::size_t i, std::size_t j) const { return similarity[i * pred.size() + j]; }
};

struct Sequence {
  std::size_t n_truth_tracks, n_pred_tracks;
  std::vector<Frame> frames;
};

// The same as lists of pairs.
class Listed {
 public:
  explicit Listed(const Sequence& sequence)
      : n_truth_tracks_(sequence.n_truth_tracks), n_pred_tracks_(sequence.n_pred_tracks) {
    for (const Frame& frame : sequence.frames) {
      for (std::size_t i = 0; i < frame.truth.size(); ++i) {
        for (std::size_t j = 0; j < frame.pred.size(); ++j) {
          if (frame.at(i, j) <= 0.0) continue;
          pair_pred_.push_back(static_cast<std::int32_t>(pred_track_.size() + j));
          similarity_.push_back(frame.at(i, j));
        }
        pair_begin_.push_back(static_cast<std::int64_t>(pair_pred_.size()));
      }
      truth_track_.insert(truth_track_.end(), frame.truth.begin(), frame.truth.end());
      pred_track_.insert(pred_track_.end(), frame.pred.begin(), frame.pred.end());
      truth_begin_.push_back(static_cast<std::int64_t>(truth_track_.size()));
      pred_begin_.push_back(static_cast<std::int64_t>(pred_track_.size()));
    }
  }
  PairLists lists() const {
    return {truth_begin_.size() - 1, truth_begin_.data(), pred_begin_.data(),
            pair_begin_.data(),      pair_pred_.data(),   similarity_.data()};
  }
  // They look at these lists, which must last as long.
  TrackPairs tracks() const {
    return TrackPairs(lists(), truth_track_.data(), pred_track_.data(), n_truth_tracks_,
                      n_pred_tracks_);
  }

 private:
  std::size_t n_truth_tracks_, n_pred_tracks_;
  std::vector<std::int64_t> truth_begin_{0}, pred_begin_{0}, pair_begin_{0};
  Tracks truth_track_, pred_track_, pair_pred_;
  std::vector<double> similarity_;
};

// Some of n tracks, in any order.
inline Tracks some_of(std::size_t n_tracks, Random& random) {
  Tracks tracks(n_tracks);
  std::iota(tracks.begin(), tracks.end(), 0);
  std::shuffle(tracks.begin(), tracks.end(), random);
  tracks.resize(random() % 6 == 0 ? 0 : random() % (n_tracks + 1));
  return tracks;
}

// Similarities in steps of 1 / n_steps, all but one in `one_in` 0; frames with one side, and with
// none.
inline Sequence drawn(std::size_t n_truth_tracks, std::size_t n_pred_tracks, std::size_t n_frames,
                      unsigned n_steps, Random& random, unsigned one_in = 3) {
  Sequence sequence{n_truth_tracks, n_pred_tracks, {}};
  for (std::size_t t = 0; t < n_frames; ++t) {
    if (t % 4 == 3) {  // as the frame before, so that pairs go on
      sequence.frames.push_back(sequence.frames.back());
      continue;
    }
    Frame frame{some_of(n_truth_tracks, random), some_of(n_pred_tracks, random), {}};
    for (std::size_t k = 0; k < frame.truth.size() * frame.pred.size(); ++k) {
      const unsigned step = random() % one_in == 0 ? random() % (n_steps + 1) : 0;
      frame.similarity.push_back(step / static_cast<double>(n_steps));
    }
    sequence.frames.push_back(frame);
  }
  return sequence;
}

inline Sequence drawn(Random& random) {
  const std::size_t n_truth_tracks = 1 + random() % 14, n_pred_tracks = 1 + random() % 14;
  return drawn(n_truth_tracks, n_pred_tracks, 1 + random() % 12, random() % 2 == 0 ? 4 : 1000,
               random);
}

// The columns that the dense solver gives to the rows for the largest sum, −1 for none.
inline Tracks choice(const std::vector<double>& score, std::size_t n_rows, std::size_t n_columns) {
  std::vector<double> cost(score);
  for (double& cell : cost) cell = -cell;
  Tracks column_of_row(n_rows);
  DenseScratch scratch;
  assign_dense(cost.data(), n_rows, n_columns, scratch, column_of_row.data());
  return column_of_row;
}

}  // namespace snellen::testing
