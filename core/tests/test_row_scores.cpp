#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "snellen/elementary.hpp"
#include "snellen/parallel.hpp"
#include "snellen/row_scores.hpp"

namespace {

// How many units in the last place two numbers are apart, of the second.
double units_apart(double got, long double want) {
  const double nearest = static_cast<double>(want);
  const double unit = std::nextafter(std::fabs(nearest), INFINITY) - std::fabs(nearest);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want) /
                             static_cast<long double>(unit));
}

void elementary_functions() {
  double worst_exp = 0.0, worst_log = 0.0, worst_log1p = 0.0;
  for (int i = 0; i <= 200'000; ++i) {
    const double x = -708.0 * i / 200'000.0;
    worst_exp = std::fmax(worst_exp, units_apart(snellen::exp_of_nonpositive(x),
                                                 std::exp(static_cast<long double>(x))));
    const double p = std::pow(10.0, -15.0 + i * 16.0 / 200'000.0);
    worst_log = std::fmax(
        worst_log, units_apart(snellen::log_of_positive(p), std::log(static_cast<long double>(p))));
    const double near_one = 1.0 + (i - 100'000) * 1e-7;
    if (near_one != 1.0) {
      worst_log = std::fmax(worst_log, units_apart(snellen::log_of_positive(near_one),
                                                   std::log(static_cast<long double>(near_one))));
    }
    const double u = std::pow(10.0, -18.0 * i / 200'000.0);
    worst_log1p = std::fmax(worst_log1p, units_apart(snellen::log_of_1_plus(u),
                                                     std::log1p(static_cast<long double>(u))));
  }
  CHECK(worst_exp < 1.0);
  CHECK(worst_log < 1.0);
  CHECK(worst_log1p < 2.0);
  CHECK_EQUAL(snellen::exp_of_nonpositive(0.0), 1.0);
  CHECK_EQUAL(snellen::exp_of_nonpositive(-709.0), 0.0);
  CHECK_EQUAL(snellen::exp_of_nonpositive(-std::numeric_limits<double>::max()), 0.0);
  CHECK_EQUAL(snellen::log_of_positive(1.0), 0.0);
  CHECK_EQUAL(snellen::log_of_1_plus(0.0), 0.0);
}

void losses_by_hand() {
  const std::vector<double> score{0.25, 0.5, 0.25, 0.0, 1.0, 0.0};
  const std::vector<std::int32_t> code{1, 0};
  std::vector<double> log_loss(2), brier(2);
  snellen::row_losses(score.data(), 2, 3, code.data(), snellen::Link::identity, 0x1p-52,
                      log_loss.data(), brier.data());
  CHECK_EQUAL(log_loss[0], std::log(2.0));
  CHECK_EQUAL(brier[0], 0.0625 + 0.25 + 0.0625);
  CHECK(std::fabs(log_loss[1] - 52 * std::log(2.0)) < 1e-13);
  CHECK_EQUAL(brier[1], 2.0);
  // Logits of which one is far ahead: e^-1000 is nothing.
  const std::vector<double> logit{0.0, 1000.0, 0.0};
  const std::vector<std::int32_t> behind{2};
  snellen::row_losses(logit.data(), 1, 3, behind.data(), snellen::Link::logit, 0.0, log_loss.data(),
                      brier.data());
  CHECK_EQUAL(log_loss[0], 1000.0);
  CHECK_EQUAL(brier[0], 2.0);
}

void highest() {
  const std::vector<float> score{0.2F, 0.4F, 0.4F, 0.0F};
  double confidence = 0.0;
  std::int32_t column = -1;
  snellen::row_maxima(score.data(), 1, 4, snellen::Link::identity, &confidence, &column);
  CHECK_EQUAL(column, 1);
  CHECK_EQUAL(confidence, double{0.4F});
  const std::vector<float> equal{3.0F, 3.0F, 3.0F, 3.0F};
  snellen::row_maxima(equal.data(), 1, 4, snellen::Link::logit, &confidence, &column);
  CHECK_EQUAL(column, 0);
  CHECK_EQUAL(confidence, 0.25);
}

void sums_of_rows() {
  std::vector<float> score(3 * 19);
  for (std::size_t i = 0; i < score.size(); ++i) score[i] = static_cast<float>(i);
  std::vector<double> sum(3);
  snellen::row_sums(score.data(), 3, 19, sum.data());
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK_EQUAL(sum[r], static_cast<double>(19 * (19 * r) + 19 * 18 / 2));
  }
}

}  // namespace

int main() {
  elementary_functions();
  for (const int n_threads : {1, 3}) {
    snellen::set_thread_count(n_threads);
    losses_by_hand();
    highest();
    sums_of_rows();
  }
  return snellen::testing::report();
}
