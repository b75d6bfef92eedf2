#include "snellen/oriented_boxes.hpp"

#include <nanobind/stl/tuple.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

void check_corners(const In2<double>& corners) {
  if (corners.shape(1) != kCornerNumbers) {
    throw nb::value_error("expected corners of 8 numbers: x1, y1 … x4, y4");
  }
}

OrientedRows oriented_rows(const In1<std::int32_t>& image, const In1<std::int32_t>& label,
                           const In2<double>& corners, std::size_t n_images, std::size_t n_labels) {
  check_corners(corners);
  check_length("label", label.size(), image.size());
  check_length("corners", corners.shape(0), image.size());
  check_codes("image", image, n_images);
  check_codes("label", label, n_labels);
  return {image.data(), label.data(), corners.data(), image.size()};
}

}  // namespace

void bind_oriented_boxes(nb::module_& m) {
  m.def(
      "oriented_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, In2<double> truth_corners,
         In1<std::uint8_t> truth_crowd, In1<std::int32_t> pred_image, In1<std::int32_t> pred_label,
         In2<double> pred_corners, std::size_t n_images, std::size_t n_labels, double lowest,
         bool across_labels) {
        const OrientedRows truth =
            oriented_rows(truth_image, truth_label, truth_corners, n_images, n_labels);
        const OrientedRows pred =
            oriented_rows(pred_image, pred_label, pred_corners, n_images, n_labels);
        check_length("crowd", truth_crowd.size(), truth.n_rows);
        if (truth.n_rows > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
          throw nb::value_error("expected less than 2^31 rows of truth");
        }
        if (std::isnan(lowest)) throw nb::value_error("expected a number as lowest");
        OrientedCandidates found;
        {
          const nb::gil_scoped_release released;
          found = oriented_candidates(truth, truth_crowd.data(), pred, n_images, n_labels, lowest,
                                      across_labels);
        }
        nb::typed<nb::dict, nb::str, nb::any> columns;
        columns["begin"] = to_numpy(std::move(found.begin));
        columns["truth"] = to_numpy(std::move(found.truth));
        columns["similarity"] = to_numpy(std::move(found.similarity));
        return columns;
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_corners").noconvert(), nb::arg("truth_crowd").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_corners").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("lowest"), nb::arg("across_labels"),
      "Pairs of oriented boxes (n, 8) of one image and label with IoU >= lowest: where those of "
      "each pred row begin, truth rows (ascending), similarity.");
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
