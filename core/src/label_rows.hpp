// Which rows are those of a label.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "snellen/curve.hpp"

namespace snellen {

struct Rows {
  std::size_t begin, end;
};

// Rows ascend by label.
inline std::vector<Rows> rows_of_labels(const std::int32_t* label, std::size_t n_rows,
                                        std::size_t n_labels) {
  std::vector<Rows> rows(n_labels);
  std::size_t at = 0;
  for (std::size_t k = 0; k < n_labels; ++k) {
    rows[k].begin = at;
    while (at < n_rows && static_cast<std::size_t>(label[at]) == k) ++at;
    rows[k].end = at;
  }
  return rows;
}

// The labels' rows, and labels by size: the largest first, so that threads end together.
struct Partition {
  std::vector<Rows> pred, truth;
  std::vector<std::size_t> by_size;
};

inline Partition partition_of(const Outcomes& outcomes, std::size_t n_labels) {
  Partition parts{rows_of_labels(outcomes.label, outcomes.n_rows, n_labels),
                  rows_of_labels(outcomes.truth_label, outcomes.n_truth, n_labels),
                  std::vector<std::size_t>(n_labels)};
  std::iota(parts.by_size.begin(), parts.by_size.end(), std::size_t{0});
  std::stable_sort(parts.by_size.begin(), parts.by_size.end(), [&](std::size_t a, std::size_t b) {
    return parts.pred[a].end - parts.pred[a].begin > parts.pred[b].end - parts.pred[b].begin;
  });
  return parts;
}

// The first of the caps, ascending, that admits a detection of this rank in its cell.
inline std::uint32_t first_cap(const std::vector<std::size_t>& caps, std::size_t rank) {
  return static_cast<std::uint32_t>(std::upper_bound(caps.begin(), caps.end(), rank) -
                                    caps.begin());
}

}  // namespace snellen
