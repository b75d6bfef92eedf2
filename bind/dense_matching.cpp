#include "snellen/dense_matching.hpp"

#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <tuple>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

Column<double> zeros(std::size_t n) {
  Column<double> column;
  column.resize_uninitialised(n);
  std::fill_n(column.data(), n, 0.0);
  return column;
}

}  // namespace

void bind_dense_matching(nb::module_& m) {
  m.def(
      "match_dense",
      [](In2<double> iou, In1<double> truth_id, In1<double> pred_id, In1<std::uint8_t> crowd,
         In1<std::uint8_t> ignored, In1<double> thresholds) {
        const std::size_t n_pred = pred_id.size(), n_truth = truth_id.size();
        const std::size_t n_thresholds = thresholds.size();
        check_length("iou", iou.shape(0), n_pred);
        check_length("iou columns", iou.shape(1), n_truth);
        check_length("crowd", crowd.size(), n_truth);
        check_length("ignored", ignored.size(), n_truth);
        Column<double> took = zeros(n_thresholds * n_pred);
        Column<double> taken = zeros(n_thresholds * n_truth);
        Column<double> left_out = zeros(n_thresholds * n_pred);
        {
          const nb::gil_scoped_release released;
          match_dense({iou.data(), truth_id.data(), pred_id.data(), crowd.data(), ignored.data(),
                       n_pred, n_truth},
                      thresholds.data(), n_thresholds,
                      {took.data(), taken.data(), left_out.data()});
        }
        return std::make_tuple(to_numpy(std::move(took), {n_thresholds, n_pred}),
                               to_numpy(std::move(taken), {n_thresholds, n_truth}),
                               to_numpy(std::move(left_out), {n_thresholds, n_pred}));
      },
      nb::arg("iou").noconvert(), nb::arg("truth_id").noconvert(), nb::arg("pred_id").noconvert(),
      nb::arg("crowd").noconvert(), nb::arg("ignored").noconvert(),
      nb::arg("thresholds").noconvert(),
      "Match one cell: ids that detections took (T, D), that truth was taken by (T, G), and where "
      "the taken do not count (T, D).");
}

}  // namespace snellen::bind
