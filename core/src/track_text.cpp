#include "snellen/track_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "snellen/csv_table.hpp"
#include "snellen/json_scanner.hpp"

namespace snellen {
namespace {

// What may be looked at behind the last byte.
constexpr std::size_t kPadding = 64;
static_assert(kPadding >= json::kPlainReach);

constexpr std::size_t kFrame = 1;
constexpr std::size_t kTrack = 2;
constexpr std::size_t kLeft = 3;
constexpr std::size_t kWidth = 5;
constexpr std::size_t kMark = 7;
constexpr std::size_t kLabel = 8;
constexpr std::size_t kVisibility = 9;

// Doubles below have all whole numbers; 2^53 + 1, too, is read as 2^53.
constexpr double kWidest = 0x1p53;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

const char* find(const char* p, const char* end, char c) {
  if (p == end) return end;
  const void* const found = std::memchr(p, c, static_cast<std::size_t>(end - p));
  return found == nullptr ? end : static_cast<const char*>(found);
}

// Without the blanks around it, and without the first half of a line end.
std::string_view stripped(const char* first, const char* last) {
  while (first != last && is_blank(*first)) ++first;
  while (first != last && (is_blank(last[-1]) || last[-1] == '\r')) --last;
  return {first, static_cast<std::size_t>(last - first)};
}

template <class T>
void reorder(const Column<std::uint64_t>& row, std::size_t width, Column<T>& column) {
  if (column.empty()) return;
  Column<T> ordered;
  ordered.resize_uninitialised(column.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      ordered[i * width + k] = column[row[i] * width + k];
    }
  }
  column = std::move(ordered);
}

}  // namespace

bool TrackText::read(std::string_view piece) {
  if (fault_) return false;
  const std::size_t held = buffer_.size();
  buffer_.resize_uninitialised(held + piece.size());
  if (!piece.empty()) std::memcpy(buffer_.data() + held, piece.data(), piece.size());
  // What a line ends with shows in as much text as a line may have.
  if (!started_ && buffer_.size() <= kLongestTrackLine) return true;
  return (started_ || start()) && parse();
}

bool TrackText::finish() {
  finished_ = true;
  if (fault_) return false;
  if (!started_ && !start()) return false;
  if (!buffer_.empty()) {
    buffer_.push_back(line_end_);
    if (!parse()) return false;
  }
  order_by_frame();
  find_repeats();
  return true;
}

// Knows line ends and a byte order mark by the beginning of the text.
bool TrackText::start() {
  started_ = true;
  const char* const begin = buffer_.data();
  const std::size_t n = buffer_.size();
  const auto at = [begin](std::size_t i) { return static_cast<unsigned char>(begin[i]); };
  if (n >= 2 && ((at(0) == 0xff && at(1) == 0xfe) || (at(0) == 0xfe && at(1) == 0xff))) {
    return refuse(TrackFault::encoding);
  }
  const char* const end = begin + std::min(n, kLongestTrackLine);
  if (find(begin, end, '\n') == end && find(begin, end, '\r') != end) line_end_ = '\r';
  if (n >= 3 && at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf) {
    std::fill(buffer_.data(), buffer_.data() + 3, ' ');
  }
  return true;
}

