#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "png_filters.hpp"
#include "png_interlace.hpp"
#include "snellen/png.hpp"

namespace snellen {
namespace {

using Byte = std::uint8_t;

constexpr std::uint64_t kUnheardOf = std::uint64_t{1} << 62;

std::span<const detail::PngPass> passes_of(const PngHeader& header) {
  if (header.interlaced) return detail::kAdam7;
  return {&detail::kWholeImage, 1};
}

std::uint64_t bits_of_pixel(const PngHeader& header) {
  return std::uint64_t{header.n_channels()} * header.bits;
}

unsigned n_colours(const PngHeader& header) {
  return header.n_channels() - (header.has_alpha() ? 1 : 0);
}

unsigned sample_bytes(const PngHeader& header) { return header.bits == 16 ? 2 : 1; }

// Samples of less than a byte, the first one in the highest bits.
template <unsigned kBits>
void spread(const Byte* packed, std::size_t n, Byte* out) {
  static constexpr std::size_t kEach = 8 / kBits;
  static constexpr auto kTable = [] {
    std::array<std::array<Byte, kEach>, 256> table{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
      for (std::size_t k = 0; k < kEach; ++k) {
        table[byte][k] =
            static_cast<Byte>((byte >> (8 - kBits * (k + 1))) & ((std::size_t{1} << kBits) - 1));
      }
    }
    return table;
  }();
  for (; n >= kEach; n -= kEach, out += kEach) {
    std::memcpy(out, kTable[*packed++].data(), kEach);
  }
  if (n > 0) std::memcpy(out, kTable[*packed].data(), n);
}

// Samples of 16 bits, in the machine's order.
void to_native(const Byte* samples, std::size_t n, Byte* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::uint16_t>(samples[2 * i] << 8 | samples[2 * i + 1]);
    std::memcpy(out + 2 * i, &value, 2);
  }
}

// Leaves alpha out; returns how many pixels are not opaque.
template <std::size_t kChannels>
std::uint64_t without_alpha(const Byte* row, std::size_t n, Byte* out) {
  std::uint64_t n_not_opaque = 0;
  for (std::size_t i = 0; i < n; ++i, row += kChannels + 1, out += kChannels) {
    std::memcpy(out, row, kChannels);
    n_not_opaque += row[kChannels] != 0xff ? 1 : 0;
  }
  return n_not_opaque;
}

template <std::size_t kChannels>
std::uint64_t without_wide_alpha(const Byte* row, std::size_t n, Byte* out) {
  std::uint64_t n_not_opaque = 0;
  for (std::size_t i = 0; i < n; ++i, row += 2 * (kChannels + 1), out += 2 * kChannels) {
    to_native(row, kChannels, out);
    n_not_opaque += row[2 * kChannels] != 0xff || row[2 * kChannels + 1] != 0xff ? 1 : 0;
  }
  return n_not_opaque;
}

// The pixels of one image, row by row.
class Rows {
 public:
  Rows(const PngHeader& header, Column<Byte> block) : header_(header) {
    pixels_.bytes = std::move(block);
    pixels_.n_channels = n_colours(header);
    pixels_.sample_bytes = sample_bytes(header);
    out_pixel_ = std::size_t{pixels_.n_channels} * pixels_.sample_bytes;
    filter_pixel_ = std::max<std::size_t>(bits_of_pixel(header) / 8, 1);
  }

  PngPixels read(const Byte* inflated) {
    pixels_.bytes.resize_uninitialised(header_.n_values());
    for (const detail::PngPass& pass : passes_of(header_)) {
      if (!read_pass(pass, inflated)) break;
    }
    return std::move(pixels_);
  }

 private:
  // Whether unfiltered rows are pixels as they are.
  bool rows_are_pixels() const {
    return header_.bits == 8 && !header_.has_alpha() && !header_.interlaced;
  }

