#include "snellen/loose_rle.hpp"

#include <nanobind/stl/optional.h>

#include <optional>

#include "rle_arrays.hpp"
#include "snellen/polygon.hpp"

namespace snellen::bind {
namespace {

template <class T>
using Fortran = nb::ndarray<nb::numpy, T, nb::f_contig>;

// Masks that own their runs.
struct LooseMasks {
  RleRows rows;
  Column<std::int64_t> size;

  std::size_t n() const { return size.size() / 2; }
  LooseRle view() const { return {rows.runs.data(), rows.offset.data(), size.data(), n()}; }
};

// Gives a column's memory to an array whose first axis is the innermost.
template <class T>
Fortran<T> to_fortran(Column<T>&& column, std::initializer_list<std::size_t> shape) {
  T* const data = column.release();
  nb::capsule owner(data, [](void* block) noexcept { std::free(block); });
  std::int64_t strides[3] = {1, 1, 1};
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    strides[axis] = strides[axis - 1] * static_cast<std::int64_t>(shape.begin()[axis - 1]);
  }
  return Fortran<T>(data, shape.size(), shape.begin(), owner, strides);
}

LooseMasks of_one_size(RleRows&& rows, std::int64_t height, std::int64_t width) {
  LooseMasks masks{std::move(rows), {}};
  const std::size_t n = masks.rows.offset.size() - 1;
  masks.size.reserve(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    masks.size.push_back(height);
    masks.size.push_back(width);
  }
  return masks;
}

PyObject* counts_key() {
  static PyObject* const key = PyUnicode_InternFromString("counts");
  return key;
}
PyObject* size_key() {
  static PyObject* const key = PyUnicode_InternFromString("size");
  return key;
}

// A whole number from 0 on that is nothing but an int.
bool read_side(PyObject* object, Column<std::int64_t>& size) {
  if (object == nullptr || !PyLong_CheckExact(object)) return false;
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  size.push_back(value);
  return overflow == 0 && value >= 0;
}

// The masks of plain mappings: a list or tuple of dicts whose counts are bytes and whose sizes are
// lists of two ints. Those of another make are for Python to judge; none is then given back.
// One call a mask is usual, so that what a call costs counts: no array is made on the way.
std::optional<LooseMasks> read_masks(nb::handle objects) {
  if (!PyList_CheckExact(objects.ptr()) && !PyTuple_CheckExact(objects.ptr())) return std::nullopt;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(objects.ptr());
  LooseMasks masks;
  masks.size.reserve(static_cast<std::size_t>(2 * n));
  masks.rows.offset.reserve(static_cast<std::size_t>(n) + 1);
  masks.rows.offset.push_back(0);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* const object = PySequence_Fast_GET_ITEM(objects.ptr(), i);
    if (!PyDict_CheckExact(object)) return std::nullopt;
    PyObject* const counts = PyDict_GetItemWithError(object, counts_key());
    PyObject* const size = PyDict_GetItemWithError(object, size_key());
    const bool plain = counts != nullptr && PyBytes_CheckExact(counts) && size != nullptr &&
                       PyList_CheckExact(size) && PyList_GET_SIZE(size) == 2 &&
                       read_side(PyList_GET_ITEM(size, 0), masks.size) &&
                       read_side(PyList_GET_ITEM(size, 1), masks.size);
    if (!plain) return std::nullopt;
    append_loose_rle(
        {PyBytes_AS_STRING(counts), static_cast<std::size_t>(PyBytes_GET_SIZE(counts))},
        masks.rows.runs);
    masks.rows.offset.push_back(static_cast<std::int64_t>(masks.rows.runs.size()));
  }
  return masks;
}

LooseMasks of_runs(Runs runs, std::int64_t height, std::int64_t width) {
  if (height < 0 || width < 0) throw nb::value_error("expected a size from 0 on");
  RleRows rows;
  rows.runs.resize_uninitialised(runs.size());
  std::copy(runs.data(), runs.data() + runs.size(), rows.runs.data());
  rows.offset.push_back(0);
  rows.offset.push_back(static_cast<std::int64_t>(runs.size()));
  return of_one_size(std::move(rows), height, width);
}

