// How often each pair (value of the truth, value of the prediction) occurs in an image.
//
// Label maps are runs of equal pixels, so the work goes with the places where either map changes,
// not with the pixels: places are found 8 to 64 bytes at a time, and a run adds its length to the
// cell of its pair. Where nearly every pixel changes, every pixel is counted by itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// A colour is three bytes R, G, B; its value is R + 256 G + 65536 B.
enum class PixelKind : std::uint8_t {
  kBool,  // anything but 0 is 1
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kColour,
};

// The pixels of all images, one image after the other; they need no alignment.
struct PixelMaps {
  const void* data;
  PixelKind kind;
};

struct ValuePairs {
  // Pairs of image i: rows start[i] … start[i + 1] − 1 of the rest, ascending by truth, then pred.
  Column<std::int64_t> start;
  Column<std::int64_t> truth, pred, count;
};

// The instructions that look for changes; the result does not depend on them.
enum class ChangeSearch { kFastest, kPortable };

// Throws std::invalid_argument for a value of 2⁶³ or more.
ValuePairs value_pairs(const PixelMaps& truth, const PixelMaps& pred, std::size_t n_images,
                       std::size_t n_pixels, ChangeSearch search = ChangeSearch::kFastest);

}  // namespace snellen
