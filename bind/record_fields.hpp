// Fields of Python's dicts, as annotations and results of COCO are.
#pragma once

#include <cmath>
#include <cstdint>

#include "arrays.hpp"

namespace snellen::bind {

// A new reference that may be none: Python's exception then.
inline nb::object made(PyObject* object) {
  if (object == nullptr) nb::raise_python_error();
  return nb::steal(object);
}

// The name of a field, hashed once.
class Key {
 public:
  explicit Key(const char* name) : name_(made(PyUnicode_InternFromString(name))) {}

  PyObject* name() const { return name_.ptr(); }

  // The field of a dict, borrowed; null where it has none.
  PyObject* in(PyObject* record) const {
    PyObject* const found = PyDict_GetItemWithError(record, name());
    if (found == nullptr && PyErr_Occurred() != nullptr) nb::raise_python_error();
    return found;
  }

 private:
  nb::object name_;
};

// The largest number up to which all whole ones are exact: 2^53.
inline constexpr long long kExactInts = 1LL << 53;

// Types of NumPy's numbers, each kept for as long as the interpreter runs.
struct NumpyTypes {
  PyObject* float64;
  PyObject* float32;
  PyObject* int64;
  PyObject* int32;
  PyObject* uint32;
};

inline const NumpyTypes& numpy_types() {
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

inline bool read_whole(PyObject* object, double& value) {
  int overflow = 0;
  const long long whole = PyLong_AsLongLongAndOverflow(object, &overflow);
  value = static_cast<double>(whole);
  // Not the double: 2^53 + 1 is rounded to 2^53.
  return overflow == 0 && -kExactInts <= whole && whole <= kExactInts;
}

// A finite number, of a kind whose comparisons and negation are those of float64; float32 is told,
// for Python's floats are cut down before they are compared with one.
inline bool read_number(PyObject* object, double& value, bool& float32) {
  if (object == nullptr) return false;
  if (PyLong_CheckExact(object)) return read_whole(object, value);
  if (!PyFloat_CheckExact(object)) {
    PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
    if (type == numpy_types().float32) {
      value = PyFloat_AsDouble(object);
      float32 = true;
      return std::isfinite(value);
    }
    if (type != numpy_types().float64) return false;  // of which a float is the base
  }
  value = PyFloat_AS_DOUBLE(object);
  return std::isfinite(value);
}

// The same, or a whole number of NumPy: areas of masks are such.
inline bool read_measure(PyObject* object, double& value, bool& float32) {
  if (object == nullptr) return false;
  if (PyFloat_CheckExact(object) || PyLong_CheckExact(object)) {
    return read_number(object, value, float32);
  }
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const NumpyTypes& numpy = numpy_types();
  if (type != numpy.int64 && type != numpy.int32 && type != numpy.uint32) {
    return read_number(object, value, float32);
  }
  return read_whole(made(PyNumber_Index(object)).ptr(), value);
}

// Height and width of an image: whole numbers from 1 on that nothing but an int holds.
inline bool read_size(PyObject* height, PyObject* width, std::int32_t* size) {
  for (PyObject* const side : {height, width}) {
    if (side == nullptr || !PyLong_CheckExact(side)) return false;
    int overflow = 0;
    const long value = PyLong_AsLongAndOverflow(side, &overflow);
    if (overflow != 0 || value < 1 || value > 0x7fffffff) return false;
    *size++ = static_cast<std::int32_t>(value);
  }
  return true;
}

}  // namespace snellen::bind
