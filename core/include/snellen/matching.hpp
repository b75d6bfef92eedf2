// Greedy matching of detections to truth, whatever says how alike two of them are.
//
// A cell is one label in one image. In each cell, for each area range and each threshold,
// detections by descending score (equal scores: in the order they came) each take the free truth
// of highest similarity (for boxes IoU) at or above the threshold:
//   * truth that does not count (a crowd, marked as ignored, or its own `area` outside the range)
//     is looked at after all that does, and only while none of that was taken;
//   * of two equal similarities the later truth wins; a crowd can be taken any number of times;
//   * an unmatched detection whose own area lies outside the range, or that is exempt, is left
//     out, as is one that took truth that does not count.
// Rules: pycocotools 2.0.11, cocoeval.py, COCOeval.evaluateImg; lvis 0.5.3 for `ignored` and
// `exempt`.
//
// With `best_only` a detection looks at the truth of highest similarity alone, crowds aside (of
// two equal ones the first): where that is taken already it is a false positive, where that does
// not count it is left out, and such truth is never used up. A detection that is no true positive
// and not left out is then left out where it reaches a crowd. Rules: VOCdevkit's, and those of the
// TensorFlow Object Detection API for Open Images, whose crowds are called "group of".
//
// How it is fast, without changing a number:
//   * for each detection only the truth at or above the lowest threshold is kept ("candidates"),
//     best first; most detections have none, or one;
//   * all thresholds are matched at once: what a candidate reaches, what is taken and what is
//     settled are sets of thresholds, one bit each, and a detection's best free candidate at each
//     threshold is found by going through its candidates once;
//   * two area ranges that leave out the same truth of a cell have the same matching, so it is
//     done once for each distinct set;
//   * what became of a detection is one 32-bit word for 16 thresholds (below), whatever the
//     amount of truth.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

// One row an object; label and image are positions in lists that truth and pred share.
struct TruthColumns {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* area;  // the annotated area: it decides the size bucket, not width * height
  const std::uint8_t* crowd;
  const std::uint8_t* ignored;  // null: none is
  const std::int64_t* id;
  std::size_t n_rows;
};

struct PredColumns {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* area;  // null: width * height, for boxes only
  const double* score;
  const std::uint8_t* exempt;  // null: none is
  std::size_t n_rows;
};

// Pairs that may match, by row of pred. What is not listed does not match; neither does what is
// listed across labels or images.
struct CandidateView {
  const std::int64_t* begin;  // row i of pred: begin[i] … begin[i + 1] − 1 of the rest
  const std::int32_t* truth;  // row, ascending within a row of pred
  const double* similarity;
};

// The similarity that reaches a threshold: the reference lets 1 − 1e-10 pass a threshold of 1.
inline double bar_of(double threshold) { return std::min(threshold, 1 - 1e-10); }

struct MatchRules {
  std::vector<double> iou_thresholds;              // ascending, at least one
  std::vector<std::array<double, 2>> area_ranges;  // closed intervals; at most 32
  std::size_t max_detections;                      // a cell: the detections beyond are dropped
  // pycocotools marks a detection with the id of the truth that it took and reads 0 as "took
  // none": truth of id 0 is used up, but its detection counts as a false positive.
  bool id_zero_is_no_match;
  bool best_only = false;
  bool with_matches = false;  // fill the columns of Matching that need it
};

// Thresholds in one outcome word: bit b says "true positive at threshold b of the word", bit
// 16 + b "false positive"; neither: left out.
inline constexpr std::size_t kThresholdsPerWord = 16;

inline std::size_t outcome_words(std::size_t n_thresholds) {
  return (n_thresholds + kThresholdsPerWord - 1) / kThresholdsPerWord;
}

// Rows in (label, image) order; within a cell truth as it came, pred by rank.
struct Matching {
  Column<std::int32_t> truth_image, truth_label;
  Column<std::uint32_t> truth_ignored;  // bit a: left out of area range a
  Column<std::int32_t> pred_image, pred_label;
  Column<double> pred_score;
  Column<std::uint32_t> pred_outcome;  // [row][area range][word]
  // With matches: rows of the tables given, and for each threshold the row of the truth that the
  // detection took in the first area range, also where it does not count; −1: none. Truth must
  // have less than 2³¹ rows.
  Column<std::int64_t> truth_row, pred_row;
  Column<std::int32_t> pred_match;  // [row][threshold]
};

// Boxes x, y, width, height, 4 numbers a row; corners and area within float64's range.
Matching match_boxes(const TruthColumns& truth, const double* truth_xywh, const PredColumns& pred,
                     const double* pred_xywh, std::size_t n_images, std::size_t n_labels,
                     const MatchRules& rules);

Matching match_candidates(const TruthColumns& truth, const PredColumns& pred,
                          const CandidateView& candidates, std::size_t n_images,
                          std::size_t n_labels, const MatchRules& rules);

}  // namespace snellen
