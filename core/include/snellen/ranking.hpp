// Rows by descending score, equal scores in the order they came.
//
// −0 equals +0; NaN is refused upstream. Radix sort on the upper half of an order-preserving
// integer image of the doubles: scores that differ there (a relative 1e-6) are settled in three
// linear passes, the few runs that agree are settled by comparison.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// rank[i]: the row that stands at place i.
void rank_by_score(const double* score, std::size_t n_rows, Column<std::uint32_t>& rank);

// The rows of each group in that order, one group after the other. Rows ascend by group, and groups
// are 0 … n_groups − 1 (checked by the caller).
Column<std::uint32_t> rank_in_groups(const double* score, const std::int32_t* group,
                                     std::size_t n_rows, std::size_t n_groups);

}  // namespace snellen
