#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/frame_matching.hpp"
#include "snellen/parallel.hpp"

using namespace snellen::testing;

namespace {

Tracks match(const Sequence& sequence, double threshold) {
  const Listed listed(sequence);
  Tracks found(listed.lists().n_pred());
  snellen::match_frames(listed.lists(), threshold, found.data());
  return found;
}

// The same with whole matrices.
Tracks by_hand(const Sequence& sequence, double threshold) {
  Tracks found;
  std::size_t n_truth = 0;
  for (const Frame& frame : sequence.frames) {
    const std::size_t first = found.size();
    found.resize(first + frame.pred.size(), -1);
    std::vector<double> score(frame.similarity);
    for (double& cell : score) cell = cell < threshold - snellen::kSlack ? 0.0 : cell;
    const Tracks columns = choice(score, frame.truth.size(), frame.pred.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] < 0) continue;
      const auto j = static_cast<std::size_t>(columns[i]);
      if (score[i * frame.pred.size() + j] > snellen::kSlack) {
        found[first + j] = static_cast<std::int32_t>(n_truth + i);
      }
    }
    n_truth += frame.truth.size();
  }
  return found;
}

void worked_by_hand() {
  const double half = 0.5 - snellen::kSlack;  // still enough
  const Sequence sequence{2,
                          2,
                          {
                              // 0.7 + 0.6 is more than 0.8, and 0.4 does not count.
                              {{0, 1}, {0, 1}, {0.8, 0.7, 0.6, 0.4}},
                              // Alone on one side.
                              {{0}, {}, {}},
                              {{}, {0}, {}},
                              {{1}, {0}, {half}},
                              {{1}, {1}, {half - snellen::kSlack}},
                          }};
  CHECK((match(sequence, 0.5) == Tracks{1, 0, -1, 3, -1}));
  // With 0.4 the other way round comes to 1.2, which is still less than 1.3.
  CHECK((match(sequence, 0.4) == Tracks{1, 0, -1, 3, 4}));
  // Only one pair is above 0.75.
  CHECK((match(sequence, 0.75) == Tracks{0, -1, -1, -1, -1}));
  CHECK((match({0, 0, {}}, 0.5) == Tracks{}));
}

void as_with_whole_matrices() {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const Sequence sequence = drawn(random);
    for (const double threshold : {0.5, 0.75, 1e-3}) {
      CHECK(match(sequence, threshold) == by_hand(sequence, threshold));
    }
  }
}

void threads_change_nothing() {
  Random random(2);
  const Sequence sequence = drawn(12, 9, 1000, 4, random);
  const Tracks want = by_hand(sequence, 0.5);
  for (const int n_threads : {1, 2, 5}) {
    snellen::set_thread_count(n_threads);
    CHECK(match(sequence, 0.5) == want);
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  worked_by_hand();
  as_with_whole_matrices();
  threads_change_nothing();
  return snellen::testing::report();
}
