// The sums that HOTA is made of: J. Luiten et al., HOTA: A Higher Order Metric for Evaluating
// Multi-object Tracking, IJCV 2021, in the order of TrackEval, to the last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/track_pairs.hpp"

namespace snellen {

// One number for each alpha.
struct HotaSums {
  std::vector<std::int64_t> n_matched;
  std::vector<double> similarity;  // of the matched pairs
  // Over cells, their matches times the share of matches in what the two tracks cover together,
  // in the truth track, and in the track of predictions.
  std::vector<double> association, association_recall, association_precision;
};

// Objects are matched once in each frame, by similarity times how well their tracks agree over
// the whole sequence; alpha then says which matches count. Each alpha is at least kLeastThreshold.
// `blocked` adds up cells as NumPy did before 2.3.
HotaSums hota_sums(const TrackPairs& tracks, const double* alphas, std::size_t n_alphas,
                   bool blocked);

}  // namespace snellen
