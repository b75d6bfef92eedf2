// Pairs of truth and detections that may match: those whose similarity reaches the lowest
// threshold, within one image and, where not said otherwise, one label.
//
// Most pairs of a cell have nothing in common, so what is listed is short; all that is done with
// pairs later (matching under any protocol, confusion matrices, kinds of errors) measures nothing
// again.
//
// How it is fast: cells without truth or without detections cost nothing; boxes are measured as
// vectors (box_overlaps.hpp); the pixels of two masks are compared only where the smaller of
// their areas and of the overlap of their boxes does not rule out that the threshold is reached.
// Threads over blocks of cells; the number of threads changes no byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"
#include "snellen/rle.hpp"

namespace snellen {

// Truth and detections; label and image are positions in lists that both share.
struct PairedRows {
  const std::int32_t* truth_image;
  const std::int32_t* truth_label;
  std::size_t n_truth;  // less than 2³¹
  const std::int32_t* pred_image;
  const std::int32_t* pred_label;
  std::size_t n_pred;
  std::size_t n_images, n_labels;
};

struct CandidateRules {
  double lowest;       // similarities below are not listed; bar_of a threshold
  bool across_labels;  // all pairs of an image, whatever their labels
  // The detections of a label and image beyond so many get no candidates: lowest score last, of
  // equal ones the later. Without scores there is no cap.
  const double* pred_score = nullptr;
  std::size_t max_detections = 0;
};

// Row i of pred: begin[i] … begin[i + 1] − 1 of the rest.
struct Candidates {
  Column<std::int64_t> begin;
  Column<std::int32_t> truth;  // row, ascending within a row of pred
  Column<double> similarity;
};

// IoU as iou.hpp has it; boxes x, y, width, height.
Candidates box_candidates(const PairedRows& rows, const double* truth_xywh,
                          const std::uint8_t* truth_crowd, const double* pred_xywh,
                          const CandidateRules& rules);

// IoU of pixels, as pycocotools 2.0.11 (rleIou in maskApi.c) has it: against a crowd pixels of the
// detection stand for those of the union, and masks whose boxes share nothing have 0. Masks of
// unlike sizes whose boxes overlap are never listed.
Candidates mask_candidates(const PairedRows& rows, const MeasuredRle& truth,
                           const std::uint8_t* truth_crowd, const MeasuredRle& pred,
                           const CandidateRules& rules);

}  // namespace snellen
