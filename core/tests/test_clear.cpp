#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/clear.hpp"

using namespace snellen::testing;
using snellen::ClearMatches;

namespace {

// Everything as plain vectors, to compare.
struct Plain {
  Tracks match;
  std::vector<int> is_switch, is_transfer;
  double similarity;
  Tracks n_frames, n_matched, n_starts, n_switches;
  bool operator==(const Plain&) const = default;
};

Plain find(const Sequence& sequence, double threshold) {
  const ClearMatches found = snellen::clear_matches(Listed(sequence).tracks(), threshold);
  return {{found.match.begin(), found.match.end()},
          {found.is_switch.begin(), found.is_switch.end()},
          {found.is_transfer.begin(), found.is_transfer.end()},
          found.similarity,
          {found.n_frames.begin(), found.n_frames.end()},
          {found.n_matched.begin(), found.n_matched.end()},
          {found.n_starts.begin(), found.n_starts.end()},
          {found.n_switches.begin(), found.n_switches.end()}};
}

// With whole matrices.
Plain by_hand(const Sequence& sequence, double threshold) {
  const std::size_t n = sequence.n_truth_tracks;
  Plain plain{{}, {}, {}, 0.0, Tracks(n), Tracks(n), Tracks(n), Tracks(n)};
  Tracks before(n, -1), last_pred(n, -1), last_truth(sequence.n_pred_tracks, -1);
  for (const Frame& frame : sequence.frames) {
    const std::size_t n_truth = frame.truth.size(), n_pred = frame.pred.size();
    const std::size_t first = plain.is_transfer.size();
    plain.is_transfer.resize(first + n_pred, 0);
    std::vector<double> score(frame.similarity);
    for (std::size_t i = 0; i < n_truth; ++i) {
      ++plain.n_frames[static_cast<std::size_t>(frame.truth[i])];
      for (std::size_t j = 0; j < n_pred; ++j) {
        double& cell = score[i * n_pred + j];
        const bool goes_on = before[static_cast<std::size_t>(frame.truth[i])] == frame.pred[j];
        cell = cell < threshold - snellen::kSlack ? 0.0 : (goes_on ? 1000.0 + cell : cell);
      }
    }
    const Tracks columns = choice(score, n_truth, n_pred);
    Tracks now(n, -1);
    double in_frame = 0.0;
    for (std::size_t i = 0; i < n_truth; ++i) {
      plain.match.push_back(-1);
      plain.is_switch.push_back(0);
      if (columns[i] < 0) continue;
      const auto j = static_cast<std::size_t>(columns[i]);
      if (score[i * n_pred + j] <= snellen::kSlack) continue;
      const auto track = static_cast<std::size_t>(frame.truth[i]);
      const std::int32_t other = frame.pred[j];
      std::int32_t& truth_before = last_truth[static_cast<std::size_t>(other)];
      in_frame += frame.at(i, j);
      plain.match.back() = static_cast<std::int32_t>(first + j);
      plain.is_switch.back() = last_pred[track] >= 0 && last_pred[track] != other;
      plain.is_transfer[first + j] = truth_before >= 0 && truth_before != frame.truth[i];
      ++plain.n_matched[track];
      plain.n_switches[track] += plain.is_switch.back();
      plain.n_starts[track] += before[track] < 0;
      now[track] = last_pred[track] = other;
      truth_before = frame.truth[i];
    }
    plain.similarity += in_frame;
    if (n_truth > 0 && n_pred > 0) before = now;
  }
  return plain;
}

void worked_by_hand() {
  const Sequence sequence{
      2,
      3,
      {
          {{0, 1}, {0, 1}, {0.6, 0.0, 0.0, 0.7}},
          // The pairs of before stay, though the others are nearer.
          {{0, 1}, {0, 1}, {0.5, 0.9, 0.9, 0.5}},
          // Without predictions: what is carried on is that of the frame before.
          {{0, 1}, {}, {}},
          {{}, {2}, {}},
          {{0, 1}, {0, 1}, {0.5, 0.9, 0.9, 0.5}},
          // Nothing is near enough; nothing is carried on.
          {{0, 1}, {0, 1}, {0.4, 0.4, 0.4, 0.4}},
          // Track 0 goes to prediction 1, and that from track 1 to track 0.
          {{0, 1}, {0, 1}, {0.5, 0.9, 0.0, 0.0}},
      }};
  const Plain found = find(sequence, 0.5);
  CHECK((found.match == Tracks{0, 1, 2, 3, -1, -1, 5, 6, -1, -1, 10, -1}));
  CHECK((found.is_switch == std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}));
  CHECK((found.is_transfer == std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  // Frame by frame: 1.3, 1.0, 1.0, 0.9.
  CHECK_EQUAL(found.similarity, (((0.6 + 0.7) + 1.0) + 1.0) + 0.9);
  CHECK((found.n_frames == Tracks{6, 6}));
  CHECK((found.n_matched == Tracks{4, 3}));
  CHECK((found.n_starts == Tracks{2, 1}));
  CHECK((found.n_switches == Tracks{1, 0}));
  // Two weak pairs are less than a strong one: 0.5 + 0.25 < 0.8.
  const Sequence crossed{2, 2, {{{0, 1}, {0, 1}, {0.8, 0.5, 0.25, 0.0}}}};
  CHECK((find(crossed, 0.25).match == Tracks{0, -1}));
}

void as_with_whole_matrices() {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const Sequence sequence = drawn(random);
    for (const double threshold : {0.5, 0.25}) {
      CHECK(find(sequence, threshold) == by_hand(sequence, threshold));
    }
  }
}

}  // namespace

int main() {
  worked_by_hand();
  as_with_whole_matrices();
  return snellen::testing::report();
}
