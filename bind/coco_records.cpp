// Annotations and results of COCO, lists of dicts, to columns.
//
// Only what is ordinary is read: plain dicts; ids that are ints or texts; numbers of Python or
// NumPy, finite and exact in float64. For all else None comes back and Python goes the long way,
// dict by dict. So nothing here calls code of the caller, and nothing can change under it.
#include <array>
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

  PyObject* name() const { return name_; }

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

// A new reference that may be none: Python's exception then.
nb::object made(PyObject* object) {
  if (object == nullptr) nb::raise_python_error();
  return nb::steal(object);
}

void set(PyObject* record, const Key& key, PyObject* value) {
  if (PyDict_SetItem(record, key.name(), value) != 0) nb::raise_python_error();
}

// The field of a dict; KeyError where it has none.
nb::object field(PyObject* record, const Key& key) {
  PyObject* const found = key.in(record);
  if (found == nullptr) {
    PyErr_SetObject(PyExc_KeyError, key.name());
    nb::raise_python_error();
  }
  return nb::borrow(found);
}

// A record of a list, whose length is asked for each time: keys may be of a kind that runs code.
nb::object record_at(PyObject* records, Py_ssize_t i) {
  return nb::borrow(PyList_GET_ITEM(records, i));
}

void append_to(PyObject* lists, const nb::object& key, PyObject* value) {
  PyObject* const found = PyDict_GetItemWithError(lists, key.ptr());
  if (found == nullptr && PyErr_Occurred() != nullptr) nb::raise_python_error();
  nb::object list = found == nullptr ? made(PyList_New(0)) : nb::borrow(found);
  if (found == nullptr && PyDict_SetItem(lists, key.ptr(), list.ptr()) != 0) {
    nb::raise_python_error();
  }
  if (PyList_Append(list.ptr(), value) != 0) nb::raise_python_error();
}

bool all_plain(PyObject* records) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(records); ++i) {
    if (!PyDict_CheckExact(PyList_GET_ITEM(records, i))) return false;
  }
  return true;
}

// Fills `by_id` and `of_image`; `of_category`, if given, then, from a second look.
bool index_records(nb::list records, nb::dict by_id, nb::dict of_image,
                   std::optional<nb::dict> of_category) {
  PyObject* const list = records.ptr();
  if (!PyList_CheckExact(list) || !all_plain(list)) return false;
  const Key image_id("image_id"), category_id("category_id"), id("id");
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    const nb::object record = record_at(list, i);
    append_to(of_image.ptr(), field(record.ptr(), image_id), record.ptr());
    const nb::object own = field(record.ptr(), id);
    if (PyDict_SetItem(by_id.ptr(), own.ptr(), record.ptr()) != 0) nb::raise_python_error();
  }
  if (!of_category) return true;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    const nb::object record = record_at(list, i);
    const nb::object category = field(record.ptr(), category_id);
    append_to(of_category->ptr(), category, field(record.ptr(), image_id).ptr());
  }
  return true;
}

// The four numbers of a box; an exception where there are less.
std::array<nb::object, 4> sides_of(PyObject* box) {
  std::array<nb::object, 4> sides;
  for (long i = 0; i < 4; ++i) sides[i] = made(PyObject_GetItem(box, made(PyLong_FromLong(i)).ptr()));
  return sides;
}

// Gives results with boxes a polygon, where they have none, an area, an id and iscrowd.
bool complete_boxes(nb::list records) {
  PyObject* const list = records.ptr();
  if (!PyList_CheckExact(list) || !all_plain(list)) return false;
  const Key bbox("bbox"), segmentation("segmentation"), area("area"), id("id"), iscrowd("iscrowd");
  const nb::object zero = made(PyLong_FromLong(0));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    const nb::object record = record_at(list, i);
    const nb::object box = field(record.ptr(), bbox);
    const std::array<nb::object, 4> sides = sides_of(box.ptr());
    const auto& [left, top, width, height] = sides;
    const nb::object right = made(PyNumber_Add(left.ptr(), width.ptr()));
    const nb::object bottom = made(PyNumber_Add(top.ptr(), height.ptr()));
    if (segmentation.in(record.ptr()) == nullptr) {
      const nb::object polygons = made(PyList_New(1));
      PyObject* const polygon = made(PyList_New(8)).release().ptr();
      PyList_SET_ITEM(polygons.ptr(), 0, polygon);
      const nb::object* const corners[] = {&left,  &top,    &left,  &bottom,
                                           &right, &bottom, &right, &top};
      for (Py_ssize_t c = 0; c < 8; ++c) {
        PyList_SET_ITEM(polygon, c, Py_NewRef(corners[c]->ptr()));
      }
      set(record.ptr(), segmentation, polygons.ptr());
    }
    set(record.ptr(), area, made(PyNumber_Multiply(width.ptr(), height.ptr())).ptr());
    set(record.ptr(), id, made(PyLong_FromSsize_t(i + 1)).ptr());
    set(record.ptr(), iscrowd, zero.ptr());
  }
  return true;
}

}  // namespace

void bind_coco_records(nb::module_& m) {
  m.def("read_records", read_records, nb::arg("records"), nb::arg("image_codes"),
        nb::arg("label_codes"), nb::kw_only(), nb::arg("truth"), nb::arg("boxes"),
        "Columns of annotations or results; None where one is out of the ordinary.");
  m.def("index_records", index_records, nb::arg("records"), nb::arg("by_id"), nb::arg("of_image"),
        nb::arg("of_category").none(),
        "Fill dicts of annotations by id, lists of them by image, of images by category; False, and "
        "nothing done, where one is no plain dict.");
  m.def("complete_boxes", complete_boxes, nb::arg("records"),
        "Give results the polygon, area, id and iscrowd of their boxes; False, and nothing done, "
        "where one is no plain dict.");
}

}  // namespace snellen::bind
