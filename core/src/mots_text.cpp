#include "snellen/mots_text.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "printable.hpp"
#include "rle_spans.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::size_t kColumns = 6;
constexpr const char* kNames[] = {"frame", "id", "class", "height", "width"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// A whole number from 0 on that fits 63 bits.
std::optional<std::int64_t> whole_number(std::string_view cell) {
  const std::size_t point = cell.find('.');
  if (point != std::string_view::npos) {
    if (cell.find_first_not_of('0', point + 1) != std::string_view::npos) return std::nullopt;
    cell = cell.substr(0, point);
  }
  if (cell.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : cell) {
    if (c < '0' || c > '9') return std::nullopt;
    const std::int64_t digit = c - '0';
    if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return std::nullopt;
    value = 10 * value + digit;
  }
  return value;
}

// Reads the cells of a line; the message of what is wrong, or none.
std::string read_line(std::string_view line, MotsRows& rows) {
  std::string_view cells[kColumns];
  std::size_t n = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    if (n < kColumns) cells[n] = line.substr(begin, at - begin);
    ++n;
  }
  if (n == 0) return {};
  if (n != kColumns) {
    std::string message =
        "expected 6 values separated by blanks (frame, id, class, height, width, mask), got " +
        std::to_string(n);
    if (n == 1 && cells[0].find(',') != std::string_view::npos) message += ": a table of commas?";
    return message;
  }
  std::int64_t numbers[kColumns - 1];
  for (std::size_t k = 0; k < kColumns - 1; ++k) {
    const auto number = whole_number(cells[k]);
    if (!number) {
      return std::string("expected a whole number from 0 on as ") + kNames[k] + ", got " +
             printable(cells[k]);
    }
    numbers[k] = *number;
  }
  for (std::size_t k = 3; k < kColumns - 1; ++k) {
    if (numbers[k] > std::numeric_limits<std::int32_t>::max()) {
      return std::string("expected a ") + kNames[k] + " below 2^31, got " + printable(cells[k]);
    }
  }
  const std::uint64_t n_pixels =
      static_cast<std::uint64_t>(numbers[3]) * static_cast<std::uint64_t>(numbers[4]);
  const RleFault fault = append_rle(cells[kColumns - 1], n_pixels, rows.masks.runs);
  if (fault) {
    return fault.message + " (character " + std::to_string(fault.position + 1) + " of the mask)";
  }
  rows.masks.offset.push_back(static_cast<std::int64_t>(rows.masks.runs.size()));
  rows.frame.push_back(numbers[0]);
  rows.id.push_back(numbers[1]);
  rows.label.push_back(numbers[2]);
  rows.size.push_back(static_cast<std::int32_t>(numbers[3]));
  rows.size.push_back(static_cast<std::int32_t>(numbers[4]));
  rows.line.push_back(static_cast<std::int64_t>(rows.n_lines));
  return {};
}

// Lines are counted from 1 on.
void read_piece(std::string_view text, MotsRows& rows) {
  rows.masks.offset.push_back(0);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && !is_line_end(text[at])) ++at;
    ++rows.n_lines;
    std::string message = read_line(text.substr(begin, at - begin), rows);
    if (!message.empty()) {
      rows.fault = {std::move(message), rows.n_lines};
      return;
    }
    if (at < text.size()) at += text.substr(at, 2) == "\r\n" ? 2 : 1;
  }
}

}  // namespace

MotsRows read_mots(std::string_view text, std::size_t piece_bytes) {
  // A piece ends behind a line.
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    std::size_t end = std::min(text.size(), piece_bytes);
    while (end < text.size() && text[end - 1] != '\n') ++end;
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  std::vector<MotsRows> parts(pieces.size());
  parallel_for(pieces.size(), [&](std::size_t i) { read_piece(pieces[i], parts[i]); });
  MotsRows rows;
  std::vector<RleRows> masks;
  for (MotsRows& part : parts) {
    if (part.fault) {
      rows.fault = {std::move(part.fault.message), rows.n_lines + part.fault.line};
      return rows;
    }
    rows.frame.append(part.frame);
    rows.id.append(part.id);
    rows.label.append(part.label);
    rows.size.append(part.size);
    for (const std::int64_t line : part.line) {
      rows.line.push_back(static_cast<std::int64_t>(rows.n_lines) + line);
    }
    rows.n_lines += part.n_lines;
    masks.push_back(std::move(part.masks));
  }
  rows.masks = join_rows(masks);
  return rows;
}

}  // namespace snellen
