#include "contours.hpp"

namespace snellen {
namespace {

// Whether any bit from first to last is set.
bool any_bit(const std::uint64_t* words, std::size_t first, std::size_t last) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const std::size_t begin = first / 64, end = last / 64;
  const std::uint64_t from_first = kAll << (first % 64), to_last = kAll >> (63 - last % 64);
  if (begin == end) return (words[begin] & from_first & to_last) != 0;
  if ((words[begin] & from_first) != 0 || (words[end] & to_last) != 0) return true;
  return std::any_of(words + begin + 1, words + end, [](std::uint64_t word) { return word != 0; });
}

}  // namespace

ContourMatcher::ContourMatcher(std::size_t height, std::size_t width, std::size_t tolerance)
    : height_(height), width_(width), words_((width + 63) / 64), bits_(height * words_, 0) {
  // No pixel is further from another, so that squares stay small.
  const std::size_t radius = std::min(tolerance, height + width);
  std::size_t half = radius;
  for (std::size_t rows = 0; rows <= radius; ++rows) {
    while (half * half + rows * rows > radius * radius) --half;
    half_width_.push_back(half);
  }
}

bool ContourMatcher::has_near(std::size_t y, std::size_t x) const {
  for (std::size_t rows = 0; rows < half_width_.size(); ++rows) {
    const std::size_t half = half_width_[rows];
    const std::size_t first = x < half ? 0 : x - half;
    const std::size_t last = std::min(x + half, width_ - 1);
    if (rows <= y && any_bit(&bits_[(y - rows) * words_], first, last)) return true;
    if (y + rows < height_ && any_bit(&bits_[(y + rows) * words_], first, last)) return true;
  }
  return false;
}

std::int64_t ContourMatcher::count(const Column<std::uint32_t>& pixels,
                                   const Column<std::uint32_t>& others) {
  if (pixels.empty() || others.empty()) return 0;
  for (const std::uint32_t other : others) {
    const std::size_t x = other % width_;
    bits_[other / width_ * words_ + x / 64] |= std::uint64_t{1} << (x % 64);
  }
  std::int64_t n_near = 0;
  for (const std::uint32_t pixel : pixels) n_near += has_near(pixel / width_, pixel % width_);
  for (const std::uint32_t other : others) bits_[other / width_ * words_ + other % width_ / 64] = 0;
  return n_near;
}

}  // namespace snellen
