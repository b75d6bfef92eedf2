#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "snellen/boundary.hpp"
#include "uniform_block.hpp"

namespace snellen {
namespace {

// inside[x] becomes 1 where the row has one label from x − distance to x + distance.
template <class Label>
void mark_inside_of_runs(const Label* row, std::size_t width, std::size_t distance,
                         std::uint8_t* inside) {
  std::memset(inside, 0, width);
  std::size_t begin = 0;
  const auto end_run = [&](std::size_t end) {
    if (end - begin > 2 * distance) {
      std::memset(inside + begin + distance, 1, end - begin - 2 * distance);
    }
    begin = end;
  };
  std::size_t x = 1;
  while (x < width) {
    if (x + kBlock <= width && are_same(row + x - 1, row + x)) {
      x += kBlock;
      continue;
    }
    for (const std::size_t end = std::min(width, x + kBlock); x < end; ++x) {
      if (row[x] != row[x - 1]) end_run(x);
    }
  }
  end_run(width);
}

// depth[x] becomes the number of rows, up to `window`, that end with this one, have one label in
// column x, and have it as far as the window reaches to both sides.
template <class Label, class Depth>
void deepen(const Label* row, const Label* above, const std::uint8_t* inside, std::size_t width,
            Depth window, Depth* depth) {
  for (std::size_t x = 0; x < width; ++x) {
    const Depth grown = static_cast<Depth>(depth[x] + (depth[x] < window ? 1 : 0));
    const Depth kept = row[x] == above[x] ? grown : Depth{1};
    depth[x] = inside[x] != 0 ? kept : Depth{0};
  }
}

template <class Label, class Depth>
void mark(const Label* labels, std::size_t height, std::size_t width, std::size_t distance,
          std::uint8_t* near) {
  const auto window = static_cast<Depth>(2 * distance + 1);
  std::vector<std::uint8_t> inside(width);
  std::vector<Depth> depth(width, Depth{0});
  std::memset(near, 1, distance * width);
  for (std::size_t y = 0; y < height; ++y) {
    const Label* const row = labels + y * width;
    mark_inside_of_runs(row, width, distance, inside.data());
    deepen(row, y == 0 ? row : row - width, inside.data(), width, window, depth.data());
    if (y < 2 * distance) continue;
    // All rows of the windows of row y − distance have been seen.
    std::uint8_t* const out = near + (y - distance) * width;
    for (std::size_t x = 0; x < width; ++x) out[x] = depth[x] == window ? 0 : 1;
  }
  std::memset(near + (height - distance) * width, 1, distance * width);
}

}  // namespace

template <class Label>
void near_border(const Label* labels, std::size_t height, std::size_t width, std::size_t distance,
                 std::uint8_t* near) {
  if (height == 0 || width == 0) return;
  // Where no window fits the image; written so that a huge distance does not overflow.
  if (distance > (std::min(height, width) - 1) / 2) {
    std::memset(near, 1, height * width);
  } else if (2 * distance + 1 <= std::numeric_limits<std::uint8_t>::max()) {
    mark<Label, std::uint8_t>(labels, height, width, distance, near);
  } else {  // of less than 2³² pixels, one side is shorter than 2¹⁶
    mark<Label, std::uint16_t>(labels, height, width, distance, near);
  }
}

#define SNELLEN_NEAR_BORDER(Label)                                                      \
  template void near_border<Label>(const Label*, std::size_t, std::size_t, std::size_t, \
                                   std::uint8_t*);
SNELLEN_NEAR_BORDER(std::uint8_t)
SNELLEN_NEAR_BORDER(std::uint16_t)
SNELLEN_NEAR_BORDER(std::int32_t)
#undef SNELLEN_NEAR_BORDER

}  // namespace snellen