  bool read_pass(const detail::PngPass& pass, const Byte*& inflated) {
    const std::size_t n_columns = pass.columns(header_.width);
    const std::size_t n_rows = pass.rows(header_.height);
    if (n_columns == 0 || n_rows == 0) return true;
    const std::size_t size = (n_columns * bits_of_pixel(header_) + 7) / 8;
    // Two rows in turn, where they are not unfiltered to their place; above the first are zeros.
    const bool in_place = rows_are_pixels();
    const std::vector<Byte> zeros(size);
    std::array<std::vector<Byte>, 2> turn;
    if (!in_place) turn = {std::vector<Byte>(size), std::vector<Byte>(size)};
    const Byte* above = zeros.data();
    for (std::size_t r = 0; r < n_rows; ++r, inflated += size + 1) {
      const std::size_t y = pass.y0 + r * pass.dy;
      if (*inflated > 4) {
        pixels_.fault = "expected a filter from 0 to 4, got " + std::to_string(*inflated) +
                        " in row " + std::to_string(y);
        return false;
      }
      Byte* const row = in_place ? place(y, 0) : turn[r % 2].data();
      detail::undo_png_filter(*inflated, filter_pixel_, inflated + 1, above, size, row);
      if (!in_place) put(row, n_columns, pass, y);
      above = row;
    }
    return true;
  }

  Byte* place(std::size_t y, std::size_t x) {
    return pixels_.bytes.data() + (y * header_.width + x) * out_pixel_;
  }

  void put(const Byte* row, std::size_t n, const detail::PngPass& pass, std::size_t y) {
    if (!header_.interlaced) return samples(row, n, place(y, 0));
    apart_.resize(n * out_pixel_);
    samples(row, n, apart_.data());
    for (std::size_t i = 0; i < n; ++i) {
      std::memcpy(place(y, pass.x0 + i * pass.dx), apart_.data() + i * out_pixel_, out_pixel_);
    }
  }

  void samples(const Byte* row, std::size_t n, Byte* out) {
    if (header_.bits == 1) return spread<1>(row, n, out);
    if (header_.bits == 2) return spread<2>(row, n, out);
    if (header_.bits == 4) return spread<4>(row, n, out);
    if (header_.has_alpha()) {
      pixels_.n_not_opaque += out_pixel_ == 1   ? without_alpha<1>(row, n, out)
                              : out_pixel_ == 3 ? without_alpha<3>(row, n, out)
                              : out_pixel_ == 2 ? without_wide_alpha<1>(row, n, out)
                                                : without_wide_alpha<3>(row, n, out);
      return;
    }
    if (header_.bits == 8) {
      std::memcpy(out, row, n * out_pixel_);
    } else {
      to_native(row, n * pixels_.n_channels, out);
    }
  }

  const PngHeader& header_;
  std::size_t out_pixel_;
  std::size_t filter_pixel_;
  std::vector<Byte> apart_;
  PngPixels pixels_;
};

}  // namespace

unsigned PngHeader::n_channels() const {
  switch (colour) {
    case PngColour::rgb:
      return 3;
    case PngColour::gray_alpha:
      return 2;
    case PngColour::rgba:
      return 4;
    case PngColour::gray:
    case PngColour::palette:
      break;
  }
  return 1;
}

std::uint64_t PngHeader::n_inflated() const {
  std::uint64_t total = 0;
  for (const detail::PngPass& pass : passes_of(*this)) {
    const std::uint64_t n_rows = pass.rows(height);
    if (pass.columns(width) == 0 || n_rows == 0) continue;
    const std::uint64_t row = 1 + (pass.columns(width) * bits_of_pixel(*this) + 7) / 8;
    if (row > kUnheardOf / n_rows) return kUnheardOf;
    total += row * n_rows;
  }
  return std::min(total, kUnheardOf);
}

std::size_t PngHeader::n_values() const {
  return std::size_t{height} * width * n_colours(*this) * sample_bytes(*this);
}

PngPixels read_png_pixels(const PngHeader& header, const std::uint8_t* inflated,
                          Column<std::uint8_t> block) {
  return Rows(header, std::move(block)).read(inflated);
}

}  // namespace snellen
