#include "snellen/json_columns.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

// Columns leave as NumPy arrays only when asked for, so that a file can be read while NumPy is
// still being imported. Each can be taken once: the array then owns the memory.
template <class T>
Out<T> take(Column<T>& column) {
  return to_numpy(std::move(column));
}

Out<double> take_boxes(Column<double>& xywh) {
  const std::size_t n_boxes = xywh.size() / 4;
  return to_numpy(std::move(xywh), {n_boxes, 4});
}

// (numbers or positions in the texts, the texts or None)
std::tuple<Out<std::int64_t>, std::optional<std::vector<std::string>>> take_ids(IdColumn& ids) {
  std::optional<std::vector<std::string>> text;
  if (ids.is_text) text = std::move(ids.text);
  return {take(ids.value), std::move(text)};
}

// None, or (message, path, byte, line).
std::optional<std::tuple<std::string, std::string, std::uint64_t, std::uint64_t>> describe(
    const JsonFault& fault) {
  if (fault.kind == JsonFault::Kind::none) return std::nullopt;
  return std::make_tuple(fault.message, fault.path, fault.byte, fault.line);
}

CocoKind kind_of(std::string_view name) {
  if (name == "box") return CocoKind::box;
  if (name == "mask") return CocoKind::mask;
  if (name == "keypoints") return CocoKind::keypoints;
  throw nb::value_error("expected the kind box, mask or keypoints");
}

template <class Columns>
auto reader_of_files(Columns (*read)(const std::string&, CocoKind)) {
  return [read](const std::string& path, std::string_view kind) {
    const CocoKind of = kind_of(kind);
    const nb::gil_scoped_release released;
    return read(path, of);
  };
}

template <class Columns>
auto reader_of_documents(Columns (*read)(std::string_view, CocoKind)) {
  return [read](nb::bytes document, std::string_view kind) {
    const std::string_view text(document.c_str(), document.size());
    const CocoKind of = kind_of(kind);
    const nb::gil_scoped_release released;
    return read(text, of);
  };
}

using ShapeArrays =
    std::tuple<Out<std::uint8_t>, Out<std::uint8_t>, Out<double>, Out<std::int64_t>,
               Out<std::int64_t>, Out<std::uint32_t>, Out<std::int64_t>, Out<std::int32_t>>;

ShapeArrays take_shapes(CocoShapes& shapes) {
  const std::size_t n = shapes.size.size() / 2;
  const std::size_t n_vertices = shapes.xy.size() / 2;
  return {take(shapes.form),
          take(shapes.left_out),
          to_numpy(std::move(shapes.xy), {n_vertices, 2}),
          take(shapes.polygon_begin),
          take(shapes.begin),
          take(shapes.runs),
          take(shapes.run_offset),
          to_numpy(std::move(shapes.size), {n, 2})};
}

std::tuple<Out<double>, Out<std::int64_t>, Out<std::int64_t>> take_keypoints(
    CocoKeypoints& keypoints) {
  return {take(keypoints.number), take(keypoints.n), take(keypoints.count)};
}

constexpr char kShapes[] =
    "Of masks: form (0 absent, 1 empty, 2 polygons, 3 runs), polygons left out (1; 3: the first), "
    "vertices, begins of polygons, begins of objects, runs, offsets, sizes.";
constexpr char kKeypoints[] =
    "Of keypoints: x, y and visibility of each, their number in each object, num_keypoints; -1 "
    "where absent.";

}  // namespace

void bind_json_columns(nb::module_& m) {
  nb::class_<CocoTruth>(m, "CocoTruth", "Columns of a COCO annotation file.")
      .def("image_id", [](CocoTruth& self) { return take_ids(self.image_id); })
      .def(
          "image_size",
          [](CocoTruth& self) {
            return std::make_tuple(take(self.image_height), take(self.image_width));
          },
          "Of masks: height and width of each image, -1 where the file does not say.")
      .def(
          "crowd_index", [](CocoTruth& self) { return take(self.crowd_index); },
          "Of keypoints: crowdIndex of each image, NaN where the file does not say.")
      .def("category_id", [](CocoTruth& self) { return take_ids(self.category_id); })
      .def("category_name", [](CocoTruth& self) { return std::move(self.category_name); })
      .def("box_id", [](CocoTruth& self) { return take_ids(self.box_id); })
      .def("box_has_id", [](CocoTruth& self) { return take(self.box_has_id); })
      .def("box_image_id", [](CocoTruth& self) { return take_ids(self.box_image_id); })
      .def("box_category_id", [](CocoTruth& self) { return take_ids(self.box_category_id); })
      .def("xywh", [](CocoTruth& self) { return take_boxes(self.xywh); })
      .def("area", [](CocoTruth& self) { return take(self.area); })
      .def("crowd", [](CocoTruth& self) { return take(self.crowd); })
      .def(
          "ignored", [](CocoTruth& self) { return take(self.ignored); },
          "Of boxes and masks: 0, 1; 2 where absent, 3 what is neither a truth value nor whole.")
      .def(
          "annotations_at",
          [](CocoTruth& self) { return std::pair{self.annotations_begin, self.annotations_end}; },
          "Where the list of annotations stands: its first byte, and the one behind it.")
      .def_ro("unusual", &CocoTruth::unusual,
              "Whether an id is written as 1.0, or a crowd's mark is neither 0 nor 1.")
      .def(
          "shapes", [](CocoTruth& self) { return take_shapes(self.shapes); }, kShapes)
      .def(
          "keypoints", [](CocoTruth& self) { return take_keypoints(self.keypoints); }, kKeypoints)
      .def("fault", [](CocoTruth& self) { return describe(self.fault); });
  nb::class_<CocoResults>(m, "CocoResults", "Columns of a COCO results file.")
      .def("image_id", [](CocoResults& self) { return take_ids(self.image_id); })
      .def("category_id", [](CocoResults& self) { return take_ids(self.category_id); })
      .def("xywh", [](CocoResults& self) { return take_boxes(self.xywh); })
      .def("score", [](CocoResults& self) { return take(self.score); })
      .def_ro("unusual", &CocoResults::unusual, "Whether an id is written as 1.0, or a score as 1.")
      .def(
          "shapes", [](CocoResults& self) { return take_shapes(self.shapes); }, kShapes)
      .def(
          "keypoints", [](CocoResults& self) { return take_keypoints(self.keypoints); }, kKeypoints)
      .def("fault", [](CocoResults& self) { return describe(self.fault); });

  m.def("read_coco_truth_file", reader_of_files(&read_coco_truth_file), nb::arg("path"),
        nb::arg("kind") = "box", "Read a COCO annotation file.");
  m.def("read_coco_results_file", reader_of_files(&read_coco_results_file), nb::arg("path"),
        nb::arg("kind") = "box", "Read a COCO results file.");
  m.def("read_coco_truth", reader_of_documents(&read_coco_truth), nb::arg("document"),
        nb::arg("kind") = "box", "Read a COCO annotation document held in memory.");
  m.def("read_coco_results", reader_of_documents(&read_coco_results), nb::arg("document"),
        nb::arg("kind") = "box", "Read a COCO results document held in memory.");
}

}  // namespace snellen::bind
