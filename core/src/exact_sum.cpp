#include "snellen/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace snellen {

namespace {

constexpr std::uint64_t kLimbMask = 0xffffffffu;

// |x| = whole · 2^exponent.
struct Parts {
  std::uint64_t whole;
  std::int32_t exponent;
  bool negative;
};

Parts parts_of(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::int32_t field = static_cast<std::int32_t>((bits >> 52) & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const bool normal = field != 0;
  return {normal ? fraction | (std::uint64_t{1} << 52) : fraction, (normal ? field : 1) - 1075,
          (bits >> 63) != 0};
}

// Rounds towards minus infinity, as the limbs' positions need it.
std::int32_t limb_of(std::int32_t exponent) { return exponent >> 5; }

// The exponents of a batch: what lies between the lowest and the highest is touched.
class Exponents {
 public:
  // Without branches, so that compilers make vectors of it.
  void include(bool touches, std::int32_t exponent) {
    lowest_ = std::min(lowest_, touches ? exponent : kNone);
    highest_ = std::max(highest_, touches ? exponent : -kNone);
  }
  // Of whole numbers of so many bits.
  LimbSpan span(std::int32_t bits) const {
    if (lowest_ > highest_) return {0, 0};
    return {limb_of(lowest_), limb_of(highest_ + bits - 1) + 1};
  }

 private:
  static constexpr std::int32_t kNone = 1 << 20;
  std::int32_t lowest_ = kNone;
  std::int32_t highest_ = -kNone;
};

bool is_zero(std::uint64_t bits) { return bits << 1 == 0; }

std::int32_t exponent_of(std::uint64_t bits) {
  return std::max<std::int32_t>(static_cast<std::int32_t>((bits >> 52) & 0x7ff), 1) - 1075;
}

// Adds ± whole · 2^exponent to a sum; limbs beyond the highest bit are not touched.
void add_whole(std::uint64_t whole, std::int32_t exponent, bool negative, std::int64_t* sum,
               std::int32_t low) {
  if (whole == 0) return;
  const int shift = exponent & 31;
  std::int64_t* limb = sum + (limb_of(exponent) - low);
  const std::uint64_t lower = whole << shift;
  const std::uint64_t upper = shift == 0 ? 0 : whole >> (64 - shift);
  const std::int64_t pieces[3] = {static_cast<std::int64_t>(lower & kLimbMask),
                                  static_cast<std::int64_t>(lower >> 32),
                                  static_cast<std::int64_t>(upper)};
  for (int i = 0; i < 3; ++i) {
    if (pieces[i] != 0) limb[i] += negative ? -pieces[i] : pieces[i];
  }
}

// The product of two numbers of 53 bits.
struct Product {
  std::uint64_t low;
  std::uint64_t high;
};

Product multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a0 = a & kLimbMask, a1 = a >> 32, b0 = b & kLimbMask, b1 = b >> 32;
  const std::uint64_t cross = a0 * b1 + a1 * b0;
  const std::uint64_t low = a0 * b0 + (cross << 32);
  return {low, a1 * b1 + (cross >> 32) + (low < (cross << 32) ? 1 : 0)};
}

// Adds ± the pieces to limbs from `limb` on. Without branches on the data, which are not to be
// foreseen: a sign that comes as it likes costs more than the additions.
template <std::size_t n>
void add_pieces(const std::uint64_t (&pieces)[n], bool negative, std::int64_t* limb) {
  const std::int64_t flip = -static_cast<std::int64_t>(negative);
  for (std::size_t i = 0; i < n; ++i) {
    limb[i] += (static_cast<std::int64_t>(pieces[i]) ^ flip) - flip;
  }
}

// A sum's magnitude, limbs in [0, 2^32).
bool magnitude(const std::int64_t* sum, std::size_t n_limbs, std::vector<std::uint64_t>& limbs) {
  const bool negative = sum[n_limbs - 1] < 0;
  std::uint64_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i + 1 < n_limbs; ++i) {
    const std::uint64_t limb = static_cast<std::uint64_t>(sum[i]) & kLimbMask;
    limbs[i] = negative ? (~limb & kLimbMask) + carry : limb;
    carry = limbs[i] >> 32;
    limbs[i] &= kLimbMask;
  }
  // Only −2^(32 (n − 1)) carries this far.
  limbs[n_limbs - 1] = negative ? carry : 0;
  return negative;
}

