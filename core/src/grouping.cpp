#include "snellen/grouping.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace snellen {
namespace {

// start[c]: the place of the first row of code c, in code order.
std::vector<std::size_t> starts_of_codes(const std::int32_t* code, std::size_t n_rows,
                                         std::size_t n_codes) {
  std::vector<std::size_t> start(n_codes + 1, 0);
  for (std::size_t i = 0; i < n_rows; ++i) ++start[static_cast<std::size_t>(code[i]) + 1];
  for (std::size_t c = 0; c < n_codes; ++c) start[c + 1] += start[c];
  return start;
}

}  // namespace

Grouping group_rows(const std::int32_t* image, const std::int32_t* label, std::size_t n_rows,
                    std::size_t n_images, std::size_t n_labels) {
  if (n_rows > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("expected fewer than 2^32 rows in one table");
  }
  Grouping grouping;
  grouping.place.resize_uninitialised(n_rows);
  grouping.image.resize_uninitialised(n_rows);
  grouping.label_start = starts_of_codes(label, n_rows, n_labels);
  std::vector<std::size_t> next(grouping.label_start.begin(), grouping.label_start.end() - 1);
  auto put = [&](std::size_t row) {
    const std::size_t at = next[static_cast<std::size_t>(label[row])]++;
    grouping.place[row] = static_cast<std::uint32_t>(at);
    grouping.image[at] = image[row];
  };
  if (std::is_sorted(image, image + n_rows)) {
    for (std::size_t row = 0; row < n_rows; ++row) put(row);
    return grouping;
  }
  std::vector<std::size_t> next_in_image = starts_of_codes(image, n_rows, n_images);
  Column<std::uint32_t> by_image;
  by_image.resize_uninitialised(n_rows);
  for (std::size_t row = 0; row < n_rows; ++row) {
    by_image[next_in_image[static_cast<std::size_t>(image[row])]++] =
        static_cast<std::uint32_t>(row);
  }
  for (const std::uint32_t row : by_image) put(row);
  return grouping;
}

}  // namespace snellen
