// Exponential and logarithm that give the same bits on every machine.
//
// The C library's differ between versions and processors in the last bit, and a stored sum of
// losses would differ with them. These are made of IEEE additions, multiplications and divisions
// in a fixed order; they are off by less than one unit in the last place.
#pragma once

#include <bit>
#include <cstdint>

namespace snellen {

namespace elementary {

// ln 2 = kLn2High + kLn2Low; the high part ends in 21 zeros, so that whole multiples are exact.
inline constexpr double kLn2High = 0x1.62e42feep-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
// Adding and taking away 1.5 · 2^52 rounds to a whole number.
inline constexpr double kRound = 0x1.8p+52;

}  // namespace elementary

// e^x for x <= 0; below −708, where the result leaves the normal numbers, 0.
//
// x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series, whose 14th term is below 2^-57.
inline double exp_of_nonpositive(double x) {
  using namespace elementary;
  const double clamped = x < -708.0 ? -708.0 : x;
  const double k = (clamped * kLog2E + kRound) - kRound;
  const double high = clamped - k * kLn2High;
  const double low = k * kLn2Low;
  const double r = high - low;
  double tail = 1.0 / 6227020800.0;
  tail = tail * r + 1.0 / 479001600.0;
  tail = tail * r + 1.0 / 39916800.0;
  tail = tail * r + 1.0 / 3628800.0;
  tail = tail * r + 1.0 / 362880.0;
  tail = tail * r + 1.0 / 40320.0;
  tail = tail * r + 1.0 / 5040.0;
  tail = tail * r + 1.0 / 720.0;
  tail = tail * r + 1.0 / 120.0;
  tail = tail * r + 1.0 / 24.0;
  tail = tail * r + 1.0 / 6.0;
  tail = tail * r + 0.5;
  // What r lost to rounding, (high − r) − low, counts once: e^r ≈ 1 + r + r² tail.
  const double series = 1.0 + (r + (tail * r * r + ((high - r) - low)));
  const std::int64_t exponent = static_cast<std::int64_t>(k);
  const double scale = std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
  return x < -708.0 ? 0.0 : series * scale;
}

// ln x for normal x > 0.
//
// x = 2^k (1 + f) with 1 + f in [√½, √2); with s = f / (2 + f), ln(1 + f) is 2 atanh s, here
// written f − (f²/2 − s (f²/2 + R)), R = 2 s² (1/3 + s²/5 + s⁴/7 + …), so that f, which is exact,
// is the leading term.
inline double log_of_positive(double x) {
  using namespace elementary;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  // The bits of √½: those at or above it belong to the exponent above.
  constexpr std::uint64_t kRootOfHalf = 0x3fe6a09e667f3bcdU;
  const std::uint64_t shifted = bits + (0x3ff0000000000000U - kRootOfHalf);
  const double k = static_cast<double>(static_cast<std::int64_t>(shifted >> 52) - 1023);
  const double f = std::bit_cast<double>((shifted & 0x000fffffffffffffU) + kRootOfHalf) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double series = 2.0 / 23.0;
  series = series * z + 2.0 / 21.0;
  series = series * z + 2.0 / 19.0;
  series = series * z + 2.0 / 17.0;
  series = series * z + 2.0 / 15.0;
  series = series * z + 2.0 / 13.0;
  series = series * z + 2.0 / 11.0;
  series = series * z + 2.0 / 9.0;
  series = series * z + 2.0 / 7.0;
  series = series * z + 2.0 / 5.0;
  series = series * z + 2.0 / 3.0;
  const double r = series * z;
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + r) + k * kLn2Low)) - f);
}

// ln(1 + u) for 0 <= u <= 1.
inline double log_of_1_plus(double u) {
  const double sum = 1.0 + u;
  // ln(1 + u) = ln(sum) + (what the addition lost) / sum, to first order.
  return log_of_positive(sum) + (u - (sum - 1.0)) / sum;
}

}  // namespace snellen