double round_magnitude(const std::vector<std::uint64_t>& limbs, std::int32_t low) {
  std::size_t top = limbs.size();
  while (top > 0 && limbs[top - 1] == 0) --top;
  if (top == 0) return 0.0;
  const auto at = [&](std::size_t i) { return top >= i ? limbs[top - i] : 0; };
  // The highest 64 bits, the first of them set; what lies below only tells ties apart.
  const int lead = 32 - static_cast<int>(std::bit_width(at(1)));
  std::uint64_t whole = (at(1) << 32 | at(2)) << lead;
  if (lead > 0) whole |= at(3) >> (32 - lead);
  bool rest = (at(3) << lead & kLimbMask) != 0;
  for (std::size_t i = 4; i <= top && !rest; ++i) rest = at(i) != 0;
  const std::int32_t exponent = 32 * (low + static_cast<std::int32_t>(top) - 2) - lead;
  // float64 keeps 53 bits, and none below 2^-1074.
  const int dropped = std::max(11, -1074 - exponent);
  if (dropped > 64) return 0.0;
  std::uint64_t kept = dropped == 64 ? 0 : whole >> dropped;
  const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
  const std::uint64_t below = dropped == 64 ? whole : whole & ((half << 1) - 1);
  if (below > half || (below == half && (rest || (kept & 1) != 0))) ++kept;
  return std::ldexp(static_cast<double>(kept), exponent + dropped);
}

}  // namespace

LimbSpan limb_span(const double* values, std::size_t n) {
  Exponents exponents;
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint64_t>(values[i]);
    exponents.include(!is_zero(bits), exponent_of(bits));
  }
  return exponents.span(53);
}

LimbSpan limb_span_of_products(const double* a, const double* b, std::size_t n) {
  Exponents exponents;
  for (std::size_t i = 0; i < n; ++i) {
    const auto left = std::bit_cast<std::uint64_t>(a[i]),
               right = std::bit_cast<std::uint64_t>(b[i]);
    const bool touches = !is_zero(left) && !is_zero(right);
    exponents.include(touches, exponent_of(left) + exponent_of(right));
  }
  return exponents.span(106);
}

void add_exactly(const double* values, const std::int64_t* cell, std::size_t n, std::int64_t* limbs,
                 std::size_t n_cells, std::size_t n_limbs, std::int32_t low) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts parts = parts_of(values[i]);
    std::int64_t* const sum =
        limbs + (cell == nullptr ? column : static_cast<std::size_t>(cell[i])) * n_limbs;
    if (++column == n_cells) column = 0;
    const std::int32_t at = limb_of(parts.exponent) - low;
    if (at < 0 || static_cast<std::size_t>(at) + 3 > n_limbs) {
      // Zero, or a number whose upper limbs, which it does not touch, are not there.
      add_whole(parts.whole, parts.exponent, parts.negative, sum, low);
      continue;
    }
    const int shift = parts.exponent & 31;
    const std::uint64_t lower = parts.whole << shift, upper = parts.whole >> 1 >> (63 - shift);
    add_pieces({lower & kLimbMask, lower >> 32, upper}, parts.negative, sum + at);
  }
}

void add_products_exactly(const double* a, const double* b, std::size_t n, std::int64_t* limbs,
                          std::size_t n_cells, std::size_t n_limbs, std::int32_t low) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts left = parts_of(a[i]), right = parts_of(b[i]);
    const Product product = multiply(left.whole, right.whole);
    const std::int32_t exponent = left.exponent + right.exponent;
    const bool negative = left.negative != right.negative;
    std::int64_t* const sum = limbs + column * n_limbs;
    if (++column == n_cells) column = 0;
    const std::int32_t at = limb_of(exponent) - low;
    if (at < 0 || static_cast<std::size_t>(at) + 5 > n_limbs) {
      add_whole(product.low, exponent, negative, sum, low);
      add_whole(product.high, exponent + 64, negative, sum, low);
      continue;
    }
    const int shift = exponent & 31;
    const std::uint64_t lower = product.low << shift;
    const std::uint64_t middle = product.high << shift | product.low >> 1 >> (63 - shift);
    const std::uint64_t upper = product.high >> 1 >> (63 - shift);
    add_pieces({lower & kLimbMask, lower >> 32, middle & kLimbMask, middle >> 32, upper}, negative,
               sum + at);
  }
}

void pass_carries(std::int64_t* limbs, std::size_t n_cells, std::size_t n_limbs) {
  for (std::size_t c = 0; c < n_cells; ++c) {
    std::int64_t* const sum = limbs + c * n_limbs;
    for (std::size_t i = 0; i + 1 < n_limbs; ++i) {
      sum[i + 1] += sum[i] >> 32;
      sum[i] &= static_cast<std::int64_t>(kLimbMask);
    }
  }
}

void round_sums(const std::int64_t* limbs, std::size_t n_cells, std::size_t n_limbs,
                std::int32_t low, double* rounded) {
  std::vector<std::uint64_t> scratch(n_limbs);
  for (std::size_t c = 0; c < n_cells; ++c) {
    const bool negative = magnitude(limbs + c * n_limbs, n_limbs, scratch);
    const double value = round_magnitude(scratch, low);
    rounded[c] = negative ? -value : value;
  }
}

}  // namespace snellen
