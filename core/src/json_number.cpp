// Decimal text to numbers, and escaped text to UTF-8.
#include <locale.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "snellen/json_scanner.hpp"

namespace snellen::json {
namespace {

// strtod in the C locale: correctly rounded, slow, and it wants a terminated copy. For what the
// ways below leave over.
double convert_slowly(const NumberToken& token) {
  const std::string text(token.first, token.last);
#if defined(_WIN32)
  static const _locale_t c_locale = _create_locale(LC_ALL, "C");
  return _strtod_l(text.c_str(), nullptr, c_locale);
#else
  static const locale_t c_locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return strtod_l(text.c_str(), nullptr, c_locale);
#endif
}

double convert(const NumberToken& token) {
#if defined(__cpp_lib_to_chars)
  double value;
  // Too large and too small are both "out of range", and `value` is then not set.
  if (std::from_chars(token.first, token.last, value).ec == std::errc()) return value;
#endif
  return convert_slowly(token);
}

// The largest power of five below 2^63.
constexpr unsigned kMaxPowerOfFive = 27;

constexpr std::array<std::uint64_t, kMaxPowerOfFive + 1> powers_of_five() {
  std::array<std::uint64_t, kMaxPowerOfFive + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 5;
  return powers;
}

#if defined(__SIZEOF_INT128__)
// mantissa / 10^k, rounded once. With both sides shifted up to their top bits the quotient
// mantissa · 2^63 / 5^k has 63 or 64 bits, ten more than a double keeps; whether anything remained
// goes into its last bit, so that the conversion to double rounds as if it saw all digits. The
// powers of two left out are put back exactly: the result is far from the subnormal range.
double divide(std::uint64_t mantissa, unsigned k) {
  static constexpr auto kPowersOfFive = powers_of_five();
  __extension__ using Wide = unsigned __int128;
  if (mantissa == 0) return 0;
  const int up = std::countl_zero(mantissa);
  const int divisor_up = std::countl_zero(kPowersOfFive[k]);
  const std::uint64_t divisor = kPowersOfFive[k] << divisor_up;
  const Wide dividend = static_cast<Wide>(mantissa << up) << 63;
  const auto quotient = static_cast<std::uint64_t>(dividend / divisor);
  const bool remains = static_cast<std::uint64_t>(dividend) != quotient * divisor;
  const int exponent = divisor_up - up - 63 - static_cast<int>(k);
  const auto scale = std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
  return static_cast<double>(quotient | static_cast<std::uint64_t>(remains)) * scale;
}
#endif

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as mantissa · 10^exponent; `exact` unless digits had to be left out.
struct Decimal {
  std::uint64_t mantissa = 0;
  long exponent = 0;
  bool exact = true;
};

// Appends digits; returns where they end. Nineteen significant ones fit 64 bits.
const char* add_digits(const char* p, const char* last, Decimal& decimal) {
  constexpr std::uint64_t kFull = 1'000'000'000'000'000'000;
  for (; p != last && is_digit(*p); ++p) {
    if (decimal.mantissa >= kFull) decimal.exact = false;
    decimal.mantissa = decimal.mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
  }
  return p;
}

Decimal to_decimal(const char* p, const char* last) {
  Decimal decimal;
  p = add_digits(p, last, decimal);
  if (p != last && *p == '.') {
    const char* fraction = p + 1;
    p = add_digits(fraction, last, decimal);
    decimal.exponent = static_cast<long>(fraction - p);
  }
  if (p != last) {
    ++p;
    if (*p == '+') ++p;
    int exponent = 0;
    if (std::from_chars(p, last, exponent).ec != std::errc()) decimal.exact = false;
    decimal.exponent += exponent;
  }
  return decimal;
}

std::uint32_t hex_value(const char* p) {
  std::uint32_t value = 0;
  std::from_chars(p, p + 4, value, 16);
  return value;
}

void append_utf8(std::uint32_t c, std::string& text) {
  const auto put = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
    return;
  }
  if (c < 0x800) {
    put(0xc0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      put(0xe0 | (c >> 12));
    } else {
      put(0xf0 | (c >> 18));
      put(0x80 | ((c >> 12) & 0x3f));
    }
    put(0x80 | ((c >> 6) & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

bool is_high_surrogate(std::uint32_t c) { return c >= 0xd800 && c < 0xdc00; }
bool is_low_surrogate(std::uint32_t c) { return c >= 0xdc00 && c < 0xe000; }

// p is behind "\u"; advances behind the character, which a pair of escapes may write.
bool decode_unicode(const char*& p, const char* last, std::string& text) {
  std::uint32_t c = hex_value(p);
  p += 4;
  if (is_low_surrogate(c)) return false;
  if (is_high_surrogate(c)) {
    if (last - p < 6 || p[0] != '\\' || p[1] != 'u') return false;
    const std::uint32_t low = hex_value(p + 2);
    if (!is_low_surrogate(low)) return false;
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    p += 6;
  }
  append_utf8(c, text);
  return true;
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

const char* long_magnitude(const char* p, double& value) {
#if defined(__SIZEOF_INT128__)
  static constexpr std::uint64_t kPowerOfTen[] = {1,      10,      100,      1000,     10000,
                                                  100000, 1000000, 10000000, 100000000};
  const Sixteen low(p);
  const Sixteen high(p + 16);
  const std::uint32_t points = low.equal('.') | high.equal('.') << 16;
  const std::uint32_t run = low.digits() | high.digits() << 16 | points;
  const auto length = static_cast<unsigned>(std::countr_one(run));
  const auto n_whole = static_cast<unsigned>(std::countr_zero(points));
  // One point, inside, and a token that ends within sight.
  if (length == 32 || n_whole + 1 >= length || is_exponent_mark(p[length])) return nullptr;
  const std::uint32_t inside = points & ((1u << length) - 1);
  const unsigned n_fraction = length - n_whole - 1;
  if ((inside & (inside - 1)) != 0 || n_whole == 0 || n_whole > 8) return nullptr;
  if (n_whole + n_fraction > 19 || (*p == '0' && n_whole > 1)) return nullptr;
  // All digits in words of eight; the last two may have fewer, or none.
  std::uint64_t mantissa = join_digits(p, n_whole);
  const char* digits = p + n_whole + 1;
  for (unsigned left = n_fraction; left != 0;) {
    const unsigned n = std::min(left, 8u);
    mantissa = mantissa * kPowerOfTen[n] + join_digits(digits, n);
    digits += n;
    left -= n;
  }
  // Both exact as doubles: their quotient is rounded once, like that of whole numbers, at a
  // fraction of its price. At most eighteen digits stand behind the point.
  static constexpr double kExact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                      1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  if (mantissa <= std::uint64_t{1} << 53) {
    value = static_cast<double>(static_cast<std::int64_t>(mantissa)) / kExact[n_fraction];
  } else {
    value = divide(mantissa, n_fraction);
  }
  return p + length;
#else
  (void)p;
  (void)value;
  return nullptr;
#endif
}

double to_double(const NumberToken& token) {
  const bool negative = *token.first == '-';
  const char* p = token.first + negative;
  double magnitude;
  if (*p == 'N') {
    magnitude = std::numeric_limits<double>::quiet_NaN();
  } else if (*p == 'I') {
    magnitude = std::numeric_limits<double>::infinity();
  } else {
#if defined(__SIZEOF_INT128__)
    const Decimal decimal = to_decimal(p, token.last);
    if (decimal.exact && decimal.exponent <= 0 &&
        decimal.exponent >= -static_cast<long>(kMaxPowerOfFive)) {
      magnitude = divide(decimal.mantissa, static_cast<unsigned>(-decimal.exponent));
      return negative ? -magnitude : magnitude;
    }
#endif
    return convert(token);
  }
  return negative ? -magnitude : magnitude;
}

WholeNumber to_whole_number(const NumberToken& token, std::int64_t& value) {
  if (token.whole) {
    const bool fits = std::from_chars(token.first, token.last, value).ec == std::errc();
    return fits ? WholeNumber::fits : WholeNumber::too_wide;
  }
  const double number = to_double(token);
  if (!std::isfinite(number) || std::trunc(number) != number) return WholeNumber::not_whole;
  if (number < -0x1p63 || number >= 0x1p63) return WholeNumber::too_wide;
  value = static_cast<std::int64_t>(number);
  return WholeNumber::fits;
}

bool decode_text(const TextToken& token, std::string& text) {
  if (!token.escaped) {
    text.assign(token.first, token.last);
    return true;
  }
  text.clear();
  for (const char* p = token.first; p != token.last;) {
    const char* backslash = std::find(p, token.last, '\\');
    text.append(p, backslash);
    p = backslash;
    if (p == token.last) break;
    const char kind = p[1];
    p += 2;
    if (kind != 'u') {
      text.push_back(simple_escape(kind));
    } else if (!decode_unicode(p, token.last, text)) {
      return false;
    }
  }
  return true;
}

std::string_view spelling(const TextToken& token, std::string& buffer) {
  if (!token.escaped) {
    return {token.first, static_cast<std::size_t>(token.last - token.first)};
  }
  if (!decode_text(token, buffer)) buffer.clear();
  return buffer;
}

}  // namespace snellen::json
