#include "snellen/csv_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "json_source.hpp"
#include "snellen/json_scanner.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// What may be looked at behind the last byte.
constexpr std::size_t kPadding = 64;
static_assert(kPadding >= json::kPlainReach);

// Rows, spread over the table, whose cells say what kinds to expect.
constexpr std::size_t kSampleRows = 64;

// Texts whose places in a table are asked for before the first of them is needed.
constexpr std::size_t kAhead = 16;
// After so many it is guessed whether nearly all will be different.
constexpr std::size_t kManyTexts = 4096;
static_assert(kManyTexts % kAhead == 0);

constexpr std::uint8_t kHasOdd = 1;  // NUL, or a byte beyond ASCII
constexpr std::uint8_t kHasQuote = 2;
constexpr std::uint8_t kHasLineFeed = 4;

std::uint8_t features(const char* p, std::size_t n) {
  unsigned high = 0;
  unsigned zero = 0;
  unsigned quote = 0;
  unsigned line_feed = 0;
  // Whole vectors of bytes: no early way out.
  for (std::size_t i = 0; i < n; ++i) {
    const auto c = static_cast<unsigned char>(p[i]);
    high |= c;
    zero |= c == 0;
    quote |= c == '"';
    line_feed |= c == '\n';
  }
  return static_cast<std::uint8_t>(((high & 0x80) != 0 || zero != 0 ? kHasOdd : 0) |
                                   (quote != 0 ? kHasQuote : 0) |
                                   (line_feed != 0 ? kHasLineFeed : 0));
}