// Reads all whole lines of the buffer and keeps the rest.
bool TrackText::parse() {
  const std::size_t n = buffer_.size();
  buffer_.reserve(n + kPadding);
  std::memset(buffer_.data() + n, 0, kPadding);
  const char* const begin = buffer_.data();
  const char* end = begin + n;
  while (end != begin && end[-1] != line_end_) --end;
  for (const char* p = begin; n_columns_ == 0 && p != end;) {
    // The first line that is not blank says what stands between cells.
    const char* const stop = find(p, end, line_end_);
    const std::string_view line = stripped(p, stop);
    if (!line.empty()) {
      static constexpr std::string_view kDelimiters = ";,\t";
      const auto found = std::find_if(kDelimiters.begin(), kDelimiters.end(),
                                      [line](char c) { return line.find(c) != line.npos; });
      delimiter_ = found == kDelimiters.end() ? ' ' : *found;
      split(p, stop);
      if (delimiter_ == '\t' && cells_.size() < kLeastTrackColumns) {
        delimiter_ = ' ';  // a tab among the blanks
        split(p, stop);
      }
      n_columns_ = cells_.size();
      if (n_columns_ < kLeastTrackColumns || line.size() > kLongestTrackLine) {
        n_lines_ += static_cast<std::uint64_t>(std::count(begin, p, line_end_));
        if (line.size() > kLongestTrackLine) return refuse(TrackFault::long_line);
        fault_.n_columns = n_columns_;
        return refuse(TrackFault::columns);
      }
    }
    p = stop + 1;
  }
  const bool all =
      delimiter_ == ' ' ? parse_lines<true>(begin, end) : parse_lines<false>(begin, end);
  if (!all) return false;
  const auto rest = static_cast<std::size_t>(begin + n - end);
  if (rest > kLongestTrackLine) return refuse(TrackFault::long_line);
  std::memmove(buffer_.data(), end, rest);
  buffer_.resize_uninitialised(rest);
  return true;
}

template <bool kBlanks>
bool TrackText::parse_lines(const char* p, const char* end) {
  while (p != end) {
    Row row;
    const char* stop = rules_.short_ways ? plain_row<kBlanks>(p, row) : nullptr;
    if (stop == nullptr || static_cast<std::size_t>(stop - p) > kLongestTrackLine) {
      stop = find(p, end, line_end_);
      if (static_cast<std::size_t>(stop - p) > kLongestTrackLine) {
        return refuse(TrackFault::long_line);
      }
      if (stripped(p, stop).empty()) {
        ++n_lines_;
        if (gaps_.empty() || gaps_.back().row != n_rows()) {
          gaps_.push_back({n_rows(), gaps_.empty() ? 0 : gaps_.back().n_lines});
        }
        ++gaps_.back().n_lines;
        p = stop + 1;
        continue;
      }
      split(p, stop);
      if (!careful_row(row)) return false;
    }
    append(row);
    ++n_lines_;
    p = stop + 1;
  }
  return true;
}

// A row of numbers as they usually are, up to its line end; nullptr says nothing about the line.
template <bool kBlanks>
const char* TrackText::plain_row(const char* p, Row& row) const {
  const char delimiter = delimiter_;
  const char line_end = line_end_;
  if (n_columns_ == 0) return nullptr;
  const auto skip = [delimiter](const char* q) {
    while (*q == ' ' || (*q == '\t' && (kBlanks || delimiter != '\t'))) ++q;
    return q;
  };
  // Behind the delimiter that follows a cell.
  const auto next = [&skip, delimiter](const char* q) -> const char* {
    if constexpr (kBlanks) {
      return is_blank(*q) ? skip(q) : nullptr;
    } else {
      return *q == delimiter ? skip(q + 1) : nullptr;
    }
  };
  const auto whole_number = [](const char* q, std::int64_t& value) -> const char* {
    const char* const after = json::plain_whole_number(q, value);
    if (after == nullptr || *after != '.') return after;
    double number = 0;
    q = json::plain_number(q, number);
    return q != nullptr && number == static_cast<double>(value) ? q : nullptr;
  };
  p = skip(p);
  if ((p = whole_number(p, row.frame)) == nullptr || (p = next(p)) == nullptr) return nullptr;
  if ((p = whole_number(p, row.track)) == nullptr) return nullptr;
  for (double& value : row.xywh) {
    if ((p = next(p)) == nullptr || (p = json::plain_number(p, value)) == nullptr) return nullptr;
  }
  std::size_t column = kMark;
  if (has_mark()) {
    if ((p = next(p)) == nullptr || (p = json::plain_number(p, row.mark)) == nullptr) {
      return nullptr;
    }
    ++column;
  }
  if (has_label()) {
    double value = 0;
    if ((p = next(p)) == nullptr || (p = json::plain_number(p, value)) == nullptr) return nullptr;
    row.label = static_cast<std::int64_t>(value);  // of at most eight digits before the point
    ++column;
  }
  if (has_visibility()) {
    if ((p = next(p)) == nullptr || (p = json::plain_number(p, row.visibility)) == nullptr) {
      return nullptr;
    }
    ++column;
  }
  for (; column <= n_columns_; ++column) {
    if ((p = next(p)) == nullptr) return nullptr;
    if (*p == line_end || *p == '\r') return nullptr;
    while (*p != delimiter && *p != line_end && !(kBlanks && is_blank(*p))) ++p;
  }
  if (!kBlanks && *p == delimiter) ++p;
  p = skip(p);
  if (*p == '\r' && line_end != '\r') ++p;
  if (*p != line_end || row.frame < rules_.first_frame || row.frame > rules_.last_frame) {
    return nullptr;
  }
  return row.xywh[2] >= 0 && row.xywh[3] >= 0 ? p : nullptr;
}

