#include "snellen/clear.hpp"

#include <algorithm>

namespace snellen {
namespace {

constexpr std::int32_t kNone = -1;
// What a pair of the frame before counts more than any sum of similarities.
constexpr double kBonus = 1000.0;
// Similarities beside the bonus keep fewer digits.
constexpr double kRoundingWithBonus = 1e-7;

template <class T>
Column<T> filled(std::size_t n, T value) {
  Column<T> column;
  column.resize_uninitialised(n);
  std::fill(column.begin(), column.end(), value);
  return column;
}

}  // namespace

ClearMatches clear_matches(const TrackPairs& tracks, double threshold) {
  const PairLists& pairs = tracks.pairs();
  const std::size_t n_truth_tracks = tracks.n_truth_tracks();
  ClearMatches found{filled(pairs.n_truth(), kNone),
                     filled(pairs.n_truth(), std::uint8_t{0}),
                     filled(pairs.n_pred(), std::uint8_t{0}),
                     0.0,
                     filled(n_truth_tracks, 0),
                     filled(n_truth_tracks, 0),
                     filled(n_truth_tracks, 0),
                     filled(n_truth_tracks, 0)};
  std::copy(tracks.truth_frames().begin(), tracks.truth_frames().end(), found.n_frames.begin());

  const double least = threshold - kSlack;
  // The last match of each track, and the frame that the truth track had it in. Frames with
  // objects on one side only do not count.
  std::vector<std::int32_t> last_pred(n_truth_tracks, kNone);
  std::vector<std::int32_t> last_truth(tracks.n_pred_tracks(), kNone);
  std::vector<std::int64_t> last_frame(n_truth_tracks, -1);
  std::int64_t frame_before = -1;
  FrameTable table;
  ScoreAssignment assignment;
  std::vector<std::int32_t> column_of_row;
  for (std::size_t t = 0; t < pairs.n_frames; ++t) {
    const std::int64_t truth_begin = pairs.truth_begin[t], truth_end = pairs.truth_begin[t + 1];
    const std::int64_t pred_begin = pairs.pred_begin[t];
    const auto n_pred = static_cast<std::size_t>(pairs.pred_begin[t + 1] - pred_begin);
    if (truth_begin == truth_end || n_pred == 0) continue;
    bool has_bonus = false;
    table.clear();
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      const std::int32_t track = tracks.truth_track()[i];
      const bool goes_on = frame_before >= 0 && last_frame[track] == frame_before;
      for (std::int64_t k = pairs.pair_begin[i]; k < pairs.pair_begin[i + 1]; ++k) {
        const double similarity = pairs.similarity[k];
        if (similarity < least) continue;
        const std::int32_t pred = pairs.pair_pred[k];
        const bool is_kept = goes_on && tracks.pred_track()[pred] == last_pred[track];
        has_bonus |= is_kept;
        table.add(pred - pred_begin, is_kept ? kBonus + similarity : similarity);
      }
      table.end_row();
    }
    column_of_row.resize(static_cast<std::size_t>(truth_end - truth_begin));
    assignment.assign(table.view(n_pred), has_bonus ? kRoundingWithBonus : kRounding,
                      column_of_row.data());

    double in_frame = 0.0;
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      const std::int32_t column = column_of_row[static_cast<std::size_t>(i - truth_begin)];
      if (column < 0) continue;
      const auto pred = static_cast<std::int32_t>(pred_begin + column);
      const std::int32_t* const first = pairs.pair_pred + pairs.pair_begin[i];
      const std::int32_t* const last = pairs.pair_pred + pairs.pair_begin[i + 1];
      in_frame += pairs.similarity[std::find(first, last, pred) - pairs.pair_pred];

      const std::int32_t track = tracks.truth_track()[i], other = tracks.pred_track()[pred];
      found.match[static_cast<std::size_t>(i)] = pred;
      ++found.n_matched[track];
      if (last_pred[track] != kNone && last_pred[track] != other) {
        found.is_switch[static_cast<std::size_t>(i)] = 1;
        ++found.n_switches[track];
      }
      if (last_truth[other] != kNone && last_truth[other] != track) found.is_transfer[pred] = 1;
      if (frame_before < 0 || last_frame[track] != frame_before) ++found.n_starts[track];
      last_pred[track] = other;
      last_truth[other] = track;
      last_frame[track] = static_cast<std::int64_t>(t);
    }
    found.similarity += in_frame;
    frame_before = static_cast<std::int64_t>(t);
  }
  return found;
}

}  // namespace snellen
