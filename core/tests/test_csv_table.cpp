#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "snellen/csv_table.hpp"
#include "snellen/parallel.hpp"

namespace {

using namespace snellen;

// Everything that is read, as text.
std::string text_of(const CsvColumns& columns) {
  if (columns.fault) return columns.fault.message + " - line " + std::to_string(columns.fault.line);
  std::ostringstream out;
  out.precision(17);
  for (const CsvColumn& column : columns.column) {
    static constexpr const char* kNames[] = {"integer", "number", "text"};
    out << kNames[static_cast<int>(column.kind)];
    for (std::size_t row = 0; row < columns.n_rows; ++row) {
      if (column.kind == CellKind::integer) out << ' ' << column.integer[row];
      if (column.kind == CellKind::number) {
        out << ' ' << columns.number[row * columns.n_number + column.number];
      }
      if (column.kind == CellKind::text) {
        const TextRows rows{column.text.bytes.data(), column.text.offset.data(),
                            column.text.offset.size() - 1};
        out << ' ' << column.code[row] << "='" << rows[static_cast<std::size_t>(column.code[row])]
            << "'";
      }
    }
    out << "; ";
  }
  return out.str();
}

std::string read(std::string_view document, std::size_t first, std::vector<std::size_t> wanted,
                 bool as_text = false) {
  CsvTable table(document);
  if (!table.fault()) table.split(',', 0);
  if (table.fault()) {
    return table.fault().message + " - line " + std::to_string(table.fault().line);
  }
  const std::size_t width = table.cells(0).size();
  const std::string got = text_of(table.columns(first, width, wanted, as_text));
  for (const std::size_t block : {1, 2, 7, 1000}) {
    CHECK_EQUAL(text_of(table.columns(first, width, wanted, as_text, block)), got);
  }
  return got;
}

void test_kinds() {
  CHECK_EQUAL(read("1,1.5,x\n2,3,y\n-3,nan,x\n", 0, {0, 1, 2}),
              "integer 1 2 -3; number 1.5 3 nan; text 0='x' 1='y' 0='x'; ");
  CHECK_EQUAL(read("1,1.5,x\n2,3,y\n", 1, {2, 0}), "text 0='y'; integer 2; ");
  CHECK_EQUAL(read("007\n8\n", 0, {0}, true), "text 0='007' 1='8'; ");
  CHECK_EQUAL(read("007\n8\n", 0, {0}), "integer 7 8; ");
  // An empty cell is a text; no rows are texts.
  CHECK_EQUAL(read("1,\n2,3\n", 0, {0, 1}), "integer 1 2; text 0='' 1='3'; ");
  CHECK_EQUAL(read("a,b\n", 1, {0, 1}), "text; text; ");
  CHECK_EQUAL(read("9223372036854775807\n", 0, {0}), "integer 9223372036854775807; ");
  CHECK_EQUAL(read("9223372036854775808\n", 0, {0}), "number 9.2233720368547758e+18; ");
  CHECK_EQUAL(read("\"1\",\" 2\"\n", 0, {0, 1}), "integer 1; text 0=' 2'; ");
}

void test_numbers() {
  for (const char* text : {"0", "-0", "+7", "007", "12345678901234567"}) {
    CHECK(kind_of(text) == CellKind::integer);
  }
  for (const char* text : {"1.", ".5", "-1e5", "1E-5", "+.5e+07", "NaN", "-inf", "+Infinity"}) {
    CHECK(kind_of(text) == CellKind::number);
  }
  for (const char* text : {"", "-", "+", ".", "e5", "1e", "1e+", "+-1", "-+1", "1_0", "0x1", " 1",
                           "1 ", "nan(1)", "infinit", "1.2.3", "\xd9\xa1"}) {
    CHECK(kind_of(text) == CellKind::text);
  }
}

void test_a_late_kind() {
  // Sampled rows are spread: only the last but one cell of column 2 is a fraction, and only one of
  // column 3 is a text.
  std::string document;
  for (int row = 0; row < 1000; ++row) {
    document += std::to_string(row) + "," + std::to_string(row) + (row == 998 ? ".5" : "") + "," +
                (row == 997 ? "x" : std::to_string(row % 3)) + "\n";
  }
  CsvTable table(document);
  table.split(',', 0);
  const CsvColumns columns = table.columns(0, 3, {0, 1, 2}, false, 100);
  CHECK(columns.column[0].kind == CellKind::integer);
  CHECK(columns.column[1].kind == CellKind::number);
  CHECK(columns.column[2].kind == CellKind::text);
  CHECK_EQUAL(columns.column[0].integer[999], 999);
  CHECK_EQUAL(columns.number[998], 998.5);
  CHECK_EQUAL(columns.number[999], 999.0);
  CHECK_EQUAL(columns.column[2].code[996], 0);
  CHECK_EQUAL(columns.column[2].code[997], 3);
}

void test_quotes_and_lines() {
  CHECK_EQUAL(read("\"a,\"\"b\"\"\n\",2\r\n\r\n   \nc , \"d\" \n", 0, {0, 1}),
              "text 0='a,\"b\"\n' 1='c'; text 0='2' 1='d'; ");
  // A quote inside a cell that does not begin with one is a character.
  CHECK_EQUAL(read("5\" pipe,1\nx,2\n", 0, {0}), "text 0='5\" pipe' 1='x'; ");
  CHECK_EQUAL(read("\xef\xbb\xbf"
                   "1,2\r3,4",
                   0, {0, 1}),
              "integer 1 3; integer 2 4; ");
  CsvTable table("\n\na\n\"b\nc\"\n\nd");
  table.split(',', 0);
  CHECK_EQUAL(table.n_records(), 3u);
  CHECK_EQUAL(table.line(0), 3u);
  CHECK_EQUAL(table.line(1), 4u);
  CHECK_EQUAL(table.line(2), 7u);
}

void test_faults() {
  const std::string quote = "expected a closing quote, got the end of the file - line 2";
  CHECK_EQUAL(read("a,b\n1,\"2\n3,4\n", 0, {0}), quote);
  CHECK_EQUAL(read("a,b\n\"", 0, {0}), quote);
  CHECK_EQUAL(read("a\n\"b\" \xc3\xa9\n", 0, {0}),
              "expected a delimiter or the end of the line after a quoted cell, got 0xc3: a quote "
              "inside a cell is written as two - line 2");
  CHECK_EQUAL(read("a,b\n1,2\n1\n1,2,3\n", 0, {0}),
              "expected 2 cells, as in the first line, got 1 - line 3");
  CHECK_EQUAL(read("a\n1,2,\n", 0, {0}), "expected 1 cell, as in the first line, got 3 - line 2");
  CHECK_EQUAL(read("a\n\xff\n", 0, {0}),
              "expected UTF-8 text, got the byte 0xff: save the file as UTF-8 - line 2");
  CHECK_EQUAL(read("a\n\xc3", 0, {0}),
              "expected UTF-8 text, got the byte 0xc3: save the file as UTF-8 - line 2");
  CHECK_EQUAL(read(std::string_view("a\n\0\xff", 4), 0, {0}),
              "expected text, got a NUL byte: is this a text file in UTF-8? - line 2");
  CHECK_EQUAL(read(std::string_view("\xff\xfe"
                                    "a\0",
                                    4),
                   0, {0}),
              "expected UTF-8 text, got UTF-16: save the file as UTF-8 - line 1");
  CHECK_EQUAL(read(std::string(std::size_t{1} << 24, 'x') + "\n", 0, {0}),
              "expected cells of less than 16 MiB - line 1");
  const CsvFault fault = CsvTable::from_file("/no/such/file.csv").fault();
  CHECK_EQUAL(fault.message, "no such file");
  CHECK_EQUAL(fault.line, 0u);
}

// Characters that lie across the border of what is looked at at a time.
void test_text_across_blocks() {
  for (int shift = 0; shift < 4; ++shift) {
    std::string document(static_cast<std::size_t>(shift), 'a');
    while (document.size() < (std::size_t{3} << 20)) document += "\xf0\x9d\x84\x9e,1\n";
    const std::string path = "test_csv_table.csv";
    std::ofstream(path, std::ios::binary) << document;
    const CsvTable held(document);
    const CsvTable stored = CsvTable::from_file(path);
    CHECK_EQUAL(held.fault().message, "");
    CHECK_EQUAL(stored.fault().message, "");
    CHECK(held.text() == document);
    CHECK(stored.text() == document);
    document[std::size_t{2} << 20] = '\xff';
    CHECK(!CsvTable(document).fault().message.empty());
    std::filesystem::remove(path);
  }
}

void test_texts() {
  TextTable table;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) {
      CHECK_EQUAL(table.insert("text number " + std::to_string(i)), i);
    }
  }
  CHECK_EQUAL(table.find("text number 4999"), 4999);
  CHECK_EQUAL(table.find("text number 5000"), -1);
  CHECK_EQUAL(table.insert(""), 5000);
  CHECK_EQUAL(table.find(""), 5000);

  const char bytes[] = "abba\xf0\x9d\x84\x9e\xc3\xa9";
  const std::int64_t known[] = {0, 1, 2, 3, 3, 8};  // a b b "" a𝄞
  const std::int64_t wanted[] = {1, 2, 2, 4, 10};   // b "" ba 𝄞é
  std::int32_t position[4];
  match_texts({bytes, known, 5}, {bytes, wanted, 4}, position);
  CHECK_EQUAL(position[0], 1);
  CHECK_EQUAL(position[1], 3);
  CHECK_EQUAL(position[2], -1);
  CHECK_EQUAL(position[3], -1);
  CHECK_EQUAL(longest_text({bytes, wanted, 4}), 2u);
  std::uint32_t points[8];
  to_code_points({bytes, wanted, 4}, 2, points);
  const std::uint32_t want[] = {'b', 0, 0, 0, 'b', 'a', 0x1d11e, 0xe9};
  for (int i = 0; i < 8; ++i) CHECK_EQUAL(points[i], want[i]);
  CHECK(all_utf8({bytes, wanted, 4}));
  const std::int64_t cut[] = {0, 5};
  CHECK(!all_utf8({bytes, cut, 1}));
}

void test_what_utf8_is() {
  const auto valid = [](std::string_view text) {
    const char* const end = text.data() + text.size();
    return scan_utf8(text.data(), end, end).valid;
  };
  for (const char* text :
       {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(valid(text));
  }
  for (const char* text :
       {"\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    CHECK(!valid(text));
  }
}

}  // namespace

int main() {
  for (const int n_threads : {1, 3}) {
    set_thread_count(n_threads);
    test_kinds();
    test_numbers();
    test_a_late_kind();
    test_quotes_and_lines();
    test_faults();
    test_text_across_blocks();
    test_texts();
    test_what_utf8_is();
  }
  return snellen::testing::report();
}