// Finds the cells of a line, its blanks and the first half of its end included.
void TrackText::split(const char* first, const char* last) {
  cells_.clear();
  if (delimiter_ == ' ') {
    const std::string_view line = stripped(first, last);
    last = line.data() + line.size();
    for (const char* p = line.data(); p != last; p = std::find_if_not(p, last, is_blank)) {
      const char* const cell = p;
      p = std::find_if(p, last, is_blank);
      cells_.emplace_back(cell, static_cast<std::size_t>(p - cell));
    }
    return;
  }
  for (const char* p = first;;) {
    const char* const stop = find(p, last, delimiter_);
    cells_.push_back(stripped(p, stop));
    if (stop == last) break;
    p = stop + 1;
  }
  if (cells_.back().empty()) cells_.pop_back();
}

bool TrackText::careful_row(Row& row) {
  if (cells_.size() != n_columns_) {
    fault_.n_columns = cells_.size();
    return refuse(TrackFault::columns);
  }
  if (!whole(kFrame, row.frame)) return false;
  if (row.frame < rules_.first_frame) return refuse(TrackFault::frame_too_early, kFrame);
  if (row.frame > rules_.last_frame) return refuse(TrackFault::frame_too_late, kFrame);
  if (!whole(kTrack, row.track)) return false;
  for (std::size_t k = 0; k < 4; ++k) {
    if (!number(kLeft + k, row.xywh[k])) return false;
  }
  for (std::size_t k = 2; k < 4; ++k) {
    if (row.xywh[k] < 0) return refuse(TrackFault::negative_size, kLeft + k);
  }
  if (has_mark() && !number(kMark, row.mark)) return false;
  if (has_label()) {
    double value = 0;
    if (!number(kLabel, value)) return false;
    if (std::abs(value) > kWidest) return refuse(TrackFault::too_wide, kLabel);
    row.label = static_cast<std::int64_t>(value);
  }
  return !has_visibility() || number(kVisibility, row.visibility);
}

bool TrackText::whole(std::size_t column, std::int64_t& value) {
  const CellNumber cell = read_number(cells_[column - 1]);
  value = cell.whole;
  if (cell.kind == CellKind::integer) return true;
  if (cell.kind == CellKind::text) return refuse(TrackFault::not_a_number, column);
  if (!std::isfinite(cell.value)) return refuse(TrackFault::not_finite, column);
  if (std::trunc(cell.value) != cell.value) return refuse(TrackFault::not_whole, column);
  if (std::abs(cell.value) >= kWidest) return refuse(TrackFault::too_wide, column);
  value = static_cast<std::int64_t>(cell.value);
  return true;
}

bool TrackText::number(std::size_t column, double& value) {
  const CellNumber cell = read_number(cells_[column - 1]);
  value = cell.value;
  if (cell.kind == CellKind::text) return refuse(TrackFault::not_a_number, column);
  return std::isfinite(value) || refuse(TrackFault::not_finite, column);
}

