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

class Span {
 public:
  void include(std::uint64_t whole, std::int32_t exponent) {
    if (whole == 0) return;
    begin_ = std::min(begin_, limb_of(exponent));
    const auto width = static_cast<std::int32_t>(std::bit_width(whole));
    end_ = std::max(end_, limb_of(exponent + width - 1) + 1);
  }
  LimbSpan get() const { return begin_ < end_ ? LimbSpan{begin_, end_} : LimbSpan{0, 0}; }

 private:
  std::int32_t begin_ = std::numeric_limits<std::int32_t>::max();
  std::int32_t end_ = std::numeric_limits<std::int32_t>::min();
};

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

// The product of two numbers of 53 bits as three numbers, at 2^0, 2^32 and 2^64.
struct Product {
  std::uint64_t whole[3];
};

Product multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a0 = a & kLimbMask, a1 = a >> 32, b0 = b & kLimbMask, b1 = b >> 32;
  return {{a0 * b0, a0 * b1 + a1 * b0, a1 * b1}};
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
  Span span;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts parts = parts_of(values[i]);
    span.include(parts.whole, parts.exponent);
  }
  return span.get();
}

LimbSpan limb_span_of_products(const double* a, const double* b, std::size_t n) {
  Span span;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts left = parts_of(a[i]), right = parts_of(b[i]);
    const Product product = multiply(left.whole, right.whole);
    for (int k = 0; k < 3; ++k) {
      span.include(product.whole[k], left.exponent + right.exponent + 32 * k);
    }
  }
  return span.get();
}

void add_exactly(const double* values, const std::int64_t* cell, std::size_t n, std::int64_t* limbs,
                 std::size_t n_cells, std::size_t n_limbs, std::int32_t low) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts parts = parts_of(values[i]);
    const std::size_t at = cell == nullptr ? column : static_cast<std::size_t>(cell[i]);
    add_whole(parts.whole, parts.exponent, parts.negative, limbs + at * n_limbs, low);
    if (++column == n_cells) column = 0;
  }
}

void add_products_exactly(const double* a, const double* b, std::size_t n, std::int64_t* limbs,
                          std::size_t n_cells, std::size_t n_limbs, std::int32_t low) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Parts left = parts_of(a[i]), right = parts_of(b[i]);
    const Product product = multiply(left.whole, right.whole);
    for (int k = 0; k < 3; ++k) {
      add_whole(product.whole[k], left.exponent + right.exponent + 32 * k,
                left.negative != right.negative, limbs + column * n_limbs, low);
    }
    if (++column == n_cells) column = 0;
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
