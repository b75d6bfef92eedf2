#include "snellen/json_scanner.hpp"

#include <array>

namespace snellen::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The containers that are open inside the value being skipped: one bit each, set for objects. A
// stack of our own, so that no nesting can exhaust the machine's.
class Nesting {
 public:
  std::size_t size() const { return size_; }
  bool in_object() const { return (bits_[(size_ - 1) / 64] >> ((size_ - 1) % 64) & 1) != 0; }
  void push(bool object) {
    const std::uint64_t bit = std::uint64_t{1} << (size_ % 64);
    std::uint64_t& word = bits_[size_ / 64];
    word = object ? word | bit : word & ~bit;
    ++size_;
  }
  void pop() { --size_; }

 private:
  std::array<std::uint64_t, kMaxDepth / 64 + 1> bits_{};
  std::size_t size_ = 0;
};

// What each of sixty-four bytes is, as bits. The first byte starts a number.
class NumberList {
 public:
  explicit NumberList(const char* p) {
    for (int i = 0; i < 4; ++i) {
      const Sixteen bytes(p + 16 * i);
      digit_ |= static_cast<std::uint64_t>(bytes.digits()) << (16 * i);
      zero_ |= static_cast<std::uint64_t>(bytes.equal('0')) << (16 * i);
      point_ |= static_cast<std::uint64_t>(bytes.equal('.')) << (16 * i);
      comma_ |= static_cast<std::uint64_t>(bytes.equal(',')) << (16 * i);
      space_ |= static_cast<std::uint64_t>(bytes.equal(' ')) << (16 * i);
    }
  }

  // The last number start that nothing forbidden comes before.
  unsigned last_start() const {
    const std::uint64_t after_comma = comma_ << 1;
    const std::uint64_t start = 1 | (after_comma & ~space_) | ((after_comma & space_) << 1);
    const std::uint64_t after_digit = digit_ << 1;
    // Adding a number's first fraction digit to its digits carries to behind the last of them.
    const std::uint64_t fraction = (point_ << 1) & digit_;
    const std::uint64_t behind_fraction = (digit_ + fraction) & ~digit_;
    const std::uint64_t forbidden = ~(digit_ | point_ | comma_ | space_) |  //
                                    (start & ~digit_) |                     //
                                    ((point_ | comma_) & ~after_digit) |    //
                                    (space_ & ~after_comma) |               //
                                    ((point_ << 1) & ~digit_) |             //
                                    (point_ & behind_fraction) |            //
                                    (((start & zero_) << 1) & digit_);
    const std::uint64_t allowed = forbidden == 0 ? ~std::uint64_t{0} : forbidden ^ (forbidden - 1);
    return 63u - static_cast<unsigned>(std::countl_zero(start & allowed));
  }

 private:
  std::uint64_t digit_ = 0;
  std::uint64_t zero_ = 0;
  std::uint64_t point_ = 0;
  std::uint64_t comma_ = 0;
  std::uint64_t space_ = 0;
};

}  // namespace

void Scanner::skip_space_run() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool Scanner::escape(const char*& p) {
  ++p;
  if (p == end_) return fail(p, "an escape");
  switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      ++p;
      return true;
    case 'u':
      ++p;
      for (int i = 0; i < 4; ++i, ++p) {
        if (p == end_ || !is_hex_digit(*p)) return fail(p, "four hexadecimal digits after \\u");
      }
      return true;
    default:
      return fail(p, "one of \" \\ / b f n r t u after a backslash");
  }
}

