#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "plain_curves.hpp"
#include "snellen/curve.hpp"
#include "snellen/parallel.hpp"

namespace {

using namespace snellen::testing;

// -------------------------------------------------------------------------------------------
// By hand: one label, one area range, one threshold. A word is 1 for a true positive, 1 << 16 for
// a false one, 0 for a detection that is left out.

constexpr std::uint32_t kTrue = 1;
constexpr std::uint32_t kFalse = 1U << 16;
constexpr std::uint32_t kLeftOut = 0;

snellen::CurveRules rules(std::vector<double> recalls, std::vector<std::size_t> caps = {100}) {
  return {1, 1, 1, std::move(recalls), std::move(caps), kUndefined};
}

Data one_image(std::vector<double> score, std::vector<std::uint32_t> outcome, std::size_t n_truth) {
  const std::size_t n = score.size();
  return {std::vector<std::int32_t>(n, 0),
          std::vector<std::int32_t>(n, 0),
          std::move(score),
          std::move(outcome),
          std::vector<std::int32_t>(n_truth, 0),
          std::vector<std::uint32_t>(n_truth, 0)};
}

void one_hit_is_a_little_less_than_perfect() {
  // 1 / (1 + 2^-52) is 1 − 2^-52 + 2^-104 − …, which rounds to 1 − 2^-52.
  const Numbers got = curves_of(one_image({0.5}, {kTrue}, 1), rules({0.0, 0.5, 1.0}));
  const double one = 1 - 0x1p-52;
  CHECK(got.precision == (std::vector<double>{one, one, one}));
  CHECK(got.scores == (std::vector<double>{0.5, 0.5, 0.5}));
  CHECK(got.recall == (std::vector<double>{1.0}));
  CHECK(got.n_counted == (std::vector<std::int64_t>{1}));
}

void two_hits_are_perfect() {
  // 2 + 2^-52 is halfway between two doubles and rounds to the even one, 2; the maximum to the
  // right lifts the first point to 1.
  const Numbers got = curves_of(one_image({0.9, 0.5}, {kTrue, kTrue}, 2), rules({0.5, 1.0}));
  CHECK(got.precision == (std::vector<double>{1.0, 1.0}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.5}));
}

void precision_is_the_highest_to_the_right() {
  // True, false, false, true, true of 4: precision 1, 1/2, 1/3, 2/4, 3/5 at recall 1/4 (three
  // times), 2/4, 3/4.
  const Data data = one_image({0.9, 0.8, 0.7, 0.6, 0.5}, {kTrue, kFalse, kFalse, kTrue, kTrue}, 4);
  const Numbers got = curves_of(data, rules({0.0, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0}));
  const double first = 1 - 0x1p-52, last = 3 / (5 + 0x1p-52);
  CHECK(got.precision == (std::vector<double>{first, first, last, last, last, 0, 0}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.9, 0.6, 0.6, 0.5, 0, 0}));
  CHECK(got.recall == (std::vector<double>{0.75}));
}

void what_is_left_out_counts_nowhere_but_at_recall_zero() {
  // Recall 0 is reached at the first row, whatever it is: its score is read off there.
  const Data data = one_image({0.9, 0.8, 0.7}, {kLeftOut, kTrue, kLeftOut}, 1);
  const Numbers got = curves_of(data, rules({0.0, 1.0}));
  const double one = 1 - 0x1p-52;
  CHECK(got.precision == (std::vector<double>{one, one}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.8}));
}

void nothing_found_is_zero() {
  Numbers got = curves_of(one_image({}, {}, 3), rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{0, 0}));
  CHECK(got.scores == (std::vector<double>{0, 0}));
  CHECK(got.recall == (std::vector<double>{0}));
  // With a false one there is a first row, so that recall 0 has its score.
  got = curves_of(one_image({0.5}, {kFalse}, 3), rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{0, 0}));
  CHECK(got.scores == (std::vector<double>{0.5, 0}));
}

