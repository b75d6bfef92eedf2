#include "snellen/mot_events.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace snellen {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }
std::int32_t row(std::size_t i) { return static_cast<std::int32_t>(i); }

// What a pair costs that is not allowed: more than any number of allowed ones could save.
double forbidden_cost(double largest, std::size_t n_truth, std::size_t n_pred) {
  const double n = static_cast<double>(std::min(n_truth, n_pred));
  return 2 * n * (largest + 1) + 1;
}

void push(MotEventColumns& events, std::size_t frame, MotEvent kind, std::int64_t truth,
          std::int64_t pred, double distance) {
  events.frame.push_back(static_cast<std::int64_t>(frame));
  events.kind.push_back(static_cast<std::uint8_t>(kind));
  events.truth.push_back(static_cast<std::int32_t>(truth));
  events.pred.push_back(static_cast<std::int32_t>(pred));
  events.distance.push_back(distance);
}

void check_distances(const MotFrames& frames) {
  for (std::size_t t = 0; t < frames.n_frames; ++t) {
    const std::size_t first = index(frames.truth_begin[t]), last = index(frames.truth_begin[t + 1]);
    double largest = 0;
    for (std::int64_t p = frames.pair_begin[first]; p < frames.pair_begin[last]; ++p) {
      largest = std::max(largest, std::abs(frames.distance[p]));
    }
    const std::size_t n_pred = index(frames.pred_begin[t + 1] - frames.pred_begin[t]);
    if (std::isfinite(forbidden_cost(largest, last - first, n_pred))) continue;
    throw std::invalid_argument("expected distances that can be added up, got " +
                                std::to_string(largest));
  }
}

}  // namespace

void MotMatching::update(const MotFrames& frames, std::size_t n_truth_tracks,
                         std::size_t n_pred_tracks, bool with_raw, MotEventColumns& events) {
  check_distances(frames);
  n_truth_tracks = std::max(n_truth_tracks, memory_.pred_of_truth.size());
  n_pred_tracks = std::max(n_pred_tracks, memory_.truth_of_pred.size());
  memory_.pred_of_truth.resize(n_truth_tracks, -1);
  memory_.time_of_truth.resize(n_truth_tracks, kNothing);
  memory_.frame_of_truth.resize(n_truth_tracks, -1);
  memory_.truth_of_pred.resize(n_pred_tracks, -1);
  memory_.frame_of_pred.resize(n_pred_tracks, -1);
  row_of_pred_.resize(n_pred_tracks, -1);

  for (std::size_t t = 0; t < frames.n_frames; ++t) {
    const std::int64_t first_truth = frames.truth_begin[t], last_truth = frames.truth_begin[t + 1];
    const std::int64_t first_pred = frames.pred_begin[t], last_pred = frames.pred_begin[t + 1];
    const std::size_t n_truth = index(last_truth - first_truth);
    const std::size_t n_pred = index(last_pred - first_pred);
    truth_matched_.assign(n_truth, 0);
    pred_matched_.assign(n_pred, 0);
    if (with_raw) raw_events(frames, t, events);
    if (n_truth > 0 && n_pred > 0) {
      carry_on(frames, t, events);
      assign(frames, t, events);
    }
    for (std::size_t i = 0; i < n_truth; ++i) {
      if (truth_matched_[i]) continue;
      push(events, t, MotEvent::kMiss, first_truth + static_cast<std::int64_t>(i), -1, kNothing);
    }
    for (std::size_t j = 0; j < n_pred; ++j) {
      if (pred_matched_[j]) continue;
      push(events, t, MotEvent::kFalsePositive, -1, first_pred + static_cast<std::int64_t>(j),
           kNothing);
    }
    for (std::int64_t i = first_truth; i < last_truth; ++i) {
      memory_.time_of_truth[index(frames.truth_track[i])] = frames.time[t];
    }
    ++memory_.n_frames;
  }
}

