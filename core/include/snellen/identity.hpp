// What the identity metrics count: E. Ristani et al., Performance Measures and a Data Set for
// Multi-Target, Multi-Camera Tracking, 2016.
#pragma once

#include <cstdint>
#include <vector>

#include "snellen/track_pairs.hpp"

namespace snellen {

struct IdentityMatches {
  std::int64_t n_matched;           // IDTP: frames in which matched tracks are together
  std::vector<std::int32_t> match;  // for each truth track the other track, or −1
};

// Tracks are matched one to one so that they are together in as many frames as can be. That is
// what TrackEval's least sum of misses over (n + m)² cells comes to.
IdentityMatches identity_matches(const TrackPairs& tracks, double threshold);

}  // namespace snellen