// A run of characters outside ASCII. Table 3-7 of the Unicode standard: the first byte decides how
// many follow and the range of the second; this leaves out overlong forms and surrogates.
bool Scanner::utf8(const char*& p) {
  static constexpr char kExpected[] = "UTF-8";
  while (p != end_ && static_cast<unsigned char>(*p) >= 0x80) {
    const auto lead = static_cast<unsigned char>(*p);
    const char* const first = p;
    if (lead < 0xc2 || lead > 0xf4) return fail(first, kExpected);
    const int n_following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    ++p;
    for (int i = 0; i < n_following; ++i, ++p) {
      if (p == end_) return fail(p, kExpected);
      const auto byte = static_cast<unsigned char>(*p);
      if (byte < low || byte > high) return fail(first, kExpected);
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

bool Scanner::text(TextToken& token) {
  const char* p = at_ + 1;
  token = {p, p, false};
  for (;;) {
#if defined(SNELLEN_JSON_SSE2)
    while (end_ - p >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      // Signed: bytes outside ASCII are below the blank, like the control characters.
      const __m128i special =
          _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
                       _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
      if (mask != 0) {
        p += std::countr_zero(mask);
        break;
      }
      p += 16;
    }
#endif
    if (p == end_) return fail(p, "the closing quote of a string");
    const auto byte = static_cast<unsigned char>(*p);
    if (byte == '"') {
      token.last = p;
      at_ = p + 1;
      return true;
    }
    if (byte == '\\') {
      token.escaped = true;
      if (!escape(p)) return false;
    } else if (byte >= 0x80) {
      if (!utf8(p)) return false;
    } else if (byte < ' ') {
      return fail(p, "control characters in strings to be escaped");
    } else {
      ++p;
    }
  }
}

bool Scanner::word(const char* start, const char* spelling) {
  const char* p = start;
  for (; *spelling != '\0'; ++spelling, ++p) {
    if (p == end_) return fail(p, "a value");
    if (*p != *spelling) return fail(at_, "a value");
  }
  at_ = p;
  return true;
}

bool Scanner::digits(const char*& p) {
  if (p == end_ || !is_digit(*p)) return fail(p, "a digit");
  do {
    ++p;
  } while (p != end_ && is_digit(*p));
  return true;
}

bool Scanner::number(NumberToken& token) {
  const char* p = at_;
  token.first = at_;
  token.whole = true;
  if (p != end_ && *p == '-') ++p;
  if (p != end_ && (*p == 'I' || (*p == 'N' && p == at_))) {
    token.whole = false;
    if (!word(p, *p == 'I' ? "Infinity" : "NaN")) return false;
    token.last = at_;
    return true;
  }
  const char* leading = p;
  if (!digits(p)) return false;
  if (*leading == '0' && p - leading > 1) {
    return fail(leading, "a number without leading zeros");
  }
  if (p != end_ && *p == '.') {
    token.whole = false;
    ++p;
    if (!digits(p)) return false;
  }
  if (p != end_ && (*p == 'e' || *p == 'E')) {
    token.whole = false;
    ++p;
    if (p != end_ && (*p == '+' || *p == '-')) ++p;
    if (!digits(p)) return false;
  }
  // Where the window ends the token may go on.
  if (p == end_ && !closed_) return fail(p, "a number");
  token.last = p;
  at_ = p;
  return true;
}

bool Scanner::key(TextToken& token) {
  if (peek() != '"') return fail("a key in double quotes");
  if (!text(token)) return false;
  skip_space();
  if (!take(':')) return fail("\":\" after a key");
  skip_space();
  return true;
}

bool Scanner::skip_scalar() {
  switch (peek()) {
    case '"': {
      TextToken token;
      return text(token);
    }
    case 't':
      return word(at_, "true");
    case 'f':
      return word(at_, "false");
    case 'n':
      return word(at_, "null");
    default:
      if (!starts_number(peek())) return fail("a value");
      NumberToken token;
      return number(token);
  }
}

// Most of an annotation file are polygons: lists of numbers that nobody wants, but that have to be
// numbers. Sixty-four bytes are checked at a time, each rule of the grammar as a relation between
// neighbouring bits; only numbers without sign and exponent, with ',' or ', ' between them. Stops
// at the last number whose start is known to be one: what follows is read the long way.
void Scanner::skip_plain_numbers() {
  while (end_ - at_ >= 64) {
    const NumberList list(at_);
    const unsigned start = list.last_start();
    if (start == 0) break;
    at_ += start;
  }
  // More space than one blank after a comma is not looked into above.
  skip_space();
}

bool Scanner::skip_value(std::size_t depth) {
  Nesting nesting;
  TextToken ignored;
  for (;;) {
    // At a value.
    const char opening = peek();
    if (opening == '[' || opening == '{') {
      const bool object = opening == '{';
      if (depth + nesting.size() >= kMaxDepth) {
        return fail("at most 1000 nested lists and objects");
      }
      nesting.push(object);
      ++at_;
      skip_space();
      if (!take(object ? '}' : ']')) {
        if (object && !key(ignored)) return false;
        if (!object) skip_plain_numbers();
        continue;
      }
      nesting.pop();
    } else if (!skip_scalar()) {
      return false;
    }
    // After a value.
    for (;;) {
      if (nesting.size() == 0) return true;
      const bool object = nesting.in_object();
      skip_space();
      if (take(',')) {
        skip_space();
        if (object && !key(ignored)) return false;
        if (!object) skip_plain_numbers();
        break;
      }
      if (!take(object ? '}' : ']')) return fail(object ? "\",\" or \"}\"" : "\",\" or \"]\"");
      nesting.pop();
    }
  }
}

}  // namespace snellen::json
