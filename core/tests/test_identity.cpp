#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/identity.hpp"

using namespace snellen::testing;
using snellen::IdentityMatches;

namespace {

IdentityMatches find(const Sequence& sequence, double threshold) {
  return snellen::identity_matches(Listed(sequence).tracks(), threshold);
}

void worked_by_hand() {
  // Cells: (0, 0) 3, (0, 1) 2, (1, 0) 2. Track 0 beside 1 and 1 beside 0 give 4, more than 3.
  const Frame both{{0, 1}, {0}, {0.5, 0.5}};
  const Frame second{{0}, {1}, {0.5}};
  const Frame first{{0}, {0}, {0.5}};
  IdentityMatches found = find({2, 2, {both, both, second, second, first}}, 0.5);
  CHECK_EQUAL(found.n_matched, 4);
  CHECK((found.match == Tracks{1, 0}));
  // The threshold is met exactly, without slack.
  const Frame near{{0}, {0}, {0.5 - snellen::kSlack / 2}};
  found = find({1, 1, {near}}, 0.5);
  CHECK_EQUAL(found.n_matched, 0);
  CHECK((found.match == Tracks{-1}));
}

// The largest sum over all tracks beside all tracks.
void as_with_the_whole_table() {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const Sequence sequence = drawn(random);
    const std::size_t n = sequence.n_truth_tracks, m = sequence.n_pred_tracks;
    std::vector<double> together(n * m, 0.0);
    for (const Frame& frame : sequence.frames) {
      for (std::size_t i = 0; i < frame.truth.size(); ++i) {
        for (std::size_t j = 0; j < frame.pred.size(); ++j) {
          together[static_cast<std::size_t>(frame.truth[i]) * m +
                   static_cast<std::size_t>(frame.pred[j])] += frame.at(i, j) >= 0.5;
        }
      }
    }
    const auto sum = [&](const Tracks& columns) {
      double total = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        if (columns[i] >= 0) total += together[i * m + static_cast<std::size_t>(columns[i])];
      }
      return static_cast<std::int64_t>(total);
    };
    const IdentityMatches found = find(sequence, 0.5);
    CHECK_EQUAL(found.n_matched, sum(choice(together, n, m)));
    CHECK_EQUAL(found.n_matched, sum(found.match));
    std::set<std::int32_t> used;
    std::size_t n_pairs = 0;
    for (const std::int32_t track : found.match) {
      if (track < 0) continue;
      ++n_pairs;
      used.insert(track);
    }
    CHECK_EQUAL(used.size(), n_pairs);
  }
}

}  // namespace

int main() {
  worked_by_hand();
  as_with_the_whole_table();
  return snellen::testing::report();
}
