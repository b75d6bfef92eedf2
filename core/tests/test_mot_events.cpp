#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "snellen/mot_events.hpp"

using snellen::MotEventColumns;
using snellen::MotMatching;

namespace {

constexpr double kNone = -1;  // a pair that is not allowed
const double kNoLimit = std::numeric_limits<double>::infinity();

struct Frame {
  std::vector<std::int32_t> truth, pred;
  std::vector<double> distance;  // by row; kNone: not allowed
  double time = 0;
};

// Frames as the kernel takes them.
struct Sequence {
  explicit Sequence(const std::vector<Frame>& list) {
    for (const Frame& frame : list) {
      const auto first = static_cast<std::int32_t>(pred_track.size());
      for (std::size_t i = 0; i < frame.truth.size(); ++i) {
        for (std::size_t j = 0; j < frame.pred.size(); ++j) {
          const double d = frame.distance[i * frame.pred.size() + j];
          if (d == kNone) continue;
          pair_pred.push_back(first + static_cast<std::int32_t>(j));
          distance.push_back(d);
        }
        pair_begin.push_back(static_cast<std::int64_t>(pair_pred.size()));
      }
      truth_track.insert(truth_track.end(), frame.truth.begin(), frame.truth.end());
      pred_track.insert(pred_track.end(), frame.pred.begin(), frame.pred.end());
      truth_begin.push_back(static_cast<std::int64_t>(truth_track.size()));
      pred_begin.push_back(static_cast<std::int64_t>(pred_track.size()));
      time.push_back(frame.time);
    }
  }
  snellen::MotFrames frames() const {
    return {time.size(),        truth_begin.data(), pred_begin.data(),
            truth_track.data(), pred_track.data(),  pair_begin.data(),
            pair_pred.data(),   distance.data(),    time.data()};
  }