LooseMasks of_pixels(In1<std::uint8_t> pixels, std::size_t height, std::size_t width,
                     std::size_t n) {
  // No product can wrap to the number of pixels that there are.
  const bool fits = n == 0 || height == 0 || width == 0 ? pixels.size() == 0
                                                        : pixels.size() / n / width == height &&
                                                              pixels.size() == height * width * n;
  if (!fits) throw nb::value_error("expected height * width * n pixels");
  RleRows rows;
  {
    const nb::gil_scoped_release released;
    rows = encode_changes(pixels.data(), n, height * width);
  }
  return of_one_size(std::move(rows), static_cast<std::int64_t>(height),
                     static_cast<std::int64_t>(width));
}

void check_polygons(const In1<double>& xy, const Offsets& begin) {
  check_offsets("begins of polygons", begin, xy.size() / 2);
  if (xy.size() % 2 != 0) throw nb::value_error("expected x and y of vertices");
}

LooseMasks of_polygons(In1<double> xy, Offsets begin, std::int64_t height, std::int64_t width) {
  check_polygons(xy, begin);
  if (height < 0 || width < 0) throw nb::value_error("expected a size from 0 on");
  const std::size_t n = begin.size() - 1;
  LooseMasks masks;
  for (std::size_t i = 0; i < n; ++i) {
    masks.size.push_back(height);
    masks.size.push_back(width);
  }
  const nb::gil_scoped_release released;
  masks.rows = rle_of_polygons({xy.data(), begin.data(), masks.size.data(), n});
  return masks;
}

// An object that Python has just made; where it could not, its exception.
nb::object made(PyObject* object) {
  if (object == nullptr) nb::raise_python_error();
  return nb::steal(object);
}

nb::object objects_of(const LooseMasks& masks) {
  const LooseRle view = masks.view();
  // Texts do not depend on the size.
  const TextPool texts = encode_rle({view.runs, view.offset, nullptr, view.n});
  nb::object objects = made(PyList_New(static_cast<Py_ssize_t>(view.n)));
  for (std::size_t i = 0; i < view.n; ++i) {
    const nb::object size = made(PyList_New(2));
    for (std::size_t side = 0; side < 2; ++side) {
      PyList_SET_ITEM(size.ptr(), static_cast<Py_ssize_t>(side),
                      made(PyLong_FromLongLong(view.size[2 * i + side])).release().ptr());
    }
    const nb::object counts = made(
        PyBytes_FromStringAndSize(texts.bytes.data() + texts.offset[i],
                                  static_cast<Py_ssize_t>(texts.offset[i + 1] - texts.offset[i])));
    nb::object object = made(PyDict_New());
    if (PyDict_SetItem(object.ptr(), size_key(), size.ptr()) != 0 ||
        PyDict_SetItem(object.ptr(), counts_key(), counts.ptr()) != 0) {
      nb::raise_python_error();
    }
    PyList_SET_ITEM(objects.ptr(), static_cast<Py_ssize_t>(i), object.release().ptr());
  }
  return objects;
}

std::optional<Fortran<std::uint8_t>> pixels_of(const LooseMasks& masks) {
  if (masks.n() == 0) throw nb::value_error("expected masks, got none");
  const LooseRle view = masks.view();
  const std::uint64_t height = view.height(0), width = view.width(0), n = view.n;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (width > 0 && (height > kMost / width || height * width > kMost / n)) throw std::bad_alloc();
  const std::size_t n_pixels = height * width * n;
  Column<std::uint8_t> pixels;
  bool fits;
  {
    const nb::gil_scoped_release released;
    pixels.resize_uninitialised(n_pixels);
    fits = paint_loose_rle(view, pixels.data(), n_pixels);
  }
  if (!fits) return std::nullopt;
  return to_fortran(std::move(pixels), {height, width, n});
}

std::optional<LooseMasks> merged(const LooseMasks& masks, bool intersect) {
  const LooseRle view = masks.view();
  bool one_size = view.n > 0;
  for (std::size_t i = 1; i < view.n; ++i) {
    one_size = one_size && view.height(i) == view.height(0) && view.width(i) == view.width(0);
  }
  RleRows rows;
  rows.offset.push_back(0);
  if (one_size) {
    auto runs = merge_loose_rle(view, intersect ? RleMerge::kIntersection : RleMerge::kUnion);
    if (!runs) return std::nullopt;
    rows.runs = std::move(*runs);
  }
  rows.offset.push_back(static_cast<std::int64_t>(rows.runs.size()));
  return of_one_size(std::move(rows), one_size ? view.size[0] : 0, one_size ? view.size[1] : 0);
}

