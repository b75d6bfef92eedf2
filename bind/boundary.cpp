#include "snellen/boundary.hpp"

#include <limits>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

template <class T>
using In3 = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void check_pixels(std::size_t height, std::size_t width) {
  if (width == 0 || height <= std::numeric_limits<std::uint32_t>::max() / width) return;
  throw nb::value_error("expected images of less than 2^32 pixels");
}

template <class Label>
void bind_near_border(nb::module_& m) {
  m.def(
      "near_border",
      [](In2<Label> labels, std::size_t distance) {
        check_pixels(labels.shape(0), labels.shape(1));
        Column<std::uint8_t> near;
        {
          const nb::gil_scoped_release released;
          near.resize_uninitialised(labels.size());
          near_border(labels.data(), labels.shape(0), labels.shape(1), distance, near.data());
        }
        return to_numpy(std::move(near), {labels.shape(0), labels.shape(1)});
      },
      nb::arg("labels").noconvert(), nb::arg("distance"),
      "1 where the window of 2 * distance + 1 pixels a side holds another label than that of its "
      "centre or leaves the image, else 0.");
}

template <class Code>
void bind_boundary_counts(nb::module_& m) {
  m.def(
      "boundary_counts",
      [](In3<Code> truth, In3<Code> pred, std::size_t n_classes, std::size_t distance,
         std::size_t tolerance) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
          if (truth.shape(axis) == pred.shape(axis)) continue;
          throw nb::value_error("expected truth and pred of one shape");
        }
        if (n_classes > std::numeric_limits<Code>::max()) {
          throw nb::value_error("expected classes that leave a code for none");
        }
        const std::size_t height = truth.shape(1), width = truth.shape(2);
        check_pixels(height, width);
        const BoundaryRules rules{n_classes, distance, tolerance};
        Column<std::int64_t> counts;
        {
          const nb::gil_scoped_release released;
          counts.resize_uninitialised(truth.shape(0) * n_classes * kBoundaryColumns);
          boundary_counts(truth.data(), pred.data(), truth.shape(0), height, width, rules,
                          counts.data());
        }
        return to_numpy(std::move(counts), {truth.shape(0), n_classes, kBoundaryColumns});
      },
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(), nb::arg("n_classes"),
      nb::arg("distance"), nb::arg("tolerance"),
      "Of each image and class the pixels on both sides, in truth, in pred; the same of border "
      "zones; contour pixels of truth and those matched, contour pixels of pred and those "
      "matched.");
}

}  // namespace

void bind_boundary(nb::module_& m) {
  bind_near_border<std::uint8_t>(m);
  bind_near_border<std::uint16_t>(m);
  bind_near_border<std::int32_t>(m);
  bind_boundary_counts<std::uint8_t>(m);
  bind_boundary_counts<std::uint16_t>(m);
}

}  // namespace snellen::bind
