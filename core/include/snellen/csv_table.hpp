// Delimited text (CSV, TSV) to columns, without an object per cell.
//
// A table is records of cells. A record ends with a line, "\n" or "\r\n" ("\r" where there is no
// "\n" at all); lines of nothing but spaces are none. A cell whose first character is a quote goes
// to the closing quote, may hold delimiters and line ends, and writes a quote as two. Blanks around
// a cell are not part of it, blanks inside quotes are. The text is UTF-8, without NUL; a byte order
// mark is skipped.
//
// A column is `integer` where every cell is a whole number that fits 64 bits, else `number` where
// every cell is a number (decimal, with or without exponent; nan, inf and infinity in any case),
// else `text`. A cell in quotes is a number too if it reads as one. An empty cell is text. Numbers
// are rounded to the nearest double.
//
// Columns and faults depend on the bytes alone, not on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/text_table.hpp"

namespace snellen {

// Why a document was refused; `message` is empty where it was not.
struct CsvFault {
  std::string message;
  std::uint64_t byte = 0;  // 0-based offset in the document
  std::uint64_t line = 0;  // 1-based; 0 where nothing could be read

  explicit operator bool() const { return !message.empty(); }
};

enum class CellKind : std::uint8_t { integer, number, text };

struct CsvColumn {
  CellKind kind = CellKind::text;
  Column<std::int64_t> integer;
  std::size_t number = 0;     // which column of CsvColumns::number
  Column<std::int32_t> code;  // the distinct text of each row
  TextPool text;              // the distinct texts, by first appearance
};

struct CsvColumns {
  std::vector<CsvColumn> column;  // as asked for
  Column<double> number;          // row by row, n_number a row
  std::size_t n_number = 0;
  std::size_t n_rows = 0;
  CsvFault fault;
};

class CsvTable {
 public:
  // The bytes are copied; a file is read whole. What cannot be read or is not UTF-8 is a fault.
  explicit CsvTable(std::string_view document);
  static CsvTable from_file(const std::string& path);

  const CsvFault& fault() const { return fault_; }
  // The document, without its byte order mark.
  std::string_view text() const;

  // Finds the records behind the first `skipped` bytes of `text()`. A delimiter is any ASCII
  // character but quote and line end. Faults: quotes.
  void split(char delimiter, std::size_t skipped);

  std::size_t n_records() const { return begin_.size(); }
  // The cells of a record as they read.
  std::vector<std::string> cells(std::size_t record) const;
  // The line that a record begins in, from 1.
  std::uint64_t line(std::size_t record) const;

  // Columns (by position, each once) of the records from `first` on, which all must have `width`
  // cells. With `as_text`, all are text.
  CsvColumns columns(std::size_t first, std::size_t width, const std::vector<std::size_t>& wanted,
                     bool as_text) const {
    return columns(first, width, wanted, as_text, kBlockBytes);
  }
  // A block is what a thread reads at a time. No size changes what is returned; tests use small
  // ones.
  CsvColumns columns(std::size_t first, std::size_t width, const std::vector<std::size_t>& wanted,
                     bool as_text, std::size_t block_bytes) const;

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

  CsvTable() = default;
  void check_text(const std::vector<std::uint8_t>& suspect, std::size_t block_bytes);
  CsvFault fault_at(std::string message, const char* at) const;
  std::uint64_t line_of(const char* at) const;

  Column<char> bytes_;  // and zeros behind, so that a word can be loaded from every cell
  std::size_t size_ = 0;
  std::size_t mark_ = 0;  // length of the byte order mark
  CsvFault fault_;
  char delimiter_ = ',';
  char line_end_ = '\n';
  Column<std::uint64_t> begin_;  // of each record, and behind its last cell
  Column<std::uint64_t> end_;
};

// A cell as columns of numbers have it.
struct CellNumber {
  CellKind kind = CellKind::text;
  std::int64_t whole = 0;  // of an integer
  double value = 0;        // of an integer or a number
};
CellNumber read_number(std::string_view text);

// Whether a text is a number as columns have them, and of which kind.
inline CellKind kind_of(std::string_view text) { return read_number(text).kind; }

}  // namespace snellen
