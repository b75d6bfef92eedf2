// The grammar of JSON over bytes in memory: checks tokens, builds nothing.
//
// Accepted is what Python's json.load accepts: RFC 8259 plus the tokens NaN, Infinity and
// -Infinity. Strings must be UTF-8; escapes may name lone surrogates.
//
// A scanner sees a window [begin, end) of the document. Every function returns false when the text
// is not what it should be; `expected()` and `failed_at()` then say why. Failing at `end` while
// more of the document follows (`ran_out()`) is no verdict: scan the token again from its start in
// a larger window. Otherwise what is reported depends on the bytes of the document alone, never on
// where the window ends.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__) || defined(_M_X64)
#define SNELLEN_JSON_SSE2 1
#include <emmintrin.h>
#endif

namespace snellen::json {

// The bytes between the quotes, escapes unresolved.
struct TextToken {
  const char* first;
  const char* last;
  bool escaped;
};

struct NumberToken {
  const char* first;
  const char* last;
  bool whole;  // no fraction, no exponent; false for NaN and the infinities
};

// More containers than this around a value are refused.
inline constexpr std::size_t kMaxDepth = 1000;

class Scanner {
 public:
  Scanner() = default;
  // `closed`: the document ends at `end`.
  Scanner(const char* begin, const char* end, bool closed)
      : at_(begin), end_(end), closed_(closed) {}

  const char* position() const { return at_; }
  const char* end() const { return end_; }
  void seek(const char* position) { at_ = position; }
  bool at_end() const { return at_ == end_; }
  bool closed() const { return closed_; }
  // The next byte; 0 at the end, where no token starts either.
  char peek() const { return at_ == end_ ? '\0' : *at_; }

  void skip_space() {
    // One blank or none is the rule, runs are the exception (indented files).
    if (at_ != end_ && static_cast<unsigned char>(*at_) > ' ') return;
    skip_space_run();
  }
  bool take(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool text(TextToken& token);      // at the opening quote
  bool number(NumberToken& token);  // at a number, NaN, Infinity or -Infinity
  bool key(TextToken& token);       // a key, its colon and the space after it
  // Any value; `depth` containers are open around it.
  bool skip_value(std::size_t depth);

  // `what` completes "expected …" and must be a literal. Always false.
  bool fail(const char* where, const char* what) {
    failed_at_ = where;
    expected_ = what;
    return false;
  }
  bool fail(const char* what) { return fail(at_, what); }
  const char* failed_at() const { return failed_at_; }
  const char* expected() const { return expected_; }
  bool ran_out() const { return !closed_ && failed_at_ == end_; }

 private:
  void skip_space_run();
  bool escape(const char*& p);
  bool utf8(const char*& p);
  bool word(const char* start, const char* spelling);
  bool digits(const char*& p);
  bool skip_scalar();
  void skip_plain_numbers();

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool closed_ = true;
  const char* failed_at_ = nullptr;
  const char* expected_ = nullptr;
};

// Whether a number token can start with this byte.
inline bool starts_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == 'N' || c == 'I';
}

// The nearest double, ties to even; infinite where the magnitude is too large, as in Python.
double to_double(const NumberToken& token);

enum class WholeNumber { fits, too_wide, not_whole };
// The value as an int64 where it is one: 42, 42.0 and 4.2e1 are all 42.
WholeNumber to_whole_number(const NumberToken& token, std::int64_t& value);

// Escapes resolved, UTF-8. False for a lone surrogate, which UTF-8 cannot write.
bool decode_text(const TextToken& token, std::string& text);

// The text for comparing; `buffer` holds it where escapes had to be resolved. A text that UTF-8
// cannot write equals none that we look for and comes out empty.
std::string_view spelling(const TextToken& token, std::string& buffer);

// ---- The short way: numbers as they usually are ------------------------------------------------
//
// The lengths of numbers vary, so that branches on them are guessed wrong. Sixteen bytes are looked
// at together instead: a token's length and the place of its point come out of two bit masks, its
// digits are gathered in a word and converted by three multiplications. Whatever is not of this
// form gives nullptr, which says nothing about the text: take the long way, through Scanner.

// Bytes that must be readable from where a plain token starts.
inline constexpr std::size_t kPlainReach = 40;

inline std::uint64_t load_word(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) {
    std::uint64_t swapped = 0;
    for (int i = 0; i < 8; ++i) swapped |= ((word >> (8 * i)) & 0xff) << (56 - 8 * i);
    return swapped;
  }
  return word;
}

// Sixteen bytes; bit i of a mask tells of byte i.
class Sixteen {
 public:
#if defined(SNELLEN_JSON_SSE2)
  explicit Sixteen(const char* p) : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) {}

  std::uint32_t digits() const {
    const __m128i value = _mm_sub_epi8(bytes_, _mm_set1_epi8('0'));
    return mask(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value));
  }
  std::uint32_t equal(char c) const { return mask(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))); }

 private:
  static std::uint32_t mask(__m128i flags) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(flags));
  }

  __m128i bytes_;
