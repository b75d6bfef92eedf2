// Lists of annotations and results of COCO, dicts, that are indexed and completed where they lie:
// what pycocotools does dict by dict.
#include <nanobind/stl/optional.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "record_fields.hpp"
#include "rle_arrays.hpp"
#include "snellen/polygon.hpp"

namespace snellen::bind {
namespace {

using Records = nb::typed<nb::list, nb::any>;
using Index = nb::typed<nb::dict, nb::any, nb::any>;
using Function = nb::typed<nb::callable, nb::any(nb::any)>;

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
bool index_records(Records records, Index by_id, Index of_image, std::optional<Index> of_category) {
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
  for (long i = 0; i < 4; ++i)
    sides[i] = made(PyObject_GetItem(box, made(PyLong_FromLong(i)).ptr()));
  return sides;
}

// Gives results with boxes a polygon, where they have none, an area, an id and, with `crowds`,
// iscrowd. Without, a box that is no list of four ends it: what was done until then can be done
// again.
bool complete_boxes(Records records, bool crowds) {
  PyObject* const list = records.ptr();
  if (!PyList_CheckExact(list) || !all_plain(list)) return false;
  const Key bbox("bbox"), segmentation("segmentation"), area("area"), id("id"), iscrowd("iscrowd");
  const nb::object zero = made(PyLong_FromLong(0));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    const nb::object record = record_at(list, i);
    const nb::object box = field(record.ptr(), bbox);
    if (!crowds && !(PyList_CheckExact(box.ptr()) && PyList_GET_SIZE(box.ptr()) == 4)) return false;
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
    if (crowds) set(record.ptr(), iscrowd, zero.ptr());
  }
  return true;
}

// Polygons of records, of all of them one after the other.
struct PolygonBatch {
  std::vector<Py_ssize_t> record;  // which records have polygons
  std::vector<std::int64_t> part_begin{0};
  Column<double> xy;
  std::vector<std::int64_t> begin{0};
  std::vector<std::int64_t> size;          // of each polygon
  std::vector<std::int32_t> size_of_part;  // the same, as masks have it
};

// Polygons of at least three vertices, of ordinary numbers.
bool add_polygons(PyObject* polygons, const std::int32_t* size, PolygonBatch& batch) {
  const Py_ssize_t n = PyList_GET_SIZE(polygons);
  for (Py_ssize_t p = 0; p < n; ++p) {
    PyObject* const polygon = PyList_GET_ITEM(polygons, p);
    if (!PyList_CheckExact(polygon)) return false;
    const Py_ssize_t n_numbers = PyList_GET_SIZE(polygon);
    if (n_numbers < 6 || n_numbers % 2 != 0) return false;
    for (Py_ssize_t i = 0; i < n_numbers; ++i) {
      double value = 0;
      bool float32 = false;
      if (!read_measure(PyList_GET_ITEM(polygon, i), value, float32)) return false;
      batch.xy.push_back(value);
    }
    batch.begin.push_back(static_cast<std::int64_t>(batch.xy.size() / 2));
    for (int side = 0; side < 2; ++side) {
      batch.size.push_back(size[side]);
      batch.size_of_part.push_back(size[side]);
    }
  }
  batch.part_begin.push_back(static_cast<std::int64_t>(batch.begin.size()) - 1);
  return n > 0;
}

nb::object compressed_mask(std::string_view text, const std::int32_t* size) {
  static const Key size_key("size"), counts("counts");
  const nb::object sides = made(PyList_New(2));
  for (Py_ssize_t i = 0; i < 2; ++i) {
    PyList_SET_ITEM(sides.ptr(), i, made(PyLong_FromLong(size[i])).release().ptr());
  }
  nb::object mask = made(PyDict_New());
  set(mask.ptr(), size_key, sides.ptr());
  set(mask.ptr(), counts,
      made(PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()))).ptr());
  return mask;
}

