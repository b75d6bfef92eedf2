#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rank_statistics.hpp"

namespace {

using Counts = std::vector<std::int64_t>;

template <class T>
std::vector<T> list(const snellen::Column<T>& column) {
  return {column.begin(), column.end()};
}

// Counts by comparing everything with everything.
template <class Score>
struct Plain {
  std::vector<double> threshold;
  Counts n_true, n_false, n_false_above;

  Plain(const std::vector<Score>& score, const std::vector<std::uint8_t>& member) {
    // Positives in descending order, each value once.
    bool first = true;
    Score last{};
    for (;;) {
      bool found = false;
      Score next{};
      for (std::size_t i = 0; i < score.size(); ++i) {
        if (member[i] == 0 || (!first && !(score[i] < last))) continue;
        if (!found || score[i] > next) next = score[i];
        found = true;
      }
      if (!found) return;
      std::int64_t t = 0, f = 0, above = 0;
      for (std::size_t i = 0; i < score.size(); ++i) {
        t += member[i] != 0 && score[i] >= next;
        f += member[i] == 0 && score[i] >= next;
        above += member[i] == 0 && score[i] > next;
      }
      threshold.push_back(static_cast<double>(next));
      n_true.push_back(t);
      n_false.push_back(f);
      n_false_above.push_back(above);
      last = next;
      first = false;
    }
  }
};

template <class Score>
std::vector<Score> random_scores(std::size_t n, int levels, std::mt19937_64& random) {
  std::vector<Score> scores(n);
  std::uniform_int_distribution<int> level(-levels, levels);
  std::normal_distribution<double> normal;
  for (Score& score : scores) {
    score = levels > 0 ? static_cast<Score>(level(random)) / 8 : static_cast<Score>(normal(random));
  }
  return scores;
}

template <class Score>
void curves_agree_with_counting() {
  std::mt19937_64 random(1);
  for (const std::size_t n_rows : {std::size_t{1}, std::size_t{3}, std::size_t{129}}) {
    for (const std::size_t n_columns : {std::size_t{1}, std::size_t{2}, std::size_t{19}}) {
      for (const int levels : {0, 1, 6}) {
        const auto score = random_scores<Score>(n_rows * n_columns, levels, random);
        std::vector<std::int32_t> code(n_rows);
        std::vector<std::uint8_t> member(n_rows * n_columns, 0);
        std::uniform_int_distribution<std::size_t> pick(0, n_columns - 1);
        for (std::size_t i = 0; i < n_rows; ++i) {
          code[i] = static_cast<std::int32_t>(pick(random));
          member[i * n_columns + static_cast<std::size_t>(code[i])] = 1;
        }
        const snellen::ScoreMatrix<Score> by_code{score.data(), n_rows, n_columns, code.data(),
                                                  nullptr};
        const snellen::ScoreMatrix<Score> by_member{score.data(), n_rows, n_columns, nullptr,
                                                    member.data()};
        const Plain<Score> all(score, member);
        for (const auto& matrix : {by_code, by_member}) {
          const snellen::RankCurves curve = snellen::curve_of_all(matrix);
          CHECK(list(curve.threshold) == all.threshold);
          CHECK(list(curve.n_true) == all.n_true);
          CHECK(list(curve.n_false) == all.n_false);
          CHECK(list(curve.n_false_above) == all.n_false_above);
        }
        Counts wins(n_columns * n_columns, 0);
        const snellen::RankCurves with_wins = snellen::curves_by_column(by_code, wins.data());
        for (const auto& matrix : {by_code, by_member}) {
          const snellen::RankCurves curves = snellen::curves_by_column(matrix, nullptr);
          CHECK(list(curves.n_false) == list(with_wins.n_false));
          CHECK_EQUAL(curves.begin.size(), n_columns + 1);
          for (std::size_t c = 0; c < n_columns; ++c) {
            std::vector<Score> column(n_rows);
            std::vector<std::uint8_t> own(n_rows);
            for (std::size_t i = 0; i < n_rows; ++i) {
              column[i] = score[i * n_columns + c];
              own[i] = member[i * n_columns + c];
            }
            const Plain<Score> want(column, own);
            const auto begin = static_cast<std::size_t>(curves.begin[c]);
            CHECK_EQUAL(static_cast<std::size_t>(curves.begin[c + 1]) - begin,
                        want.threshold.size());
            for (std::size_t r = 0; r < want.threshold.size(); ++r) {
              CHECK_EQUAL(curves.threshold[begin + r], want.threshold[r]);
              CHECK_EQUAL(curves.n_true[begin + r], want.n_true[r]);
              CHECK_EQUAL(curves.n_false[begin + r], want.n_false[r]);
              CHECK_EQUAL(curves.n_false_above[begin + r], want.n_false_above[r]);
            }
          }
        }
        Counts want(n_columns * n_columns, 0);
        for (std::size_t i = 0; i < n_rows; ++i) {
          for (std::size_t k = 0; k < n_rows; ++k) {
            const auto j = static_cast<std::size_t>(code[i]);
            const Score a = score[i * n_columns + j];
            const Score b = score[k * n_columns + j];
            want[j * n_columns + static_cast<std::size_t>(code[k])] += a > b ? 2 : a == b ? 1 : 0;
          }
        }
        CHECK(wins == want);
      }
    }
  }
}

// Enough positives to be sorted by digits and merged.
template <class Score>
void many_positives_agree_with_few() {
  std::mt19937_64 random(2);
  const std::size_t n = 50'000;
  const auto score = random_scores<Score>(n, 0, random);
  std::vector<std::uint8_t> member(n);
  for (std::uint8_t& m : member) m = static_cast<std::uint8_t>(random() % 2);
  const snellen::ScoreMatrix<Score> matrix{score.data(), n, 1, nullptr, member.data()};
  const snellen::RankCurves merged = snellen::curve_of_all(matrix);
  const snellen::RankCurves placed = snellen::curves_by_column(matrix, nullptr);
  CHECK(list(merged.threshold) == list(placed.threshold));
  CHECK(list(merged.n_true) == list(placed.n_true));
  CHECK(list(merged.n_false) == list(placed.n_false));
  CHECK(list(merged.n_false_above) == list(placed.n_false_above));
  CHECK(merged.threshold.size() > 20'000);
}

void extremes() {
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  const std::vector<double> score{kMost, -kMost, 0.0, -0.0, kLeast, -kLeast};
  const std::vector<std::uint8_t> member{0, 1, 1, 0, 1, 0};
  const snellen::ScoreMatrix<double> matrix{score.data(), 6, 1, nullptr, member.data()};
  const snellen::RankCurves curve = snellen::curve_of_all(matrix);
  // denorm_min, then 0 beside −0, then the lowest.
  CHECK(list(curve.threshold) == (std::vector<double>{kLeast, 0.0, -kMost}));
  CHECK(list(curve.n_true) == (Counts{1, 2, 3}));
  CHECK(list(curve.n_false_above) == (Counts{1, 1, 3}));
  CHECK(list(curve.n_false) == (Counts{1, 2, 3}));
}

void nothing() {
  const snellen::ScoreMatrix<float> empty{nullptr, 0, 3, nullptr, nullptr};
  const snellen::RankCurves curves = snellen::curves_by_column(empty, nullptr);
  CHECK(list(curves.begin) == (Counts{0, 0, 0, 0}));
  const std::vector<float> score{0.5F, 0.25F};
  const std::vector<std::uint8_t> nobody{0, 0};
  const snellen::ScoreMatrix<float> negatives{score.data(), 2, 1, nullptr, nobody.data()};
  CHECK(list(snellen::curve_of_all(negatives).begin) == (Counts{0, 0}));
  CHECK(list(snellen::curves_by_column(negatives, nullptr).begin) == (Counts{0, 0}));
}

void ranks() {
  const std::vector<float> score{5, 5, 7, 5};
  for (std::int32_t target = 0; target < 4; ++target) {
    std::int32_t rank = -1;
    snellen::target_ranks(score.data(), 1, 4, &target, &rank);
    CHECK_EQUAL(rank, (std::vector<std::int32_t>{1, 2, 0, 3})[static_cast<std::size_t>(target)]);
  }
}

void thresholds() {
  const std::vector<float> score{0.0F, 0.5F, 0.49F, 1.0F, 0.75F, 0.2F};
  const std::vector<float> steps{0.25F, 0.5F, 1.0F};
  const std::vector<std::int32_t> code{1, 0, 1};
  const snellen::ScoreMatrix<float> matrix{score.data(), 3, 2, code.data(), nullptr};
  Counts all(8, 0), positive(8, 0);
  snellen::count_by_threshold(matrix, steps.data(), 3, all.data(), positive.data());
  // Column 0: 0, .49, .75 reach 0, 1, 2 thresholds; column 1: .5, 1, .2 reach 2, 3, 0.
  CHECK(all == (Counts{1, 1, 1, 0, 1, 0, 1, 1}));
  CHECK(positive == (Counts{0, 1, 0, 0, 1, 0, 1, 0}));
}

}  // namespace

int main() {
  for (const int n_threads : {1, 3}) {
    snellen::set_thread_count(n_threads);
    curves_agree_with_counting<float>();
    curves_agree_with_counting<double>();
    many_positives_agree_with_few<float>();
    many_positives_agree_with_few<double>();
    extremes();
    nothing();
    ranks();
    thresholds();
  }
  return snellen::testing::report();
}
