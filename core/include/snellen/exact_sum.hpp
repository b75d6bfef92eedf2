// Sums of float64 without any rounding, after U. Kulisch's long accumulator.
//
// A float64 is a whole number of at most 53 bits times a power of two. A sum is kept as a whole
// number of its own, in limbs of 32 bits held in int64, so that 2^30 additions fit before carries
// must be passed on:
//
//     sum = Σ limb[i] · 2^(32 · (i + low))
//
// Adding whole numbers loses nothing; so neither order nor grouping of the additions shows. Limbs
// are as many as the data's range of magnitudes asks for (three or four for data of one kind), not
// the seventy of the whole range.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// Positions of limbs, in units of 32 bits; empty where begin ≥ end.
struct LimbSpan {
  std::int32_t begin;
  std::int32_t end;
};

// Which limbs the values touch; zeros touch none.
LimbSpan limb_span(const double* values, std::size_t n);
// The same of the products a[i] · b[i], taken exactly.
LimbSpan limb_span_of_products(const double* a, const double* b, std::size_t n);

// Adds n values to n_cells sums of n_limbs each, whose first limb stands at `low`. Value i goes to
// the sum cell[i]; where cell is null, to sum i % n_cells: rows of n_cells columns. The limbs must
// hold the values' span. At most 2^30 values between two calls of pass_carries.
void add_exactly(const double* values, const std::int64_t* cell, std::size_t n, std::int64_t* limbs,
                 std::size_t n_cells, std::size_t n_limbs, std::int32_t low);
// The same with products, which count for three values each.
void add_products_exactly(const double* a, const double* b, std::size_t n, std::int64_t* limbs,
                          std::size_t n_cells, std::size_t n_limbs, std::int32_t low);

// Brings every limb but the last of each sum into [0, 2^32); the last one keeps the sign.
void pass_carries(std::int64_t* limbs, std::size_t n_cells, std::size_t n_limbs);

// Each sum rounded once, to nearest, ties to even. Carries must have been passed, and the last
// limb of each sum must be 0 or −1. Infinite where the sum is beyond float64.
void round_sums(const std::int64_t* limbs, std::size_t n_cells, std::size_t n_limbs,
                std::int32_t low, double* rounded);

}  // namespace snellen
