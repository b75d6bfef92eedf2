#include "snellen/hota.hpp"

#include <algorithm>
#include <numeric>

#include "snellen/pairwise_sum.hpp"

namespace snellen {
namespace {

// Sums that go the same way through the tree of additions.
struct Associations {
  double both = 0.0, recall = 0.0, precision = 0.0;
  Associations& operator+=(const Associations& other) {
    both += other.both;
    recall += other.recall;
    precision += other.precision;
    return *this;
  }
};

// How well the tracks of each cell agree over the whole sequence, whoever is matched in the end:
// a frame gives a pair its share in all that either object overlaps.
std::vector<double> alignment(const TrackPairs& tracks) {
  const PairLists& pairs = tracks.pairs();
  std::vector<double> agreement(tracks.n_cells(), 0.0);
  std::vector<double> pred_sum;
  std::vector<std::int32_t> place;
  for (std::size_t t = 0; t < pairs.n_frames; ++t) {
    const std::int64_t truth_begin = pairs.truth_begin[t], truth_end = pairs.truth_begin[t + 1];
    const std::int64_t pred_begin = pairs.pred_begin[t];
    const auto n_pred = static_cast<std::size_t>(pairs.pred_begin[t + 1] - pred_begin);
    const std::int64_t pair_begin = pairs.pair_begin[truth_begin];
    const std::int64_t pair_end = pairs.pair_begin[truth_end];
    pred_sum.assign(n_pred, 0.0);
    for (std::int64_t k = pair_begin; k < pair_end; ++k) {
      pred_sum[static_cast<std::size_t>(pairs.pair_pred[k] - pred_begin)] += pairs.similarity[k];
    }
    if (n_pred == 1) {
      // A single column is contiguous in memory, and NumPy adds it up as it does a row.
      place.clear();
      for (std::int64_t i = truth_begin; i < truth_end; ++i) {
        if (pairs.pair_begin[i] < pairs.pair_begin[i + 1]) {
          place.push_back(static_cast<std::int32_t>(i - truth_begin));
        }
      }
      pred_sum[0] = pairwise_sum(pairs.similarity + pair_begin, place.data(), place.size(), 0,
                                 static_cast<std::size_t>(truth_end - truth_begin));
    }
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      const std::int64_t first = pairs.pair_begin[i], last = pairs.pair_begin[i + 1];
      const double truth_sum = pairwise_sum(pairs.similarity + first, pairs.pair_pred + first,
                                            static_cast<std::size_t>(last - first),
                                            static_cast<std::int32_t>(pred_begin), n_pred);
      for (std::int64_t k = first; k < last; ++k) {
        const double similarity = pairs.similarity[k];
        const auto pred = static_cast<std::size_t>(pairs.pair_pred[k] - pred_begin);
        const double either = (pred_sum[pred] + truth_sum) - similarity;
        if (either > kSlack) agreement[tracks.pair_cell()[k]] += similarity / either;
      }
    }
  }
  for (std::size_t i = 0; i < tracks.n_truth_tracks(); ++i) {
    for (std::int64_t c = tracks.cell_begin()[i]; c < tracks.cell_begin()[i + 1]; ++c) {
      const double frames = tracks.truth_frames()[i] + tracks.pred_frames()[tracks.cell_pred()[c]];
      double& value = agreement[static_cast<std::size_t>(c)];
      value /= frames - value;
    }
  }
  return agreement;
}

// Matches of each cell, by the number of alphas that each reaches.
class MatchCounts {
 public:
  MatchCounts(std::size_t n_cells, std::size_t n_alphas)
      : n_alphas_(n_alphas), slot_(n_cells, kNoSlot) {}

  // 0 < n_reached.
  void add(std::int32_t cell, std::size_t n_reached) {
    std::int32_t& slot = slot_[cell];
    if (slot == kNoSlot) {
      slot = static_cast<std::int32_t>(count_.size() / n_alphas_);
      count_.resize(count_.size() + n_alphas_, 0);
    }
    ++count_[static_cast<std::size_t>(slot) * n_alphas_ + n_reached - 1];
  }

  // From here on count(cell, rank) is the number of matches that reach that alpha.
  void accumulate() {
    for (std::size_t first = 0; first < count_.size(); first += n_alphas_) {
      for (std::size_t k = n_alphas_ - 1; k > 0; --k) count_[first + k - 1] += count_[first + k];
    }
  }
  bool has(std::size_t cell) const { return slot_[cell] != kNoSlot; }
  std::int32_t count(std::size_t cell, std::size_t rank) const {
    return count_[static_cast<std::size_t>(slot_[cell]) * n_alphas_ + rank];
  }

 private:
  static constexpr std::int32_t kNoSlot = -1;
  std::size_t n_alphas_;
  std::vector<std::int32_t> slot_, count_;
};

struct MatchedCell {
  std::size_t cell;
  std::int64_t place;  // in the whole table of tracks, row by row
  double truth_frames, pred_frames;
};

std::vector<MatchedCell> matched_cells(const TrackPairs& tracks, const MatchCounts& counts) {
  std::vector<MatchedCell> cells;
  for (std::size_t i = 0; i < tracks.n_truth_tracks(); ++i) {
    for (std::int64_t c = tracks.cell_begin()[i]; c < tracks.cell_begin()[i + 1]; ++c) {
      const auto cell = static_cast<std::size_t>(c);
      if (!counts.has(cell)) continue;
      const std::int32_t pred = tracks.cell_pred()[cell];
      cells.push_back({cell, static_cast<std::int64_t>(i * tracks.n_pred_tracks()) + pred,
                       static_cast<double>(tracks.truth_frames()[i]),
                       static_cast<double>(tracks.pred_frames()[pred])});
    }
  }
  return cells;
}

}  // namespace

