#include "snellen/distance.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

using Values = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

Grid grid_of(const Values& values) {
  if (values.ndim() != 2 && values.ndim() != 3) throw nb::value_error("expected 2 or 3 axes");
  Grid grid{static_cast<int>(values.ndim()), {1, 1, 1}};
  std::size_t n_points = 1;
  for (std::size_t i = 0; i < values.ndim(); ++i) {
    grid.extent[3 - values.ndim() + i] = values.shape(i);
    n_points *= values.shape(i) + 1;
  }
  // Points are counted in 32 bits.
  if (n_points >> 32 != 0) throw nb::value_error("expected fewer than 4,294,967,296 values");
  return grid;
}

Surfaces surfaces_of(const Values& values, const Grid& grid, const ClassOfValue& classes,
                     SurfaceKind kind) {
  const auto find = [&](auto type) {
    using T = decltype(type);
    return find_surfaces(static_cast<const T*>(values.data()), grid, classes, kind);
  };
  const nb::dlpack::dtype type = values.dtype();
  if (type == nb::dtype<std::uint8_t>()) return find(std::uint8_t{});
  if (type == nb::dtype<std::int8_t>()) return find(std::int8_t{});
  if (type == nb::dtype<std::uint16_t>()) return find(std::uint16_t{});
  if (type == nb::dtype<std::int16_t>()) return find(std::int16_t{});
  if (type == nb::dtype<std::uint32_t>()) return find(std::uint32_t{});
  if (type == nb::dtype<std::int32_t>()) return find(std::int32_t{});
  if (type == nb::dtype<std::int64_t>()) return find(std::int64_t{});
  throw nb::value_error("expected integers of at most 63 bits");
}

template <class T, class Source>
Out<T> copied(const Source& source) {
  Column<T> column;
  column.reserve(source.size());
  for (const auto value : source) column.push_back(static_cast<T>(value));
  return to_numpy(std::move(column));
}

}  // namespace

void bind_distance(nb::module_& m) {
  m.def(
      "surface_distances",
      [](Values truth, Values pred, std::int64_t first, In1<std::int32_t> code,
         std::size_t n_classes, std::array<double, 3> spacing, bool corners) {
        const Grid grid = grid_of(truth);
        const Grid other = grid_of(pred);
        if (grid.n_axes != other.n_axes || grid.extent != other.extent) {
          throw nb::value_error("expected arrays of one shape");
        }
        for (const double step : spacing) {
          if (!(step > 0)) throw nb::value_error("expected a spacing above 0");
        }
        for (std::size_t i = 0; i < code.size(); ++i) {
          if (code.data()[i] < kUnknownValue ||
              code.data()[i] >= static_cast<std::int64_t>(n_classes)) {
            throw nb::value_error("expected codes below the number of classes");
          }
        }
        const ClassOfValue classes{first, code.data(), code.size(), n_classes};
        const SurfaceKind kind = corners ? SurfaceKind::kCorners : SurfaceKind::kCells;
        std::array<Surfaces, 2> sides;
        std::array<Column<double>, 2> distance;
        {
          const nb::gil_scoped_release released;
          sides[0] = surfaces_of(truth, grid, classes, kind);
          sides[1] = surfaces_of(pred, grid, classes, kind);
          distance[0] = nearest_distances(sides[0], sides[1], spacing, grid.n_axes);
          distance[1] = nearest_distances(sides[1], sides[0], spacing, grid.n_axes);
        }
        const auto found = [&](std::size_t side) {
          return std::make_tuple(
              copied<std::int64_t>(sides[side].start), to_numpy(std::move(distance[side])),
              to_numpy(std::move(sides[side].around)), copied<std::int64_t>(sides[side].unknown));
        };
        return std::make_tuple(found(0), found(1));
      },
      // As written by hand, because arrays of any type have no type argument in the stubs.
      nb::sig("def surface_distances(truth: NDArray[numpy.generic], pred: NDArray[numpy.generic], "
              "first: int, code: NDArray[numpy.int32], n_classes: int, "
              "spacing: Sequence[float], corners: bool) -> "
              "tuple[tuple[NDArray[numpy.int64], NDArray[numpy.float64], NDArray[numpy.uint8], "
              "NDArray[numpy.int64]], tuple[NDArray[numpy.int64], NDArray[numpy.float64], "
              "NDArray[numpy.uint8], NDArray[numpy.int64]]]"),
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(), nb::arg("first"),
      nb::arg("code").noconvert(), nb::arg("n_classes"), nb::arg("spacing"), nb::arg("corners"),
      "Of truth and of pred: where each class begins, the distance of each point of its surface to "
      "the other side's, which pixels around a corner are of the class, values that are unknown.");
}

}  // namespace snellen::bind
