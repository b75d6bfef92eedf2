#include "snellen/vace.hpp"

#include <algorithm>

namespace snellen {
namespace {

// The frames of each track, ascending.
struct TrackFrames {
  TrackFrames(std::size_t n_frames, const std::int64_t* row_begin, const std::int32_t* track,
              const std::vector<std::int32_t>& frames_of_track)
      : begin(frames_of_track.size() + 1, 0) {
    for (std::size_t i = 0; i < frames_of_track.size(); ++i) {
      begin[i + 1] = begin[i] + frames_of_track[i];
    }
    frame.resize(static_cast<std::size_t>(begin.back()));
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    for (std::size_t t = 0; t < n_frames; ++t) {
      for (std::int64_t i = row_begin[t]; i < row_begin[t + 1]; ++i) {
        frame[static_cast<std::size_t>(next[track[i]]++)] = static_cast<std::int64_t>(t);
      }
    }
  }

  std::vector<std::int64_t> begin, frame;
};

// In each cell, the frames in which the tracks are together out of those in which either is.
double track_accuracy(const TrackPairs& tracks, double threshold) {
  const PairLists& pairs = tracks.pairs();
  const TrackFrames truth(pairs.n_frames, pairs.truth_begin, tracks.truth_track(),
                          tracks.truth_frames());
  const TrackFrames pred(pairs.n_frames, pairs.pred_begin, tracks.pred_track(),
                         tracks.pred_frames());
  const std::vector<std::int32_t> together = tracks.count_pairs(threshold);
  std::vector<std::size_t> seen(pairs.n_frames, tracks.n_truth_tracks());
  std::size_t marked = tracks.n_truth_tracks();
  FrameTable table;
  tracks.fill(table, together, [&](std::size_t i, std::size_t cell) {
    if (marked != i) {
      for (std::int64_t k = truth.begin[i]; k < truth.begin[i + 1]; ++k) {
        seen[static_cast<std::size_t>(truth.frame[static_cast<std::size_t>(k)])] = i;
      }
      marked = i;
    }
    const std::int32_t other = tracks.cell_pred()[cell];
    std::int32_t n_either = tracks.truth_frames()[i] + tracks.pred_frames()[other];
    for (std::int64_t k = pred.begin[other]; k < pred.begin[other + 1]; ++k) {
      n_either -= seen[static_cast<std::size_t>(pred.frame[static_cast<std::size_t>(k)])] == i;
    }
    return static_cast<double>(together[cell]) / static_cast<double>(n_either);
  });
  return ScoreAssignment().sum(table.view(tracks.n_pred_tracks()), kRounding);
}

}  // namespace

VaceSums vace_sums(const TrackPairs& tracks, double threshold) {
  const PairLists& pairs = tracks.pairs();
  VaceSums sums{track_accuracy(tracks, threshold), 0.0, 0};
  FrameTable table;
  ScoreAssignment assignment;
  for (std::size_t t = 0; t < pairs.n_frames; ++t) {
    const std::int64_t truth_begin = pairs.truth_begin[t], truth_end = pairs.truth_begin[t + 1];
    const std::int64_t pred_begin = pairs.pred_begin[t];
    const std::int64_t n_truth = truth_end - truth_begin;
    const std::int64_t n_pred = pairs.pred_begin[t + 1] - pred_begin;
    sums.n_frames += n_truth + n_pred > 0;
    if (n_truth == 0 || n_pred == 0) continue;
    table.clear();
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      for (std::int64_t k = pairs.pair_begin[i]; k < pairs.pair_begin[i + 1]; ++k) {
        table.add(pairs.pair_pred[k] - pred_begin, pairs.similarity[k]);
      }
      table.end_row();
    }
    const double matched = assignment.sum(table.view(static_cast<std::size_t>(n_pred)), kRounding);
    sums.frames += matched / (0.5 * static_cast<double>(n_truth + n_pred));
  }
  return sums;
}

}  // namespace snellen
