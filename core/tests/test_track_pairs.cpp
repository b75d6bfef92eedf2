#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/track_pairs.hpp"

using namespace snellen::testing;
using snellen::TrackPairs;

namespace {

std::vector<std::int32_t> cells_of(const TrackPairs& tracks) {
  return {tracks.cell_pred(), tracks.cell_pred() + tracks.n_cells()};
}

void worked_by_hand() {
  const Sequence sequence{3,
                          4,
                          {
                              {{2, 0}, {3, 1}, {0.2, 0.5, 0.7, 0.0}},
                              {{}, {0}, {}},
                              {{2}, {0, 1}, {0.0, 0.5}},
                          }};
  const Listed listed(sequence);
  const TrackPairs tracks = listed.tracks();
  CHECK_EQUAL(tracks.n_truth_tracks(), 3U);
  CHECK_EQUAL(tracks.n_pred_tracks(), 4U);
  CHECK((tracks.truth_frames() == std::vector<std::int32_t>{1, 0, 2}));
  CHECK((tracks.pred_frames() == std::vector<std::int32_t>{2, 2, 0, 1}));
  // Truth track 0 meets 3; truth track 2 meets 1, twice, and 3.
  CHECK((tracks.cell_begin() == std::vector<std::int64_t>{0, 1, 1, 3}));
  CHECK((cells_of(tracks) == std::vector<std::int32_t>{3, 1, 3}));
  // Pairs by truth row: 2 beside 3 and 1, 0 beside 3, 2 beside 1.
  const std::vector<std::int32_t> cell{2, 1, 0, 1};
  CHECK(std::equal(cell.begin(), cell.end(), tracks.pair_cell()));
  CHECK((tracks.count_pairs(0.5) == std::vector<std::int32_t>{1, 2, 0}));
  CHECK((tracks.count_pairs(0.6) == std::vector<std::int32_t>{1, 0, 0}));
}

// Each pair leads to the cell of its tracks, and no cell is there twice or without a pair.
void cells_are_those_of_the_pairs() {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const Sequence sequence = drawn(random);
    const Listed listed(sequence);
    const TrackPairs tracks = listed.tracks();
    std::vector<std::pair<std::size_t, std::int32_t>> cells;
    for (std::size_t i = 0; i < tracks.n_truth_tracks(); ++i) {
      for (std::int64_t c = tracks.cell_begin()[i]; c < tracks.cell_begin()[i + 1]; ++c) {
        cells.emplace_back(i, tracks.cell_pred()[c]);
      }
    }
    CHECK_EQUAL(cells.size(), tracks.n_cells());
    CHECK(std::is_sorted(cells.begin(), cells.end()));
    CHECK(std::adjacent_find(cells.begin(), cells.end()) == cells.end());
    std::vector<bool> has_pair(cells.size(), false);
    std::size_t pair = 0;
    for (const Frame& frame : sequence.frames) {
      for (std::size_t i = 0; i < frame.truth.size(); ++i) {
        for (std::size_t j = 0; j < frame.pred.size(); ++j) {
          if (frame.at(i, j) <= 0.0) continue;
          const auto cell = static_cast<std::size_t>(tracks.pair_cell()[pair++]);
          CHECK(
              (cells[cell] == std::pair{static_cast<std::size_t>(frame.truth[i]), frame.pred[j]}));
          has_pair[cell] = true;
        }
      }
    }
    CHECK_EQUAL(pair, tracks.pairs().n_pairs());
    CHECK(std::find(has_pair.begin(), has_pair.end(), false) == has_pair.end());
  }
}

void refuses_a_track_twice_in_a_frame() {
  const Frame once{{0, 1}, {1, 0}, {0.1, 0.2, 0.3, 0.4}};
  for (const bool in_truth : {true, false}) {
    Frame twice = once;
    (in_truth ? twice.truth : twice.pred) = {1, 1};
    std::string message;
    try {
      Listed({2, 2, {once, twice}}).tracks();
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    CHECK_EQUAL(message, "expected each track once in a frame, got track 1 twice in frame 1");
  }
}

}  // namespace

int main() {
  worked_by_hand();
  cells_are_those_of_the_pairs();
  refuses_a_track_twice_in_a_frame();
  return snellen::testing::report();
}
