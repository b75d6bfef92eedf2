// Annotations and results of COCO, lists of dicts, to columns.
//
// Only what is ordinary is read: plain dicts; ids that are ints or texts; numbers of Python or
// NumPy, finite and exact in float64. For all else None comes back and Python goes the long way,
// dict by dict. So nothing here calls code of the caller, and nothing can change under it.
#include <cmath>
#include <optional>
#include <tuple>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

constexpr double kExactInts = 9007199254740992.0;  // 2^53
// Where no product or sum of a box's numbers can leave float64.
constexpr double kLargestSide = 1e150;

// Types that are looked for, each for as long as the interpreter runs.
struct NumpyTypes {
  PyObject* float64;
  PyObject* float32;
  PyObject* int64;
  PyObject* int32;
  PyObject* uint32;
};

const NumpyTypes& numpy_types() {
  static const NumpyTypes types = [] {
    const nb::module_ numpy = nb::module_::import_("numpy");
    const auto type = [&](const char* name) { 
      return nb::object(numpy.attr(name)).release().ptr();
    };
    return NumpyTypes{type("float64"), type("float32"), type("int64"), type("int32"),
                      type("uint32")};
  }();
  return types;
}

class Key {
 public:
  explicit Key(const char* name) : name_(PyUnicode_InternFromString(name)) {
    if (name_ == nullptr) nb::raise_python_error();
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { Py_DECREF(name_); }

  // The field of a dict, borrowed; null where it has none.
  PyObject* in(PyObject* record) const {
    PyObject* const found = PyDict_GetItemWithError(record, name_);
    if (found == nullptr && PyErr_Occurred() != nullptr) nb::raise_python_error();
    return found;
  }

 private:
  PyObject* name_;
};

bool read_whole(PyObject* object, double& value) {
  int overflow = 0;
  const long long whole = PyLong_AsLongLongAndOverflow(object, &overflow);
  value = static_cast<double>(whole);
  return overflow == 0 && std::abs(value) <= kExactInts;
}

// A finite number, of a kind whose comparisons and negation are those of float64; float32 is
// counted, for Python's floats are cut down before they are compared with one.
bool read_number(PyObject* object, double& value, bool& float32) {
  if (object == nullptr) return false;
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const NumpyTypes& numpy = numpy_types();
  if (PyFloat_CheckExact(object) || type == numpy.float64) {
    value = PyFloat_AS_DOUBLE(object);
  } else if (PyLong_CheckExact(object)) {
    return read_whole(object, value);
  } else if (type == numpy.float32) {
    value = PyFloat_AsDouble(object);
    float32 = true;
  } else {
    return false;
  }
  return std::isfinite(value);
}

// The same, or a whole number of NumPy: areas of masks are such.
bool read_measure(PyObject* object, double& value, bool& float32) {
  if (object == nullptr) return false;
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const NumpyTypes& numpy = numpy_types();
  if (type != numpy.int64 && type != numpy.int32 && type != numpy.uint32) {
    return read_number(object, value, float32);
  }
  const nb::object whole = nb::steal(PyNumber_Index(object));
  return whole.is_valid() && read_whole(whole.ptr(), value);
}

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

using Columns = nb::typed<nb::dict, nb::str, nb::any>;

nb::list list_of(std::size_t n) {
  nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(n)));
  if (!list.is_valid()) nb::raise_python_error();
  return nb::cast<nb::list>(list);
}

void put(nb::list& list, std::size_t i, PyObject* object) {
  PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), Py_NewRef(object));
}

std::optional<Columns> read_records(nb::list records, nb::dict image_codes, nb::dict label_codes,
                                    bool truth, bool boxes) {
  const std::size_t n = records.size();
  Column<std::int32_t> image, label;
  Column<double> area, score, xywh;
  Column<std::uint8_t> crowd, ignored;
  Column<std::int64_t> id;
  image.resize_uninitialised(n);
  label.resize_uninitialised(n);
  area.resize_uninitialised(n);
  xywh.resize_uninitialised(boxes ? 4 * n : 0);
  score.resize_uninitialised(truth ? 0 : n);
  crowd.resize_uninitialised(truth ? n : 0);
  ignored.resize_uninitialised(truth ? n : 0);
  id.resize_uninitialised(truth ? n : 0);
  bool float32_area = false, float32 = false;
  const Key image_id("image_id"), category_id("category_id"), own_id("id"), area_key("area"),
      bbox("bbox"), iscrowd("iscrowd"), ignore("ignore"), score_key("score");
  nb::list ids = list_of(n), scores = list_of(truth ? 0 : n);
  // A list that is not filled may be left, but not be seen: NULLs are none of Python's objects.
  for (std::size_t i = 0; i < n; ++i) {
    PyObject* const record = PyList_GET_ITEM(records.ptr(), static_cast<Py_ssize_t>(i));
    if (!PyDict_CheckExact(record)) return std::nullopt;
    std::int64_t own = 0;
    bool ordinary = read_code(image_id.in(record), image_codes.ptr(), image.data()[i]) &&
                    read_code(category_id.in(record), label_codes.ptr(), label.data()[i]) &&
                    read_id(own_id.in(record), !truth, own) &&
                    read_measure(area_key.in(record), area.data()[i], float32_area) &&
                    (!boxes || read_box(bbox.in(record), xywh.data() + 4 * i));
    if (ordinary && truth) {
      id.data()[i] = own;
      ordinary = read_flag(iscrowd.in(record), crowd.data()[i]) &&
                 read_flag(ignore.in(record), ignored.data()[i]);
    } else if (ordinary) {
      PyObject* const value = score_key.in(record);
      ordinary = read_number(value, score.data()[i], float32);
      if (ordinary) put(scores, i, value);
    }
    if (!ordinary) {
      PyErr_Clear();
      return std::nullopt;
    }
    put(ids, i, own_id.in(record));
  }
  Columns columns;
  columns["image"] = to_numpy(std::move(image));
  columns["label"] = to_numpy(std::move(label));
  columns["area"] = to_numpy(std::move(area));
  columns["float32_area"] = float32_area;
  columns["ids"] = ids;
  if (boxes) columns["xywh"] = to_numpy(std::move(xywh), {n, 4});
  if (truth) {
    columns["crowd"] = to_numpy(std::move(crowd));
    columns["ignored"] = to_numpy(std::move(ignored));
    columns["id"] = to_numpy(std::move(id));
  } else {
    columns["score"] = to_numpy(std::move(score));
    columns["scores"] = scores;
  }
  return columns;
}

}  // namespace

void bind_coco_records(nb::module_& m) {
  m.def("read_records", read_records, nb::arg("records"), nb::arg("image_codes"),
        nb::arg("label_codes"), nb::kw_only(), nb::arg("truth"), nb::arg("boxes"),
        "Columns of annotations or results; None where one is out of the ordinary.");
}

}  // namespace snellen::bind
