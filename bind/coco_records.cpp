// Annotations and results of COCO, lists of dicts, to columns.
//
// Only what is ordinary is read: plain dicts; ids that are ints or texts; numbers of Python or
// NumPy, finite and exact in float64. For all else None comes back and Python goes the long way,
// dict by dict. So nothing here calls code of the caller, and nothing can change under it.
#include <nanobind/stl/optional.h>

#include <cmath>
#include <optional>
#include <utility>

#include "record_fields.hpp"
#include "snellen/loose_rle.hpp"

namespace snellen::bind {
namespace {

// Where no product or sum of a box's numbers can leave float64.
constexpr double kLargestSide = 1e150;

// A position in `codes`, -1 where the id is not in it.
bool read_code(PyObject* object, PyObject* codes, std::int32_t& code) {
  if (object == nullptr || !(PyLong_CheckExact(object) || PyUnicode_CheckExact(object))) {
    return false;
  }
  PyObject* const found = PyDict_GetItemWithError(codes, object);
  if (found == nullptr && PyErr_Occurred() != nullptr) nb::raise_python_error();
  code = found == nullptr ? -1 : static_cast<std::int32_t>(PyLong_AsLong(found));
  return true;
}

bool read_box(PyObject* object, double* box) {
  if (object == nullptr || !PyList_CheckExact(object) || PyList_GET_SIZE(object) != 4) {
    return false;
  }
  bool float32 = false;
  for (int i = 0; i < 4; ++i) {
    if (!read_measure(PyList_GET_ITEM(object, i), box[i], float32)) return false;
    if (std::abs(box[i]) > kLargestSide) return false;
  }
  return true;
}

// 0 or 1, an int or a bool.
bool read_flag(PyObject* object, std::uint8_t& flag) {
  if (object == nullptr || !(PyLong_CheckExact(object) || PyBool_Check(object))) return false;
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  flag = static_cast<std::uint8_t>(value);
  return overflow == 0 && (value == 0 || value == 1);
}

// A whole number that fits float64; `id` says whether it reads as "nothing" (0), or blocks (1).
bool read_id(PyObject* object, bool above_0, std::int64_t& id) {
  double value = 0;
  if (object == nullptr || !PyLong_CheckExact(object) || !read_whole(object, value)) return false;
  id = value != 0 ? 1 : 0;
  return !above_0 || value > 0;
}

nb::list list_of(std::size_t n) {
  return nb::cast<nb::list>(made(PyList_New(static_cast<Py_ssize_t>(n))));
}

void put(nb::list& list, std::size_t i, PyObject* object) {
  PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), Py_NewRef(object));
}

// The boxes of records.
class BoxColumn {
 public:
  explicit BoxColumn(std::size_t n) { xywh_.resize_uninitialised(4 * n); }
  bool read(PyObject* record, std::size_t i) {
    return read_box(key_.in(record), xywh_.data() + 4 * i);
  }
  Out<double> take() { return to_numpy(std::move(xywh_), {xywh_.size() / 4, 4}); }

 private:
  const Key key_{"bbox"};
  Column<double> xywh_;
};

// The masks of records: compressed runs that fit their image, none of them 0 but the first.
class MaskColumn {
 public:
  explicit MaskColumn(std::size_t n) : shapes_(list_of(n)) {
    size_.resize_uninitialised(2 * n);
    offset_.reserve(n + 1);
    offset_.push_back(0);
  }

  bool read(PyObject* record, std::size_t i) {
    PyObject* const shape = segmentation_.in(record);
    if (shape == nullptr || !PyDict_CheckExact(shape)) return false;
    PyObject* const size = size_key_.in(shape);
    if (size == nullptr || !PyList_CheckExact(size) || PyList_GET_SIZE(size) != 2 ||
        !read_size(PyList_GET_ITEM(size, 0), PyList_GET_ITEM(size, 1), size_.data() + 2 * i) ||
        !append_runs(counts_.in(shape))) {
      return false;
    }
    const std::size_t first = static_cast<std::size_t>(offset_[i]);
    std::uint64_t n_pixels = 0;
    for (std::size_t r = first; r < runs_.size(); ++r) {
      if (runs_[r] == 0 && r > first) return false;
      n_pixels += runs_[r];
    }
    offset_.push_back(static_cast<std::int64_t>(runs_.size()));
    put(shapes_, i, shape);
    const auto side = [&](std::size_t s) { return static_cast<std::uint64_t>(size_[2 * i + s]); };
    return n_pixels == side(0) * side(1) && n_pixels < (std::uint64_t{1} << 32);
  }

