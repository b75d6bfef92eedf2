#include "snellen/mots_text.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <string_view>

#include "rle_arrays.hpp"

namespace snellen::bind {

void bind_mots_text(nb::module_& m) {
  nb::class_<MotsRows>(m, "MotsRows", "Rows of a MOTS text; each array can be taken once.")
      .def_ro("n_lines", &MotsRows::n_lines)
      .def("fault",
           [](const MotsRows& self) -> std::optional<std::tuple<std::string, std::uint64_t>> {
             if (!self.fault) return std::nullopt;
             return std::make_tuple(self.fault.message, self.fault.line);
           })
      .def("frame", [](MotsRows& self) { return to_numpy(std::move(self.frame)); })
      .def("id", [](MotsRows& self) { return to_numpy(std::move(self.id)); })
      .def("label", [](MotsRows& self) { return to_numpy(std::move(self.label)); })
      .def("line", [](MotsRows& self) { return to_numpy(std::move(self.line)); })
      .def("size",
           [](MotsRows& self) {
             const std::size_t n = self.size.size() / 2;
             return to_numpy(std::move(self.size), {n, 2});
           })
      .def("masks", [](MotsRows& self) { return to_numpy(std::move(self.masks)); });
  m.def(
      "read_mots",
      [](nb::bytes text) {
        const std::string_view bytes(text.c_str(), text.size());
        const nb::gil_scoped_release released;
        return read_mots(bytes);
      },
      nb::arg("text"), "The rows of a text in the format of MOTS20 and KITTI MOTS.");
}

}  // namespace snellen::bind
