// Rows put into (label, image) order, rows of one label and image staying in the order they came.
//
// Two counting sorts, image first and label second, each linear; the first is skipped when the
// rows already ascend by image, as they do in most results files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/parallel.hpp"

namespace snellen {

struct Grouping {
  Column<std::uint32_t> place;           // place[row]: where an input row stands in that order
  Column<std::int32_t> image;            // image of each place
  std::vector<std::size_t> label_start;  // rows of label k: places label_start[k] … [k + 1] − 1

  // The rows of a table of kWidth values a row, put into order. Rows are read as they lie and
  // written to as many growing runs as there are labels, which a cache bears; reading rows in the
  // order of places would miss it at each.
  template <std::size_t kWidth, class T>
  Column<T> ordered(const T* table) const;
};

// Codes are positions: 0 <= image[i] < n_images, 0 <= label[i] < n_labels (checked by the caller).
Grouping group_rows(const std::int32_t* image, const std::int32_t* label, std::size_t n_rows,
                    std::size_t n_images, std::size_t n_labels);

template <std::size_t kWidth, class T>
Column<T> Grouping::ordered(const T* table) const {
  constexpr std::size_t kBlockRows = 1 << 15;
  Column<T> result;
  result.resize_uninitialised(place.size() * kWidth);
  parallel_for((place.size() + kBlockRows - 1) / kBlockRows, [&](std::size_t block) {
    const std::size_t end = std::min(place.size(), (block + 1) * kBlockRows);
    for (std::size_t row = block * kBlockRows; row < end; ++row) {
      const T* const from = table + row * kWidth;
      T* const to = result.data() + place[row] * kWidth;
      for (std::size_t i = 0; i < kWidth; ++i) to[i] = from[i];
    }
  });
  return result;
}

}  // namespace snellen