void MotMatching::restore(MotMemory memory) {
  memory_ = std::move(memory);
  row_of_pred_.assign(memory_.truth_of_pred.size(), -1);
}

void MotMatching::raw_events(const MotFrames& frames, std::size_t t, MotEventColumns& events) {
  push(events, t, MotEvent::kRaw, -1, -1, kNothing);
  const std::int64_t first_pred = frames.pred_begin[t];
  for (std::int64_t i = frames.truth_begin[t]; i < frames.truth_begin[t + 1]; ++i) {
    for (std::int64_t p = frames.pair_begin[i]; p < frames.pair_begin[i + 1]; ++p) {
      push(events, t, MotEvent::kRaw, i, frames.pair_pred[p], frames.distance[p]);
      pred_matched_[index(frames.pair_pred[p] - first_pred)] = 1;
    }
  }
  for (std::int64_t i = frames.truth_begin[t]; i < frames.truth_begin[t + 1]; ++i) {
    if (frames.pair_begin[i] == frames.pair_begin[i + 1]) {
      push(events, t, MotEvent::kRaw, i, -1, kNothing);
    }
  }
  for (std::size_t j = 0; j < pred_matched_.size(); ++j) {
    if (!pred_matched_[j]) {
      push(events, t, MotEvent::kRaw, -1, first_pred + static_cast<std::int64_t>(j), kNothing);
    }
    pred_matched_[j] = 0;
  }
}

void MotMatching::carry_on(const MotFrames& frames, std::size_t t, MotEventColumns& events) {
  const std::int64_t first_pred = frames.pred_begin[t];
  const std::size_t n_pred = pred_matched_.size();
  const std::int32_t* const pred_track = frames.pred_track + first_pred;
  next_row_.resize(n_pred);
  for (std::size_t j = n_pred; j-- > 0;) {
    std::int32_t& first = row_of_pred_[index(pred_track[j])];
    next_row_[j] = first;
    first = row(j);
  }
  for (std::size_t i = 0; i < truth_matched_.size(); ++i) {
    const std::int64_t truth = frames.truth_begin[t] + static_cast<std::int64_t>(i);
    const std::size_t track = index(frames.truth_track[truth]);
    const std::int32_t pred_before = memory_.pred_of_truth[track];
    if (pred_before < 0) continue;
    // Where a hypothesis is in a frame twice, its first free row is the one.
    std::int32_t j = row_of_pred_[index(pred_before)];
    while (j >= 0 && pred_matched_[index(j)]) j = next_row_[index(j)];
    if (j < 0) continue;
    const std::int32_t* const begin = frames.pair_pred + frames.pair_begin[truth];
    const std::int32_t* const end = frames.pair_pred + frames.pair_begin[truth + 1];
    const std::int32_t* const found = std::lower_bound(begin, end, first_pred + j);
    if (found == end || *found != first_pred + j) continue;
    truth_matched_[i] = 1;
    pred_matched_[index(j)] = 1;
    memory_.frame_of_truth[track] = memory_.n_frames;
    memory_.frame_of_pred[index(pred_before)] = memory_.n_frames;
    push(events, t, MotEvent::kMatch, truth, *found, frames.distance[found - frames.pair_pred]);
  }
  for (std::size_t j = 0; j < n_pred; ++j) row_of_pred_[index(pred_track[j])] = -1;
}