// Puts compressed masks in the place of polygons, and of all that `compress` is asked about; false,
// and nothing done, where a record is out of the ordinary.
bool compress_masks(Records records, Index images, Function compress) {
  PyObject* const list = records.ptr();
  if (!PyList_CheckExact(list) || !all_plain(list)) return false;
  const Key image_id("image_id"), segmentation("segmentation"), height("height"), width("width"),
      counts("counts");
  PolygonBatch batch;
  std::vector<std::pair<Py_ssize_t, nb::object>> others;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    const nb::object record = record_at(list, i);
    PyObject* const shape = segmentation.in(record.ptr());
    PyObject* const id = image_id.in(record.ptr());
    if (shape == nullptr || id == nullptr) return false;
    if (!(PyLong_CheckExact(id) || PyUnicode_CheckExact(id))) return false;
    PyObject* const image = PyDict_GetItemWithError(images.ptr(), id);
    std::int32_t size[2];
    if (image == nullptr || !PyDict_CheckExact(image) ||
        !read_size(height.in(image), width.in(image), size)) {
      PyErr_Clear();
      return false;
    }
    if (PyList_CheckExact(shape)) {
      batch.record.push_back(i);
      if (!add_polygons(shape, size, batch)) return false;
      continue;
    }
    if (!PyDict_CheckExact(shape)) return false;
    PyObject* const runs = counts.in(shape);
    if (runs == nullptr) return false;
    if (PyBytes_CheckExact(runs) || PyUnicode_CheckExact(runs)) continue;
    try {
      others.emplace_back(i, compress(record));
    } catch (nb::python_error&) {
      return false;
    }
  }
  const std::size_t n_polygons = batch.begin.size() - 1;
  TextPool texts;
  bool far = false;
  {
    const nb::gil_scoped_release released;
    far = first_far_polygon(batch.xy.data(), batch.begin.data(), n_polygons) < n_polygons;
    if (!far) {
      const RleRows parts =
          rle_of_polygons({batch.xy.data(), batch.begin.data(), batch.size.data(), n_polygons});
      const RleRows whole =
          merge_rle({parts.runs.data(), parts.offset.data(), batch.size_of_part.data(), n_polygons},
                    batch.part_begin.data(), batch.record.size(), RleMerge::kUnion);
      // Texts do not depend on the size.
      texts = encode_rle({whole.runs.data(), whole.offset.data(), nullptr, batch.record.size()});
    }
  }
  if (far) return false;
  for (std::size_t m = 0; m < batch.record.size(); ++m) {
    const std::string_view text(texts.bytes.data() + texts.offset[m],
                                static_cast<std::size_t>(texts.offset[m + 1] - texts.offset[m]));
    const std::int32_t* const size = batch.size_of_part.data() + 2 * batch.part_begin[m];
    set(PyList_GET_ITEM(list, batch.record[m]), segmentation, compressed_mask(text, size).ptr());
  }
  for (const auto& [i, mask] : others) set(PyList_GET_ITEM(list, i), segmentation, mask.ptr());
  return true;
}

}  // namespace

void bind_coco_index(nb::module_& m) {
  m.def(
      "index_records", index_records, nb::arg("records"), nb::arg("by_id"), nb::arg("of_image"),
      nb::arg("of_category").none(),
      "Fill dicts of annotations by id, lists of them by image, of images by category; False, and "
      "nothing done, where one is no plain dict.");
  m.def(
      "complete_boxes", complete_boxes, nb::arg("records"), nb::kw_only(), nb::arg("crowds"),
      "Give results the polygon, area, id and, with `crowds`, iscrowd of their boxes; False where "
      "one is no plain dict or, without, a box no list of four.");
  m.def("compress_masks", compress_masks, nb::arg("records"), nb::arg("images"),
        nb::arg("compress"),
        "Put compressed masks in the place of polygons, and what `compress` gives for a record in "
        "the place of lists of runs; False, and nothing done, where one is out of the ordinary.");
}

}  // namespace snellen::bind
