// The greedy matching of predicted tracks to truth tracks that track mAP counts.
//
// In each group (a class in a sequence), for each range (of areas, of lengths) and each IoU
// threshold, predicted tracks in the order of their ranks each take a free truth track:
//   * those that count in the range are looked at before those that are ignored, which are left
//     alone where one that counts was found;
//   * the bar is min(threshold, 1 − 1e-10); a truth track is taken up where its IoU is no less than
//     the bar − 2^-52, and the bar is then its IoU. So the highest IoU wins, of equal ones the
//     later track, and a later one may be 2^-52 lower;
//   * a predicted track that took an ignored truth track is left out, and so is one that took none
//     and lies outside the range.
// Rules: TrackEval 12c8791, metrics/track_map.py, eval_sequence. There a truth track is free again
// when the track that took it has an id of 0 or less: `blocks` says which tracks do better.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/track_overlap.hpp"

namespace snellen {

// Of each pred track, in the order of ranks within its group.
struct RankedTracks {
  const std::uint32_t* outside;         // bit a: outside range a
  const std::uint8_t* blocks;           // whether what it takes is taken
  const std::int64_t* candidate_begin;  // n + 1: the rows of candidates
  const std::int32_t* candidate;        // truth tracks of its group, ascending
  const double* iou;                    // of each candidate; of others it is 0
};

struct TrackMatchRules {
  std::vector<double> iou_thresholds;  // ascending, above 2^-52
  std::size_t n_ranges;                // at most 32
};

// Outcomes as matching.hpp has them: [pred track][range][word], of each word the low 16 bits say
// "true positive", the high ones "false positive".
Column<std::uint32_t> match_tracks(const TrackGroups& groups, const std::uint32_t* truth_ignored,
                                   const RankedTracks& pred, const TrackMatchRules& rules);

}  // namespace snellen
