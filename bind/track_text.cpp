#include "snellen/track_text.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

const char* name_of(TrackFault kind) {
  static constexpr const char* kNames[] = {
      "none",      "encoding", "long line",       "columns",        "not a number",  "not finite",
      "not whole", "too wide", "frame too early", "frame too late", "negative size",
  };
  return kNames[static_cast<std::size_t>(kind)];
}

// Nothing may be taken of a text that is not read.
void check_read(const TrackText& text) {
  if (!text.finished() || text.fault()) throw nb::value_error("expected a text that was read");
}

template <class T>
Out<T> take(const TrackText& text, Column<T>& column) {
  check_read(text);
  return to_numpy(std::move(column));
}

template <class T>
std::optional<Out<T>> take_if(bool has, const TrackText& text, Column<T>& column) {
  check_read(text);
  if (!has) return std::nullopt;
  return to_numpy(std::move(column));
}

void check_open(const TrackText& text) {
  if (text.finished()) throw nb::value_error("expected a text that is being read");
}

}  // namespace

void bind_track_text(nb::module_& m) {
  nb::class_<TrackText>(m, "TrackText", "Text of tracks, read piece by piece.")
      .def(
          "__init__",
          [](TrackText* self, bool is_truth, std::int64_t first_frame,
             std::optional<std::int64_t> last_frame, std::vector<std::int64_t> region_classes) {
            TrackTextRules rules;
            rules.is_truth = is_truth;
            rules.first_frame = first_frame;
            if (last_frame) rules.last_frame = *last_frame;
            rules.region_classes = std::move(region_classes);
            new (self) TrackText(std::move(rules));
          },
          nb::arg("is_truth"), nb::arg("first_frame"), nb::arg("last_frame").none(),
          nb::arg("region_classes"))
      .def(
          "read",
          [](TrackText& self, nb::bytes piece) {
            check_open(self);
            const std::string_view text(piece.c_str(), piece.size());
            const nb::gil_scoped_release released;
            return self.read(text);
          },
          nb::arg("piece"), "False where a line cannot be read.")
      .def(
          "finish",
          [](TrackText& self) {
            check_open(self);
            const nb::gil_scoped_release released;
            return self.finish();
          },
          "Once, when all is read. False where a line cannot be read.")
      .def(
          "fault",
          [](const TrackText& self) {
            const TrackTextFault& fault = self.fault();
            return std::make_tuple(name_of(fault.kind), fault.line, fault.column, fault.n_columns,
                                   nb::bytes(fault.cell.data(), fault.cell.size()));
          },
          "(what, line, column, number of columns, cell).")
      .def(
          "repeats",
          [](const TrackText& self) {
            const TrackRepeats& repeats = self.repeats();
            return std::make_tuple(repeats.n, repeats.frame, repeats.track, repeats.earlier_line,
                                   repeats.line);
          },
          "(number, and of the first: frame, track, the two lines).")
      .def_prop_ro("n_columns", &TrackText::n_columns)
      // Each can be taken once.
      .def("frame", [](TrackText& self) { return take(self, self.frame()); })
      .def("track", [](TrackText& self) { return take(self, self.track()); })
      .def("xywh",
           [](TrackText& self) -> Out<double> {
             check_read(self);
             const std::size_t n = self.xywh().size() / 4;
             return to_numpy(std::move(self.xywh()), {n, 4});
           })
      .def("mark", [](TrackText& self) { return take_if(self.has_mark(), self, self.mark()); })
      .def("label", [](TrackText& self) { return take_if(self.has_label(), self, self.label()); })
      .def("visibility",
           [](TrackText& self) { return take_if(self.has_visibility(), self, self.visibility()); });
}

}  // namespace snellen::bind
