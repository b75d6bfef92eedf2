#include "snellen/identity.hpp"

namespace snellen {

IdentityMatches identity_matches(const TrackPairs& tracks, double threshold) {
  const std::vector<std::int32_t> together = tracks.count_pairs(threshold);
  FrameTable table;
  tracks.fill(table, together, [&](std::size_t, std::size_t cell) { return together[cell]; });
  IdentityMatches found{0, std::vector<std::int32_t>(tracks.n_truth_tracks())};
  const ScoreTable counts = table.view(tracks.n_pred_tracks());
  // Whole numbers: the sum is exact, whichever of equal matchings is found.
  BestMatching().solve(counts, found.match.data());
  for (std::size_t i = 0; i < found.match.size(); ++i) {
    for (std::int64_t k = counts.begin[i]; k < counts.begin[i + 1]; ++k) {
      if (counts.column[k] != found.match[i]) continue;
      found.n_matched += static_cast<std::int64_t>(counts.score[k]);
    }
  }
  return found;
}

}  // namespace snellen
