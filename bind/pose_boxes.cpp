#include "snellen/pose_boxes.hpp"

#include <nanobind/stl/optional.h>

#include <optional>

#include "arrays.hpp"

namespace snellen::bind {

void bind_pose_boxes(nb::module_& m) {
  using Keypoints = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
  m.def(
      "pose_boxes",
      [](Keypoints keypoints, std::optional<In2<std::uint8_t>> counted) {
        const std::size_t n_rows = keypoints.shape(0), n_points = keypoints.shape(1);
        if (keypoints.shape(2) != 3) throw nb::value_error("expected keypoints of 3 numbers");
        if (counted) {
          check_length("counted", counted->shape(0), n_rows);
          check_length("counted", counted->shape(1), n_points);
        }
        Column<double> xywh;
        {
          const nb::gil_scoped_release released;
          xywh.resize_uninitialised(4 * n_rows);
          pose_boxes(keypoints.data(), counted ? counted->data() : nullptr, n_rows, n_points,
                     xywh.data());
        }
        return to_numpy(std::move(xywh), {n_rows, 4});
      },
      nb::arg("keypoints").noconvert(), nb::arg("counted").noconvert() = nb::none(),
      "Left, top, width, height of the smallest box around the keypoints of each row that count "
      "(all, where not given); zeros around none.");
}

}  // namespace snellen::bind
