// Tables of truth and predictions as Python gives them, and candidates as it takes them.
#pragma once

#include <nanobind/stl/optional.h>

#include <limits>
#include <optional>
#include <utility>

#include "arrays.hpp"
#include "snellen/candidates.hpp"

namespace snellen::bind {

inline PairedRows paired_rows(const In1<std::int32_t>& truth_image,
                              const In1<std::int32_t>& truth_label,
                              const In1<std::int32_t>& pred_image,
                              const In1<std::int32_t>& pred_label, std::size_t n_images,
                              std::size_t n_labels) {
  check_length("label", truth_label.size(), truth_image.size());
  check_length("label", pred_label.size(), pred_image.size());
  check_codes("image", truth_image, n_images);
  check_codes("label", truth_label, n_labels);
  check_codes("image", pred_image, n_images);
  check_codes("label", pred_label, n_labels);
  if (truth_image.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw nb::value_error("expected less than 2^31 rows of truth");
  }
  return {truth_image.data(), truth_label.data(), truth_image.size(), pred_image.data(),
          pred_label.data(),  pred_image.size(),  n_images,           n_labels};
}

inline CandidateRules candidate_rules(double lowest, bool across_labels,
                                      const std::optional<In1<double>>& pred_score,
                                      std::optional<std::size_t> max_detections,
                                      std::size_t n_pred) {
  if (pred_score.has_value() != max_detections.has_value()) {
    throw nb::value_error("expected pred_score and max_detections, or neither");
  }
  if (!pred_score) return {lowest, across_labels};
  check_length("score", pred_score->size(), n_pred);
  return {lowest, across_labels, pred_score->data(), *max_detections};
}

inline void check_xywh(const In2<double>& xywh, std::size_t n) {
  check_length("xywh", xywh.shape(0), n);
  if (xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
}

using Columns = nb::typed<nb::dict, nb::str, nb::any>;

inline Columns to_dict(Candidates&& found) {
  Columns columns;
  columns["begin"] = to_numpy(std::move(found.begin));
  columns["truth"] = to_numpy(std::move(found.truth));
  columns["similarity"] = to_numpy(std::move(found.similarity));
  return columns;
}

}  // namespace snellen::bind
