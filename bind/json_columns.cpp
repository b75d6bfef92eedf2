#include "snellen/json_columns.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
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

template <class Columns>
Columns without_gil(Columns (*read)(std::string_view), nb::bytes document) {
  const std::string_view text(document.c_str(), document.size());
  const nb::gil_scoped_release released;
  return read(text);
}

}  // namespace

void bind_json_columns(nb::module_& m) {
  nb::class_<CocoTruth>(m, "CocoTruth", "Columns of a COCO annotation file.")
      .def("image_id", [](CocoTruth& self) { return take_ids(self.image_id); })
      .def("category_id", [](CocoTruth& self) { return take_ids(self.category_id); })
      .def("category_name", [](CocoTruth& self) { return std::move(self.category_name); })
      .def("box_id", [](CocoTruth& self) { return take_ids(self.box_id); })
      .def("box_has_id", [](CocoTruth& self) { return take(self.box_has_id); })
      .def("box_image_id", [](CocoTruth& self) { return take_ids(self.box_image_id); })
      .def("box_category_id", [](CocoTruth& self) { return take_ids(self.box_category_id); })
      .def("xywh", [](CocoTruth& self) { return take_boxes(self.xywh); })
      .def("area", [](CocoTruth& self) { return take(self.area); })
      .def("crowd", [](CocoTruth& self) { return take(self.crowd); })
      .def("fault", [](CocoTruth& self) { return describe(self.fault); });
  nb::class_<CocoResults>(m, "CocoResults", "Columns of a COCO results file.")
      .def("image_id", [](CocoResults& self) { return take_ids(self.image_id); })
      .def("category_id", [](CocoResults& self) { return take_ids(self.category_id); })
      .def("xywh", [](CocoResults& self) { return take_boxes(self.xywh); })
      .def("score", [](CocoResults& self) { return take(self.score); })
      .def("fault", [](CocoResults& self) { return describe(self.fault); });

  m.def("read_coco_truth_file", &read_coco_truth_file, nb::arg("path"),
        nb::call_guard<nb::gil_scoped_release>(), "Read a COCO annotation file.");
  m.def("read_coco_results_file", &read_coco_results_file, nb::arg("path"),
        nb::call_guard<nb::gil_scoped_release>(), "Read a COCO results file.");
  m.def(
      "read_coco_truth", [](nb::bytes document) { return without_gil(&read_coco_truth, document); },
      nb::arg("document"), "Read a COCO annotation document held in memory.");
  m.def(
      "read_coco_results",
      [](nb::bytes document) { return without_gil(&read_coco_results, document); },
      nb::arg("document"), "Read a COCO results document held in memory.");
}

}  // namespace snellen::bind
