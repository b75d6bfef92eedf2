// Values of "segmentation", one at a time and as columns.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "snellen/column.hpp"
#include "snellen/json_columns.hpp"

namespace snellen::json {

// Growing to the exact size each time would copy the column each time.
template <class T>
void append_roomily(Column<T>& column, const Column<T>& more) {
  if (more.empty()) return;
  column.reserve(std::bit_ceil(column.size() + more.size()));
  column.append(more);
}

// The shape of the record at hand.
struct Shape {
  ShapeForm form = ShapeForm::absent;
  std::uint8_t left_out = 0;  // see CocoShapes
  Column<double> xy;
  Column<std::int64_t> n_vertices;  // of each polygon
  Column<std::uint32_t> runs;
  std::array<std::int32_t, 2> size{};
  std::string text;  // of runs, where escapes had to be resolved

  void clear();
};

// As CocoShapes, but of each row or polygon the length, not where it begins: columns of stretches
// of a list can then be put one behind the other as they are.
class ShapeColumns {
 public:
  void clear();
  void push(const Shape& shape);
  void append(const ShapeColumns& more);
  CocoShapes finish();

 private:
  Column<std::uint8_t> form_, left_out_;
  Column<double> xy_;
  Column<std::int64_t> n_vertices_, n_polygons_, n_runs_;
  Column<std::uint32_t> runs_;
  Column<std::int32_t> size_;
};

}  // namespace snellen::json
