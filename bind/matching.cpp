#include "snellen/matching.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rle_arrays.hpp"

namespace snellen::bind {
namespace {

struct MatchSizes {
  std::size_t n_images, n_labels;
};

TruthColumns truth_columns(const In1<std::int32_t>& image, const In1<std::int32_t>& label,
                           const In1<double>& area, const In1<std::uint8_t>& crowd,
                           const std::optional<In1<std::uint8_t>>& ignored,
                           const In1<std::int64_t>& id, const MatchSizes& sizes) {
  const std::size_t n = image.size();
  check_length("label", label.size(), n);
  check_length("area", area.size(), n);
  check_length("crowd", crowd.size(), n);
  if (ignored) check_length("ignored", ignored->size(), n);
  check_length("id", id.size(), n);
  check_codes("image", image, sizes.n_images);
  check_codes("label", label, sizes.n_labels);
  // Matches name truth by 32-bit rows.
  if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw nb::value_error("expected less than 2^31 rows of truth");
  }
  return {image.data(),
          label.data(),
          area.data(),
          crowd.data(),
          ignored ? ignored->data() : nullptr,
          id.data(),
          n};
}

PredColumns pred_columns(const In1<std::int32_t>& image, const In1<std::int32_t>& label,
                         const std::optional<In1<double>>& area, const In1<double>& score,
                         const std::optional<In1<std::uint8_t>>& exempt, const MatchSizes& sizes) {
  const std::size_t n = image.size();
  check_length("label", label.size(), n);
  if (area) check_length("area", area->size(), n);
  check_length("score", score.size(), n);
  if (exempt) check_length("exempt", exempt->size(), n);
  check_codes("image", image, sizes.n_images);
  check_codes("label", label, sizes.n_labels);
  return {image.data(),
          label.data(),
          area ? area->data() : nullptr,
          score.data(),
          exempt ? exempt->data() : nullptr,
          n};
}

void check_xywh(const In2<double>& xywh, std::size_t n) {
  check_length("xywh", xywh.shape(0), n);
  if (xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
}

CandidateView candidate_view(const Offsets& begin, const In1<std::int32_t>& truth,
                             const In1<double>& similarity, std::size_t n_truth,
                             std::size_t n_pred) {
  check_length("begin", begin.size(), n_pred + 1);
  check_length("similarity", similarity.size(), truth.size());
  check_offsets("begins of candidates", begin, truth.size());
  check_codes("truth", truth, n_truth);
  for (std::size_t i = 0; i < n_pred; ++i) {
    for (std::int64_t k = begin.data()[i] + 1; k < begin.data()[i + 1]; ++k) {
      if (truth.data()[k - 1] < truth.data()[k]) continue;
      const std::string text = "expected truth that ascends in each row of pred, got " +
                               std::to_string(truth.data()[k]) + " in candidate " +
                               std::to_string(k);
      throw nb::value_error(text.c_str());
    }
  }
  return {begin.data(), truth.data(), similarity.data()};
}

MatchRules match_rules(std::vector<double> iou_thresholds,
                       std::vector<std::array<double, 2>> area_ranges, std::size_t max_detections,
                       bool id_zero_is_no_match, bool best_only, bool with_matches) {
  if (iou_thresholds.empty() || !std::is_sorted(iou_thresholds.begin(), iou_thresholds.end())) {
    throw nb::value_error("expected IoU thresholds in ascending order, at least one");
  }
  if (area_ranges.size() > 32) throw nb::value_error("expected at most 32 area ranges");
  return {std::move(iou_thresholds),
          std::move(area_ranges),
          max_detections,
          id_zero_is_no_match,
          best_only,
          with_matches};
}

using Columns = nb::typed<nb::dict, nb::str, nb::any>;

Columns to_dict(Matching&& matching, const MatchRules& rules) {
  const std::size_t n_rows = matching.pred_score.size();
  const std::size_t n_thresholds = rules.iou_thresholds.size();
  Columns columns;
  columns["truth_image"] = to_numpy(std::move(matching.truth_image));
  columns["truth_label"] = to_numpy(std::move(matching.truth_label));
  columns["truth_ignored"] = to_numpy(std::move(matching.truth_ignored));
  columns["pred_image"] = to_numpy(std::move(matching.pred_image));
  columns["pred_label"] = to_numpy(std::move(matching.pred_label));
  columns["pred_score"] = to_numpy(std::move(matching.pred_score));
  columns["pred_outcome"] =
      to_numpy(std::move(matching.pred_outcome),
               {n_rows, rules.area_ranges.size(), outcome_words(n_thresholds)});
  if (rules.with_matches) {
    columns["truth_row"] = to_numpy(std::move(matching.truth_row));
    columns["pred_row"] = to_numpy(std::move(matching.pred_row));
    columns["pred_match"] = to_numpy(std::move(matching.pred_match), {n_rows, n_thresholds});
  }
  return columns;
}

}  // namespace

void bind_matching(nb::module_& m) {
  m.def(
      "match_boxes",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, In2<double> truth_xywh,
         In1<double> truth_area, In1<std::uint8_t> truth_crowd, In1<std::int64_t> truth_id,
         In1<std::int32_t> pred_image, In1<std::int32_t> pred_label, In2<double> pred_xywh,
         std::optional<In1<double>> pred_area, In1<double> pred_score, std::size_t n_images,
         std::size_t n_labels, std::vector<double> iou_thresholds,
         std::vector<std::array<double, 2>> area_ranges, std::size_t max_detections,
         bool id_zero_is_no_match, std::optional<In1<std::uint8_t>> truth_ignored,
         std::optional<In1<std::uint8_t>> pred_exempt, bool best_only, bool with_matches) {
        const MatchSizes sizes{n_images, n_labels};
        const TruthColumns truth = truth_columns(truth_image, truth_label, truth_area, truth_crowd,
                                                 truth_ignored, truth_id, sizes);
        const PredColumns pred =
            pred_columns(pred_image, pred_label, pred_area, pred_score, pred_exempt, sizes);
        check_xywh(truth_xywh, truth.n_rows);
        check_xywh(pred_xywh, pred.n_rows);
        const MatchRules rules =
            match_rules(std::move(iou_thresholds), std::move(area_ranges), max_detections,
                        id_zero_is_no_match, best_only, with_matches);
        Matching matching;
        {
          const nb::gil_scoped_release released;
          matching = match_boxes(truth, truth_xywh.data(), pred, pred_xywh.data(), n_images,
                                 n_labels, rules);
        }
        return to_dict(std::move(matching), rules);
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_xywh").noconvert(), nb::arg("truth_area").noconvert(),
      nb::arg("truth_crowd").noconvert(), nb::arg("truth_id").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_xywh").noconvert(), nb::arg("pred_area").noconvert().none(),
      nb::arg("pred_score").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("iou_thresholds"), nb::arg("area_ranges"), nb::arg("max_detections"),
      nb::arg("id_zero_is_no_match"), nb::arg("truth_ignored").noconvert() = nb::none(),
      nb::arg("pred_exempt").noconvert() = nb::none(), nb::arg("best_only") = false,
      nb::arg("with_matches") = false,
      "Match pred to truth boxes greedily in each label and image; columns of outcomes.");
  m.def(
      "match_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, In1<double> truth_area,
         In1<std::uint8_t> truth_crowd, std::optional<In1<std::uint8_t>> truth_ignored,
         In1<std::int64_t> truth_id, In1<std::int32_t> pred_image, In1<std::int32_t> pred_label,
         In1<double> pred_area, In1<double> pred_score,
         std::optional<In1<std::uint8_t>> pred_exempt, Offsets begin, In1<std::int32_t> truth,
         In1<double> similarity, std::size_t n_images, std::size_t n_labels,
         std::vector<double> iou_thresholds, std::vector<std::array<double, 2>> area_ranges,
         std::size_t max_detections, bool id_zero_is_no_match, bool best_only, bool with_matches) {
        const MatchSizes sizes{n_images, n_labels};
        const TruthColumns truths = truth_columns(truth_image, truth_label, truth_area, truth_crowd,
                                                  truth_ignored, truth_id, sizes);
        const PredColumns preds =
            pred_columns(pred_image, pred_label, pred_area, pred_score, pred_exempt, sizes);
        const CandidateView candidates =
            candidate_view(begin, truth, similarity, truths.n_rows, preds.n_rows);
        const MatchRules rules =
            match_rules(std::move(iou_thresholds), std::move(area_ranges), max_detections,
                        id_zero_is_no_match, best_only, with_matches);
        Matching matching;
        {
          const nb::gil_scoped_release released;
          matching = match_candidates(truths, preds, candidates, n_images, n_labels, rules);
        }
        return to_dict(std::move(matching), rules);
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_area").noconvert(), nb::arg("truth_crowd").noconvert(),
      nb::arg("truth_ignored").noconvert().none(), nb::arg("truth_id").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_area").noconvert(), nb::arg("pred_score").noconvert(),
      nb::arg("pred_exempt").noconvert().none(), nb::arg("begin").noconvert(),
      nb::arg("truth").noconvert(), nb::arg("similarity").noconvert(), nb::kw_only(),
      nb::arg("n_images"), nb::arg("n_labels"), nb::arg("iou_thresholds"), nb::arg("area_ranges"),
      nb::arg("max_detections"), nb::arg("id_zero_is_no_match"), nb::arg("best_only") = false,
      nb::arg("with_matches") = false,
      "Match pred to truth greedily in each label and image by listed similarities; columns of "
      "outcomes.");
}

}  // namespace snellen::bind
