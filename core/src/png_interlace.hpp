// Adam7: the seven passes of an interlaced PNG image.
#pragma once

#include <array>
#include <cstdint>

namespace snellen::detail {

struct PngPass {
  std::uint32_t x0, y0, dx, dy;

  // Pixels of a row, and rows; 0 where the image is too small for the pass.
  std::uint32_t columns(std::uint32_t width) const { return (width + dx - 1 - x0) / dx; }
  std::uint32_t rows(std::uint32_t height) const { return (height + dy - 1 - y0) / dy; }
};

inline constexpr PngPass kWholeImage{0, 0, 1, 1};
inline constexpr std::array<PngPass, 7> kAdam7{{{0, 0, 8, 8},
                                                {4, 0, 8, 8},
                                                {0, 4, 4, 8},
                                                {2, 0, 4, 4},
                                                {0, 2, 2, 4},
                                                {1, 0, 2, 2},
                                                {0, 1, 1, 2}}};

}  // namespace snellen::detail
