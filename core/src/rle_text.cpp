// COCO's run lengths as text, in and out.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "printable.hpp"
#include "rle_spans.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle.hpp"

#if defined(__SSE2__) || defined(_M_X64)
#define SNELLEN_RLE_SSE2 1
#include <emmintrin.h>
#endif

namespace snellen {
namespace {

constexpr unsigned kFirstCharacter = '0', kMore = 0x20, kSign = 0x10, kGroup = 0x1f;
// More groups than any run or difference of runs needs; what is longer is refused.
constexpr unsigned kMostBits = 40;
constexpr std::size_t kRowsOfBlock = 64;

RleFault fault_at(std::string message, std::size_t position) {
  return {std::move(message), 0, position};
}

#if defined(SNELLEN_RLE_SSE2)
// Eight runs of one character each, which most are, behind the two before them. False, and nothing
// is changed, where one is below 0 or very long, or together they are too many.
bool append_eight_runs(std::uint64_t groups, std::uint32_t* found, std::size_t& n,
                       std::int64_t& left) {
  const __m128i characters = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&groups));
  // Five bits with their sign, at the top of 16 and back.
  const __m128i wide = _mm_unpacklo_epi8(characters, _mm_setzero_si128());
  __m128i written = _mm_srai_epi16(_mm_slli_epi16(wide, 11), 11);
  // Each is a difference to the one two before: sums of every other one.
  written = _mm_add_epi16(written, _mm_slli_si128(written, 4));
  written = _mm_add_epi16(written, _mm_slli_si128(written, 8));
  const __m128i sign = _mm_srai_epi16(written, 15);
  __m128i before = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(found + n - 2));
  before = _mm_unpacklo_epi64(before, before);
  const __m128i low = _mm_add_epi32(_mm_unpacklo_epi16(written, sign), before);
  const __m128i high = _mm_add_epi32(_mm_unpackhi_epi16(written, sign), before);
  // So short that the sum of eight has 31 bits.
  constexpr int kTooLong = ~((1 << 28) - 1);
  const __m128i bad = _mm_and_si128(_mm_or_si128(low, high), _mm_set1_epi32(kTooLong));
  __m128i sum = _mm_add_epi32(low, high);
  sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
  sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
  const std::int64_t taken = _mm_cvtsi128_si32(sum);
  const bool good = _mm_movemask_epi8(_mm_cmpeq_epi32(bad, _mm_setzero_si128())) == 0xffff;
  if (!good || taken > left) return false;
  left -= taken;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(found + n), low);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(found + n + 4), high);
  n += 8;
  return true;
}
#endif

// Reads runs as long as each lies within eight characters and is as it should be; the rest is for
// the long way. Behind the third run. Returns where it stopped: where a run begins, or the end.
//
// The eight groups are put side by side, 40 bits in all; where each number ends is known from one
// bit of each character. So no branch depends on how many characters a number has, and what one
// run waits for of the one before is two additions.
const char* append_short_runs(const char* at, const char* end, std::uint32_t* found, std::size_t& n,
                              std::int64_t& left) {
  constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
  if constexpr (std::endian::native != std::endian::little) return at;
  while (end - at >= 8) {
    std::uint64_t text;
    std::memcpy(&text, at, sizeof(text));
    // The highest bit is set so that no byte borrows; it is then still set, and the next is not,
    // of the 64 characters that there are.
    std::uint64_t groups = (text | kHigh) - kFirstCharacter * kEach;
    std::uint64_t last = ~groups & (kMore * kEach);
    if (((text | ~groups | groups << 1) & kHigh) != 0 || last == 0) return at;
#if defined(SNELLEN_RLE_SSE2)
    if (last == kMore * kEach && append_eight_runs(groups, found, n, left)) {
      at += 8;
      continue;
    }
#endif
    // Pairs of 5 bits become 10, pairs of those 20, and the two of those 40.
    groups &= kGroup * kEach;
    groups = (groups & 0x001f001f001f001f) | (groups & 0x1f001f001f001f00) >> 3;
    groups = (groups & 0x000003ff000003ff) | (groups & 0x03ff000003ff0000) >> 6;
    groups = (groups & 0x00000000000fffff) | (groups & 0x000fffff00000000) >> 12;
    unsigned first = 0, behind = 0;  // characters of the number
    do {
      behind = static_cast<unsigned>(std::countr_zero(last)) / 8 + 1;
      const unsigned beyond = 64 - 5 * behind;
      // What stands behind it goes out at the top, its sign comes in again.
      const std::int64_t written =
          static_cast<std::int64_t>(groups << beyond) >> (beyond + 5 * first);
      const std::int64_t run = written + found[n - 2];
      if (run < 0 || run > left) return at + first;
      left -= run;
      found[n++] = static_cast<std::uint32_t>(run);
      first = behind;
      last &= last - 1;
    } while (last != 0);
    at += behind;
  }
  return at;
}

}  // namespace

