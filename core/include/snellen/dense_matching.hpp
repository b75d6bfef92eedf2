// COCO's greedy matching of one cell to the letter, over a whole matrix of overlaps.
//
// matching.hpp makes the outcomes of a whole evaluation, from ordinary numbers. This is for those
// who want to see one cell as pycocotools shows it, or who have numbers that only a loop over all
// pairs treats as the reference does:
//   * an overlap that is no number passes every threshold, as no comparison with it is true;
//   * a truth object is free until a detection of an id above 0 takes it;
//   * what was taken is said by id, so that 0 reads as "nothing".
// Rules: pycocotools 2.0.11, cocoeval.py, COCOeval.evaluateImg. O(thresholds · pred · truth), with
// a detection that reaches no threshold costing one look at its row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

struct DenseCell {
  const double* iou;  // [pred by rank][truth], truth that counts first
  const double* truth_id;
  const double* pred_id;
  const std::uint8_t* crowd;    // of truth: can be taken any number of times
  const std::uint8_t* ignored;  // of truth: does not count
  std::size_t n_pred, n_truth;
};

// Filled by match_dense; given as zeros.
struct DenseMatches {
  double* took;      // [threshold][pred]: the id of the truth object
  double* taken;     // [threshold][truth]: the id of the detection
  double* left_out;  // [threshold][pred]: 1 where that truth object does not count
};

void match_dense(const DenseCell& cell, const double* thresholds, std::size_t n_thresholds,
                 const DenseMatches& matches);

}  // namespace snellen
