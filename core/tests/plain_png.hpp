// PNG rows to values as the format's text says it, sample by sample: what the kernel is held to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "snellen/png.hpp"

namespace snellen::testing {

struct PlainPixels {
  std::vector<std::uint8_t> bytes;
  std::uint64_t n_not_opaque = 0;
};

// The pass that a pixel belongs to, from the 8 × 8 pattern of the specification.
inline int adam7_pass(std::uint32_t x, std::uint32_t y) {
  static constexpr const char* kPattern[] = {"16462646", "77777777", "56565656", "77777777",
                                             "36463646", "77777777", "56565656", "77777777"};
  return kPattern[y % 8][x % 8] - '0';
}

// The bytes of one pass, its rows unfiltered; nothing where a filter is none.
inline std::optional<std::vector<std::vector<std::uint8_t>>> plain_rows(const std::uint8_t*& at,
                                                                        std::size_t n_rows,
                                                                        std::size_t row_bytes,
                                                                        std::size_t pixel_bytes) {
  std::vector<std::vector<std::uint8_t>> rows;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const int filter = *at++;
    if (filter > 4) return std::nullopt;
    std::vector<std::uint8_t> row(row_bytes);
    for (std::size_t i = 0; i < row_bytes; ++i) {
      const bool has_left = i >= pixel_bytes;
      const int a = has_left ? row[i - pixel_bytes] : 0;
      const int b = r > 0 ? rows[r - 1][i] : 0;
      const int c = r > 0 && has_left ? rows[r - 1][i - pixel_bytes] : 0;
      int predicted = 0;
      if (filter == 1) predicted = a;
      if (filter == 2) predicted = b;
      if (filter == 3) predicted = (a + b) / 2;
      if (filter == 4) {
        const int p = a + b - c;
        const int pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
        predicted = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      }
      row[i] = static_cast<std::uint8_t>(*at++ + predicted);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

inline std::optional<PlainPixels> plain_pixels(const PngHeader& header,
                                               const std::uint8_t* inflated) {
  const std::size_t pixel_bits = std::size_t{header.n_channels()} * header.bits;
  const std::size_t pixel_bytes = pixel_bits < 8 ? 1 : pixel_bits / 8;
  // Of each pass the columns and rows that have a pixel of it.
  const int n_passes = header.interlaced ? 7 : 1;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<unsigned>> samples;
  for (int pass = 1; pass <= n_passes; ++pass) {
    std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> places;
    for (std::uint32_t y = 0; y < header.height; ++y) {
      std::vector<std::pair<std::uint32_t, std::uint32_t>> row;
      for (std::uint32_t x = 0; x < header.width; ++x) {
        if (!header.interlaced || adam7_pass(x, y) == pass) row.push_back({y, x});
      }
      if (!row.empty()) places.push_back(std::move(row));
    }
    if (places.empty()) continue;
    const std::size_t row_bytes = (places[0].size() * pixel_bits + 7) / 8;
    const auto rows = plain_rows(inflated, places.size(), row_bytes, pixel_bytes);
    if (!rows) return std::nullopt;
    for (std::size_t r = 0; r < places.size(); ++r) {
      std::size_t bit = 0;
      for (const auto& place : places[r]) {
        for (unsigned channel = 0; channel < header.n_channels(); ++channel) {
          unsigned value = 0;
          for (unsigned k = 0; k < header.bits; ++k, ++bit) {
            value = value << 1 | ((*rows)[r][bit / 8] >> (7 - bit % 8) & 1U);
          }
          samples[place].push_back(value);
        }
      }
    }
  }
  PlainPixels pixels;
  for (const auto& [place, values] : samples) {
    const std::size_t n_kept = values.size() - (header.has_alpha() ? 1 : 0);
    for (std::size_t k = 0; k < n_kept; ++k) {
      std::uint8_t bytes[2];
      const auto wide = static_cast<std::uint16_t>(values[k]);
      std::memcpy(bytes, &wide, 2);
      if (header.bits == 16) {
        pixels.bytes.insert(pixels.bytes.end(), bytes, bytes + 2);
      } else {
        pixels.bytes.push_back(static_cast<std::uint8_t>(values[k]));
      }
    }
    if (header.has_alpha() && values.back() != (1U << header.bits) - 1) ++pixels.n_not_opaque;
  }
  return pixels;
}

}  // namespace snellen::testing
