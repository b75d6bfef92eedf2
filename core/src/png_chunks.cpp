#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "snellen/png.hpp"

namespace snellen {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::uint32_t kMost = 0x7fffffff;  // of any four-byte number of the format
constexpr std::size_t kAround = 12;          // bytes of a chunk besides its data

// Sixteen bytes at a time: table k is for a byte with k more behind it.
using Tables = std::array<std::array<std::uint32_t, 256>, 16>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xedb88320U : 0U);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         std::uint32_t{at[3]};
}

bool is_letter(std::uint8_t byte) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

bool is_of_a_word(std::uint8_t byte) {
  return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '_';
}

bool depth_fits(PngColour colour, unsigned bits) {
  switch (colour) {
    case PngColour::gray:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    case PngColour::palette:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8;
    case PngColour::rgb:
    case PngColour::gray_alpha:
    case PngColour::rgba:
      return bits == 8 || bits == 16;
  }
  return false;
}

// Reads the chunks of one file, in their order.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  PngChunks read() {
    if (size_ < kSignature.size() || !std::equal(kSignature.begin(), kSignature.end(), data_)) {
      fail("expected a PNG file, got none", 0);
      return std::move(chunks_);
    }
    at_ = kSignature.size();
    while (!ended_ && !chunks_.fault) chunk();
    if (chunks_.fault) {
      chunks_ = {std::move(chunks_.fault), {}, {}, {}, 0};
    } else if (odd_) {
      chunks_.fault = std::move(odd_);
    }
    return std::move(chunks_);
  }

 private:
  enum class Stage { kHeader, kBefore, kPixels, kBehind };

  void fail(std::string message, std::size_t byte) {
    chunks_.fault = {std::move(message), byte, false};
  }

  // Not as the format has it, but told apart from damage: what follows is looked at, too.
  void odd(std::string message, std::size_t byte) {
    if (!odd_) odd_ = {std::move(message), byte, true};
  }

  void chunk() {
    const std::size_t start = at_;
    if (size_ - at_ < 8) return fail("expected a whole PNG file, got one that is cut off", size_);
    const std::uint32_t length = big_endian(data_ + at_);
    const std::uint8_t* const kind = data_ + at_ + 4;
    if (!std::all_of(kind, kind + 4, is_of_a_word) || length > kMost) {
      return fail("expected a chunk of a PNG file, got bytes that are none", start);
    }
    const std::string name(reinterpret_cast<const char*>(kind), 4);
    if (size_ - at_ < kAround || size_ - at_ - kAround < length) {
      return fail("expected a whole PNG file, got one that is cut off in its " + name + " chunk",
                  size_);
    }
    const std::uint8_t* const data = kind + 4;
    if (png_checksum(kind, length + std::size_t{4}) != big_endian(data + length)) {
      return fail("expected an intact PNG file, got a chunk " + name + " whose checksum is wrong",
                  start);
    }
    if (stage_ == Stage::kHeader && name != "IHDR") {
      const std::string message = "expected a PNG file that begins with IHDR, got " + name;
      if ((kind[0] & 0x20) == 0) return fail(message, start);
      odd(message, start);
    } else if (name == "acTL") {
      // Which of its frames are the labels, it does not say.
      return fail("expected one image in the file, got an animated PNG (acTL): save one frame",
                  start);
    } else if (!std::all_of(kind, kind + 4, is_letter)) {
      odd("expected a chunk whose name is of letters, got " + name, start);
    } else if (name == "IHDR") {
      header(data, length, start);
    } else if (name == "PLTE") {
      palette(data, length, start);
    } else if (name == "IDAT") {
      pixels(static_cast<std::size_t>(data - data_), length, start);
    } else if (name == "IEND") {
      end(length, start);
    } else if ((kind[0] & 0x20) == 0) {  // a capital: not to be passed over
      odd("expected chunks that are known, got " + name, start);
    } else if (stage_ == Stage::kPixels) {
      stage_ = Stage::kBehind;
    }
    at_ += length + kAround;
  }

  void header(const std::uint8_t* data, std::uint32_t length, std::size_t start) {
    if (stage_ != Stage::kHeader) return fail("expected one IHDR chunk, got a second", start);
    stage_ = Stage::kBefore;
    if (length != 13) {
      const std::string message =
          "expected an IHDR chunk of 13 bytes, got " + std::to_string(length);
      if (length < 13) return fail(message, start);
      odd(message, start);
    }
    PngHeader& header = chunks_.header;
    header.width = big_endian(data);
    header.height = big_endian(data + 4);
    header.bits = data[8];
    header.colour = static_cast<PngColour>(data[9]);
    header.interlaced = data[12] != 0;
    if (header.width == 0 || header.height == 0 || header.width > kMost || header.height > kMost) {
      return fail("expected 1 to 2147483647 columns and rows, got " + std::to_string(header.width) +
                      " and " + std::to_string(header.height),
                  start);
    }
    if (!depth_fits(header.colour, header.bits)) {
      return fail("expected a colour type and depth of PNG, got type " + std::to_string(data[9]) +
                      " of " + std::to_string(header.bits) + " bits",
                  start);
    }
    if (data[10] != 0 || data[11] != 0 || data[12] > 1) {
      const std::string message = "expected compression 0, filter 0 and interlace 0 or 1, got " +
                                  std::to_string(data[10]) + ", " + std::to_string(data[11]) +
                                  " and " + std::to_string(data[12]);
      if (data[11] != 0) return fail(message, start);
      odd(message, start);
    }
  }

  void palette(const std::uint8_t* data, std::uint32_t length, std::size_t start) {
    if (stage_ != Stage::kBefore || !chunks_.palette.empty()) {
      return odd("expected one PLTE chunk before the pixels, got another", start);
    }
    if (length == 0 || length > 768 || length % 3 != 0) {
      return odd(
          "expected a PLTE chunk of 1 to 256 colours, got " + std::to_string(length) + " bytes",
          start);
    }
    chunks_.palette.assign(data, data + length);
  }

  void pixels(std::size_t begin, std::uint32_t length, std::size_t start) {
    if (stage_ == Stage::kBehind) {
      return fail("expected IDAT chunks that follow each other, got another chunk between", start);
    }
    if (chunks_.header.colour == PngColour::palette && chunks_.palette.empty()) {
      odd("expected a PLTE chunk before the pixels, got none", start);
    }
    stage_ = Stage::kPixels;
    chunks_.compressed.push_back({begin, length});
    chunks_.n_compressed += length;
  }

  void end(std::uint32_t length, std::size_t start) {
    if (chunks_.compressed.empty()) return fail("expected an IDAT chunk, got none", start);
    if (length != 0) odd("expected an empty IEND chunk, got data in it", start);
    ended_ = true;  // bytes behind it are nobody's
  }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
  Stage stage_ = Stage::kHeader;
  bool ended_ = false;
  PngFault odd_;  // the first
  PngChunks chunks_;
};

}  // namespace

std::uint32_t png_checksum(const std::uint8_t* data, std::size_t size) {
  std::uint32_t sum = 0xffffffffU;
  for (; size >= 16; data += 16, size -= 16) {
    std::uint8_t block[16];
    std::memcpy(block, data, 16);
    for (unsigned k = 0; k < 4; ++k) {
      block[k] = static_cast<std::uint8_t>(block[k] ^ (sum >> (8 * k)));
    }
    sum = 0;
    for (std::size_t k = 0; k < 16; ++k) sum ^= kTables[15 - k][block[k]];
  }
  for (; size > 0; ++data, --size) sum = (sum >> 8) ^ kTables[0][(sum ^ *data) & 0xff];
  return ~sum;
}

PngChunks read_png_chunks(const std::uint8_t* data, std::size_t size) {
  return Reader(data, size).read();
}

}  // namespace snellen
