// The events of CLEAR MOT as py-motmetrics tells them: who was matched, switched, missed.
//
// Frames come one by one, or many at once. In each, first every pair (object, hypothesis) that was
// matched before and is still allowed stays together, in the order of the objects; the rest is
// matched by the least sum of distances among the matchings with the most pairs. What is
// remembered between frames is bounded: a few numbers for each object and each hypothesis.
//
// Of several matchings equally good, the one is chosen that SciPy's solver finds in the dense
// matrix of the frame, where a pair that is not allowed costs more than all others together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/assignment.hpp"
#include "snellen/column.hpp"

namespace snellen {

enum class MotEvent : std::uint8_t {
  kRaw,  // what came in: nothing (once a frame), a pair, an object or a hypothesis without one
  kFalsePositive,
  kMiss,
  kSwitch,  // matched, to another hypothesis than last time
  kMatch,
  kTransfer,  // the hypothesis was matched to another object last time
  kAscend,    // a switch to a hypothesis that was never matched
  kMigrate,   // a transfer to an object that was never matched
};

struct MotFrames {
  std::size_t n_frames;
  // Rows of frame t: begin[t] … begin[t + 1] − 1.
  const std::int64_t* truth_begin;
  const std::int64_t* pred_begin;
  const std::int32_t* truth_track;
  const std::int32_t* pred_track;
  // Pairs of truth row i: pair_begin[i] … pair_begin[i + 1] − 1; rows of predictions of its frame,
  // ascending. A pair that is not listed is not allowed. Distances are finite.
  const std::int64_t* pair_begin;
  const std::int32_t* pair_pred;
  const double* distance;
  // When each frame is, in the unit of the longest time of a switch.
  const double* time;
};

// Frames and rows count from the first of the update; −1 and NaN stand for nothing.
struct MotEventColumns {
  Column<std::int64_t> frame;
  Column<std::uint8_t> kind;
  Column<std::int32_t> truth, pred;
  Column<double> distance;
};

// Frames are numbered from the first of all updates; −1: never.
struct MotMemory {
  std::int64_t n_frames = 0;
  std::vector<std::int32_t> pred_of_truth;   // by object: the hypothesis it was matched to last
  std::vector<double> time_of_truth;         // by object: when it was last there
  std::vector<std::int64_t> frame_of_truth;  // by object: where it was last matched
  // By hypothesis: the object it was assigned to last (a pair that stays together is not assigned
  // anew), and where it was last matched.
  std::vector<std::int32_t> truth_of_pred;
  std::vector<std::int64_t> frame_of_pred;
};

class MotMatching {
 public:
  // An object that was away for longer than this does not switch; infinity: no limit.
  explicit MotMatching(double max_switch_time) : max_switch_time_(max_switch_time) {}

  // Appends the events of the frames, those of RAW too if wanted. Tracks are below n_…_tracks,
  // which may grow from update to update. Throws std::invalid_argument, and changes nothing, for
  // distances so large that sums of them overflow.
  void update(const MotFrames& frames, std::size_t n_truth_tracks, std::size_t n_pred_tracks,
              bool with_raw, MotEventColumns& events);

  const MotMemory& memory() const { return memory_; }
  void restore(MotMemory memory);

 private:
  struct Edge {
    std::int32_t truth, pred;  // rows within the frame
    double distance;
  };

  void raw_events(const MotFrames& frames, std::size_t t, MotEventColumns& events);
  void carry_on(const MotFrames& frames, std::size_t t, MotEventColumns& events);
  void assign(const MotFrames& frames, std::size_t t, MotEventColumns& events);
  bool match_sparse(std::size_t n_truth, std::size_t n_pred, double forbidden);
  void match_dense(std::size_t n_truth, std::size_t n_pred, double forbidden);

  double max_switch_time_;
  MotMemory memory_;

  // Of the frame at work.
  std::vector<std::int32_t> row_of_pred_;  // by track, the first row; −1
  std::vector<std::int32_t> next_row_;     // by row, the next one of the same track; −1
  std::vector<std::uint8_t> truth_matched_, pred_matched_;
  std::vector<Edge> edges_;               // the pairs that are left, by truth row
  std::vector<std::int64_t> edge_begin_;  // by truth row
  std::vector<std::int32_t> edge_pred_;
  std::vector<double> edge_score_, cost_;
  std::vector<std::int32_t> pred_of_row_;
  BestMatching sparse_;
  DenseScratch dense_;
};

}  // namespace snellen