// About the line behind the `n_lines_` that were read. Always false.
bool TrackText::refuse(TrackFault kind, std::size_t column) {
  fault_.kind = kind;
  fault_.line = n_lines_ + 1;
  fault_.column = column;
  if (column != 0) fault_.cell = cells_[column - 1];
  return false;
}

void TrackText::append(const Row& row) {
  if (frame_.size() != 0 && row.frame < frame_[frame_.size() - 1]) ascending_ = false;
  frame_.push_back(row.frame);
  track_.push_back(row.track);
  const std::size_t n = xywh_.size();
  if (n + 4 > xywh_.capacity()) xywh_.reserve(std::max<std::size_t>(256, 2 * n));
  xywh_.resize_uninitialised(n + 4);
  std::memcpy(xywh_.data() + n, row.xywh, sizeof(row.xywh));
  if (has_mark()) mark_.push_back(row.mark);
  if (has_label()) label_.push_back(row.label);
  if (has_visibility()) visibility_.push_back(row.visibility);
}

std::uint64_t TrackText::line_of(std::size_t row) const {
  const auto behind = std::upper_bound(gaps_.begin(), gaps_.end(), row,
                                       [](std::size_t r, const Gap& gap) { return r < gap.row; });
  return row + 1 + (behind == gaps_.begin() ? 0 : behind[-1].n_lines);
}

void TrackText::order_by_frame() {
  if (ascending_) return;
  const std::size_t n = n_rows();
  row_.resize_uninitialised(n);
  const auto [least, most] = std::minmax_element(frame_.begin(), frame_.end());
  const auto offset = static_cast<std::uint64_t>(*least);
  const std::uint64_t span = static_cast<std::uint64_t>(*most) - offset;
  if (span / 4 < n) {
    std::vector<std::size_t> place(static_cast<std::size_t>(span) + 2);
    for (const std::int64_t frame : frame_) ++place[static_cast<std::uint64_t>(frame) - offset + 1];
    std::partial_sum(place.begin(), place.end(), place.begin());
    for (std::size_t i = 0; i < n; ++i) {
      row_[place[static_cast<std::uint64_t>(frame_[i]) - offset]++] = i;
    }
  } else {
    std::iota(row_.begin(), row_.end(), std::uint64_t{0});
    std::stable_sort(row_.begin(), row_.end(),
                     [this](std::uint64_t a, std::uint64_t b) { return frame_[a] < frame_[b]; });
  }
  reorder(row_, 1, frame_);
  reorder(row_, 1, track_);
  reorder(row_, 4, xywh_);
  reorder(row_, 1, mark_);
  reorder(row_, 1, label_);
  reorder(row_, 1, visibility_);
}

void TrackText::find_repeats() {
  const auto is_region = [this](std::size_t i) {
    return has_label() && std::find(rules_.region_classes.begin(), rules_.region_classes.end(),
                                    label_[i]) != rules_.region_classes.end();
  };
  std::vector<std::pair<std::int64_t, std::size_t>> here;  // track, row in the text
  for (std::size_t begin = 0; begin < n_rows();) {
    std::size_t end = begin;
    bool ascending = true;
    here.clear();
    for (; end < n_rows() && frame_[end] == frame_[begin]; ++end) {
      if (is_region(end)) continue;
      ascending = ascending && (here.empty() || here.back().first < track_[end]);
      here.emplace_back(track_[end], row_.empty() ? end : row_[end]);
    }
    if (!ascending) {
      std::sort(here.begin(), here.end());
      std::size_t first = 0;  // of this track
      for (std::size_t i = 1; i < here.size(); ++i) {
        if (here[i].first != here[first].first) {
          first = i;
          continue;
        }
        const std::uint64_t line = line_of(here[i].second);
        if (repeats_.n++ == 0 || line < repeats_.line) {
          repeats_.frame = frame_[begin];
          repeats_.track = here[i].first;
          repeats_.line = line;
          repeats_.earlier_line = line_of(here[first].second);
        }
      }
    }
    begin = end;
  }
}

}  // namespace snellen
