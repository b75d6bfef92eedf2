// Images of bytes made smaller or larger as Pillow makes them, to the last bit.
//
// Each pixel of the result is a weighted mean of pixels around its place: the filter, stretched so
// that it covers what the pixel stands for, at their distances. First along one axis, rounded to
// bytes, then along the other. Weights are rounded to multiples of 2⁻²²; a sum of such multiples is
// exact in 32 bits, so any order of adding gives the same bytes.
//
// Of a result only a window is computed: what a centre crop leaves.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

enum class ResizeFilter { kBox, kBilinear, kHamming, kBicubic, kLanczos };

// An image (height, width, channels); 1 to 4 channels.
struct ImageBytes {
  const std::uint8_t* pixels;
  std::size_t height;
  std::size_t width;
  std::size_t channels;
};

// Of a result (height, width) the pixels from (top, left) on, n_rows × n_columns of them.
struct ResizeWindow {
  std::size_t height;
  std::size_t width;
  std::size_t top;
  std::size_t left;
  std::size_t n_rows;
  std::size_t n_columns;
};

// Along which axis first; it shows in the last bits. Where a size does not change, there is no
// pass.
enum class FirstPass { kAcross, kDown };

// Which build of the loops is used: tests compare them.
enum class ResizeBuild { kFastest, kPortable };

// out (n_rows, n_columns, channels). All sizes are at least 1 and below 2³¹, and the window lies
// within the result (checked by the caller).
void resize_image(const ImageBytes& image, const ResizeWindow& window, ResizeFilter filter,
                  FirstPass first, std::uint8_t* out, ResizeBuild build = ResizeBuild::kFastest);

}  // namespace snellen
