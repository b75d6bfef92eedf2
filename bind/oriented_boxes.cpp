#include "snellen/oriented_boxes.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "paired_rows.hpp"

namespace snellen::bind {
namespace {

void check_corners(const In2<double>& corners) {
  if (corners.shape(1) != kCornerNumbers) {
    throw nb::value_error("expected corners of 8 numbers: x1, y1 … x4, y4");
  }
}

}  // namespace

void bind_oriented_boxes(nb::module_& m) {
  m.def(
      "oriented_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, In2<double> truth_corners,
         In1<std::uint8_t> truth_crowd, In1<std::int32_t> pred_image, In1<std::int32_t> pred_label,
         In2<double> pred_corners, std::size_t n_images, std::size_t n_labels, double lowest,
         bool across_labels, std::optional<In1<double>> pred_score,
         std::optional<std::size_t> max_detections) {
        const PairedRows rows =
            paired_rows(truth_image, truth_label, pred_image, pred_label, n_images, n_labels);
        check_length("crowd", truth_crowd.size(), rows.n_truth);
        check_corners(truth_corners);
        check_corners(pred_corners);
        check_length("corners", truth_corners.shape(0), rows.n_truth);
        check_length("corners", pred_corners.shape(0), rows.n_pred);
        const CandidateRules rules =
            candidate_rules(lowest, across_labels, pred_score, max_detections, rows.n_pred);
        Candidates found;
        {
          const nb::gil_scoped_release released;
          found = oriented_candidates(rows, truth_corners.data(), truth_crowd.data(),
                                      pred_corners.data(), rules);
        }
        return to_dict(std::move(found));
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_corners").noconvert(), nb::arg("truth_crowd").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_corners").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("lowest"), nb::arg("across_labels"), nb::arg("pred_score").noconvert() = nb::none(),
      nb::arg("max_detections") = nb::none(),
      "The pairs of oriented boxes (corners x1, y1 … x4, y4) of an image, and of a label where not "
      "across labels, whose IoU is at least `lowest`: begin, truth, similarity, by row of pred.");
  m.def(
      "oriented_iou",
      [](In2<double> pred_corners, In2<double> truth_corners, In1<std::uint8_t> crowd) {
        check_corners(pred_corners);
        check_corners(truth_corners);
        check_length("crowd", crowd.size(), truth_corners.shape(0));
        const std::size_t n_pred = pred_corners.shape(0);
        const std::size_t n_truth = truth_corners.shape(0);
        Column<double> iou;
        iou.resize_uninitialised(n_pred * n_truth);
        {
          const nb::gil_scoped_release released;
          oriented_iou_matrix(pred_corners.data(), n_pred, truth_corners.data(), crowd.data(),
                              n_truth, iou.data());
        }
        return to_numpy(std::move(iou), {n_pred, n_truth});
      },
      nb::arg("pred_corners").noconvert(), nb::arg("truth_corners").noconvert(),
      nb::arg("crowd").noconvert(),
      "IoU of every pred box with every truth box (corners x1, y1 … x4, y4), as (n_pred, "
      "n_truth).");
  m.def(
      "order_corners",
      [](In2<double> corners) {
        check_corners(corners);
        const std::size_t n_rows = corners.shape(0);
        Column<double> in_order, area;
        Column<std::uint8_t> crossed;
        in_order.resize_uninitialised(n_rows * kCornerNumbers);
        area.resize_uninitialised(n_rows);
        crossed.resize_uninitialised(n_rows);
        {
          const nb::gil_scoped_release released;
          order_corners(corners.data(), n_rows, in_order.data(), area.data(), crossed.data());
        }
        return std::tuple(to_numpy(std::move(in_order), {n_rows, kCornerNumbers}),
                          to_numpy(std::move(area)), to_numpy(std::move(crossed)));
      },
      nb::arg("corners").noconvert(),
      "Corners (n, 8) in order around each box, its area, and whether its outline crossed itself.");
}

}  // namespace snellen::bind
