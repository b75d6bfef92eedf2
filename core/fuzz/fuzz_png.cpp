// Any bytes at all: no crash, and of rows the values that the format's text gives. Checksums are
// put right first, and instead of being inflated the compressed bytes are repeated as rows: else no
// input would come far.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../tests/plain_png.hpp"
#include "snellen/png.hpp"

namespace {

using namespace snellen;

void check(bool holds) {
  if (!holds) std::abort();
}

std::uint32_t number_at(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         std::uint32_t{at[3]};
}

void put_checksums_right(std::vector<std::uint8_t>& file) {
  for (std::size_t at = 8; file.size() >= at + 12;) {
    const std::size_t length = number_at(file.data() + at);
    if (length > file.size() - at - 12) return;
    const std::uint32_t sum = png_checksum(file.data() + at + 4, length + 4);
    for (std::size_t k = 0; k < 4; ++k) {
      file[at + 8 + length + k] = static_cast<std::uint8_t>(sum >> (24 - 8 * k));
    }
    at += length + 12;
  }
}

void compare_pixels(const PngHeader& header, const std::vector<std::uint8_t>& rows) {
  const PngPixels got = read_png_pixels(header, rows.data());
  const auto want = testing::plain_pixels(header, rows.data());
  check(want.has_value() == got.fault.empty());
  if (!want) return;
  check(got.bytes.size() == want->bytes.size());
  check(std::equal(got.bytes.begin(), got.bytes.end(), want->bytes.begin()));
  check(got.n_not_opaque == want->n_not_opaque);
}

void read_file(std::vector<std::uint8_t> file) {
  static constexpr std::uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  (void)read_png_chunks(file.data(), file.size());
  if (file.size() < 8) return;
  std::copy(kSignature, kSignature + 8, file.begin());
  put_checksums_right(file);
  const PngChunks chunks = read_png_chunks(file.data(), file.size());
  if (chunks.fault && !chunks.fault.odd) return;
  std::vector<std::uint8_t> compressed;
  for (const PngChunks::Piece& piece : chunks.compressed) {
    check(piece.begin <= file.size() && piece.size <= file.size() - piece.begin);
    compressed.insert(compressed.end(), file.begin() + static_cast<std::ptrdiff_t>(piece.begin),
                      file.begin() + static_cast<std::ptrdiff_t>(piece.begin + piece.size));
  }
  check(compressed.size() == chunks.n_compressed);
  const std::uint64_t n_inflated = chunks.header.n_inflated();
  if (compressed.empty() || n_inflated > 1 << 14) return;
  std::vector<std::uint8_t> rows(n_inflated);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = compressed[i % compressed.size()];
  compare_pixels(chunks.header, rows);
}

// The bytes are a small image: its size, its kind, its rows, with filters that mostly are some.
void read_rows(const std::uint8_t* data, std::size_t size) {
  static constexpr PngHeader kKinds[] = {
      {0, 0, 1, PngColour::gray},  {0, 0, 2, PngColour::gray},
      {0, 0, 4, PngColour::gray},  {0, 0, 8, PngColour::gray},
      {0, 0, 16, PngColour::gray}, {0, 0, 8, PngColour::rgb},
      {0, 0, 16, PngColour::rgb},  {0, 0, 8, PngColour::gray_alpha},
      {0, 0, 8, PngColour::rgba},  {0, 0, 16, PngColour::gray_alpha},
      {0, 0, 16, PngColour::rgba}, {0, 0, 4, PngColour::palette},
  };
  if (size < 4) return;
  PngHeader header = kKinds[data[0] % std::size(kKinds)];
  header.interlaced = data[0] >= 128;
  header.width = data[1] + 1U;
  header.height = data[2] % 20 + 1U;
  std::vector<std::uint8_t> rows(header.n_inflated());
  std::memcpy(rows.data(), data + 3, std::min(rows.size(), size - 3));
  if (!header.interlaced) {
    for (std::size_t at = 0; at < rows.size(); at += rows.size() / header.height) {
      if (rows[at] < 250) rows[at] %= 5;
    }
  }
  compare_pixels(header, rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (*data % 2 == 0) {
    read_file({data + 1, data + size});
  } else {
    read_rows(data + 1, size - 1);
  }
  return 0;
}