  std::vector<std::int64_t> truth_begin{0}, pred_begin{0}, pair_begin{0};
  std::vector<std::int32_t> truth_track, pred_track, pair_pred;
  std::vector<double> distance, time;
};

// One word an event: kind, object track, hypothesis track.
std::string told(MotMatching& matching, const std::vector<Frame>& list, bool raw = false) {
  constexpr const char* kNames[] = {"raw",   "fp",       "miss",   "switch",
                                    "match", "transfer", "ascend", "migrate"};
  const Sequence sequence(list);
  MotEventColumns events;
  matching.update(sequence.frames(), 10, 10, raw, events);
  std::ostringstream text;
  for (std::size_t e = 0; e < events.kind.size(); ++e) {
    text << (e > 0 ? " " : "") << kNames[events.kind[e]];
    if (events.truth[e] >= 0) {
      text << " o" << sequence.truth_track[static_cast<std::size_t>(events.truth[e])];
    }
    if (events.pred[e] >= 0) {
      text << " h" << sequence.pred_track[static_cast<std::size_t>(events.pred[e])];
    }
    if (!std::isnan(events.distance[e])) text << " " << events.distance[e];
    if (e + 1 < events.kind.size() && events.frame[e + 1] != events.frame[e]) text << " |";
  }
  return text.str();
}

std::string told(const std::vector<Frame>& list) {
  MotMatching matching(kNoLimit);
  return told(matching, list);
}

void one_sided_frames() {
  CHECK_EQUAL(told({{{}, {3, 4}, {}}, {{1, 2}, {}, {}}, {{}, {}, {}}, {{1}, {3}, {0.5}}}),
              "fp h3 fp h4 | miss o1 miss o2 | match o1 h3 0.5");
}

void what_came_in() {
  MotMatching matching(kNoLimit);
  CHECK_EQUAL(told(matching, {{{1, 2}, {3, 4, 5}, {kNone, 0.5, 0.25, kNone, kNone, kNone}}}, true),
              "raw raw o1 h4 0.5 raw o1 h5 0.25 raw o2 raw h3 match o1 h5 0.25 miss o2 fp h3 "
              "fp h4");
}

void pairs_stay_together() {
  // In the second frame the other way round would be nearer.
  CHECK_EQUAL(told({{{1, 2}, {3, 4}, {0, kNone, kNone, 0}}, {{2, 1}, {3, 4}, {0, 9, 9, 0}}}),
              "match o1 h3 0 match o2 h4 0 | match o2 h4 9 match o1 h3 9");
  // Over a frame without either, and over one in which the pair is not allowed.
  CHECK_EQUAL(told({{{1}, {3}, {0}}, {{}, {}, {}}, {{1}, {3}, {kNone}}, {{1}, {3, 4}, {1, 0}}}),
              "match o1 h3 0 | miss o1 fp h3 | match o1 h3 1 fp h4");
}

void switches_and_transfers() {
  // h4 and h3 change places; then o1 goes to h5, which is new; then o2, which is new, gets h5.
  CHECK_EQUAL(told({{{1, 2}, {3, 4}, {0, kNone, kNone, 0}},
                    {{1, 2}, {3, 4}, {kNone, 0, 0, kNone}},
                    {{1}, {5}, {0}},
                    {{6}, {5}, {0}}}),
              "match o1 h3 0 match o2 h4 0 | transfer o1 h4 0 switch o1 h4 0 transfer o2 h3 0 "
              "switch o2 h3 0 | ascend o1 h5 0 switch o1 h5 0 | migrate o6 h5 0 transfer o6 h5 0 "
              "match o6 h5 0");
}

void away_for_too_long() {
  const std::vector<Frame> list = {{{1}, {3}, {0}, 0}, {{1}, {4}, {0}, 5}, {{1}, {3}, {0}, 11}};
  MotMatching five(5);
  CHECK_EQUAL(told(five, list), "match o1 h3 0 | ascend o1 h4 0 switch o1 h4 0 | match o1 h3 0");
  // An object that was seen, but not matched, was not away.
  MotMatching six(6);
  CHECK_EQUAL(told(six, {{{1}, {3}, {0}, 0}, {{1}, {}, {}, 5}, {{1}, {4}, {0}, 11}}),
              "match o1 h3 0 | miss o1 | ascend o1 h4 0 switch o1 h4 0");
}

void as_many_pairs_as_can_be() {
  // o1 h3 alone costs 0; both others cost 18, but are two.
  CHECK_EQUAL(told({{{1, 2}, {3, 4}, {0, 9, 9, kNone}}}), "match o1 h4 9 match o2 h3 9");
  // The nearest, where there is one hypothesis for two; the third has no pair.
  CHECK_EQUAL(told({{{1, 2, 5}, {3, 4}, {2, kNone, 1, kNone, kNone, kNone}}}),
              "match o2 h3 1 miss o1 miss o5 fp h4");
  // Distances may be below 0: -3 + 2 is less than 1 + 1.
  CHECK_EQUAL(told({{{1, 2}, {3, 4}, {1, -3, 2, 1}}}), "match o1 h4 -3 match o2 h3 2");
}

void a_track_twice_in_a_frame() {
  // The first row of h3 is not allowed for o1, and no other is tried: o1 is matched anew.
  CHECK_EQUAL(told({{{1}, {3}, {0}}, {{1}, {3, 3}, {kNone, 1}}}),
              "match o1 h3 0 | match o1 h3 1 fp h3");
  // The first row of h3 is taken by the first row of o1.
  CHECK_EQUAL(told({{{1}, {3}, {0}}, {{1, 1}, {3, 3}, {2, 1, 2, 1}}}),
              "match o1 h3 0 | match o1 h3 2 match o1 h3 1");
}

std::vector<Frame> random_frames(std::uint64_t seed, std::size_t n_frames) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int32_t>(random() % n); };
  std::vector<Frame> list(n_frames);
  for (std::size_t t = 0; t < n_frames; ++t) {
    Frame& frame = list[t];
    frame.time = static_cast<double>(t);
    for (std::int32_t track = 0; track < 8; ++track) {
      if (below(4) > 0) frame.truth.push_back(track);
      if (below(4) > 0) frame.pred.push_back(7 - track);
    }
    for (std::size_t cell = 0; cell < frame.truth.size() * frame.pred.size(); ++cell) {
      frame.distance.push_back(below(3) == 0 ? below(4) : kNone);
    }
  }
  return list;
}

