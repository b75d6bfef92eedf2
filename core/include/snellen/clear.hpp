// What CLEAR MOT counts: K. Bernardin and R. Stiefelhagen, Evaluating Multiple Object Tracking
// Performance: The CLEAR MOT Metrics, 2008, as TrackEval matches and counts.
#pragma once

#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/track_pairs.hpp"

namespace snellen {

struct ClearMatches {
  // For each truth row the row of predictions it is matched to, or −1, and 1 where that belongs to
  // another track than the match before.
  Column<std::int32_t> match;
  Column<std::uint8_t> is_switch;
  // For each row of predictions, 1 where it is matched to another truth track than before.
  Column<std::uint8_t> is_transfer;
  double similarity;  // of the matched pairs
  // For each truth track: frames it is in, frames it is matched in, how often a run of matches
  // begins, and how often the other track changes.
  Column<std::int32_t> n_frames, n_matched, n_starts, n_switches;
};

// In each frame with objects on both sides, pairs of the frame before, of such frames, are kept
// first, then the sum of similarities is largest.
ClearMatches clear_matches(const TrackPairs& tracks, double threshold);

}  // namespace snellen
