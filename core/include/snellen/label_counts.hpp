// Labels to codes, and codes to counts of pairs: the two passes over the samples that every number
// of a classification starts from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

struct Factorised {
  Column<std::int64_t> ids;   // the distinct labels, ascending
  Column<std::int32_t> code;  // the position of each label among them
};

// The distinct labels and the position of each, through a table over [lowest, highest]. Returns
// false, and nothing, where the labels are spread over more than max_span numbers.
bool factorise(const std::int64_t* labels, std::size_t n, std::size_t max_span, Factorised& out);

struct PairCount {
  Column<std::int64_t> cell;   // row · n_classes + column, ascending
  Column<std::int64_t> count;  // how often, at least 1
};

// How often each pair (row[i], column[i]) occurs; codes lie in [0, n_classes). Counts into one
// table of n_classes² for each thread, so n_classes is to be moderate.
PairCount count_pairs(const std::int32_t* row, const std::int32_t* column, std::size_t n,
                      std::size_t n_classes);

struct LabelPairs {
  Column<std::int64_t> ids;  // the labels of either side, ascending
  PairCount pairs;           // as from count_pairs, of positions among them
};

// What factorise and count_pairs give together, in two passes over the labels and without codes.
// Returns false, and nothing, where the labels of both sides are spread over more than max_span
// numbers; a table of max_span² must fit memory.
bool count_labels(const std::int64_t* truth, const std::int64_t* pred, std::size_t n,
                  std::size_t max_span, LabelPairs& out);

}  // namespace snellen
