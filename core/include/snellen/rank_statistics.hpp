// Counts that only the order of scores decides: ranks of targets, and true and false positives at
// thresholds.
//
// A curve needs only the distinct scores of the positives: between two of them no true positive is
// gained. So the positives are sorted (few: each sample has one class) and every score is placed
// among them by a table of the leading bits of its order-preserving integer image; nothing else is
// sorted. −0 equals +0; NaN is refused upstream. All is counted in integers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// Scores in rows, one column a class. Positive is column code[i] of row i or, where there are no
// codes, each whose member is not 0.
template <class Score>
struct ScoreMatrix {
  const Score* score;
  std::size_t n_rows;
  std::size_t n_columns;
  const std::int32_t* code;
  const std::uint8_t* member;
};

// Curves of one or several columns, one after the other; curve j is rows begin[j] to begin[j + 1].
// A row is a distinct score of positives, descending; decided positive is what reaches it.
struct RankCurves {
  Column<std::int64_t> begin;
  Column<double> threshold;
  Column<std::int64_t> n_true;         // positives that reach the threshold
  Column<std::int64_t> n_false;        // negatives that do
  Column<std::int64_t> n_false_above;  // negatives that lie above it
};

// For each row the number of columns that score higher than its code's, or equal and are earlier.
template <class Score>
void target_ranks(const Score* score, std::size_t n_rows, std::size_t n_columns,
                  const std::int32_t* code, std::int32_t* rank);

// One curve a column: its positives against all other rows. With twice_wins (K, K), rows must have
// codes: cell (j, k) becomes twice the pairs (row of class j, row of class k) in which the first
// scores higher in column j; equal scores are half a pair.
template <class Score>
RankCurves curves_by_column(const ScoreMatrix<Score>& matrix, std::int64_t* twice_wins);

// One curve of all cells of the matrix.
template <class Score>
RankCurves curve_of_all(const ScoreMatrix<Score>& matrix);

// For each column how many of all cells, and of the positive ones, reach how many of the ascending
// thresholds: two tables (n_columns, n_thresholds + 1), which are added to.
template <class Score>
void count_by_threshold(const ScoreMatrix<Score>& matrix, const Score* thresholds,
                        std::size_t n_thresholds, std::int64_t* all, std::int64_t* positive);

}  // namespace snellen
