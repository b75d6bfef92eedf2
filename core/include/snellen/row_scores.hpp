// What is read from the scores of a sample as probabilities: log loss, Brier score, and the class
// with the highest score.
//
// Sums over a row run in eight lanes, added in a fixed order, so that every machine gives the same
// bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// How scores become probabilities.
enum class Link {
  identity,  // they are
  logit,     // softmax (one column: the logistic function)
};

// The sum of each row.
template <class Score>
void row_sums(const Score* score, std::size_t n_rows, std::size_t n_columns, double* sum);

// For each row the highest probability and the first column that has it.
template <class Score>
void row_maxima(const Score* score, std::size_t n_rows, std::size_t n_columns, Link link,
                double* highest, std::int32_t* column);

// For each row −ln p[code] and Σ (p − y)². identity: p[code] is kept within [eps, 1 − eps] for the
// logarithm; logit: the logarithm of the softmax, which needs no such care.
template <class Score>
void row_losses(const Score* score, std::size_t n_rows, std::size_t n_columns,
                const std::int32_t* code, Link link, double eps, double* log_loss, double* brier);

// For each cell, a probability of its own: −ln of what is given to the truth, and (p − y)².
template <class Score>
void cell_losses(const Score* score, std::size_t n_cells, const std::uint8_t* member, Link link,
                 double eps, double* log_loss, double* brier);

// The probability of each cell.
template <class Score>
void probabilities(const Score* score, std::size_t n_rows, std::size_t n_columns, Link link,
                   double* probability);

}  // namespace snellen
