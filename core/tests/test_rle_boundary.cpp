#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle_boundary.hpp"

using snellen::RleRows;

namespace {

using Pixels = std::vector<std::uint8_t>;  // [row][column]

// Erodes by a 3 × 3 square, again and again: what is left is not boundary.
Pixels by_erosion(const Pixels& mask, int height, int width, int distance) {
  Pixels left = mask;
  for (int step = 0; step < distance; ++step) {
    Pixels next(left.size(), 0);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        bool all = true;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            const int yy = y + dy, xx = x + dx;
            all = all && yy >= 0 && yy < height && xx >= 0 && xx < width &&
                  left[static_cast<std::size_t>(yy * width + xx)] != 0;
          }
        }
        next[static_cast<std::size_t>(y * width + x)] = all ? 1 : 0;
      }
    }
    left = next;
  }
  Pixels boundary(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    boundary[i] = static_cast<std::uint8_t>(mask[i] != 0 && left[i] == 0);
  }
  return boundary;
}

bool same(const RleRows& a, const RleRows& b) {
  return a.runs.size() == b.runs.size() && a.offset.size() == b.offset.size() &&
         std::equal(a.runs.begin(), a.runs.end(), b.runs.begin()) &&
         std::equal(a.offset.begin(), a.offset.end(), b.offset.begin());
}

void as_erosions_leave_it() {
  std::mt19937 random(7);
  for (int trial = 0; trial < 400; ++trial) {
    const int height = 1 + static_cast<int>(random() % 14);
    const int width = 1 + static_cast<int>(random() % 14);
    const std::size_t n_pixels = static_cast<std::size_t>(height * width), n_masks = 70;
    const unsigned share = random() % 5;
    Pixels pixels(n_masks * n_pixels), expected;
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() % 5 >= share);
    std::vector<std::int64_t> distance;
    std::vector<std::int32_t> size;
    for (std::size_t i = 0; i < n_masks; ++i) {
      distance.push_back(1 + static_cast<std::int64_t>(random() % 4));
      size.insert(size.end(), {height, width});
      const Pixels one(pixels.begin() + static_cast<std::ptrdiff_t>(i * n_pixels),
                       pixels.begin() + static_cast<std::ptrdiff_t>((i + 1) * n_pixels));
      const Pixels boundary = by_erosion(one, height, width, static_cast<int>(distance.back()));
      expected.insert(expected.end(), boundary.begin(), boundary.end());
    }
    const auto side_h = static_cast<std::size_t>(height), side_w = static_cast<std::size_t>(width);
    const RleRows rows = snellen::encode_masks(pixels.data(), n_masks, side_h, side_w);
    const snellen::RleView view{rows.runs.data(), rows.offset.data(), size.data(), n_masks};
    const RleRows wanted = snellen::encode_masks(expected.data(), n_masks, side_h, side_w);
    CHECK(same(snellen::rle_boundaries(view, distance.data()), wanted));
  }
}

// A square of 5 × 5: all but its middle pixel is within 2 of the edge.
void by_hand() {
  Pixels square(25, 1);
  const RleRows rows = snellen::encode_masks(square.data(), 1, 5, 5);
  const std::vector<std::int32_t> size = {5, 5};
  const std::int64_t distance = 2;
  const RleRows found =
      snellen::rle_boundaries({rows.runs.data(), rows.offset.data(), size.data(), 1}, &distance);
  const std::vector<std::uint32_t> wanted = {0, 12, 1, 12};
  CHECK(std::vector<std::uint32_t>(found.runs.begin(), found.runs.end()) == wanted);
}

}  // namespace

int main() {
  as_erosions_leave_it();
  by_hand();
  return snellen::testing::report();
}