HotaSums hota_sums(const TrackPairs& tracks, const double* alphas, std::size_t n_alphas,
                   bool blocked) {
  const PairLists& pairs = tracks.pairs();
  HotaSums sums;
  sums.n_matched.assign(n_alphas, 0);
  for (auto* const each : {&sums.similarity, &sums.association, &sums.association_recall,
                           &sums.association_precision}) {
    each->assign(n_alphas, 0.0);
  }
  if (n_alphas == 0) return sums;

  // Alphas by rank: a match that reaches one reaches all below.
  std::vector<std::size_t> order(n_alphas);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return alphas[a] < alphas[b]; });
  std::vector<double> least(n_alphas);
  for (std::size_t k = 0; k < n_alphas; ++k) least[k] = alphas[order[k]] - kSlack;

  const std::vector<double> aligned = alignment(tracks);
  MatchCounts counts(tracks.n_cells(), n_alphas);
  std::vector<std::int64_t> n_reaching(n_alphas, 0);
  std::vector<double> similarity(n_alphas, 0.0), in_frame(n_alphas);
  FrameTable table;
  ScoreAssignment assignment;
  std::vector<std::int32_t> column_of_row;
  for (std::size_t t = 0; t < pairs.n_frames; ++t) {
    const std::int64_t truth_begin = pairs.truth_begin[t], truth_end = pairs.truth_begin[t + 1];
    const std::int64_t pred_begin = pairs.pred_begin[t];
    const auto n_pred = static_cast<std::size_t>(pairs.pred_begin[t + 1] - pred_begin);
    if (pairs.pair_begin[truth_begin] == pairs.pair_begin[truth_end]) continue;
    table.clear();
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      for (std::int64_t k = pairs.pair_begin[i]; k < pairs.pair_begin[i + 1]; ++k) {
        const double score = aligned[tracks.pair_cell()[k]] * pairs.similarity[k];
        if (score > 0.0) table.add(pairs.pair_pred[k] - pred_begin, score);
      }
      table.end_row();
    }
    column_of_row.resize(static_cast<std::size_t>(truth_end - truth_begin));
    assignment.assign(table.view(n_pred), kRounding, column_of_row.data());

    std::fill(in_frame.begin(), in_frame.end(), 0.0);
    for (std::int64_t i = truth_begin; i < truth_end; ++i) {
      const std::int32_t column = column_of_row[static_cast<std::size_t>(i - truth_begin)];
      if (column < 0) continue;
      const auto pred = static_cast<std::int32_t>(pred_begin + column);
      const std::int32_t* const first = pairs.pair_pred + pairs.pair_begin[i];
      const std::int32_t* const last = pairs.pair_pred + pairs.pair_begin[i + 1];
      const std::int64_t k = std::find(first, last, pred) - pairs.pair_pred;
      const double value = pairs.similarity[k];
      std::size_t n_reached = 0;
      for (std::size_t a = 0; a < n_alphas; ++a) n_reached += value >= least[a];
      if (n_reached == 0) continue;
      for (std::size_t a = 0; a < n_reached; ++a) in_frame[a] += value;
      ++n_reaching[n_reached - 1];
      counts.add(tracks.pair_cell()[k], n_reached);
    }
    for (std::size_t a = 0; a < n_alphas; ++a) similarity[a] += in_frame[a];
  }
  counts.accumulate();
  for (std::size_t k = n_alphas - 1; k > 0; --k) n_reaching[k - 1] += n_reaching[k];

  const std::vector<MatchedCell> cells = matched_cells(tracks, counts);
  const std::size_t n_places = tracks.n_truth_tracks() * tracks.n_pred_tracks();
  std::vector<Associations> values;
  std::vector<std::int64_t> places;
  for (std::size_t k = 0; k < n_alphas; ++k) {
    values.clear();
    places.clear();
    for (const MatchedCell& cell : cells) {
      const double n = counts.count(cell.cell, k);
      if (n == 0.0) continue;
      // No count is 0: a track is once in a frame.
      const double either = (cell.truth_frames + cell.pred_frames) - n;
      values.push_back({n * (n / either), n * (n / cell.truth_frames), n * (n / cell.pred_frames)});
      places.push_back(cell.place);
    }
    const Associations total =
        blocked
            ? blocked_sum(values.data(), places.data(), values.size(), n_places)
            : pairwise_sum(values.data(), places.data(), values.size(), std::int64_t{0}, n_places);
    const std::size_t alpha = order[k];
    sums.n_matched[alpha] = n_reaching[k];
    sums.similarity[alpha] = similarity[k];
    sums.association[alpha] = total.both;
    sums.association_recall[alpha] = total.recall;
    sums.association_precision[alpha] = total.precision;
  }
  return sums;
}

}  // namespace snellen
