#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/vace.hpp"

using namespace snellen::testing;
using snellen::VaceSums;

namespace {

VaceSums find(const Sequence& sequence, double threshold) {
  return snellen::vace_sums(Listed(sequence).tracks(), threshold);
}

// The chosen scores in the order of rows, added as NumPy does.
double chosen_sum(const std::vector<double>& score, std::size_t n_rows, std::size_t n_columns) {
  std::vector<double> chosen;
  const Tracks columns = choice(score, n_rows, n_columns);
  for (std::size_t i = 0; i < n_rows; ++i) {
    if (columns[i] < 0) continue;
    chosen.push_back(score[i * n_columns + static_cast<std::size_t>(columns[i])]);
  }
  return snellen::pairwise_sum(chosen.data(), chosen.size());
}

VaceSums by_hand(const Sequence& sequence, double threshold) {
  const std::size_t n = sequence.n_truth_tracks, m = sequence.n_pred_tracks;
  std::vector<double> together(n * m, 0.0), both(n * m, 0.0), truth(n, 0.0), pred(m, 0.0);
  VaceSums sums{0.0, 0.0, 0};
  for (const Frame& frame : sequence.frames) {
    for (const std::int32_t track : frame.truth) ++truth[static_cast<std::size_t>(track)];
    for (const std::int32_t track : frame.pred) ++pred[static_cast<std::size_t>(track)];
    for (std::size_t i = 0; i < frame.truth.size(); ++i) {
      for (std::size_t j = 0; j < frame.pred.size(); ++j) {
        const std::size_t cell =
            static_cast<std::size_t>(frame.truth[i]) * m + static_cast<std::size_t>(frame.pred[j]);
        together[cell] += frame.at(i, j) >= threshold;
        ++both[cell];
      }
    }
    const std::size_t n_objects = frame.truth.size() + frame.pred.size();
    sums.n_frames += n_objects > 0;
    if (frame.truth.empty() || frame.pred.empty()) continue;
    sums.frames += chosen_sum(frame.similarity, frame.truth.size(), frame.pred.size()) /
                   (0.5 * static_cast<double>(n_objects));
  }
  for (std::size_t c = 0; c < n * m; ++c) {
    if (together[c] > 0.0) together[c] /= truth[c / m] + pred[c % m] - both[c];
  }
  sums.tracks = chosen_sum(together, n, m);
  return sums;
}

void worked_by_hand() {
  const Sequence sequence{2,
                          2,
                          {
                              {{0, 1}, {0}, {0.5, 0.25}},
                              {{0}, {0, 1}, {0.25, 0.75}},
                              {{}, {1}, {}},
                              {{}, {}, {}},
                              {{1}, {1}, {0.5}},
                          }};
  const VaceSums found = find(sequence, 0.5);
  // Frames: 0.5 / 1.5, 0.75 / 1.5, nothing, none at all, 0.5 / 1.
  CHECK_EQUAL(found.frames, (0.5 / 1.5 + 0.75 / 1.5) + 0.5);
  CHECK_EQUAL(found.n_frames, 4);
  // Together in one frame each: tracks 0 and 0, of the two frames with either; 0 and 1, of four;
  // 1 and 1, of four. The best is 1/2 + 1/4.
  CHECK_EQUAL(found.tracks, 0.75);
  const VaceSums strict = find(sequence, 0.6);
  CHECK_EQUAL(strict.tracks, 0.25);
  CHECK_EQUAL(strict.frames, found.frames);
}

void as_with_whole_matrices() {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    Sequence sequence = drawn(random);
    if (round % 8 == 0) sequence = drawn(40, 20, 10, 1000, random);
    if (round % 8 == 1) sequence = drawn(20, 40, 10, 1000, random);
    // Few pairs: where the zeros stand moves the sum.
    if (round % 8 == 2) sequence = drawn(60, 40, 10, 1000, random, 80);
    const VaceSums found = find(sequence, 0.5), want = by_hand(sequence, 0.5);
    CHECK_EQUAL(found.tracks, want.tracks);
    CHECK_EQUAL(found.frames, want.frames);
    CHECK_EQUAL(found.n_frames, want.n_frames);
  }
}

}  // namespace

int main() {
  worked_by_hand();
  as_with_whole_matrices();
  return snellen::testing::report();
}
