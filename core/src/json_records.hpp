// The records of a list, one by one, into a table.
//
// Files are written by programs: a record nearly always has the keys of the one before, in the same
// order, with the same white space. So each record that is read the long way leaves a layout: the
// bytes between its values, verbatim, and which value goes where. A record with the same bytes
// between its values has the same keys and the same structure, hence is as well formed as the one
// that the layout was taken from, provided that each value is a whole token; then a few word
// comparisons stand for finding, decoding and looking up its keys. Anything that differs, and
// anything that is wrong, is read the long way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json_problem.hpp"
#include "json_source.hpp"
#include "json_table.hpp"
#include "snellen/json_scanner.hpp"

namespace snellen::json {

class Layout {
 public:
  enum class Kind : std::uint8_t {
    number,
    score,
    size,
    whole_number,
    count,
    text,
    crowd,
    shape,
    keypoints,
    skipped,
    none
  };
  struct Value {
    Kind kind;
    std::uint8_t cell;
    std::uint8_t element;  // of a box
    const char* first;
    const char* last;
  };
  static constexpr std::size_t kMaxWords = 6;
  struct Step {
    Kind kind;
    std::uint8_t cell;
    std::uint8_t element;
    std::uint8_t n_words;
    std::uint8_t length;
    // What stands before the value (behind the last one, for the step that ends the record),
    // and which of its bits to compare: the last word may be used in part.
    std::array<std::uint64_t, kMaxWords> word;
    std::array<std::uint64_t, kMaxWords> mask;

    // Bytes that must be readable where a step starts.
    static constexpr std::ptrdiff_t kReach = 8 * kMaxWords + kPlainReach;

    bool matches(const char* p) const {
      std::uint64_t difference = 0;
      for (std::size_t i = 0; i < n_words; ++i) {
        difference |= (load_word(p + 8 * i) ^ word[i]) & mask[i];
      }
      return difference == 0;
    }
  };

  void forget();
  void note(const Value& value);
  // The record at hand is not to be learnt from.
  void refuse() { refused_ = true; }
  // Takes the layout of the record [first, last) from the values noted since forget().
  void learn(const char* first, const char* last);
  bool known() const { return n_steps_ != 0; }
  const Step* begin() const { return step_.data(); }
  const Step* end() const { return step_.data() + n_steps_; }

 private:
  static constexpr std::size_t kMaxSteps = 32;
  bool set_step(std::size_t i, const char* first, const char* last);

  bool refused_ = false;
  std::size_t n_values_ = 0;
  std::array<Value, kMaxSteps> value_;
  std::size_t n_steps_ = 0;
  std::array<Step, kMaxSteps> step_;
};

class RecordReader {
 public:
  explicit RecordReader(Table& table) : table_(&table), depth_(table.schema().depth) {}

  // One record, or whatever stands in the place of one. When false the scanner says what is wrong
  // and `blame` where.
  bool read(Scanner& scanner, const Window& window) {
    return (layout_.known() && read_alike(scanner, window)) || read_any(scanner, window);
  }
  // Adds the place within the list that was being read when the scanner failed.
  void blame(Problem& problem) const;
  // For a table that was emptied: what is known of the kinds of its ids no longer holds.
  void reset() { layout_.forget(); }

 private:
  // A value being read the long way.
  struct Place {
    Scanner& scanner;
    const Window& window;
    Cell& cell;
    std::size_t index;                                  // of the cell
    std::size_t depth;                                  // containers open around the value
    std::optional<std::size_t> element = std::nullopt;  // of a box, of polygons …
    std::optional<std::size_t> part = std::nullopt;     // of a polygon
    std::string_view member = {};                       // of run lengths
  };

  bool read_alike(Scanner& scanner, const Window& window);
  bool read_any(Scanner& scanner, const Window& window);
  bool read_members(Scanner& scanner, const Window& window);
  std::size_t find_field(const TextToken& key);
  bool read_field(Scanner& scanner, const Window& window, std::size_t i);
  bool read_id(Place& at);
  bool read_box(Place& at);
  // `at_least_zero`: what to call the number where it must not be negative, else nullptr.
  bool read_number(Place& at, const char* at_least_zero);
  bool read_crowd(Place& at);
  bool read_mark(Place& at);
  bool read_name(Place& at);
  bool read_count(Place& at);
  bool read_keypoints(Place& at);
  // As if the key were absent.
  bool read_null(Place& at);
  // In json_shapes.cpp.
  bool read_shape(Place& at);
  bool read_polygons(Place& at);
  bool read_polygon(Place& at);
  bool read_run_lengths(Place& at);
  bool read_run_list(Place& at);
  bool read_mask_size(Place& at);
  // A list of numbers between ± `bound`, added to a column, and how many it has. What is wrong is
  // element k of the place, or part k of its element.
  bool read_numbers(Place at, double bound, const char* expected, Column<double>& numbers,
                    std::size_t& n);
  // 0 where it is wrong.
  bool read_whole_number(Place& at, std::int64_t& value, std::int64_t most, const char* expected);
  Problem& wrong(Place& at, const char* where, const char* expected);
  bool skip_wrong(Place& at, const char* expected);
  // A list of a wrong length.
  void wrong_length(Place& at, const char* where, const char* expected, std::size_t n);
  void note(const Place& at, Layout::Kind kind, const char* first);

  Table* table_;
  std::size_t depth_;
  Layout layout_;
  Record record_;
  std::string_view at_field_;        // the value being read: its field,
  std::uint64_t at_key_ = kNowhere;  // or else where its key stands
  std::string decoded_key_;
};

}  // namespace snellen::json
