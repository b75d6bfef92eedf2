#include <algorithm>
#include <cstring>
#include <vector>

#include "rle_spans.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle.hpp"

namespace snellen {
namespace {

constexpr std::size_t kTile = 64;

// to[x * height + y] = from[y * width + x], tile by tile: neither side leaves the cache.
template <class T>
void transpose(const T* from, std::size_t height, std::size_t width, T* to) {
  for (std::size_t top = 0; top < height; top += kTile) {
    const std::size_t bottom = std::min(height, top + kTile);
    for (std::size_t left = 0; left < width; left += kTile) {
      const std::size_t right = std::min(width, left + kTile);
      for (std::size_t x = left; x < right; ++x) {
        for (std::size_t y = top; y < bottom; ++y) to[x * height + y] = from[y * width + x];
      }
    }
  }
}

// The first position from `at` on where another value stands than at `at`.
template <class T>
std::size_t end_of_run(const T* values, std::size_t at, std::size_t n) {
  const T value = values[at];
  constexpr std::size_t kBlock = 32 / sizeof(T);
  while (at + kBlock <= n) {
    unsigned differs = 0;
    for (std::size_t k = 0; k < kBlock; ++k) differs |= values[at + k] != value;
    if (differs != 0) break;
    at += kBlock;
  }
  while (at < n && values[at] == value) ++at;
  return at;
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
      if (begin[image] == begin[image + 1]) return;
      Label* const pixels = labels + image * n_pixels;
      turned.resize_uninitialised(n_pixels);
      transpose(pixels, height, width, turned.data());
      for (std::int64_t i = begin[image]; i < begin[image + 1]; ++i) {
        const auto row = static_cast<std::size_t>(i);
        visit_insides(masks.runs + masks.offset[row], masks.n_runs(row),
                      [&](std::uint32_t from, std::uint32_t to) {
                        std::fill(turned.data() + from, turned.data() + to, value[row]);
                      });
      }
      transpose(turned.data(), width, height, pixels);
    };
  });
}

template void paint_rle<std::uint8_t>(const RleView&, const std::int64_t*, std::size_t,
                                      const std::uint8_t*, std::size_t, std::size_t, std::uint8_t*);
template void paint_rle<std::uint16_t>(const RleView&, const std::int64_t*, std::size_t,
                                       const std::uint16_t*, std::size_t, std::size_t,
                                       std::uint16_t*);

}  // namespace snellen
