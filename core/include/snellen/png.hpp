// PNG files, all but the inflation: the chunks before it, filters and samples after it.
//
// Values are what the file stores, since label images store numbers: a gray sample of 4 bits is 0
// to 15, a palette pixel its index. Label maps are flat, so that most residuals of a filtered row
// are zero; where a block of them is, the row is a copy of what lies above, or one pixel repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

enum class PngColour : std::uint8_t { gray = 0, rgb = 2, palette = 3, gray_alpha = 4, rgba = 6 };

struct PngHeader {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  unsigned bits = 0;  // of a sample
  PngColour colour = PngColour::gray;
  bool interlaced = false;

  unsigned n_channels() const;
  bool has_alpha() const { return colour == PngColour::gray_alpha || colour == PngColour::rgba; }
  // Bytes of all rows with their filters: what inflation must give. At most 2⁶².
  std::uint64_t n_inflated() const;
  // Bytes of the values that the rows hold: see PngPixels.
  std::size_t n_values() const;
};

// Something wrong at a byte of the file; no message: nothing. Odd is what breaks a rule of the
// format in a file that is whole: its checksums are right, and other readers may read it.
struct PngFault {
  std::string message;
  std::size_t byte = 0;
  bool odd = false;
  explicit operator bool() const { return !message.empty(); }
};

struct PngChunks {
  struct Piece {
    std::size_t begin;
    std::size_t size;
  };

  PngFault fault;
  PngHeader header;
  std::vector<std::uint8_t> palette;  // red, green, blue, red, …
  std::vector<Piece> compressed;      // where in the file
  std::size_t n_compressed = 0;
};

// Every chunk's length, place and checksum are checked. What is no PNG file, or a damaged one, has
// a fault, and nothing else; an odd file has a header and compressed rows, too.
PngChunks read_png_chunks(const std::uint8_t* data, std::size_t size);

// Alpha is left out, and counted where it is not opaque. Samples of at most 8 bits are a byte, of
// 16 bits two in the machine's order.
struct PngPixels {
  std::string fault;           // empty: none
  Column<std::uint8_t> bytes;  // height × width × n_channels × sample_bytes
  unsigned n_channels = 1;     // 1 or 3
  unsigned sample_bytes = 1;   // 1 or 2
  std::uint64_t n_not_opaque = 0;
};

// `inflated` has header.n_inflated() bytes (checked by the caller); header is one that
// read_png_chunks gave. `block` is memory for the bytes, of any size, whatever it holds.
PngPixels read_png_pixels(const PngHeader& header, const std::uint8_t* inflated,
                          Column<std::uint8_t> block = {});

// The checksum of chunks (ISO 3309), as zlib's crc32.
std::uint32_t png_checksum(const std::uint8_t* data, std::size_t size);

}  // namespace snellen
