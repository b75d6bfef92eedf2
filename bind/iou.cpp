#include "snellen/iou.hpp"

#include "arrays.hpp"

namespace snellen::bind {

void bind_iou(nb::module_& m) {
  m.def(
      "first_unmeasurable",
      [](In2<double> xywh) {
        if (xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
        const nb::gil_scoped_release released;
        return first_unmeasurable(xywh.data(), xywh.shape(0));
      },
      nb::arg("xywh").noconvert(),
      "Row of the first box whose corners or area leave float64's range; the number of rows where "
      "none does.");
  m.def(
      "box_iou",
      [](In2<double> pred, In2<double> truth, In1<std::uint8_t> crowd) {
        check_length("crowd", crowd.size(), truth.shape(0));
        if (pred.shape(1) != 4 || truth.shape(1) != 4) {
          throw nb::value_error("expected boxes of 4 numbers: x, y, width, height");
        }
        const std::size_t n_pred = pred.shape(0);
        const std::size_t n_truth = truth.shape(0);
        Column<double> iou;
        iou.resize_uninitialised(n_pred * n_truth);
        {
          const nb::gil_scoped_release released;
          box_iou_matrix(pred.data(), n_pred, truth.data(), crowd.data(), n_truth, iou.data());
        }
        return to_numpy(std::move(iou), {n_pred, n_truth});
      },
      nb::arg("pred").noconvert(), nb::arg("truth").noconvert(), nb::arg("crowd").noconvert(),
      "IoU of every pred box with every truth box (x, y, width, height), as (n_pred, n_truth).");
}

}  // namespace snellen::bind
