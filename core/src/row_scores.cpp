#include "snellen/row_scores.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "snellen/elementary.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::size_t kLanes = 8;

// The sum of term(0) … term(n − 1), each lane by itself and then the lanes in order.
template <class Term>
double sum_in_lanes(std::size_t n, const Term& term) {
  std::array<double, kLanes> lane{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lane[j] += term(i + j);
  }
  for (std::size_t j = 0; i < n; ++i, ++j) lane[j] += term(i);
  double sum = 0.0;
  for (const double part : lane) sum += part;
  return sum;
}

// About a quarter of a million cells.
std::size_t rows_of_job(std::size_t n_columns) {
  return std::max<std::size_t>(1, (std::size_t{1} << 18) / std::max<std::size_t>(1, n_columns));
}

template <class Job>
void for_rows(std::size_t n_rows, std::size_t n_columns, const Job& job) {
  const std::size_t rows_a_job = rows_of_job(n_columns);
  parallel_for((n_rows + rows_a_job - 1) / rows_a_job, [&](std::size_t part) {
    const std::size_t end = std::min(n_rows, (part + 1) * rows_a_job);
    for (std::size_t i = part * rows_a_job; i < end; ++i) job(i);
  });
}

template <class Score>
std::size_t highest_column(const Score* row, std::size_t n_columns) {
  std::size_t best = 0;
  for (std::size_t c = 1; c < n_columns; ++c) {
    if (row[c] > row[best]) best = c;
  }
  return best;
}

double logistic(double x) {
  const double e = exp_of_nonpositive(x < 0.0 ? x : -x);
  return x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
}

double minus_log_of_clipped(double p, double eps) {
  return -log_of_positive(std::min(std::max(p, eps), 1.0 - eps));
}

}  // namespace

template <class Score>
void row_sums(const Score* score, std::size_t n_rows, std::size_t n_columns, double* sum) {
  for_rows(n_rows, n_columns, [=](std::size_t i) {
    const Score* row = score + i * n_columns;
    sum[i] = sum_in_lanes(n_columns, [row](std::size_t c) { return double{row[c]}; });
  });
}

template <class Score>
void row_maxima(const Score* score, std::size_t n_rows, std::size_t n_columns, Link link,
                double* highest, std::int32_t* column) {
  for_rows(n_rows, n_columns, [=](std::size_t i) {
    const Score* row = score + i * n_columns;
    const std::size_t best = highest_column(row, n_columns);
    column[i] = static_cast<std::int32_t>(best);
    const double top = row[best];
    highest[i] =
        link == Link::identity ? top : 1.0 / sum_in_lanes(n_columns, [row, top](std::size_t c) {
                                         return exp_of_nonpositive(row[c] - top);
                                       });
  });
}

template <class Score>
void row_losses(const Score* score, std::size_t n_rows, std::size_t n_columns,
                const std::int32_t* code, Link link, double eps, double* log_loss, double* brier) {
  const std::size_t rows_a_job = rows_of_job(n_columns);
  parallel_for_workers((n_rows + rows_a_job - 1) / rows_a_job, [=] {
    // What each class got, the row's own left out: 0 in its place.
    return [=, others = std::vector<double>(n_columns)](std::size_t job) mutable {
      const std::size_t end = std::min(n_rows, (job + 1) * rows_a_job);
      for (std::size_t i = job * rows_a_job; i < end; ++i) {
        const Score* row = score + i * n_columns;
        const std::size_t target = static_cast<std::size_t>(code[i]);
        double top = 0.0;
        double own = row[target];
        if (link == Link::identity) {
          for (std::size_t c = 0; c < n_columns; ++c) others[c] = row[c];
        } else {
          top = row[highest_column(row, n_columns)];
          for (std::size_t c = 0; c < n_columns; ++c) {
            others[c] = exp_of_nonpositive(row[c] - top);
          }
          own = others[target];
        }
        others[target] = 0.0;
        const double* const p = others.data();
        const double squares = sum_in_lanes(n_columns, [p](std::size_t c) { return p[c] * p[c]; });
        if (link == Link::identity) {
          brier[i] = squares + (1.0 - own) * (1.0 - own);
          log_loss[i] = minus_log_of_clipped(own, eps);
        } else {
          // 1 − p[target] from the others, so that it is as exact as they are.
          const double rest = sum_in_lanes(n_columns, [p](std::size_t c) { return p[c]; });
          const double sum = own + rest;
          brier[i] = (squares + rest * rest) / (sum * sum);
          log_loss[i] = (top - row[target]) + log_of_positive(sum);
        }
      }
    };
  });
}

template <class Score>
void cell_losses(const Score* score, std::size_t n_cells, const std::uint8_t* member, Link link,
                 double eps, double* log_loss, double* brier) {
  for_rows(n_cells, 1, [=](std::size_t i) {
    const double x = score[i];
    const bool is_member = member[i] != 0;
    if (link == Link::identity) {
      log_loss[i] = minus_log_of_clipped(is_member ? x : 1.0 - x, eps);
      const double wrong = is_member ? 1.0 - x : x;
      brier[i] = wrong * wrong;
      return;
    }
    // −ln of the logistic function of z, the logit of the truth: max(−z, 0) + ln(1 + e^−|z|).
    const double z = is_member ? x : -x;
    const double e = exp_of_nonpositive(z < 0.0 ? z : -z);
    log_loss[i] = (z < 0.0 ? -z : 0.0) + log_of_1_plus(e);
    const double wrong = logistic(-z);
    brier[i] = wrong * wrong;
  });
}

template <class Score>
void probabilities(const Score* score, std::size_t n_rows, std::size_t n_columns, Link link,
                   double* probability) {
  for_rows(n_rows, n_columns, [=](std::size_t i) {
    const Score* row = score + i * n_columns;
    double* const out = probability + i * n_columns;
    if (n_columns == 1) {
      out[0] = link == Link::identity ? double{row[0]} : logistic(row[0]);
      return;
    }
    if (link == Link::identity) {
      for (std::size_t c = 0; c < n_columns; ++c) out[c] = row[c];
      return;
    }
    const double top = row[highest_column(row, n_columns)];
    for (std::size_t c = 0; c < n_columns; ++c) out[c] = exp_of_nonpositive(row[c] - top);
    const double sum = sum_in_lanes(n_columns, [out](std::size_t c) { return out[c]; });
    for (std::size_t c = 0; c < n_columns; ++c) out[c] /= sum;
  });
}

#define SNELLEN_FOR(Score)                                                                       \
  template void row_sums<Score>(const Score*, std::size_t, std::size_t, double*);                \
  template void row_maxima<Score>(const Score*, std::size_t, std::size_t, Link, double*,         \
                                  std::int32_t*);                                                \
  template void row_losses<Score>(const Score*, std::size_t, std::size_t, const std::int32_t*,   \
                                  Link, double, double*, double*);                               \
  template void cell_losses<Score>(const Score*, std::size_t, const std::uint8_t*, Link, double, \
                                   double*, double*);                                            \
  template void probabilities<Score>(const Score*, std::size_t, std::size_t, Link, double*);
SNELLEN_FOR(float)
SNELLEN_FOR(double)
#undef SNELLEN_FOR

}  // namespace snellen