#else
  explicit Sixteen(const char* p) : low_(load_word(p)), high_(load_word(p + 8)) {}

  std::uint32_t digits() const {
    const auto above_nine = [](std::uint64_t word) {
      const std::uint64_t value = word ^ (kOnes * '0');
      return (((value & kSevens) + kOnes * (0x80 - 10)) | value);
    };
    return mask(~above_nine(low_), ~above_nine(high_));
  }
  std::uint32_t equal(char c) const {
    const auto differs = [c](std::uint64_t word) {
      const std::uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(c));
      return (((difference & kSevens) + kSevens) | difference);
    };
    return mask(~differs(low_), ~differs(high_));
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101;
  static constexpr std::uint64_t kSevens = 0x7f7f7f7f7f7f7f7f;
  // The top bits of the bytes, side by side.
  static std::uint32_t mask(std::uint64_t low, std::uint64_t high) {
    const auto top_bits = [](std::uint64_t word) {
      return static_cast<std::uint32_t>((((word >> 7) & kOnes) * 0x0102040810204080) >> 56);
    };
    return top_bits(low) | top_bits(high) << 8;
  }

  std::uint64_t low_;
  std::uint64_t high_;
#endif
};

// The number that the first n of eight digits write, 1 <= n <= 8.
inline std::uint64_t join_digits(std::uint64_t digits, unsigned n) {
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  constexpr std::uint64_t kLow = 0x000000ff000000ff;
  digits = (digits ^ kZeros) << (64 - 8 * n);
  digits = digits * 10 + (digits >> 8);  // pairs, in the even bytes
  const std::uint64_t upper = (digits & kLow) * 0x000f424000000064;
  const std::uint64_t lower = ((digits >> 16) & kLow) * 0x0000271000000001;
  return (upper + lower) >> 32;
}

inline std::uint64_t join_digits(const char* p, unsigned n) { return join_digits(load_word(p), n); }

inline bool is_exponent_mark(char c) { return (c | 0x20) == 'e'; }

// A whole number of at most eight digits, without its sign.
inline const char* plain_whole_magnitude(const char* p, std::int64_t& value) {
  const auto length = static_cast<unsigned>(std::countr_one(Sixteen(p).digits()));
  if (length == 0 || length > 8 || (*p == '0' && length > 1)) return nullptr;
  value = static_cast<std::int64_t>(join_digits(p, length));
  return p + length;
}

// Up to nineteen digits, one to eight of them before a point.
const char* long_magnitude(const char* p, double& value);

// Up to eight characters, or a longer one through the function above. Exact: a whole number below
// 2^53 over a power of ten below 2^53 is rounded once, by the division.
inline const char* plain_magnitude(const char* p, double& value) {
  static constexpr double kPowerOfTen[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  const Sixteen bytes(p);
  const std::uint32_t points = bytes.equal('.');
  const auto length = static_cast<unsigned>(std::countr_one(bytes.digits() | points));
  if (length > 8) return long_magnitude(p, value);
  const std::uint32_t inside = points & ((1u << length) - 1);
  const auto n_whole = static_cast<unsigned>(std::countr_zero(inside | 1u << length));
  if (n_whole == 0 || (*p == '0' && n_whole > 1) || is_exponent_mark(p[length])) return nullptr;
  std::uint64_t digits = load_word(p);
  if (inside == 0) {
    value = static_cast<double>(static_cast<std::int64_t>(join_digits(digits, length)));
    return p + length;
  }
  const unsigned n_fraction = length - n_whole - 1;
  if (n_fraction == 0 || (inside & (inside - 1)) != 0) return nullptr;
  const std::uint64_t before_point = (std::uint64_t{1} << (8 * n_whole)) - 1;
  digits = (digits & before_point) | ((digits >> 8) & ~before_point);
  const auto mantissa = static_cast<std::int64_t>(join_digits(digits, length - 1));
  value = static_cast<double>(mantissa) / kPowerOfTen[n_fraction];
  return p + length;
}

// The sign is a branch, so that finding the digits does not wait for it.
inline const char* plain_whole_number(const char* p, std::int64_t& value) {
  if (*p != '-') [[likely]] {
    return plain_whole_magnitude(p, value);
  }
  std::int64_t magnitude = 0;
  p = plain_whole_magnitude(p + 1, magnitude);
  value = -magnitude;
  return p;
}

inline const char* plain_number(const char* p, double& value) {
  if (*p != '-') [[likely]] {
    return plain_magnitude(p, value);
  }
  double magnitude = 0;
  p = plain_magnitude(p + 1, magnitude);
  value = -magnitude;
  return p;
}

}  // namespace snellen::json
