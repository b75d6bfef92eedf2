// The text format of MOTS20 and KITTI MOTS: one mask a line.
//
// A line has six values separated by blanks: frame, id, class, height, width, and the run lengths
// of the mask (rle.hpp). Lines of nothing but blanks are none; a line ends with "\n", "\r\n" or
// "\r". Numbers are whole, not below 0, and may be written with a fraction of zeros ("12.0").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "snellen/rle.hpp"

namespace snellen {

struct MotsFault {
  std::string message;
  std::uint64_t line = 0;  // of the text, from 1

  explicit operator bool() const { return !message.empty(); }
};

struct MotsRows {
  Column<std::int64_t> frame, id, label;
  Column<std::int32_t> size;  // height, width of each row
  Column<std::int64_t> line;  // of each row, from 1
  RleRows masks;
  std::uint64_t n_lines = 0;
  MotsFault fault;  // the first; no rows are then of use
};

// Threads over pieces of the text; the rows do not depend on them. Pieces have at least
// `piece_bytes`; tests use small ones.
MotsRows read_mots(std::string_view text, std::size_t piece_bytes = std::size_t{1} << 18);

}  // namespace snellen
