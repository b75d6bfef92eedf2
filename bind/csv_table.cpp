#include "snellen/csv_table.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

using Fault = std::optional<std::tuple<std::string, std::uint64_t, std::uint64_t>>;

// None, or (message, byte, line).
Fault describe(const CsvFault& fault) {
  if (!fault) return std::nullopt;
  return std::make_tuple(fault.message, fault.byte, fault.line);
}

void check_record(const CsvTable& table, std::size_t record) {
  if (record >= table.n_records()) throw nb::index_error("no such record");
}

CsvColumn& column_of(CsvColumns& columns, std::size_t k) {
  if (k >= columns.column.size()) throw nb::index_error("no such column");
  return columns.column[k];
}

TextRows rows_of(const In1<std::uint8_t>& bytes, const In1<std::int64_t>& offset) {
  if (offset.size() == 0) throw nb::value_error("expected at least one offset");
  std::int64_t last = 0;
  for (std::size_t i = 0; i < offset.size(); ++i) {
    if (offset.data()[i] < last) throw nb::value_error("expected offsets that ascend from 0");
    last = offset.data()[i];
  }
  if (static_cast<std::size_t>(last) > bytes.size()) {
    throw nb::value_error("expected offsets within the bytes");
  }
  return {reinterpret_cast<const char*>(bytes.data()), offset.data(), offset.size() - 1};
}

Out<std::uint8_t> take_bytes(Column<char>& bytes) {
  const std::size_t size = bytes.size();
  char* const data = bytes.release();
  nb::capsule owner(data, [](void* block) noexcept { std::free(block); });
  return Out<std::uint8_t>(reinterpret_cast<std::uint8_t*>(data), {size}, owner);
}

}  // namespace

void bind_csv_table(nb::module_& m) {
  nb::class_<CsvColumns>(m, "CsvColumns", "Columns of a table; each array can be taken once.")
      .def_ro("n_rows", &CsvColumns::n_rows)
      .def("fault", [](const CsvColumns& self) { return describe(self.fault); })
      .def("kind",
           [](const CsvColumns& self) {
             static constexpr const char* kNames[] = {"integer", "number", "text"};
             std::vector<std::string> kinds;
             for (const CsvColumn& column : self.column) {
               kinds.emplace_back(kNames[static_cast<std::size_t>(column.kind)]);
             }
             return kinds;
           })
      .def("number",
           [](CsvColumns& self) {
             return to_numpy(std::move(self.number), {self.n_rows, self.n_number});
           })
      .def("number_column",
           [](CsvColumns& self, std::size_t k) { return column_of(self, k).number; })
      .def("integer", [](CsvColumns& self,
                         std::size_t k) { return to_numpy(std::move(column_of(self, k).integer)); })
      .def("text", [](CsvColumns& self, std::size_t k) {
        CsvColumn& column = column_of(self, k);
        return std::make_tuple(to_numpy(std::move(column.code)), take_bytes(column.text.bytes),
                               to_numpy(std::move(column.text.offset)));
      });

  nb::class_<CsvTable>(m, "CsvTable", "Delimited text.")
      .def(
          "__init__",
          [](CsvTable* self, nb::bytes document) {
            const std::string_view text(document.c_str(), document.size());
            const nb::gil_scoped_release released;
            new (self) CsvTable(text);
          },
          nb::arg("document"))
      .def_static("from_file", &CsvTable::from_file, nb::arg("path"),
                  nb::call_guard<nb::gil_scoped_release>())
      .def("fault", [](const CsvTable& self) { return describe(self.fault()); })
      .def(
          "head",
          [](const CsvTable& self, std::size_t n) {
            const std::string_view head = self.text().substr(0, n);
            return nb::bytes(head.data(), head.size());
          },
          nb::arg("n"))
      .def(
          "split",
          [](CsvTable& self, const std::string& delimiter, std::size_t skipped) {
            if (delimiter.size() != 1) throw nb::value_error("expected a delimiter of one byte");
            const nb::gil_scoped_release released;
            self.split(delimiter[0], skipped);
          },
          nb::arg("delimiter"), nb::arg("skipped"))
      .def_prop_ro("n_records", &CsvTable::n_records)
      .def(
          "cells",
          [](const CsvTable& self, std::size_t record) {
            check_record(self, record);
            return self.cells(record);
          },
          nb::arg("record"))
      .def(
          "line",
          [](const CsvTable& self, std::size_t record) {
            check_record(self, record);
            return self.line(record);
          },
          nb::arg("record"))
      .def(
          "columns",
          [](const CsvTable& self, std::size_t first, std::size_t width,
             const std::vector<std::size_t>& wanted, bool as_text) {
            std::vector<bool> seen(width, false);
            for (const std::size_t column : wanted) {
              if (column >= width || seen[column]) {
                throw nb::value_error("expected columns of the table, each once");
              }
              seen[column] = true;
            }
            const nb::gil_scoped_release released;
            return self.columns(first, width, wanted, as_text);
          },
          nb::arg("first"), nb::arg("width"), nb::arg("wanted"), nb::arg("as_text"));

  m.def("is_number", [](const std::string& text) { return kind_of(text) != CellKind::text; });
  m.def(
      "match_texts",
      [](In1<std::uint8_t> known, In1<std::int64_t> known_offset, In1<std::uint8_t> wanted,
         In1<std::int64_t> wanted_offset) {
        const TextRows known_rows = rows_of(known, known_offset);
        const TextRows wanted_rows = rows_of(wanted, wanted_offset);
        Column<std::int32_t> position;
        {
          const nb::gil_scoped_release released;
          position.resize_uninitialised(wanted_rows.n);
          match_texts(known_rows, wanted_rows, position.data());
        }
        return to_numpy(std::move(position));
      },
      nb::arg("known").noconvert(), nb::arg("known_offset").noconvert(),
      nb::arg("wanted").noconvert(), nb::arg("wanted_offset").noconvert(),
      "The position of each wanted text among the known ones, of equal ones the first; -1 where "
      "it is none. Text i is bytes[offset[i]:offset[i + 1]].");
  m.def(
      "to_code_points",
      [](In1<std::uint8_t> bytes, In1<std::int64_t> offset, std::size_t max_bytes) {
        const TextRows texts = rows_of(bytes, offset);
        if (!all_utf8(texts)) throw nb::value_error("expected texts in UTF-8");
        Column<std::uint32_t> code_point;
        std::size_t width = 1;
        {
          const nb::gil_scoped_release released;
          width = std::max<std::size_t>(longest_text(texts), 1);
          if (width <= max_bytes / 4 / std::max<std::size_t>(texts.n, 1)) {
            code_point.resize_uninitialised(texts.n * width);
            to_code_points(texts, width, code_point.data());
          }
        }
        if (code_point.size() != texts.n * width) {
          throw nb::value_error(("an array of " + std::to_string(texts.n) + " texts of " +
                                 std::to_string(width) + " characters is too large")
                                    .c_str());
        }
        return to_numpy(std::move(code_point), {texts.n, width});
      },
      nb::arg("bytes").noconvert(), nb::arg("offset").noconvert(), nb::arg("max_bytes"),
      "The code points (uint32) of each text in a row, zeros behind: the memory of a NumPy array "
      "of texts.");
}

}  // namespace snellen::bind
