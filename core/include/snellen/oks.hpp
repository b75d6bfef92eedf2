// Object keypoint similarity (OKS) of poses, as candidates for matching.
//
// The similarity of a predicted to a truth pose is the mean, over the truth's labelled keypoints,
// of exp(−e), e = d² / (2σ)² / area / 2, where d is the distance of the two points and σ says how
// far annotators of that keypoint lie apart. A truth without labelled keypoints is measured by the
// distance of every predicted point to its box, doubled about its centre.
//
// Equal to COCOeval.computeOks of pycocotools 2.0.11 to the last bit: the operations come in its
// order, sums in NumPy's (pairwise_sum.hpp). The exponential is the one thing that no standard
// fixes, and NumPy takes another one on another processor; so the caller gives it, and Python gives
// np.exp.
//
// How it is fast, without changing a number: most pairs of an image are far apart. A keypoint
// beyond the distance where exp(−e) falls below an eighth of the lowest similarity asked for is
// "far"; a pair with so many of them that the others cannot make up for it is left out after K
// comparisons, without a division or an exponential. What is left goes to the exponential in
// blocks, which bounds the memory.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "snellen/candidates.hpp"

namespace snellen {

// Keypoints are x, y, visibility, `sigmas.size()` of them a row; all numbers are finite.
struct TruthPoses {
  const double* keypoints;  // visibility above 0: labelled
  const double* xywh;       // 4 a row
  const double* area;       // what e is divided by
};

struct OksRules {
  std::vector<double> sigmas;  // of each keypoint, above 0
  CandidateRules candidates;
};

// Puts the exponential of each of n values in its place. It is called from several threads at once,
// and what it makes of a value may depend on that value alone.
using Exponential = std::function<void(double* values, std::size_t n)>;

// The visibilities of predictions are not read.
Candidates oks_candidates(const PairedRows& rows, const TruthPoses& truth,
                          const double* pred_keypoints, const OksRules& rules,
                          const Exponential& exponential);

}  // namespace snellen
