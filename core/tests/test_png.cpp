#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "plain_png.hpp"
#include "snellen/png.hpp"

using snellen::PngChunks;
using snellen::PngColour;
using snellen::PngHeader;
using snellen::PngPixels;
using Bytes = std::vector<std::uint8_t>;

namespace {

std::string four(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

std::uint32_t checksum(const std::string& text) {
  return snellen::png_checksum(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

std::string chunk(const std::string& kind, const std::string& data = "") {
  return four(static_cast<std::uint32_t>(data.size())) + kind + data + four(checksum(kind + data));
}

std::string header(std::uint32_t width, std::uint32_t height, int bits, int colour,
                   int interlace = 0, int compression = 0, int filter = 0) {
  std::string data = four(width) + four(height);
  for (const int value : {bits, colour, compression, filter, interlace}) {
    data += static_cast<char>(value);
  }
  return chunk("IHDR", data);
}

const std::string kSignature("\x89PNG\r\n\x1a\n", 8);

PngChunks read(const std::string& file) {
  // A block of exactly this size, so that a checked build sees a read behind its end.
  const Bytes bytes(file.begin(), file.end());
  return snellen::read_png_chunks(bytes.data(), bytes.size());
}

std::string fault_of(const std::string& chunks) { return read(kSignature + chunks).fault.message; }

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

void checksums() {
  CHECK_EQUAL(checksum("123456789"), 0xcbf43926U);  // the check value of CRC-32
  CHECK_EQUAL(checksum("IEND"), 0xae426082U);       // stands at the end of every PNG file
  CHECK_EQUAL(checksum(""), 0U);
  // Bit by bit, on both sides of the blocks of sixteen.
  std::string text;
  for (int n = 0; n < 70; ++n) {
    std::uint32_t sum = 0xffffffffU;
    for (const char letter : text) {
      sum ^= static_cast<std::uint8_t>(letter);
      for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xedb88320U : 0U);
    }
    CHECK_EQUAL(checksum(text), ~sum);
    text += static_cast<char>(37 * n + 11);
  }
}

void chunks_of_a_file() {
  const std::string before = kSignature + header(3, 5, 4, 3, 1) + chunk("gAMA", four(45455)) +
                             chunk("PLTE", "abcdef") + chunk("tRNS", "x");
  const std::string file = before + chunk("IDAT", "12") + chunk("IDAT") + chunk("IDAT", "345") +
                           chunk("tEXt", "hello") + chunk("IEND") + "nobody's";
  const PngChunks found = read(file);
  CHECK_EQUAL(found.fault.message, "");
  CHECK_EQUAL(found.header.width, 3U);
  CHECK_EQUAL(found.header.height, 5U);
  CHECK_EQUAL(found.header.bits, 4U);
  CHECK(found.header.colour == PngColour::palette);
  CHECK(found.header.interlaced);
  CHECK(found.palette == Bytes({'a', 'b', 'c', 'd', 'e', 'f'}));
  CHECK_EQUAL(found.n_compressed, 5U);
  std::string gathered;
  for (const auto& piece : found.compressed) gathered += file.substr(piece.begin, piece.size);
  CHECK_EQUAL(gathered, "12345");
}

void what_is_wrong() {
  const std::string gray = header(2, 2, 8, 0), pixels = chunk("IDAT", "1"), end = chunk("IEND");
  CHECK_EQUAL(fault_of(gray + pixels + end), "");
  CHECK(says(read("GIF89a, not PNG").fault.message, "got none"));
  CHECK(says(read("").fault.message, "got none"));
  CHECK(says(fault_of(""), "cut off"));
  CHECK(says(fault_of(pixels + gray + end), "begins with IHDR, got IDAT"));
  CHECK(says(fault_of(gray + gray + pixels + end), "one IHDR"));
  CHECK(says(fault_of(chunk("IHDR", "short") + pixels + end), "13 bytes, got 5"));
  CHECK(says(fault_of(header(0, 2, 8, 0) + pixels + end), "got 0 and 2"));
  CHECK(says(fault_of(header(2, 0x80000000U, 8, 0) + pixels + end), "got 2 and 2147483648"));
  CHECK(says(fault_of(header(2, 2, 3, 0) + pixels + end), "type 0 of 3 bits"));
  CHECK(says(fault_of(header(2, 2, 4, 2) + pixels + end), "type 2 of 4 bits"));
  CHECK(says(fault_of(header(2, 2, 16, 3) + pixels + end), "type 3 of 16 bits"));
  CHECK(says(fault_of(header(2, 2, 8, 7) + pixels + end), "type 7 of 8 bits"));
  CHECK(says(fault_of(header(2, 2, 8, 0, 2) + pixels + end), "got 0, 0 and 2"));
  CHECK(says(fault_of(header(2, 2, 8, 0, 0, 1) + pixels + end), "got 1, 0 and 0"));
  CHECK(says(fault_of(header(2, 2, 8, 0, 0, 0, 1) + pixels + end), "got 0, 1 and 0"));
  CHECK(says(fault_of(gray + end), "an IDAT chunk, got none"));
  CHECK(says(fault_of(gray + pixels), "cut off"));
  CHECK(says(fault_of(gray + pixels + chunk("IEND", "x")), "empty IEND"));
  CHECK(says(fault_of(gray + pixels + chunk("tIME", "") + pixels + end), "follow each other"));
  CHECK(says(fault_of(gray + chunk("CgBI", "") + pixels + end), "known, got CgBI"));
  CHECK(says(fault_of(gray + chunk("1234", "") + pixels + end), "name is of letters, got 1234"));
  CHECK(says(fault_of(gray + chunk("12-4", "") + pixels + end), "bytes that are none"));
  CHECK(
      says(fault_of(header(2, 2, 8, 3) + pixels + end), "PLTE chunk before the pixels, got none"));
  CHECK(says(fault_of(header(2, 2, 8, 3) + chunk("PLTE") + pixels + end), "got 0 bytes"));
  CHECK(says(fault_of(header(2, 2, 8, 3) + chunk("PLTE", "ab") + pixels + end), "got 2 bytes"));
  CHECK(says(fault_of(header(2, 2, 8, 3) + chunk("PLTE", std::string(771, 'x')) + pixels + end),
             "got 771 bytes"));
  CHECK(says(
      fault_of(header(2, 2, 8, 3) + chunk("PLTE", "abc") + chunk("PLTE", "abc") + pixels + end),
      "got another"));
  CHECK(says(fault_of(gray + pixels + chunk("PLTE", "abc") + end), "got another"));
  // A length beyond the format's, and one beyond the file.
  CHECK(says(fault_of(gray + four(0x80000000U) + "IDAT"), "bytes that are none"));
  CHECK(says(fault_of(gray + four(1000) + "IDAT"), "cut off in its IDAT chunk"));
  // Every byte of data and every length matters.
  const std::string file = kSignature + gray + pixels + end;
  for (std::size_t n = 0; n < file.size(); ++n) {
    CHECK(!read(file.substr(0, n)).fault.message.empty());
    std::string changed = file;
    changed[n] = static_cast<char>(changed[n] ^ 4);
    const PngChunks found = read(changed);
    CHECK(!found.fault.message.empty());
    CHECK(found.compressed.empty());
    CHECK_EQUAL(found.header.width, 0U);
  }
  const PngChunks damaged = read(kSignature + gray + chunk("IDAT", "1").substr(0, 12) + "x" + end);
  CHECK(says(damaged.fault.message, "chunk IDAT whose checksum is wrong"));
  CHECK_EQUAL(damaged.fault.byte, 33U);  // behind 8 bytes of signature and 25 of IHDR
}

// Odd: the format says otherwise, but all is there.
void what_is_odd() {
  const std::string gray = header(2, 2, 8, 0), pixels = chunk("IDAT", "1"), end = chunk("IEND");
  const std::string indexed = header(2, 2, 8, 3), colour = chunk("PLTE", "abc");
  const std::string odd_files[] = {
      gray + pixels + chunk("IEND", "x"),
      gray + chunk("ABCD", "") + pixels + end,
      gray + pixels + chunk("ABCD", "") + end,
      gray + chunk("ab1_", "") + pixels + end,
      chunk("tEXt", "") + gray + pixels + end,
      chunk("IHDR", four(2) + four(2) + std::string("\x08\0\0\0\0\0", 6)) + pixels + end,
      header(2, 2, 8, 0, 0, 1) + pixels + end,
      header(2, 2, 8, 0, 2) + pixels + end,
      indexed + pixels + end,
      indexed + pixels + colour + end,
      indexed + colour + colour + pixels + end,
      indexed + chunk("PLTE") + pixels + end,
      indexed + chunk("PLTE", "abcd") + pixels + end,
      gray + pixels + colour + end,
  };
  for (const std::string& chunks : odd_files) {
    const PngChunks found = read(kSignature + chunks);
    CHECK(!found.fault.message.empty());
    CHECK(found.fault.odd);
    CHECK_EQUAL(found.header.width, 2U);
    CHECK_EQUAL(found.n_compressed, 1U);
    // Damage behind it is damage, and nothing is told of such a file.
    for (const std::string& tail : {std::string(), end.substr(0, 9), end.substr(0, 11) + "x"}) {
      const PngChunks damaged = read(kSignature + chunks.substr(0, chunks.find("IEND") - 4) + tail);
      CHECK(!damaged.fault.message.empty());
      CHECK(!damaged.fault.odd);
      CHECK_EQUAL(damaged.n_compressed, 0U);
    }
  }
  // The first of several is named.
  const PngChunks twice = read(kSignature + gray + chunk("ABCD") + pixels + chunk("IEND", "x"));
  CHECK(says(twice.fault.message, "got ABCD"));
  // What nobody can read so is not odd.
  for (const std::string& chunks :
       {pixels + gray + pixels + end, chunk("CgBI", "") + gray + pixels + end,
        gray + gray + pixels + end, header(2, 2, 8, 0, 0, 0, 1) + pixels + end, gray + end,
        gray + chunk("acTL", std::string(8, '\1')) + pixels + end,
        gray + pixels + chunk("tEXt", "") + pixels + end}) {
    const PngChunks found = read(kSignature + chunks);
    CHECK(!found.fault.message.empty());
    CHECK(!found.fault.odd);
  }
  CHECK(says(fault_of(gray + chunk("acTL", std::string(8, '\1')) + pixels + end),
             "got an animated PNG (acTL)"));
}

void sizes_of_rows() {
  // 1 + 5 bytes a row; 1 + ⌈5 · 4 / 8⌉; 1 + 5 · 4 · 2.
  CHECK_EQUAL((PngHeader{5, 3, 8, PngColour::gray, false}.n_inflated()), 18U);
  CHECK_EQUAL((PngHeader{5, 3, 4, PngColour::palette, false}.n_inflated()), 12U);
  CHECK_EQUAL((PngHeader{5, 3, 16, PngColour::rgba, false}.n_inflated()), 123U);
  // Passes of 5 × 3, columns × rows: 1×1, 1×1, none (from row 4), 1×1 (column 2), 3×1 (row 2;
  // columns 0, 2, 4), 2×2 (columns 1, 3; rows 0, 2), 5×1: 2 + 2 + 2 + 4 + 2·3 + 6.
  CHECK_EQUAL((PngHeader{5, 3, 8, PngColour::gray, true}.n_inflated()), 22U);
  CHECK_EQUAL((PngHeader{1, 1, 1, PngColour::gray, true}.n_inflated()), 2U);
  const PngHeader huge{0x7fffffff, 0x7fffffff, 16, PngColour::rgba, false};
  CHECK_EQUAL(huge.n_inflated(), std::uint64_t{1} << 62);
}

PngPixels pixels(const PngHeader& header, const Bytes& inflated) {
  CHECK_EQUAL(inflated.size(), header.n_inflated());
  return snellen::read_png_pixels(header, inflated.data());
}

Bytes bytes(const PngPixels& pixels) { return {pixels.bytes.begin(), pixels.bytes.end()}; }

void worked_by_hand() {
  const PngHeader gray{3, 5, 8, PngColour::gray, false};
  // none: 5 5 9; sub of +1, 0, −1: 1 1 0; up of 0, 2, 0: 1 3 0; average of 1 1 1: left 0 above 1
  // 0 + 1 = 1, (1 + 3)/2 + 1 = 3, (3 + 0)/2 + 1 = 2; Paeth of zeros: left 0, above 1, corner 0:
  // above = 1; 1, 3, 1: p = 3: above = 3; 3, 2, 3: p = 2: above = 2.
  const Bytes rows{0, 5, 5, 9, 1, 1, 0, 255, 2, 0, 2, 0, 3, 1, 1, 1, 4, 0, 0, 0};
  CHECK(bytes(pixels(gray, rows)) == Bytes({5, 5, 9, 1, 1, 0, 1, 3, 0, 1, 3, 2, 1, 3, 2}));

  const PngHeader two_bits{5, 1, 2, PngColour::gray, false};
  CHECK(bytes(pixels(two_bits, {0, 0b00'01'10'11, 0b10'111111})) == Bytes({0, 1, 2, 3, 2}));

  const PngHeader alpha{2, 1, 8, PngColour::rgba, false};
  const PngPixels colours = pixels(alpha, {0, 1, 2, 3, 255, 4, 5, 6, 254});
  CHECK(bytes(colours) == Bytes({1, 2, 3, 4, 5, 6}));
  CHECK_EQUAL(colours.n_not_opaque, 1U);
  CHECK_EQUAL(colours.n_channels, 3U);

  const PngHeader wide{1, 2, 16, PngColour::gray, false};
  const PngPixels ids = pixels(wide, {0, 0x12, 0x34, 2, 0x01, 0xf0});
  std::uint16_t values[2];
  std::memcpy(values, ids.bytes.data(), 4);
  CHECK_EQUAL(values[0], 0x1234);
  CHECK_EQUAL(values[1], 0x1324);  // bytes are added each for itself: 0x34 + 0xf0 loses its carry
  CHECK_EQUAL(ids.sample_bytes, 2U);

  const PngPixels none = pixels(gray, {0, 1, 2, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK_EQUAL(none.fault, "expected a filter from 0 to 4, got 5 in row 1");
}

// Rows like those of label maps (most residuals are zero) and unlike them, of every kind of file,
// narrower and wider than a block.
void as_the_format_says() {
  struct Kind {
    PngColour colour;
    std::vector<unsigned> bits;
  };
  const std::vector<Kind> kinds{{PngColour::gray, {1, 2, 4, 8, 16}},
                                {PngColour::palette, {1, 2, 4, 8}},
                                {PngColour::rgb, {8, 16}},
                                {PngColour::gray_alpha, {8, 16}},
                                {PngColour::rgba, {8, 16}}};
  std::mt19937 random(7);
  for (const Kind& kind : kinds) {
    for (const unsigned bits : kind.bits) {
      for (const std::uint32_t width : {1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 101}) {
        for (const bool interlaced : {false, true}) {
          for (const unsigned one_in : {1U, 9U, 60U}) {
            const auto height = static_cast<std::uint32_t>(1 + random() % 11);
            const PngHeader header{width, height, bits, kind.colour, interlaced};
            Bytes rows(header.n_inflated());
            for (std::uint8_t& byte : rows) {
              byte = random() % one_in == 0 ? static_cast<std::uint8_t>(random()) : 0;
            }
            // A filter to each row, known by its place.
            const std::uint8_t* at = rows.data();
            for (int pass = 1; pass <= (interlaced ? 7 : 1); ++pass) {
              std::uint32_t n_columns = 0, n_rows = 0;
              for (std::uint32_t y = 0; y < header.height; ++y) {
                std::uint32_t n = 0;
                for (std::uint32_t x = 0; x < width; ++x) {
                  n += !interlaced || snellen::testing::adam7_pass(x, y) == pass ? 1 : 0;
                }
                n_rows += n > 0 ? 1 : 0;
                n_columns = n > 0 ? n : n_columns;
              }
              for (std::uint32_t y = 0; y < n_rows; ++y) {
                rows[static_cast<std::size_t>(at - rows.data())] =
                    static_cast<std::uint8_t>(random() % 5);
                at += 1 + (std::size_t{n_columns} * header.n_channels() * bits + 7) / 8;
              }
            }
            CHECK_EQUAL(static_cast<std::size_t>(at - rows.data()), rows.size());
            const auto want = snellen::testing::plain_pixels(header, rows.data());
            const PngPixels got = pixels(header, rows);
            CHECK(want.has_value());
            CHECK_EQUAL(got.fault, "");
            CHECK(bytes(got) == want->bytes);
            CHECK_EQUAL(got.n_not_opaque, want->n_not_opaque);
          }
        }
      }
    }
  }
}

}  // namespace

int main() {
  checksums();
  chunks_of_a_file();
  what_is_wrong();
  what_is_odd();
  sizes_of_rows();
  worked_by_hand();
  as_the_format_says();
  return snellen::testing::report();
}