RleFault append_rle(std::string_view text, std::uint64_t n_pixels, Column<std::uint32_t>& runs) {
  const std::size_t first = runs.size();
  const auto refuse = [&](std::string message, std::size_t position) {
    runs.resize_uninitialised(first);
    return fault_at(std::move(message), position);
  };
  if (n_pixels > std::numeric_limits<std::uint32_t>::max()) {
    return refuse("expected an image of less than 2^32 pixels, got " + std::to_string(n_pixels), 0);
  }
  // A run has at least one character.
  runs.reserve(first + text.size());
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  std::uint32_t* const found = runs.data() + first;
  std::size_t n = 0;
  auto left = static_cast<std::int64_t>(n_pixels);
  for (const char* at = begin; at != end; ++n) {
    if (n > 2) {
      at = append_short_runs(at, end, found, n, left);
      if (at == end) break;
    }
    const char* const start = at;
    std::int64_t value = 0;
    unsigned bits = 0, group;
    do {
      if (at == end) {
        return refuse("expected the rest of a number, the run lengths are cut off",
                      static_cast<std::size_t>(at - begin));
      }
      group = static_cast<unsigned char>(*at) - kFirstCharacter;
      if (group > (kMore | kGroup)) {
        return refuse("expected characters \"0\" … \"o\" of run lengths, got " + printable({at, 1}),
                      static_cast<std::size_t>(at - begin));
      }
      if (bits >= kMostBits) {
        return refuse("expected a run length, got a number of more than " +
                          std::to_string(kMostBits) + " bits",
                      static_cast<std::size_t>(start - begin));
      }
      value |= static_cast<std::int64_t>(group & kGroup) << bits;
      bits += 5;
      ++at;
    } while ((group & kMore) != 0);
    if ((group & kSign) != 0) value -= std::int64_t{1} << bits;
    if (n > 2) value += found[n - 2];
    if (value < 0 || value > left) {
      const auto position = static_cast<std::size_t>(start - begin);
      if (value < 0)
        return refuse("expected runs from 0 on, got " + std::to_string(value), position);
      return refuse("expected " + of_pixels(n_pixels) + ", got more", position);
    }
    left -= value;
    found[n] = static_cast<std::uint32_t>(value);
  }
  if (left != 0) {
    return refuse("expected " + of_pixels(n_pixels) + ", got " +
                      std::to_string(n_pixels - static_cast<std::uint64_t>(left)),
                  text.size());
  }
  runs.resize_uninitialised(first + n);
  return {};
}

RleFault decode_rle(const TextRows& texts, const std::int32_t* size, RleRows& rows) {
  const std::size_t n_blocks = (texts.n + kRowsOfBlock - 1) / kRowsOfBlock;
  std::vector<RleRows> parts(n_blocks);
  std::vector<RleFault> faults(n_blocks);
  parallel_for(n_blocks, [&](std::size_t block) {
    RleRows& part = parts[block];
    const std::size_t begin = block * kRowsOfBlock;
    const std::size_t end = std::min(texts.n, begin + kRowsOfBlock);
    part.runs.reserve(static_cast<std::size_t>(texts.offset[end] - texts.offset[begin]));
    part.offset.push_back(0);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t n_pixels =
          static_cast<std::uint64_t>(size[2 * i]) * static_cast<std::uint64_t>(size[2 * i + 1]);
      faults[block] = append_rle(texts[i], n_pixels, part.runs);
      if (faults[block]) {
        faults[block].row = i;
        return;
      }
      part.offset.push_back(static_cast<std::int64_t>(part.runs.size()));
    }
  });
  for (RleFault& fault : faults) {
    if (fault) return std::move(fault);
  }
  rows = join_rows(parts);
  return {};
}

TextPool encode_rle(const RleView& masks) {
  // A difference of runs has 33 bits and so up to 7 characters, a run of a mask mostly one or two.
  constexpr std::size_t kLongest = 7;
  TextPool texts;
  texts.offset.reserve(masks.n + 1);
  texts.offset.push_back(0);
  for (std::size_t i = 0; i < masks.n; ++i) {
    const std::uint32_t* const runs = masks.runs + masks.offset[i];
    const std::size_t n = masks.n_runs(i), begin = texts.bytes.size();
    const std::size_t most = begin + kLongest * n;
    if (most > texts.bytes.capacity()) {
      texts.bytes.reserve(std::max(most, 2 * texts.bytes.capacity()));
    }
    char* const text = texts.bytes.data();
    std::size_t at = begin;
    for (std::size_t k = 0; k < n; ++k) {
      std::int64_t value = runs[k];
      if (k > 2) value -= runs[k - 2];
      while (true) {
        const auto group = static_cast<unsigned>(value) & kGroup;
        value >>= 5;
        // The rest is nothing but the sign that this group shows.
        const bool last = value == ((group & kSign) != 0 ? -1 : 0);
        text[at++] = static_cast<char>(kFirstCharacter + group + (last ? 0 : kMore));
        if (last) break;
      }
    }
    texts.bytes.resize_uninitialised(at);
    texts.offset.push_back(static_cast<std::int64_t>(at));
  }
  return texts;
}

}  // namespace snellen