void MotMatching::assign(const MotFrames& frames, std::size_t t, MotEventColumns& events) {
  const std::int64_t first_truth = frames.truth_begin[t], first_pred = frames.pred_begin[t];
  const std::size_t n_truth = truth_matched_.size(), n_pred = pred_matched_.size();
  edges_.clear();
  edge_begin_.assign(n_truth + 1, 0);
  double largest = 0;
  for (std::size_t i = 0; i < n_truth; ++i) {
    edge_begin_[i] = static_cast<std::int64_t>(edges_.size());
    if (truth_matched_[i]) continue;
    const std::size_t truth = index(first_truth) + i;
    for (std::int64_t p = frames.pair_begin[truth]; p < frames.pair_begin[truth + 1]; ++p) {
      const std::int64_t j = frames.pair_pred[p] - first_pred;
      if (pred_matched_[index(j)]) continue;
      edges_.push_back({row(i), static_cast<std::int32_t>(j), frames.distance[p]});
      largest = std::max(largest, std::abs(frames.distance[p]));
    }
  }
  edge_begin_[n_truth] = static_cast<std::int64_t>(edges_.size());
  if (edges_.empty()) return;
  const double forbidden = forbidden_cost(largest, n_truth, n_pred);
  pred_of_row_.assign(n_truth, -1);
  const bool crowded = 2 * edges_.size() > n_truth * n_pred;
  if (crowded || !match_sparse(n_truth, n_pred, forbidden)) {
    match_dense(n_truth, n_pred, forbidden);
  }

  // In the order of rows; a row that was given a pair that is not allowed has none.
  for (const Edge& edge : edges_) {
    if (pred_of_row_[index(edge.truth)] != edge.pred) continue;
    const std::int64_t truth = first_truth + edge.truth, pred = first_pred + edge.pred;
    const std::size_t truth_track = index(frames.truth_track[truth]);
    const std::size_t pred_track = index(frames.pred_track[pred]);
    std::int32_t& pred_before = memory_.pred_of_truth[truth_track];
    std::int32_t& truth_before = memory_.truth_of_pred[pred_track];
    const bool switches =
        pred_before >= 0 && index(pred_before) != pred_track &&
        (max_switch_time_ == std::numeric_limits<double>::infinity() ||
         std::abs(frames.time[t] - memory_.time_of_truth[truth_track]) <= max_switch_time_);
    const bool transfers = truth_before >= 0 && index(truth_before) != truth_track;
    const auto tell = [&](MotEvent kind) { push(events, t, kind, truth, pred, edge.distance); };
    if (switches && truth_before < 0) tell(MotEvent::kAscend);
    if (transfers && pred_before < 0) tell(MotEvent::kMigrate);
    if (transfers) tell(MotEvent::kTransfer);
    tell(switches ? MotEvent::kSwitch : MotEvent::kMatch);
    truth_matched_[index(edge.truth)] = 1;
    pred_matched_[index(edge.pred)] = 1;
    pred_before = static_cast<std::int32_t>(pred_track);
    truth_before = static_cast<std::int32_t>(truth_track);
    memory_.frame_of_truth[truth_track] = memory_.n_frames;
    memory_.frame_of_pred[pred_track] = memory_.n_frames;
  }
}

// Mostly few pairs are left, and one matching of them is the best by far; then nothing depends on
// the way it is found. Says whether that is so.
bool MotMatching::match_sparse(std::size_t n_truth, std::size_t n_pred, double forbidden) {
  edge_pred_.clear();
  edge_score_.clear();
  for (const Edge& edge : edges_) {
    edge_pred_.push_back(edge.pred);
    edge_score_.push_back(forbidden - edge.distance);
  }
  const ScoreTable table{n_truth, n_pred, edge_begin_.data(), edge_pred_.data(),
                         edge_score_.data()};
  sparse_.solve(table, pred_of_row_.data());
  // What rounding can do to the sums along a way through all rows and columns.
  const double noise = 4 * std::numeric_limits<double>::epsilon() * forbidden *
                       static_cast<double>(n_truth + n_pred);
  return sparse_.is_unique(table, pred_of_row_.data(), noise, BestMatching::Sameness::kPairs);
}

void MotMatching::match_dense(std::size_t n_truth, std::size_t n_pred, double forbidden) {
  cost_.assign(n_truth * n_pred, forbidden);
  for (const Edge& edge : edges_) {
    cost_[index(edge.truth) * n_pred + index(edge.pred)] = edge.distance;
  }
  assign_dense(cost_.data(), n_truth, n_pred, dense_, pred_of_row_.data());
}

}  // namespace snellen
