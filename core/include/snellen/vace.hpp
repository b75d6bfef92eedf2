// The sums of the VACE measures: V. Manohar et al., Performance Evaluation of Object Detection and
// Tracking in Video, 2006, in the order of TrackEval, to the last bit.
#pragma once

#include <cstdint>

#include "snellen/track_pairs.hpp"

namespace snellen {

struct VaceSums {
  double tracks;  // STDA: over matched tracks, the share of frames in which they are together
  double frames;  // FDA: over frames, the similarity of matched objects beside their mean number
  std::int64_t n_frames;  // frames with any object
};

VaceSums vace_sums(const TrackPairs& tracks, double threshold);

}  // namespace snellen
