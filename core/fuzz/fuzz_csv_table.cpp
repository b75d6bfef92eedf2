// Any bytes at all: no crash, no hang, the same answer whatever the blocks, and columns of texts
// that are what the records' cells say.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "snellen/csv_table.hpp"

namespace {

using namespace snellen;

template <class T>
bool same(const Column<T>& a, const Column<T>& b) {
  // Bytes, not values: nan is a number.
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same(const CsvColumns& a, const CsvColumns& b) {
  if (a.fault.message != b.fault.message || a.fault.line != b.fault.line) return false;
  if (a.fault) return true;
  if (a.n_rows != b.n_rows || a.n_number != b.n_number || !same(a.number, b.number)) return false;
  for (std::size_t k = 0; k < a.column.size(); ++k) {
    const CsvColumn& left = a.column[k];
    const CsvColumn& right = b.column[k];
    if (left.kind != right.kind || left.number != right.number ||
        !same(left.integer, right.integer) || !same(left.code, right.code) ||
        !same(left.text.bytes, right.text.bytes) || !same(left.text.offset, right.text.offset)) {
      return false;
    }
  }
  return true;
}

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view document(reinterpret_cast<const char*>(data) + 1, size - 1);
  CsvTable table(document);
  if (table.fault()) return 0;
  static constexpr char kDelimiters[] = {',', '\t', ';', ' ', '\0'};
  table.split(kDelimiters[*data % 5], (*data / 5) % 4);
  if (table.fault() || table.n_records() == 0) return 0;
  const std::size_t width = table.cells(0).size();
  std::vector<std::size_t> every(width);
  std::iota(every.begin(), every.end(), std::size_t{0});
  const std::size_t first = *data / 20 % 2;
  check(same(table.columns(first, width, every, false),
             table.columns(first, width, every, false, 1)));
  const CsvColumns texts = table.columns(first, width, every, true);
  check(same(texts, table.columns(first, width, every, true, 3)));
  for (std::size_t row = 0; row < texts.n_rows; ++row) {
    check(table.line(first + row) >= 1);
    const std::vector<std::string> cells = table.cells(first + row);
    if (texts.fault) continue;
    check(cells.size() == width);
    for (std::size_t k = 0; k < width; ++k) {
      const CsvColumn& column = texts.column[k];
      const TextRows rows{column.text.bytes.data(), column.text.offset.data(),
                          column.text.offset.size() - 1};
      check(rows[static_cast<std::size_t>(column.code[row])] == cells[k]);
    }
  }
  return 0;
}
