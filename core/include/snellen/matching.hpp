// COCO's greedy matching of detections to truth boxes.
//
// A cell is one label in one image. In each cell, for each area range and each IoU threshold,
// detections by descending score (equal scores: in the order they came) each take the free truth
// box of highest IoU at or above the threshold:
//   * a truth box that does not count (a crowd, or its own `area` outside the range) is looked at
//     after all that do, and only while none of those was taken;
//   * of two equal IoUs the later truth box wins; a crowd can be taken any number of times;
//   * an unmatched detection whose own area lies outside the range is left out, as is one that
//     took a truth box that does not count.
// Rules: pycocotools 2.0.11, cocoeval.py, COCOeval.evaluateImg.
//
// How it is fast, without changing a number:
//   * for each detection only the truth boxes at or above the lowest threshold are kept
//     ("candidates"), best first; most detections have none, or one;
//   * all thresholds are matched at once: what a candidate reaches, what is taken and what is
//     settled are sets of thresholds, one bit each, and a detection's best free candidate at each
//     threshold is found by going through its candidates once;
//   * two area ranges that leave out the same truth boxes of a cell have the same matching, so it
//     is done once for each distinct set;
//   * what became of a detection is one 32-bit word for 16 thresholds (below), whatever the
//     number of truth boxes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

// One row an object; label and image are positions in lists that truth and pred share.
struct TruthBoxes {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* xywh;  // 4 a row; corners and area within float64's range
  const double* area;  // the annotated area: it decides the size bucket, not width * height
  const std::uint8_t* crowd;
  const std::int64_t* id;
  std::size_t n_rows;
};

struct PredBoxes {
  const std::int32_t* image;
  const std::int32_t* label;
  const double* xywh;
  const double* area;  // null: width * height
  const double* score;
  std::size_t n_rows;
};

struct MatchRules {
  std::vector<double> iou_thresholds;              // ascending, at least one
  std::vector<std::array<double, 2>> area_ranges;  // closed intervals; at most 32
  std::size_t max_detections;                      // a cell: the detections beyond are dropped
  // pycocotools marks a detection with the id of the truth box that it took and reads 0 as "took
  // none": a truth box of id 0 is used up, but its detection counts as a false positive.
  bool id_zero_is_no_match;
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
};

Matching match_boxes(const TruthBoxes& truth, const PredBoxes& pred, std::size_t n_images,
                     std::size_t n_labels, const MatchRules& rules);

}  // namespace snellen