void no_truth_that_counts_is_undefined() {
  Data data = one_image({0.5}, {kFalse}, 0);
  Numbers got = curves_of(data, rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{kUndefined, kUndefined}));
  CHECK(got.scores == got.precision);
  CHECK(got.recall == (std::vector<double>{kUndefined}));
  CHECK(got.n_counted == (std::vector<std::int64_t>{0}));
  // The same when all of it is ignored.
  data.truth_label = {0, 0};
  data.truth_ignored = {1, 1};
  CHECK(curves_of(data, rules({0.0, 0.5})) == got);
}

void caps_are_of_one_image() {
  // Two images of two detections each; with a cap of 1 only the first of each takes part.
  Data data = one_image({0.9, 0.4, 0.8, 0.3}, {kFalse, kTrue, kTrue, kFalse}, 2);
  data.image = {0, 0, 1, 1};
  const Numbers got = curves_of(data, rules({0.5, 1.0}, {1, 2}));
  // Cap 1: false (0.9), true (0.8): 1/2 at recall 1/2. Cap 2: true (0.4) follows: 2/3 at recall 1.
  const double half = 1 / (2 + 0x1p-52), third = 2 / (3 + 0x1p-52);
  CHECK(got.precision == (std::vector<double>{half, 0, third, third}));
  CHECK(got.scores == (std::vector<double>{0.8, 0, 0.8, 0.4}));
  CHECK(got.recall == (std::vector<double>{0.5, 1.0}));
}

void ties_go_by_image_then_rank() {
  // All scores equal: in the order of the rows false, true: 1/2 at recall 1.
  Data data = one_image({0.5, 0.5}, {kFalse, kTrue}, 1);
  data.image = {0, 1};
  CHECK(curves_of(data, rules({1.0})).precision == (std::vector<double>{1 / (2 + 0x1p-52)}));
}

void recall_is_compared_as_a_quotient() {
  // k / n >= r in floating point: 7 / 25 is the double nearest to 0.28, and 0.28 × 25 is more
  // than 7. Every such threshold must be reached by the k-th hit.
  for (const std::size_t n : {3U, 7U, 10U, 25U, 49U, 93U, 1000U}) {
    std::vector<double> recalls, scores(n);
    for (std::size_t k = 1; k <= n; ++k) {
      recalls.push_back(static_cast<double>(k) / static_cast<double>(n));
    }
    for (std::size_t i = 0; i < n; ++i) scores[i] = 1 - static_cast<double>(i) / 2000;
    const Numbers got =
        curves_of(one_image(scores, std::vector<std::uint32_t>(n, kTrue), n), rules(recalls, {n}));
    CHECK(got.scores == scores);
  }
}

// -------------------------------------------------------------------------------------------
// Against the definition, on random data.

void agrees_on_random_data(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                           unsigned seed) {
  std::mt19937 random(seed);
  const Data data = random_outcomes(n_rows, n_truth, n_thresholds, random);
  const snellen::CurveRules rules = random_rules(n_thresholds);
  const Numbers want = by_definition(data, rules);
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    CHECK(curves_of(data, rules) == want);
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  one_hit_is_a_little_less_than_perfect();
  two_hits_are_perfect();
  precision_is_the_highest_to_the_right();
  what_is_left_out_counts_nowhere_but_at_recall_zero();
  nothing_found_is_zero();
  no_truth_that_counts_is_undefined();
  caps_are_of_one_image();
  ties_go_by_image_then_rank();
  recall_is_compared_as_a_quotient();
  for (unsigned seed = 0; seed < 20; ++seed) agrees_on_random_data(150, 60, 10, seed);
  agrees_on_random_data(300, 7, 1, 50);
  for (const std::size_t n_thresholds : {1U, 16U, 17U, 40U}) {
    agrees_on_random_data(4000, 500, n_thresholds, 100);
  }
  return snellen::testing::report();
}