void frames_may_come_one_by_one() {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<Frame> list = random_frames(seed, 25);
    MotMatching whole(4), single(4);
    const std::string want = told(whole, list, true);
    std::string got;
    for (std::size_t t = 0; t < list.size(); ++t) {
      // Every third frame another matching goes on from what is remembered.
      if (t % 3 == 2) {
        MotMatching other(4);
        other.restore(single.memory());
        got += (t > 0 ? " | " : "") + told(other, {list[t]}, true);
        single.restore(other.memory());
      } else {
        got += (t > 0 ? " | " : "") + told(single, {list[t]}, true);
      }
    }
    CHECK_EQUAL(got, want);
    CHECK_EQUAL(single.memory().n_frames, 25);
    CHECK(single.memory().frame_of_truth == whole.memory().frame_of_truth);
    CHECK(single.memory().truth_of_pred == whole.memory().truth_of_pred);
  }
}

// The best of all ways to match the rows from i on: most pairs, then the least sum.
void best_of_all(const Frame& frame, std::size_t i, std::vector<bool>& used, int n, double sum,
                 int& best_n, double& best_sum) {
  if (i == frame.truth.size()) {
    if (n > best_n || (n == best_n && sum < best_sum)) {
      best_n = n;
      best_sum = sum;
    }
    return;
  }
  best_of_all(frame, i + 1, used, n, sum, best_n, best_sum);
  for (std::size_t j = 0; j < frame.pred.size(); ++j) {
    const double d = frame.distance[i * frame.pred.size() + j];
    if (used[j] || d == kNone) continue;
    used[j] = true;
    best_of_all(frame, i + 1, used, n + 1, sum + d, best_n, best_sum);
    used[j] = false;
  }
}

void no_matching_is_better() {
  for (std::uint64_t seed = 100; seed < 150; ++seed) {
    const Frame frame = random_frames(seed, 1)[0];
    int best_n = 0;
    double best_sum = 0;
    std::vector<bool> used(frame.pred.size(), false);
    best_of_all(frame, 0, used, 0, 0, best_n, best_sum);
    MotMatching matching(kNoLimit);
    const Sequence sequence({frame});
    MotEventColumns events;
    matching.update(sequence.frames(), 10, 10, false, events);
    int n = 0;
    double sum = 0;
    for (std::size_t e = 0; e < events.kind.size(); ++e) {
      if (std::isnan(events.distance[e])) continue;
      ++n;
      sum += events.distance[e];
    }
    CHECK_EQUAL(n, best_n);
    CHECK_EQUAL(sum, best_sum);
  }
}

void sums_that_overflow() {
  const Sequence sequence({{{1}, {3}, {1}}, {{1, 2}, {3, 4}, {1e308, kNone, kNone, 1}}});
  MotMatching matching(kNoLimit);
  MotEventColumns events;
  bool refused = false;
  try {
    matching.update(sequence.frames(), 10, 10, false, events);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  CHECK(refused);
  CHECK_EQUAL(matching.memory().n_frames, 0);
}

}  // namespace

int main() {
  one_sided_frames();
  what_came_in();
  pairs_stay_together();
  switches_and_transfers();
  away_for_too_long();
  as_many_pairs_as_can_be();
  a_track_twice_in_a_frame();
  frames_may_come_one_by_one();
  no_matching_is_better();
  sums_that_overflow();
  return snellen::testing::report();
}
