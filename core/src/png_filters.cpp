#include "png_filters.hpp"

#include <cstdlib>
#include <cstring>

namespace snellen::detail {
namespace {

using Byte = std::uint8_t;

// Bytes looked at in one go: whole pixels and whole words.
template <std::size_t kPixel>
inline constexpr std::size_t kBlock = kPixel == 1 ? 16 : 8 * kPixel;

std::uint64_t word_at(const Byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

template <std::size_t kSize>
bool all_zero(const Byte* at) {
  std::uint64_t any = 0;
  for (std::size_t k = 0; k < kSize; k += 8) any |= word_at(at + k);
  return any == 0;
}

template <std::size_t kSize>
bool all_same(const Byte* a, const Byte* b) {
  std::uint64_t differs = 0;
  for (std::size_t k = 0; k < kSize; k += 8) differs |= word_at(a + k) ^ word_at(b + k);
  return differs == 0;
}

template <std::size_t kPixel>
void repeat(const Byte* pixel, Byte* out) {
  if constexpr (kPixel == 1) {
    std::memset(out, *pixel, kBlock<1>);
  } else {
    for (std::size_t k = 0; k < kBlock<kPixel>; k += kPixel) std::memcpy(out + k, pixel, kPixel);
  }
}

Byte sum(int a, int b) { return static_cast<Byte>(a + b); }

// Of left, above and the one above left the nearest to left + above − above left; of equally near
// ones the first.
int paeth(int left, int above, int corner) {
  const int to_left = std::abs(above - corner);
  const int to_above = std::abs(left - corner);
  const int to_corner = std::abs(left + above - 2 * corner);
  const int other = to_above <= to_corner ? above : corner;
  return to_left <= to_above && to_left <= to_corner ? left : other;
}

template <std::size_t kPixel>
void undo_sub(const Byte* residual, std::size_t size, Byte* row) {
  Byte left[kPixel] = {};
  std::size_t i = 0;
  for (; i + kBlock<kPixel> <= size; i += kBlock<kPixel>) {
    if (all_zero<kBlock<kPixel>>(residual + i)) {
      repeat<kPixel>(left, row + i);
      continue;
    }
    for (std::size_t k = 0; k < kBlock<kPixel>; ++k) {
      left[k % kPixel] = sum(left[k % kPixel], residual[i + k]);
      row[i + k] = left[k % kPixel];
    }
  }
  for (std::size_t k = 0; i < size; ++i, k = (k + 1) % kPixel) {
    left[k] = sum(left[k], residual[i]);
    row[i] = left[k];
  }
}

void undo_up(const Byte* residual, const Byte* above, std::size_t size, Byte* row) {
  for (std::size_t i = 0; i < size; ++i) row[i] = sum(residual[i], above[i]);
}

template <std::size_t kPixel>
void undo_average(const Byte* residual, const Byte* above, std::size_t size, Byte* row) {
  Byte left[kPixel] = {};
  for (std::size_t i = 0, k = 0; i < size; ++i, k = k + 1 == kPixel ? 0 : k + 1) {
    left[k] = sum(residual[i], (left[k] + above[i]) / 2);
    row[i] = left[k];
  }
}

// With zero residuals: where the pixel to the left equals the one above it, the row goes on as the
// row above; where the row above is flat, it goes on as the pixel to the left.
template <std::size_t kPixel>
void undo_paeth(const Byte* residual, const Byte* above, std::size_t size, Byte* row) {
  constexpr std::size_t kSize = kBlock<kPixel>;
  Byte left[kPixel] = {};
  Byte corner[kPixel] = {};
  const auto step = [&](std::size_t i, std::size_t k) {
    left[k] = sum(residual[i], paeth(left[k], above[i], corner[k]));
    corner[k] = above[i];
    row[i] = left[k];
  };
  std::size_t i = 0;
  for (; i + kSize <= size; i += kSize) {
    if (all_zero<kSize>(residual + i)) {
      const Byte* const last = above + i + kSize - kPixel;
      if (std::memcmp(left, corner, kPixel) == 0) {
        std::memcpy(row + i, above + i, kSize);
        std::memcpy(left, last, kPixel);
        std::memcpy(corner, last, kPixel);
        continue;
      }
      if (i > 0 && all_same<kSize>(above + i, above + i - kPixel)) {
        repeat<kPixel>(left, row + i);
        continue;
      }
    }
    for (std::size_t k = 0; k < kSize; ++k) step(i + k, k % kPixel);
  }
  for (std::size_t k = 0; i < size; ++i, k = k + 1 == kPixel ? 0 : k + 1) step(i, k);
}

template <std::size_t kPixel>
void undo(unsigned filter, const Byte* residual, const Byte* above, std::size_t size, Byte* row) {
  switch (filter) {
    case 1:
      return undo_sub<kPixel>(residual, size, row);
    case 2:
      return undo_up(residual, above, size, row);
    case 3:
      return undo_average<kPixel>(residual, above, size, row);
    case 4:
      return undo_paeth<kPixel>(residual, above, size, row);
    default:
      std::memcpy(row, residual, size);
  }
}

}  // namespace

void undo_png_filter(unsigned filter, std::size_t pixel_bytes, const std::uint8_t* residual,
                     const std::uint8_t* above, std::size_t size, std::uint8_t* row) {
  switch (pixel_bytes) {
    case 1:
      return undo<1>(filter, residual, above, size, row);
    case 2:
      return undo<2>(filter, residual, above, size, row);
    case 3:
      return undo<3>(filter, residual, above, size, row);
    case 4:
      return undo<4>(filter, residual, above, size, row);
    case 6:
      return undo<6>(filter, residual, above, size, row);
    default:
      return undo<8>(filter, residual, above, size, row);
  }
}

}  // namespace snellen::detail
