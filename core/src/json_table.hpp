// Records to columns: which keys of a record are kept, and the columns they go to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json_problem.hpp"
#include "json_shapes.hpp"
#include "snellen/column.hpp"
#include "snellen/json_columns.hpp"

namespace snellen::json {

// A `mark` is what is like a crowd's, or anything else. `count` is a whole number from 0 on. Of
// boxes, counts, shapes and keypoints those that are not required may be null, and such boxes an
// empty list.
enum class FieldKind : std::uint8_t {
  id,
  box,
  score,
  area,
  crowd,
  mark,
  name,
  count,
  shape,
  keypoints
};

struct Field {
  std::string_view key;
  FieldKind kind;
  bool required;
};

inline constexpr std::size_t kMaxFields = 8;
inline constexpr std::size_t kMaxIdBytes = 1024;

// The records of one list.
struct Schema {
  std::string_view path;  // of the list
  std::size_t depth;      // containers open around a record
  std::span<const Field> fields;
};

// One field of the record at hand. A problem is not reported before the record is complete, as an
// equal key may come that overrides it.
struct Cell {
  bool present = false;
  bool is_text = false;
  std::uint8_t crowd = 0;
  std::int64_t id = 0;
  std::array<double, 4> number{};
  std::string text;
  std::uint64_t byte = 0;
  Problem problem;
};

struct Record {
  std::uint64_t byte = 0;
  std::array<Cell, kMaxFields> cell;
  // What no cell has room for; a schema has one field of each kind at most.
  Shape shape;
  Column<double> keypoint_numbers;
};

// Distinct texts, numbered in order of first appearance. A sorted map, so that nobody can craft
// texts that make it slow, behind a small cache, because ids of neighbouring records repeat.
class TextNumbers {
 public:
  std::int64_t number_of(const std::string& text);
  std::vector<std::string> in_order() const;
  void clear();

 private:
  using Map = std::map<std::string, std::int64_t>;
  Map numbers_;
  std::array<const Map::value_type*, 256> recent_{};
};

struct IdBuilder {
  enum class Kind { unknown, number, text };
  Kind kind = Kind::unknown;
  Column<std::int64_t> value;
  TextNumbers texts;

  static Kind kind_of(const Cell& cell) { return cell.is_text ? Kind::text : Kind::number; }
  bool accepts(Kind other) const {
    return kind == Kind::unknown || other == Kind::unknown || kind == other;
  }
  IdColumn finish();
};

// What a field of any kind may need; the rest stays empty.
struct FieldColumns {
  IdBuilder ids;
  Column<std::uint8_t> flags;  // crowds; whether an optional id is there
  Column<double> numbers;
  Column<std::int64_t> counts;  // −1 where absent; of keypoints
  std::vector<std::string> names;
  ShapeColumns shapes;
};

// The columns of a list, or of a stretch of it. After the first problem rows are only counted: the
// columns will not be used.
class Table {
 public:
  explicit Table(const Schema& schema) : schema_(&schema) {}

  const Schema& schema() const { return *schema_; }
  std::uint64_t n_rows() const { return n_rows_; }
  const Problem& problem() const { return problem_; }
  // What is read alike, but is something else to those who go by how it is written: an id as 1.0,
  // a score as 1, a crowd's mark that is neither 0 nor 1.
  void note_unusual() { unusual_ = true; }
  bool unusual() const { return unusual_; }
  FieldColumns& field(std::size_t i) { return columns_[i]; }

  void clear();
  // Makes room for this many rows, so that columns need not move while they grow.
  void expect(std::uint64_t n_rows);
  void add(const Record& record);          // known to be in order
  void add_checked(const Record& record);  // or it has a problem
  void add_faulty(Problem problem);
  // Whether the rows of `other` may follow. Not if it has the first problem of the list, or ids of
  // another kind than ours: what is then to be reported depends on the rows before, and reading the
  // stretch again, into this table, finds it.
  bool accepts(const Table& other) const;
  void append(const Table& other);

 private:
  Problem check(const Record& record) const;

  const Schema* schema_;
  std::uint64_t n_rows_ = 0;
  bool unusual_ = false;
  Problem problem_;
  std::array<FieldColumns, kMaxFields> columns_;
};

}  // namespace snellen::json