  void take(nb::dict& columns) {
    const std::size_t n = size_.size() / 2;
    columns["runs"] = to_numpy(std::move(runs_));
    columns["offset"] = to_numpy(std::move(offset_));
    columns["size"] = to_numpy(std::move(size_), {n, 2});
    columns["shapes"] = shapes_;
  }

 private:
  bool append_runs(PyObject* counts) {
    if (counts == nullptr) return false;
    const char* text = nullptr;
    Py_ssize_t length = 0;
    if (PyBytes_CheckExact(counts)) {
      text = PyBytes_AS_STRING(counts);
      length = PyBytes_GET_SIZE(counts);
    } else if (PyUnicode_CheckExact(counts)) {
      text = PyUnicode_AsUTF8AndSize(counts, &length);
    }
    if (text == nullptr) return false;
    append_loose_rle({text, static_cast<std::size_t>(length)}, runs_);
    return true;
  }

  const Key segmentation_{"segmentation"}, size_key_{"size"}, counts_{"counts"};
  Column<std::uint32_t> runs_;
  Column<std::int64_t> offset_;
  Column<std::int32_t> size_;
  nb::list shapes_;
};

// The keypoints of records: x, y and visibility of each.
class PointColumn {
 public:
  PointColumn(std::size_t n, std::size_t n_points) : n_points_(n_points) {
    points_.resize_uninitialised(n * 3 * n_points);
  }

  bool read(PyObject* record, std::size_t i) {
    PyObject* const numbers = key_.in(record);
    if (numbers == nullptr || !PyList_CheckExact(numbers) ||
        PyList_GET_SIZE(numbers) != static_cast<Py_ssize_t>(3 * n_points_)) {
      return false;
    }
    double* const row = points_.data() + i * 3 * n_points_;
    bool float32 = false;
    for (std::size_t k = 0; k < 3 * n_points_; ++k) {
      PyObject* const number = PyList_GET_ITEM(numbers, static_cast<Py_ssize_t>(k));
      if (!read_measure(number, row[k], float32) || std::abs(row[k]) > kLargestPlace) return false;
    }
    return !float32;
  }

  Out<double> take(std::size_t n) { return to_numpy(std::move(points_), {n, n_points_, 3}); }

 private:
  // Whole numbers up to here have exact squares.
  static constexpr double kLargestPlace = 1 << 25;

  const Key key_{"keypoints"};
  const std::size_t n_points_;
  Column<double> points_;
};

// What all records have.
class PlainColumns {
 public:
  PlainColumns(std::size_t n, bool truth, bool crowds, nb::dict image_codes, nb::dict label_codes)
      : truth_(truth),
        crowds_(crowds),
        image_codes_(std::move(image_codes)),
        label_codes_(std::move(label_codes)),
        ids_(list_of(n)),
        scores_(list_of(truth ? 0 : n)) {
    image_.resize_uninitialised(n);
    label_.resize_uninitialised(n);
    area_.resize_uninitialised(n);
    score_.resize_uninitialised(truth ? 0 : n);
    crowd_.resize_uninitialised(truth ? n : 0);
    ignored_.resize_uninitialised(truth ? n : 0);
    id_.resize_uninitialised(truth ? n : 0);
  }

