#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "rle_spans.hpp"
#include "run_end.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle.hpp"

namespace snellen {
namespace {

constexpr std::size_t kTile = 64;
constexpr std::size_t kSquare = 8;

// Swaps the bytes of `low` under the mask, moved up by `shift`, with those of `high`.
inline void swap_bytes(std::uint64_t& low, std::uint64_t& high, unsigned shift,
                       std::uint64_t mask) {
  const std::uint64_t differ = ((low >> shift) ^ high) & mask;
  high ^= differ;
  low ^= differ << shift;
}

// Eight rows of eight bytes at a time: halves, then quarters, then bytes change places.
inline void transpose_square(const std::uint8_t* from, std::size_t from_step, std::uint8_t* to,
                             std::size_t to_step) {
  std::uint64_t rows[kSquare];
  for (std::size_t i = 0; i < kSquare; ++i) std::memcpy(rows + i, from + i * from_step, kSquare);
  for (std::size_t i = 0; i < 4; ++i) swap_bytes(rows[i], rows[i + 4], 32, 0x00000000ffffffff);
  for (const std::size_t i : {0U, 1U, 4U, 5U}) {
    swap_bytes(rows[i], rows[i + 2], 16, 0x0000ffff0000ffff);
  }
  for (const std::size_t i : {0U, 2U, 4U, 6U}) {
    swap_bytes(rows[i], rows[i + 1], 8, 0x00ff00ff00ff00ff);
  }
  for (std::size_t i = 0; i < kSquare; ++i) std::memcpy(to + i * to_step, rows + i, kSquare);
}

// to[x * height + y] = from[y * width + x], tile by tile: neither side leaves the cache.
template <class T>
void transpose(const T* from, std::size_t height, std::size_t width, T* to) {
  const auto one_by_one = [&](std::size_t top, std::size_t bottom, std::size_t left,
                              std::size_t right) {
    for (std::size_t x = left; x < right; ++x) {
      for (std::size_t y = top; y < bottom; ++y) to[x * height + y] = from[y * width + x];
    }
  };
  for (std::size_t top = 0; top < height; top += kTile) {
    const std::size_t bottom = std::min(height, top + kTile);
    for (std::size_t left = 0; left < width; left += kTile) {
      const std::size_t right = std::min(width, left + kTile);
      if constexpr (sizeof(T) == 1 && std::endian::native == std::endian::little) {
        const std::size_t last_y = bottom - (bottom - top) % kSquare;
        const std::size_t last_x = right - (right - left) % kSquare;
        for (std::size_t x = left; x < last_x; x += kSquare) {
          for (std::size_t y = top; y < last_y; y += kSquare) {
            transpose_square(from + y * width + x, width, to + x * height + y, height);
          }
        }
        one_by_one(last_y, bottom, left, last_x);
        one_by_one(top, bottom, last_x, right);
      } else {
        one_by_one(top, bottom, left, right);
      }
    }
  }
}

template <class Label>
struct LabelSpan {
  Label value;
  Span span;
};

}  // namespace

RleRows encode_masks(const std::uint8_t* pixels, std::size_t n, std::size_t height,
                     std::size_t width) {
  const std::size_t n_pixels = height * width;
  std::vector<RleRows> parts(n);
  parallel_for_workers(n, [&] {
    return [&, turned = Column<std::uint8_t>(), spans = Column<Span>()](std::size_t i) mutable {
      turned.resize_uninitialised(n_pixels);
      transpose(pixels + i * n_pixels, height, width, turned.data());
      for (std::uint8_t& pixel : turned) pixel = pixel != 0;
      spans.clear();
      for (std::size_t at = 0; at < n_pixels;) {
        const std::size_t end = end_of_run(turned.data(), at, n_pixels);
        if (turned[at] != 0) {
          spans.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)});
        }
        at = end;
      }
      parts[i].offset.push_back(0);
      append_runs(spans.data(), spans.size(), static_cast<std::uint32_t>(n_pixels), parts[i]);
    };
  });
  return join_rows(parts);
}

template <class Label>
RleOfLabels encode_labels(const Label* labels, std::size_t n, std::size_t height,
                          std::size_t width) {
  const std::size_t n_pixels = height * width;
  std::vector<RleRows> parts(n);
  std::vector<std::vector<std::int64_t>> values(n);
  parallel_for_workers(n, [&] {
    return [&, turned = Column<Label>(), found = std::vector<LabelSpan<Label>>(),
            spans = Column<Span>()](std::size_t image) mutable {
      turned.resize_uninitialised(n_pixels);
      transpose(labels + image * n_pixels, height, width, turned.data());
      found.clear();
      for (std::size_t at = 0; at < n_pixels;) {
        const std::size_t end = end_of_run(turned.data(), at, n_pixels);
        if (turned[at] != 0) {
          found.push_back(
              {turned[at], {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)}});
        }
        at = end;
      }
      // Spans of a value stay in their order.
      std::stable_sort(found.begin(), found.end(),
                       [](const auto& a, const auto& b) { return a.value < b.value; });
      parts[image].offset.push_back(0);
      for (std::size_t at = 0; at < found.size();) {
        const Label value = found[at].value;
        spans.clear();
        for (; at < found.size() && found[at].value == value; ++at) spans.push_back(found[at].span);
        values[image].push_back(static_cast<std::int64_t>(value));
        append_runs(spans.data(), spans.size(), static_cast<std::uint32_t>(n_pixels), parts[image]);
      }
    };
  });
  RleOfLabels joined;
  joined.begin.push_back(0);
  for (const auto& of_image : values) {
    for (const std::int64_t value : of_image) joined.value.push_back(value);
    joined.begin.push_back(static_cast<std::int64_t>(joined.value.size()));
  }
  joined.rows = join_rows(parts);
  return joined;
}

template RleOfLabels encode_labels<std::uint8_t>(const std::uint8_t*, std::size_t, std::size_t,
                                                 std::size_t);
template RleOfLabels encode_labels<std::uint16_t>(const std::uint16_t*, std::size_t, std::size_t,
                                                  std::size_t);
template RleOfLabels encode_labels<std::int32_t>(const std::int32_t*, std::size_t, std::size_t,
                                                 std::size_t);
template RleOfLabels encode_labels<std::int64_t>(const std::int64_t*, std::size_t, std::size_t,
                                                 std::size_t);

template <class Label>
void paint_rle(const RleView& masks, const std::int64_t* begin, std::size_t n_images,
               const Label* value, std::size_t height, std::size_t width, Label* labels) {
  const std::size_t n_pixels = height * width;
  parallel_for_workers(n_images, [&] {
    return [&, turned = Column<Label>()](std::size_t image) mutable {
      turned.resize_uninitialised(n_pixels);
      std::fill(turned.begin(), turned.end(), Label{0});
      for (std::int64_t i = begin[image]; i < begin[image + 1]; ++i) {
        const auto row = static_cast<std::size_t>(i);
        visit_insides(masks.runs + masks.offset[row], masks.n_runs(row),
                      [&](std::uint32_t from, std::uint32_t to) {
                        std::fill(turned.data() + from, turned.data() + to, value[row]);
                      });
      }
      transpose(turned.data(), width, height, labels + image * n_pixels);
    };
  });
}

template void paint_rle<std::uint8_t>(const RleView&, const std::int64_t*, std::size_t,
                                      const std::uint8_t*, std::size_t, std::size_t, std::uint8_t*);
template void paint_rle<std::uint16_t>(const RleView&, const std::int64_t*, std::size_t,
                                       const std::uint16_t*, std::size_t, std::size_t,
                                       std::uint16_t*);

}  // namespace snellen
