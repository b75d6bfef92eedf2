// Contours of all classes of a code image, and which of their pixels lie near another's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "uniform_block.hpp"

namespace snellen {

// The contour pixels of each class: positions in the image, ascending.
using Contours = std::vector<Column<std::uint32_t>>;

// Calls visit(code, position) for each contour pixel of each class, in the order of positions.
template <class Code, class Visit>
void visit_contours(const Code* codes, std::size_t height, std::size_t width, const Visit& visit) {
  for (std::size_t y = 0; y < height; ++y) {
    const Code* const row = codes + y * width;
    // Beyond the edge the image goes on as it ends: no contour is there.
    const Code* const below = y + 1 < height ? row + width : row;
    std::size_t x = 0;
    while (x < width) {
      if (x + kBlock < width && is_uniform(row + x, row[x]) && is_uniform(row + x + 1, row[x]) &&
          is_uniform(below + x, row[x]) && is_uniform(below + x + 1, row[x])) {
        x += kBlock;
        continue;
      }
      for (const std::size_t end = std::min(width, x + kBlock); x < end; ++x) {
        const std::size_t next = std::min(x + 1, width - 1);
        const Code own = row[x], right = row[next], down = below[x], across = below[next];
        if (own == right && own == down && own == across) continue;
        visit(own, y * width + x);
        if (right != own) visit(right, y * width + x);
        if (down != own && down != right) visit(down, y * width + x);
        if (across != own && across != right && across != down) visit(across, y * width + x);
      }
    }
  }
}

// Puts the contours of classes below contours.size() in the place of those that are there.
template <class Code>
void find_contours(const Code* codes, std::size_t height, std::size_t width, Contours& contours) {
  for (auto& pixels : contours) pixels.clear();
  visit_contours(codes, height, width, [&](Code code, std::size_t position) {
    if (code < contours.size()) contours[code].push_back(static_cast<std::uint32_t>(position));
  });
}

// Finds pixels with another near them, in images of one size.
class ContourMatcher {
 public:
  ContourMatcher(std::size_t height, std::size_t width, std::size_t tolerance);

  // How many of `pixels` have one of `others` within the tolerance.
  std::int64_t count(const Column<std::uint32_t>& pixels, const Column<std::uint32_t>& others);

 private:
  bool has_near(std::size_t y, std::size_t x) const;

  std::size_t height_, width_, words_;
  std::vector<std::size_t> half_width_;  // of the disk, by the distance of a row from its centre
  std::vector<std::uint64_t> bits_;      // one a pixel, set for `others`
};

}  // namespace snellen
