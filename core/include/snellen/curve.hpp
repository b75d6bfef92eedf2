// Outcomes of detections to precision, recall and score arrays, as COCO accumulates them.
//
// For each label, area range, cap and IoU threshold: detections of rank below the cap, by
// descending score (ties: image, then rank), give the curve recall = TP / n, precision =
// TP / ((FP + TP) + 2^-52) with n the number of truth boxes that count; precision is replaced by
// its maximum to the right, and both it and the score are read off at the first point whose recall
// reaches each recall threshold (0 where none does). Rules: pycocotools 2.0.11, cocoeval.py,
// COCOeval.accumulate; the 2^-52 makes a perfect result 0.9999999999999998.
//
// Why only the true positives are looked at: between two of them precision never rises and recall
// stays, so the maximum to the right is attained at one, and recall r is first reached at number
// min{k : k / n >= r}. A detection that is false at every threshold (most are) costs one addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

// What match_boxes wrote: rows in (label, image, rank) order.
struct Outcomes {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* score;
  const std::uint32_t* outcome;  // [row][area range][word]
  std::size_t n_rows;
  const std::int32_t* truth_label;
  const std::uint32_t* truth_ignored;  // bit a: left out of area range a
  std::size_t n_truth;
};

// What of a curve is kept as its precision.
enum class CurveSummary {
  kPoints,  // the precision at each recall threshold
  kArea,    // one number, the area under the curve of highest precisions: Pascal VOC from 2010 on
  kSumOfParts  // one number, the precisions at n recall thresholds, each divided by n, one after
               // the other: Pascal VOC 2007
};

struct CurveRules {
  std::size_t n_labels;
  std::size_t n_areas;
  std::size_t n_thresholds;
  std::vector<double> recall_thresholds;    // ascending
  std::vector<std::size_t> max_detections;  // caps, ascending
  double undefined;                         // what stands where no truth box counts
  CurveSummary summary = CurveSummary::kPoints;
  double spacing = 0x1p-52;  // is added to the number of detections that precision is a part of

  std::size_t n_points() const {
    return summary == CurveSummary::kPoints ? recall_thresholds.size() : 1;
  }
};

// C order, last axis fastest, so that a thread writes one stretch: K labels, A area ranges, M caps,
// T IoU thresholds, R recall thresholds, or the one number of a summary; its score is that of the
// last true positive.
struct Curves {
  Column<double> precision;        // K A M T R
  Column<double> scores;           // K A M T R
  Column<double> recall;           // K A M T
  Column<std::int64_t> n_counted;  // K A: truth boxes that count
};

Curves precision_recall_curves(const Outcomes& outcomes, const CurveRules& rules);

}  // namespace snellen
