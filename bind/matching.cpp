#include "snellen/matching.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

void check_boxes(const In1<std::int32_t>& image, const In1<std::int32_t>& label,
                 const In2<double>& xywh, std::size_t n_images, std::size_t n_labels) {
  check_length("label", label.size(), image.size());
  check_length("xywh", xywh.shape(0), image.size());
  if (xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
  check_codes("image", image, n_images);
  check_codes("label", label, n_labels);
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
         bool id_zero_is_no_match) {
        check_boxes(truth_image, truth_label, truth_xywh, n_images, n_labels);
        check_boxes(pred_image, pred_label, pred_xywh, n_images, n_labels);
        check_length("crowd", truth_crowd.size(), truth_image.size());
        check_length("area", truth_area.size(), truth_image.size());
        if (pred_area) check_length("area", pred_area->size(), pred_image.size());
        check_length("id", truth_id.size(), truth_image.size());
        check_length("score", pred_score.size(), pred_image.size());
        if (iou_thresholds.empty() ||
            !std::is_sorted(iou_thresholds.begin(), iou_thresholds.end())) {
          throw nb::value_error("expected IoU thresholds in ascending order, at least one");
        }
        if (area_ranges.size() > 32) throw nb::value_error("expected at most 32 area ranges");
        const TruthBoxes truth{truth_image.data(), truth_label.data(), truth_xywh.data(),
                               truth_area.data(),  truth_crowd.data(), truth_id.data(),
                               truth_image.size()};
        const PredBoxes pred{pred_image.data(), pred_label.data(),
                             pred_xywh.data(),  pred_area ? pred_area->data() : nullptr,
                             pred_score.data(), pred_image.size()};
        const std::size_t n_areas = area_ranges.size();
        const std::size_t n_words = outcome_words(iou_thresholds.size());
        const MatchRules rules{std::move(iou_thresholds), std::move(area_ranges), max_detections,
                               id_zero_is_no_match};
        Matching matching;
        {
          const nb::gil_scoped_release released;
          matching = match_boxes(truth, pred, n_images, n_labels, rules);
        }
        const std::size_t n_rows = matching.pred_score.size();
        nb::typed<nb::dict, nb::str, nb::any> columns;
        columns["truth_image"] = to_numpy(std::move(matching.truth_image));
        columns["truth_label"] = to_numpy(std::move(matching.truth_label));
        columns["truth_ignored"] = to_numpy(std::move(matching.truth_ignored));
        columns["pred_image"] = to_numpy(std::move(matching.pred_image));
        columns["pred_label"] = to_numpy(std::move(matching.pred_label));
        columns["pred_score"] = to_numpy(std::move(matching.pred_score));
        columns["pred_outcome"] =
            to_numpy(std::move(matching.pred_outcome), {n_rows, n_areas, n_words});
        return columns;
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_xywh").noconvert(), nb::arg("truth_area").noconvert(),
      nb::arg("truth_crowd").noconvert(), nb::arg("truth_id").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_xywh").noconvert(), nb::arg("pred_area").noconvert().none(),
      nb::arg("pred_score").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("iou_thresholds"), nb::arg("area_ranges"), nb::arg("max_detections"),
      nb::arg("id_zero_is_no_match"),
      "Match pred to truth boxes greedily in each label and image; columns of outcomes.");
}

}  // namespace snellen::bind