std::optional<Fortran<double>> iou_of(const LooseMasks& pred, const LooseMasks& truth,
                                      In1<std::uint8_t> crowd) {
  check_length("crowd", crowd.size(), truth.n());
  Column<double> iou;
  bool ended;
  {
    const nb::gil_scoped_release released;
    iou.resize_uninitialised(pred.n() * truth.n());
    ended = loose_iou_matrix(pred.view(), truth.view(), crowd.data(), iou.data());
  }
  if (!ended) return std::nullopt;
  return to_fortran(std::move(iou), {pred.n(), truth.n()});
}

Fortran<double> box_iou_of(In1<double> pred, In1<double> truth, In1<std::uint8_t> crowd) {
  const std::size_t n_pred = pred.size() / 4, n_truth = truth.size() / 4;
  check_length("crowd", crowd.size(), n_truth);
  Column<double> iou;
  {
    const nb::gil_scoped_release released;
    iou.resize_uninitialised(n_pred * n_truth);
    loose_box_iou_matrix(pred.data(), n_pred, truth.data(), crowd.data(), n_truth, iou.data());
  }
  return to_fortran(std::move(iou), {n_pred, n_truth});
}

}  // namespace

void bind_loose_rle(nb::module_& m) {
  nb::class_<LooseMasks>(m, "LooseMasks",
                         "Masks as run lengths of any kind, as pycocotools takes them.")
      .def_static("read", read_masks, nb::arg("objects"),
                  "Masks of a list of dicts with bytes and a list of two ints; None for others.")
      .def_static("of_runs", of_runs, nb::arg("runs").noconvert(), nb::arg("height"),
                  nb::arg("width"), "One mask.")
      .def_static("of_pixels", of_pixels, nb::arg("pixels").noconvert(), nb::arg("height"),
                  nb::arg("width"), nb::arg("n"),
                  "Masks of n images, column by column: a run ends where the value changes.")
      .def_static("of_polygons", of_polygons, nb::arg("xy").noconvert(),
                  nb::arg("begin").noconvert(), nb::arg("height"), nb::arg("width"),
                  "Masks of polygons; see rle_of_polygons.")
      .def("__len__", &LooseMasks::n)
      .def("objects", objects_of, nb::sig("def objects(self) -> list[dict[str, object]]"),
           "A dict of size and counts for each mask.")
      .def("pixels", pixels_of,
           "Pixels (height, width, n) of the first mask's size; None where runs go beyond.")
      .def(
          "areas",
          [](const LooseMasks& masks) {
            Column<std::uint32_t> area;
            area.resize_uninitialised(masks.n());
            loose_areas(masks.view(), area.data());
            return to_numpy(std::move(area));
          },
          "The number of pixels in each mask, modulo 2^32.")
      .def(
          "boxes",
          [](const LooseMasks& masks) {
            Column<double> box;
            box.resize_uninitialised(4 * masks.n());
            loose_boxes(masks.view(), box.data());
            return to_numpy(std::move(box), {masks.n(), 4});
          },
          "Left, top, width and height of the smallest box around each mask.")
      .def("merged", merged, nb::arg("intersect"),
           "One mask of all, without runs and of size 0 × 0 where sizes differ; None where one "
           "ends before another.")
      .def("iou", iou_of, nb::arg("truth"), nb::arg("crowd").noconvert(),
           "IoU of every mask with every one of truth; None where one ends before another.");
  m.def(
      "first_far_polygon",
      [](In1<double> xy, Offsets begin) {
        check_polygons(xy, begin);
        return first_far_polygon(xy.data(), begin.data(), begin.size() - 1);
      },
      nb::arg("xy").noconvert(), nb::arg("begin").noconvert(),
      "The first polygon with vertices too far apart for the grid; their number for none.");
  m.def("loose_box_iou", box_iou_of, nb::arg("pred").noconvert(), nb::arg("truth").noconvert(),
        nb::arg("crowd").noconvert(),
        "IoU of boxes (left, top, width, height), of which four numbers each follow each other.");
}

}  // namespace snellen::bind
