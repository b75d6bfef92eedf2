// Where pixels differ from the pixel before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/value_pairs.hpp"

namespace snellen {

// Pixels that are looked at in one go: what is found of them fits the nearest cache.
inline constexpr std::size_t kChunkPixels = 1024;
// Room for the places of a chunk: some are written ahead.
inline constexpr std::size_t kChunkPlaces = kChunkPixels + 8;
// In place of a number of places: nearly every pixel is one.
inline constexpr std::size_t kEveryPixel = static_cast<std::size_t>(-1);

// Of the n <= kChunkPixels pixels from `truth` and `pred` on, each of which has a pixel before it:
// the places, ascending, at which either map differs from the pixel before. Returns their number.
using FindChanges = std::size_t (*)(const std::uint8_t* truth, std::size_t truth_width,
                                    const std::uint8_t* pred, std::size_t pred_width, std::size_t n,
                                    std::uint16_t* places);

// Widths are 1, 2, 3, 4 or 8 bytes.
FindChanges find_changes(ChangeSearch search);

}  // namespace snellen
