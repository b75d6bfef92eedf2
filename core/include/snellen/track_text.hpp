// Text of tracks to columns: a line is an object in a frame.
//
// Columns: frame, track, left, top, width, height; then, where there are more, a mark (whether a
// row of truth counts, how sure a prediction is), a class and, of truth, a visibility. What follows
// is counted and not read. The first line says what stands between cells: semicolons, commas or
// tabs (blanks around a cell are not part of it), else blanks, of which any run is one. All lines
// have as many cells as the first; one delimiter more at the end of a line is none. Lines of
// nothing but blanks are skipped.
//
// Numbers are decimal, rounded to the nearest double. Frames, tracks and classes may be written
// with a fraction: 3.0 is 3. That of a class is cut off.
//
// Text comes in pieces of any size, which changes nothing: no more of it is held than a piece and
// a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

enum class TrackFault : std::uint8_t {
  none,
  encoding,      // UTF-16
  long_line,     // more than kLongestTrackLine
  columns,       // too few in the first line, or others than there
  not_a_number,  // nor is nothing
  not_finite,
  not_whole,  // a frame or a track
  too_wide,   // a frame, track or class that int64 or, with a fraction, a double cannot hold
  frame_too_early,
  frame_too_late,
  negative_size,
};

inline constexpr std::size_t kLongestTrackLine = std::size_t{1} << 20;
inline constexpr std::size_t kLeastTrackColumns = 6;

struct TrackTextFault {
  TrackFault kind = TrackFault::none;
  std::uint64_t line = 0;     // from 1
  std::size_t column = 0;     // from 1; 0 where it is not about a cell
  std::size_t n_columns = 0;  // of the line, where that is the fault
  std::string cell;           // as it was read

  explicit operator bool() const { return kind != TrackFault::none; }
};

// Tracks that are in a frame more than once.
struct TrackRepeats {
  std::size_t n = 0;  // rows whose track and frame an earlier line has
  // Of them the one in the earliest line.
  std::int64_t frame = 0;
  std::int64_t track = 0;
  std::uint64_t line = 0;
  std::uint64_t earlier_line = 0;
};

struct TrackTextRules {
  bool is_truth = false;
  std::int64_t first_frame = 1;
  std::int64_t last_frame = std::numeric_limits<std::int64_t>::max();
  // Classes of areas and not of objects, whose tracks may repeat.
  std::vector<std::int64_t> region_classes;
  // Without, each line is taken apart cell by cell; tests compare.
  bool short_ways = true;
};

class TrackText {
 public:
  explicit TrackText(TrackTextRules rules) : rules_(std::move(rules)) {}

  // Reads on. False as soon as a line cannot be read; nothing more is then read.
  bool read(std::string_view piece);
  // Reads what the last piece left, orders rows by frame (those of a frame stay in the order of the
  // text) and looks for repeated tracks. Not to be called twice.
  bool finish();
  bool finished() const { return finished_; }

  const TrackTextFault& fault() const { return fault_; }
  const TrackRepeats& repeats() const { return repeats_; }
  // How many cells a line has; 0 for a text without lines.
  std::size_t n_columns() const { return n_columns_; }
  std::size_t n_rows() const { return frame_.size(); }
  bool has_mark() const { return n_columns_ >= 7; }
  bool has_label() const { return n_columns_ >= 8; }
  bool has_visibility() const { return rules_.is_truth && n_columns_ >= 9; }

  // To be taken when all is read. A column that the text does not have is empty.
  Column<std::int64_t>& frame() { return frame_; }
  Column<std::int64_t>& track() { return track_; }
  Column<double>& xywh() { return xywh_; }
  Column<double>& mark() { return mark_; }
  Column<std::int64_t>& label() { return label_; }
  Column<double>& visibility() { return visibility_; }

 private:
  struct Row {
    std::int64_t frame;
    std::int64_t track;
    double xywh[4];
    double mark;
    std::int64_t label;
    double visibility;
  };
  // Lines without a row before a row.
  struct Gap {
    std::size_t row;
    std::uint64_t n_lines;  // all so far
  };

  bool start();
  bool parse();
  template <bool kBlanks>
  bool parse_lines(const char* p, const char* end);
  template <bool kBlanks>
  const char* plain_row(const char* p, Row& row) const;
  void split(const char* first, const char* last);
  bool careful_row(Row& row);
  bool whole(std::size_t column, std::int64_t& value);
  bool number(std::size_t column, double& value);
  bool refuse(TrackFault kind, std::size_t column = 0);
  void append(const Row& row);
  std::uint64_t line_of(std::size_t row) const;
  void order_by_frame();
  void find_repeats();

  TrackTextRules rules_;
  TrackTextFault fault_;
  TrackRepeats repeats_;
  Column<char> buffer_;   // what is not read yet
  bool started_ = false;  // delimiter and line end are known
  bool finished_ = false;
  char line_end_ = '\n';
  char delimiter_ = ' ';  // a space: any run of blanks
  std::size_t n_columns_ = 0;
  std::uint64_t n_lines_ = 0;
  std::vector<Gap> gaps_;
  std::vector<std::string_view> cells_;  // of the line that is read
  bool ascending_ = true;

  Column<std::int64_t> frame_;
  Column<std::int64_t> track_;
  Column<double> xywh_;
  Column<double> mark_;
  Column<std::int64_t> label_;
  Column<double> visibility_;
  Column<std::uint64_t> row_;  // in the text, of each row; empty where that is the order
};

}  // namespace snellen