// memchr on two pointers; `end` where there is none.
const char* find(const char* p, const char* end, char c) {
  if (p == end) return end;
  const void* const found = std::memchr(p, c, static_cast<std::size_t>(end - p));
  return found == nullptr ? end : static_cast<const char*>(found);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether [p, end) is this word, written in lower case, in any case.
bool is_word(const char* p, const char* end, std::string_view word) {
  return static_cast<std::size_t>(end - p) == word.size() &&
         std::equal(p, end, word.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

// The place of a cell's content.
struct Cell {
  const char* first;
  const char* last;
  bool doubled;      // holds quotes that are written as two
  const char* next;  // the delimiter behind it, or the record's end
};

std::string_view content(const Cell& cell, std::string& buffer) {
  if (!cell.doubled) return {cell.first, static_cast<std::size_t>(cell.last - cell.first)};
  buffer.clear();
  for (const char* p = cell.first; p != cell.last; ++p) {
    buffer.push_back(*p);
    if (*p == '"') ++p;
  }
  return buffer;
}

class Splitter {
 public:
  explicit Splitter(char delimiter) : delimiter_(delimiter) {}

  char delimiter() const { return delimiter_; }
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != delimiter_; }
  const char* skip_blanks(const char* p, const char* end) const {
    while (p != end && is_blank(*p)) ++p;
    return p;
  }

  // The closing quote of a cell that opens at `quote`, or `end`.
  static const char* closing_quote(const char* quote, const char* end, bool& doubled) {
    doubled = false;
    for (const char* p = quote + 1;; p += 2) {
      p = find(p, end, '"');
      if (p == end || p + 1 == end || p[1] != '"') return p;
      doubled = true;
    }
  }

  // The cell at p of a record that ends at `end`, whose quotes are in order.
  Cell cell(const char* p, const char* end) const {
    p = skip_blanks(p, end);
    Cell cell{p, p, false, p};
    if (p != end && *p == '"') {
      cell.first = p + 1;
      cell.last = closing_quote(p, end, cell.doubled);
      cell.next = skip_blanks(cell.last + 1, end);
      return cell;
    }
    // Short cells are the rule: looking is quicker than calling.
    const char* q = p;
    const char* const near = end - p > 16 ? p + 16 : end;
    while (q != near && *q != delimiter_) ++q;
    if (q == near && q != end) q = find(q, end, delimiter_);
    cell.next = q;
    while (q != p && is_blank(q[-1])) --q;
    cell.last = q;
    return cell;
  }

 private:
  char delimiter_;
};

// The place of a text cell in eight bytes.
constexpr unsigned kLengthBits = 24;
constexpr unsigned kBeginBits = 39;

std::uint64_t pack(const Cell& cell, const char* document) {
  return static_cast<std::uint64_t>(cell.first - document) << (kLengthBits + 1) |
         static_cast<std::uint64_t>(cell.last - cell.first) << 1 |
         static_cast<std::uint64_t>(cell.doubled);
}

Cell unpack(std::uint64_t place, const char* document) {
  const char* const first = document + (place >> (kLengthBits + 1));
  const char* const last = first + ((place >> 1) & ((std::uint64_t{1} << kLengthBits) - 1));
  return {first, last, (place & 1) != 0, last};
}

// What is to be done with the cells of a column, and where what they hold goes.
struct Target {
  bool wanted = false;
  CellKind kind = CellKind::text;
  std::size_t column = 0;           // among the wanted ones
  double* number = nullptr;         // of the first row
  std::int64_t* integer = nullptr;  // of the first row
  std::uint64_t* place = nullptr;   // of the first row
};

// What a thread found in its rows.
struct Finding {
  std::vector<CellKind> kind;  // the least that holds all cells, of each wanted column
  std::size_t bad_row = std::numeric_limits<std::size_t>::max();
  std::string message;
};

std::string n_cells(std::size_t n) { return std::to_string(n) + (n == 1 ? " cell" : " cells"); }

// Reads rows cell by cell.
class RowReader {
 public:
  RowReader(const Splitter& splitter, const char* document, const std::vector<Target>& targets,
            std::size_t number_stride)
      : splitter_(splitter),
        document_(document),
        targets_(targets),
        number_stride_(number_stride) {}

  // False for a row that does not fit; `finding` then says why.
  bool read(std::size_t row, const char* p, const char* end, Finding& finding) {
    const char delimiter = splitter_.delimiter();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      p = cell(targets_[i], row, p, end, finding);
      if (p == nullptr) return refuse(row, "expected cells of less than 16 MiB", finding);
      const bool last = i + 1 == targets_.size();
      if ((p == end) != last) return refuse_width(row, i + 1, p, end, finding);
      if (!last && *p == delimiter) ++p;
    }
    return true;
  }

 private:
  // Where the cell's delimiter is, or the end; nullptr where it is too long.
  const char* cell(const Target& target, std::size_t row, const char* p, const char* end,
                   Finding& finding) {
    if (!target.wanted) return splitter_.cell(p, end).next;
    CellKind& found = finding.kind[target.column];
    if (target.kind == CellKind::text) {
      const Cell cell = splitter_.cell(p, end);
      if (cell.last - cell.first >= std::ptrdiff_t{1} << kLengthBits) return nullptr;
      target.place[row] = pack(cell, document_);
      return cell.next;
    }
    const char delimiter = splitter_.delimiter();
    if (target.kind == CellKind::number) {
      double& value = target.number[row * number_stride_];
      const char* const next = json::plain_number(p, value);
      if (next != nullptr && (next == end || *next == delimiter)) return next;
    } else {
      std::int64_t& value = target.integer[row];
      const char* const next = json::plain_whole_number(p, value);
      if (next != nullptr && (next == end || *next == delimiter)) return next;
    }
    const Cell cell = splitter_.cell(p, end);
    if (found == CellKind::text) return cell.next;
    const CellNumber number =
        cell.doubled ? CellNumber{}
                     : read_number({cell.first, static_cast<std::size_t>(cell.last - cell.first)});
    found = std::max(found, number.kind);
    if (target.kind == CellKind::number) {
      target.number[row * number_stride_] = number.value;
    } else {
      target.integer[row] = number.whole;
    }
    return cell.next;
  }

  bool refuse_width(std::size_t row, std::size_t n, const char* p, const char* end,
                    Finding& finding) const {
    for (; p != end; ++n) p = splitter_.cell(p + 1, end).next;
    return refuse(
        row,
        "expected " + n_cells(targets_.size()) + ", as in the first line, got " + std::to_string(n),
        finding);
  }
  static bool refuse(std::size_t row, std::string message, Finding& finding) {
    finding.bad_row = row;
    finding.message = std::move(message);
    return false;
  }

  const Splitter& splitter_;
  const char* document_;
  const std::vector<Target>& targets_;
  std::size_t number_stride_;
};

void factorise(const Column<std::uint64_t>& place, const char* document, CsvColumn& column) {
  TextTable table;
  column.code.resize_uninitialised(place.size());
  std::array<std::uint64_t, kAhead> hashes{};
  std::array<std::string, kAhead> buffers;
  std::array<std::string_view, kAhead> texts;
  for (std::size_t begin = 0; begin < place.size(); begin += kAhead) {
    // So many different ones so far: probably ids.
    if (begin == kManyTexts && table.size() > kManyTexts / 2) table.reserve(place.size());
    const std::size_t n = std::min(kAhead, place.size() - begin);
    for (std::size_t i = 0; i < n; ++i) {
      texts[i] = content(unpack(place[begin + i], document), buffers[i]);
      hashes[i] = TextTable::hash(texts[i]);
      table.prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < n; ++i) column.code[begin + i] = table.insert(texts[i], hashes[i]);
  }
  column.text = table.release();
}

std::string hex(unsigned char byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

CellNumber read_number(std::string_view text) {
  const char* first = text.data();
  const char* const last = first + text.size();
  CellNumber number;
  const char* p = first;
  const bool negative = p != last && *p == '-';
  if (negative) ++p;
  if (p != last && *p == '+' && !negative) first = ++p;
  if (p == last) return number;
  if (!is_digit(*p) && *p != '.') {
    const bool nan = is_word(p, last, "nan");
    if (!nan && !is_word(p, last, "inf") && !is_word(p, last, "infinity")) return number;
    number.kind = CellKind::number;
    number.value =
        nan ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    if (negative) number.value = -number.value;
    return number;
  }
  const auto skip_digits = [&p, last] {
    const char* const start = p;
    while (p != last && is_digit(*p)) ++p;
    return p - start;
  };
  std::ptrdiff_t n_digits = skip_digits();
  bool whole = true;
  if (p != last && *p == '.') {
    whole = false;
    ++p;
    n_digits += skip_digits();
  }
  if (n_digits == 0) return number;
  if (p != last && json::is_exponent_mark(*p)) {
    whole = false;
    ++p;
    if (p != last && (*p == '+' || *p == '-')) ++p;
    if (skip_digits() == 0) return number;
  }
  if (p != last) return number;
  const json::NumberToken token{first, last, whole};
  const bool fits = whole && std::from_chars(first, last, number.whole).ec == std::errc();
  number.kind = fits ? CellKind::integer : CellKind::number;
  number.value = json::to_double(token);
  return number;
}

CsvTable::CsvTable(std::string_view document) : size_(document.size()) {
  bytes_.resize_uninitialised(size_ + kPadding);
  if (size_ != 0) std::memcpy(bytes_.data(), document.data(), size_);
  std::memset(bytes_.data() + size_, 0, kPadding);
  const std::size_t n_blocks = (size_ + kBlockBytes - 1) / kBlockBytes;
  std::vector<std::uint8_t> feature(n_blocks);
  parallel_for(n_blocks, [&](std::size_t block) {
    const std::size_t begin = block * kBlockBytes;
    feature[block] = features(bytes_.data() + begin, std::min(kBlockBytes, size_ - begin));
  });
  check_text(feature, kBlockBytes);
}

CsvTable CsvTable::from_file(const std::string& path) {
  CsvTable table;
  const json::Source source(json::Source::File{path});
  // What is there beyond the size that the system tells (0 for some files) is read in the end.
  const auto told = static_cast<std::size_t>(source.likely_size());
  const std::size_t n_blocks = (told + kBlockBytes - 1) / kBlockBytes;
  table.bytes_.resize_uninitialised(told + kBlockBytes + kPadding);
  std::vector<std::uint8_t> feature(n_blocks);
  std::vector<std::size_t> got(n_blocks);
  parallel_for(n_blocks, [&](std::size_t block) {
    char* const to = table.bytes_.data() + block * kBlockBytes;
    const std::size_t wanted = std::min(kBlockBytes, told - block * kBlockBytes);
    got[block] = source.read(block * kBlockBytes, to, wanted);
    feature[block] = features(to, got[block]);
  });
  std::size_t size = 0;
  for (std::size_t block = 0; block < n_blocks && size == block * kBlockBytes; ++block) {
    size += got[block];
  }
  while (size >= told) {
    table.bytes_.resize_uninitialised(size + kBlockBytes + kPadding);
    char* const to = table.bytes_.data() + size;
    const std::size_t n = source.read(size, to, kBlockBytes);
    if (n == 0) break;
    feature.resize((size + n + kBlockBytes - 1) / kBlockBytes);
    // It may lie in two blocks; to suspect both does no harm.
    const std::uint8_t found = features(to, n);
    feature[size / kBlockBytes] |= found;
    feature[(size + n - 1) / kBlockBytes] |= found;
    size += n;
  }
  table.size_ = size;
  std::memset(table.bytes_.data() + size, 0, kPadding);
  const std::string error = source.error();
  if (!error.empty()) {
    table.fault_.message = error;
    return table;
  }
  feature.resize((size + kBlockBytes - 1) / kBlockBytes);
  table.check_text(feature, kBlockBytes);
  return table;
}

void CsvTable::check_text(const std::vector<std::uint8_t>& suspect, std::size_t block_bytes) {
  const char* const begin = bytes_.data();
  const char* const end = begin + size_;
  const auto at = [begin](std::size_t i) { return static_cast<unsigned char>(begin[i]); };
  if (size_ >= 2 && ((at(0) == 0xff && at(1) == 0xfe) || (at(0) == 0xfe && at(1) == 0xff))) {
    fault_ = fault_at("expected UTF-8 text, got UTF-16: save the file as UTF-8", begin);
    return;
  }
  if (size_ >= 3 && at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf) mark_ = 3;
  bool any_line_feed = false;
  for (const std::uint8_t feature : suspect) any_line_feed |= (feature & kHasLineFeed) != 0;
  line_end_ = any_line_feed ? '\n' : '\r';
  const char* p = begin;
  for (std::size_t block = 0; block < suspect.size(); ++block) {
    const char* const stop = std::min(begin + (block + 1) * block_bytes, end);
    if ((suspect[block] & kHasOdd) == 0) {
      p = std::max(p, stop);
      continue;
    }
    if (p >= stop) continue;
    const Utf8Scan scan = scan_utf8(p, stop, end);
    const char* const zero = find(p, std::min(scan.at, stop), '\0');
    if (zero != std::min(scan.at, stop)) {
      fault_ = fault_at("expected text, got a NUL byte: is this a text file in UTF-8?", zero);
      return;
    }
    if (!scan.valid) {
      fault_ = fault_at("expected UTF-8 text, got the byte " +
                            hex(static_cast<unsigned char>(*scan.at)) + ": save the file as UTF-8",
                        scan.at);
      return;
    }
    p = scan.at;
  }
}

std::string_view CsvTable::text() const {
  return {bytes_.data() + mark_, size_ - std::min(mark_, size_)};
}

CsvFault CsvTable::fault_at(std::string message, const char* at) const {
  return {std::move(message), static_cast<std::uint64_t>(at - bytes_.data()), line_of(at)};
}

std::uint64_t CsvTable::line_of(const char* at) const {
  return 1 + static_cast<std::uint64_t>(std::count(bytes_.data(), at, line_end_));
}

std::uint64_t CsvTable::line(std::size_t record) const {
  return line_of(bytes_.data() + begin_[record]);
}

void CsvTable::split(char delimiter, std::size_t skipped) {
  delimiter_ = delimiter;
  begin_.clear();
  end_.clear();
  const char* const document = bytes_.data();
  const char* const stop = document + size_;
  if (size_ >> kBeginBits != 0) {
    fault_ = fault_at("expected a file of less than 512 GiB", document);
    return;
  }
  const Splitter splitter(delimiter);
  const bool any_quote = find(document, stop, '"') != stop;
  for (const char* p = std::min(document + mark_ + skipped, stop); p < stop;) {
    const char* line_end = find(p, stop, line_end_);
    if (any_quote && find(p, line_end, '"') != line_end) {
      // Cell by cell, because a quote may hold the line end.
      for (const char* q = p;;) {
        q = splitter.skip_blanks(q, stop);
        if (q < stop && *q == '"') {
          const char* const quote = q;
          bool doubled = false;
          q = Splitter::closing_quote(quote, stop, doubled);
          if (q == stop) {
            fault_ = fault_at("expected a closing quote, got the end of the file", quote);
            return;
          }
          q = splitter.skip_blanks(q + 1, stop);
          if (q < stop && *q == '\r' && (q + 1 == stop || q[1] == line_end_)) ++q;
          if (q < stop && *q != delimiter && *q != line_end_) {
            const auto byte = static_cast<unsigned char>(*q);
            fault_ = fault_at(
                "expected a delimiter or the end of the line after a quoted cell, got " +
                    (byte > ' ' && byte < 0x7f ? '"' + std::string(1, *q) + '"' : hex(byte)) +
                    ": a quote inside a cell is written as two",
                quote);
            return;
          }
          if (q > line_end) line_end = find(q, stop, line_end_);
        } else {
          q = find(q, line_end, delimiter);
        }
        if (q >= line_end) break;
        ++q;
      }
    }
    const char* end = line_end;
    if (end != p && end[-1] == '\r') --end;
    const char* first = p;
    while (first != end && *first == ' ') ++first;
    if (first != end) {
      begin_.push_back(static_cast<std::uint64_t>(p - document));
      end_.push_back(static_cast<std::uint64_t>(end - document));
    }
    p = line_end == stop ? stop : line_end + 1;
  }
  if (begin_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fault_ = fault_at("expected less than 2^31 records", document);
  }
}

std::vector<std::string> CsvTable::cells(std::size_t record) const {
  const Splitter splitter(delimiter_);
  std::vector<std::string> cells;
  std::string buffer;
  const char* const end = bytes_.data() + end_[record];
  for (const char* p = bytes_.data() + begin_[record];; ++p) {
    const Cell cell = splitter.cell(p, end);
    cells.emplace_back(content(cell, buffer));
    p = cell.next;
    if (p == end) return cells;
  }
}

CsvColumns CsvTable::columns(std::size_t first, std::size_t width,
                             const std::vector<std::size_t>& wanted, bool as_text,
                             std::size_t block_bytes) const {
  CsvColumns out;
  out.n_rows = n_records() - std::min(first, n_records());
  out.column.resize(wanted.size());
  const char* const document = bytes_.data();
  const Splitter splitter(delimiter_);

  std::vector<CellKind> kind(wanted.size(), as_text ? CellKind::text : CellKind::integer);
  std::string buffer;
  if (!as_text) {
    const std::size_t n_sampled = std::min(kSampleRows, out.n_rows);
    for (std::size_t i = 0; i < n_sampled; ++i) {
      const std::vector<std::string> row = cells(first + i * out.n_rows / n_sampled);
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (wanted[k] < row.size()) kind[k] = std::max(kind[k], kind_of(row[wanted[k]]));
      }
    }
    if (out.n_rows == 0) kind.assign(wanted.size(), CellKind::text);
  }

  // Blocks of whole rows.
  std::vector<std::size_t> bound{0};
  for (std::size_t row = 0; row < out.n_rows; ++row) {
    const std::size_t held = end_[first + row] - begin_[first + bound.back()];
    if (held >= block_bytes) bound.push_back(row + 1);
  }
  if (bound.back() != out.n_rows) bound.push_back(out.n_rows);

  std::vector<Column<std::uint64_t>> place(wanted.size());
  // Once with the kinds of the sample, which hold for all rows as a rule, and again if not.
  for (;;) {
    out.n_number = static_cast<std::size_t>(std::count(kind.begin(), kind.end(), CellKind::number));
    out.number.clear();
    out.number.resize_uninitialised(out.n_rows * out.n_number);
    std::vector<Target> targets(width);
    std::size_t n_number = 0;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      Target& target = targets[wanted[k]];
      target.wanted = true;
      target.kind = out.column[k].kind = kind[k];
      target.column = k;
      place[k].clear();
      out.column[k].integer.clear();
      if (kind[k] == CellKind::number) {
        out.column[k].number = n_number;
        target.number = out.number.data() + n_number++;
      } else if (kind[k] == CellKind::integer) {
        out.column[k].integer.resize_uninitialised(out.n_rows);
        target.integer = out.column[k].integer.data();
      } else {
        place[k].resize_uninitialised(out.n_rows);
        target.place = place[k].data();
      }
    }
    std::vector<Finding> finding(bound.size() - 1);
    parallel_for(finding.size(), [&](std::size_t block) {
      finding[block].kind = kind;
      RowReader reader(splitter, document, targets, out.n_number);
      for (std::size_t row = bound[block]; row < bound[block + 1]; ++row) {
        if (!reader.read(row, document + begin_[first + row], document + end_[first + row],
                         finding[block])) {
          return;
        }
      }
    });
    std::vector<CellKind> found = kind;
    for (Finding& each : finding) {
      if (!each.message.empty()) {
        out.fault = fault_at(std::move(each.message), document + begin_[first + each.bad_row]);
        return out;
      }
      for (std::size_t k = 0; k < wanted.size(); ++k) found[k] = std::max(found[k], each.kind[k]);
    }
    if (found == kind) break;
    kind = std::move(found);
  }

  std::vector<std::size_t> texts;
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    if (kind[k] == CellKind::text) texts.push_back(k);
  }
  parallel_for(texts.size(), [&](std::size_t i) {
    factorise(place[texts[i]], document, out.column[texts[i]]);
    place[texts[i]] = Column<std::uint64_t>();
  });
  return out;
}

}  // namespace snellen