  bool read(PyObject* record, std::size_t i) {
    PyObject* const own = id_key_.in(record);
    std::int64_t id = 0;
    if (!read_code(image_id_.in(record), image_codes_.ptr(), image_[i]) ||
        !read_code(category_id_.in(record), label_codes_.ptr(), label_[i]) ||
        !read_id(own, !truth_, id) ||
        !read_measure(area_key_.in(record), area_[i], float32_area_)) {
      return false;
    }
    put(ids_, i, own);
    if (truth_) {
      id_[i] = id;
      crowd_[i] = 0;
      return (!crowds_ || read_flag(iscrowd_.in(record), crowd_[i])) &&
             read_flag(ignore_.in(record), ignored_[i]);
    }
    PyObject* const score = score_key_.in(record);
    bool float32 = false;
    if (!read_number(score, score_[i], float32)) return false;
    put(scores_, i, score);
    return true;
  }

  void take(nb::dict& columns) {
    columns["image"] = to_numpy(std::move(image_));
    columns["label"] = to_numpy(std::move(label_));
    columns["area"] = to_numpy(std::move(area_));
    columns["float32_area"] = float32_area_;
    columns["ids"] = ids_;
    if (truth_) {
      columns["crowd"] = to_numpy(std::move(crowd_));
      columns["ignored"] = to_numpy(std::move(ignored_));
      columns["id"] = to_numpy(std::move(id_));
    } else {
      columns["score"] = to_numpy(std::move(score_));
      columns["scores"] = scores_;
    }
  }

 private:
  const Key image_id_{"image_id"}, category_id_{"category_id"}, id_key_{"id"}, area_key_{"area"},
      iscrowd_{"iscrowd"}, ignore_{"ignore"}, score_key_{"score"};
  const bool truth_;
  const bool crowds_;  // whether truth may be a crowd; where not, none is, whatever it says
  const nb::dict image_codes_, label_codes_;
  // Not to be seen before they are full: NULLs are none of Python's objects.
  nb::list ids_, scores_;
  bool float32_area_ = false;
  Column<std::int32_t> image_, label_;
  Column<double> area_, score_;
  Column<std::uint8_t> crowd_, ignored_;
  Column<std::int64_t> id_;
};

using Columns = nb::typed<nb::dict, nb::str, nb::any>;
using Codes = nb::typed<nb::dict, nb::any, nb::int_>;

std::optional<Columns> read_records(nb::typed<nb::list, nb::any> records, Codes image_codes,
                                    Codes label_codes, bool truth, bool crowds, bool boxes,
                                    bool masks, std::optional<std::size_t> n_points) {
  const std::size_t n = records.size();
  PlainColumns plain(n, truth, crowds, std::move(image_codes), std::move(label_codes));
  std::optional<BoxColumn> box;
  std::optional<MaskColumn> mask;
  std::optional<PointColumn> point;
  if (boxes) box.emplace(n);
  if (masks) mask.emplace(n);
  if (n_points) point.emplace(n, *n_points);
  for (std::size_t i = 0; i < n; ++i) {
    if (i >= records.size()) return std::nullopt;
    const nb::object held = nb::borrow(PyList_GET_ITEM(records.ptr(), static_cast<Py_ssize_t>(i)));
    PyObject* const record = held.ptr();
    if (!PyDict_CheckExact(record) || !plain.read(record, i) || (box && !box->read(record, i)) ||
        (mask && !mask->read(record, i)) || (point && !point->read(record, i))) {
      PyErr_Clear();
      return std::nullopt;
    }
  }
  Columns columns;
  plain.take(columns);
  if (box) columns["xywh"] = box->take();
  if (mask) mask->take(columns);
  if (point) columns["keypoints"] = point->take(n);
  return columns;
}

}  // namespace

void bind_coco_records(nb::module_& m) {
  m.def("read_records", read_records, nb::arg("records"), nb::arg("image_codes"),
        nb::arg("label_codes"), nb::kw_only(), nb::arg("truth"), nb::arg("crowds"),
        nb::arg("boxes"), nb::arg("masks"), nb::arg("n_points").none(),
        "Columns of annotations or results; None where one is out of the ordinary.");
}

}  // namespace snellen::bind
