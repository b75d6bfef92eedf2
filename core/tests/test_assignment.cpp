#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "check.hpp"
#include "snellen/assignment.hpp"
#include "snellen/pairwise_sum.hpp"

using snellen::BestMatching;
using snellen::DenseScan;
using snellen::DenseScratch;
using snellen::ScoreAssignment;
using snellen::ScoreTable;
using Sameness = snellen::BestMatching::Sameness;
using Columns = std::vector<std::int32_t>;
using Random = std::mt19937;

namespace {

// Scores row by row; only those above 0 are in its table.
struct Scores {
  std::size_t n_rows, n_columns;
  std::vector<double> cell;

  double at(std::size_t i, std::int32_t j) const {
    return cell[i * n_columns + static_cast<std::size_t>(j)];
  }
};

struct Table {
  explicit Table(const Scores& scores)
      : n_rows(scores.n_rows), n_columns(scores.n_columns), begin(1, 0) {
    for (std::size_t i = 0; i < n_rows; ++i) {
      for (std::int32_t j = 0; j < static_cast<std::int32_t>(n_columns); ++j) {
        if (scores.at(i, j) <= 0.0) continue;
        column.push_back(j);
        score.push_back(scores.at(i, j));
      }
      begin.push_back(static_cast<std::int64_t>(column.size()));
    }
  }
  ScoreTable view() const { return {n_rows, n_columns, begin.data(), column.data(), score.data()}; }

  std::size_t n_rows, n_columns;
  std::vector<std::int64_t> begin;
  Columns column;
  std::vector<double> score;
};

Columns dense(const std::vector<double>& cost, std::size_t n_rows, std::size_t n_columns,
              DenseScan scan = DenseScan::kFastest) {
  Columns found(n_rows);
  DenseScratch scratch;
  snellen::assign_dense(cost.data(), n_rows, n_columns, scratch, found.data(), scan);
  return found;
}

// Whole numbers from 0 to `most`, nothing in most cells.
Scores drawn(std::size_t n_rows, std::size_t n_columns, unsigned most, unsigned one_in,
             Random& random) {
  Scores scores{n_rows, n_columns, std::vector<double>(n_rows * n_columns)};
  for (double& cell : scores.cell) {
    cell = random() % one_in == 0 ? static_cast<double>(random() % (most + 1)) : 0.0;
  }
  return scores;
}

void dense_by_hand() {
  // 1 + 2 + 2 = 5; the next best is 4 + 0 + 2 = 6.
  CHECK((dense({4, 1, 3, 2, 0, 5, 3, 2, 2}, 3, 3) == Columns{1, 0, 2}));
  // Nothing but ties: a row gets the first free column, where rows are no more than columns.
  CHECK((dense({7, 7, 7, 7, 7, 7}, 2, 3) == Columns{0, 1}));
  // Where they are more, a column gets the first free row.
  CHECK((dense({7, 7, 7, 7, 7, 7}, 3, 2) == Columns{0, 1, -1}));
  CHECK((dense({5, 3, 4}, 3, 1) == Columns{-1, 0, -1}));
  CHECK((dense({}, 0, 4) == Columns{}));
  CHECK((dense({}, 2, 0) == Columns{-1, -1}));
}

// All ways to give the smaller side to the other.
double least_sum(const std::vector<double>& cost, std::size_t n_rows, std::size_t n_columns) {
  const bool wide = n_rows <= n_columns;
  const std::size_t n_few = wide ? n_rows : n_columns, n_many = wide ? n_columns : n_rows;
  std::vector<std::size_t> order(n_many);
  std::iota(order.begin(), order.end(), std::size_t{0});
  double least = 1e300;
  do {
    double sum = 0.0;
    for (std::size_t i = 0; i < n_few; ++i) {
      sum += wide ? cost[i * n_columns + order[i]] : cost[order[i] * n_columns + i];
    }
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

void dense_is_best() {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const std::size_t n_rows = 1 + random() % 6, n_columns = 1 + random() % 6;
    std::vector<double> cost(n_rows * n_columns);
    for (double& cell : cost) cell = static_cast<double>(random() % 9) - 4.0;
    const Columns found = dense(cost, n_rows, n_columns);
    double sum = 0.0;
    std::size_t n_chosen = 0;
    std::set<std::int32_t> used;
    for (std::size_t i = 0; i < n_rows; ++i) {
      if (found[i] < 0) continue;
      ++n_chosen;
      used.insert(found[i]);
      sum += cost[i * n_columns + static_cast<std::size_t>(found[i])];
    }
    CHECK_EQUAL(n_chosen, std::min(n_rows, n_columns));
    CHECK_EQUAL(used.size(), n_chosen);
    CHECK_EQUAL(sum, least_sum(cost, n_rows, n_columns));
  }
}

void instructions_change_nothing() {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    const std::size_t n_rows = random() % 70, n_columns = random() % 70;
    const unsigned n_steps = 1 + random() % 50;
    std::vector<double> cost(n_rows * n_columns);
    for (double& cell : cost) cell = static_cast<double>(random() % n_steps) / 7.0 - 1.0;
    CHECK(dense(cost, n_rows, n_columns, DenseScan::kFastest) ==
          dense(cost, n_rows, n_columns, DenseScan::kPortable));
  }
}

struct Found {
  Columns column_of_row;
  bool unique_pairs, unique_scores;
};

Found sparse(const Scores& scores, BestMatching& matching) {
  const Table table(scores);
  Found found{Columns(scores.n_rows), false, false};
  matching.solve(table.view(), found.column_of_row.data());
  found.unique_pairs =
      matching.is_unique(table.view(), found.column_of_row.data(), 1e-9, Sameness::kPairs);
  found.unique_scores =
      matching.is_unique(table.view(), found.column_of_row.data(), 1e-9, Sameness::kRowScores);
  return found;
}

void sparse_by_hand() {
  BestMatching matching;
  // Both rows like column 0 best; 4 + 4 is more than 5.
  Found found = sparse({2, 2, {5, 4, 4, 0}}, matching);
  CHECK((found.column_of_row == Columns{1, 0}));
  CHECK(found.unique_pairs && found.unique_scores);
  // 4 + 1 is as much as 5.
  found = sparse({2, 2, {5, 4, 1, 0}}, matching);
  CHECK(!found.unique_pairs && !found.unique_scores);
  // One of two goes without.
  found = sparse({2, 1, {3, 2}}, matching);
  CHECK((found.column_of_row == Columns{0, -1}));
  CHECK(found.unique_pairs && found.unique_scores);
  // The row has 2 either way.
  found = sparse({1, 2, {2, 2}}, matching);
  CHECK(!found.unique_pairs && found.unique_scores);
  // The column has 2 either way, its row does not.
  found = sparse({2, 1, {2, 2}}, matching);
  CHECK(!found.unique_pairs && !found.unique_scores);
  // Two rows may change places, and both keep what they have.
  found = sparse({2, 2, {3, 3, 1, 1}}, matching);
  CHECK(!found.unique_pairs && found.unique_scores);
  // Nothing to choose from.
  found = sparse({3, 2, {0, 0, 0, 0, 0, 0}}, matching);
  CHECK((found.column_of_row == Columns{-1, -1, -1}));
  CHECK(found.unique_pairs && found.unique_scores);
  // What is within the tolerance of another counts as equal to it.
  found = sparse({1, 2, {1.0, 1.0 - 1e-10}}, matching);
  CHECK(!found.unique_pairs && !found.unique_scores);
  found = sparse({1, 2, {1.0, 1.0 - 1e-8}}, matching);
  CHECK(found.unique_pairs && found.unique_scores);
}

// Every matching along cells above 0.
void for_each_matching(const Scores& scores, Columns& column_of_row, std::size_t row,
                       const std::function<void()>& visit) {
  if (row == scores.n_rows) {
    visit();
    return;
  }
  column_of_row[row] = -1;
  for_each_matching(scores, column_of_row, row + 1, visit);
  for (std::int32_t j = 0; j < static_cast<std::int32_t>(scores.n_columns); ++j) {
    const auto before = column_of_row.begin() + static_cast<std::ptrdiff_t>(row);
    if (scores.at(row, j) <= 0.0 || std::find(column_of_row.begin(), before, j) != before) continue;
    column_of_row[row] = j;
    for_each_matching(scores, column_of_row, row + 1, visit);
    column_of_row[row] = -1;
  }
}

std::vector<double> row_scores(const Scores& scores, const Columns& column_of_row) {
  std::vector<double> found(scores.n_rows, 0.0);
  for (std::size_t i = 0; i < scores.n_rows; ++i) {
    if (column_of_row[i] >= 0) found[i] = scores.at(i, column_of_row[i]);
  }
  return found;
}

void sparse_is_best_and_knows_whether_alone() {
  Random random(3);
  BestMatching matching;
  int n_unique = 0, n_unique_scores_only = 0, n_neither = 0;
  for (int round = 0; round < 4000; ++round) {
    const Scores scores =
        drawn(1 + random() % 5, 1 + random() % 5, 1 + random() % 5, 1 + random() % 3, random);
    double best = -1.0;
    int n_best = 0;
    std::set<std::vector<double>> best_scores;
    Columns tried(scores.n_rows);
    for_each_matching(scores, tried, 0, [&] {
      const std::vector<double> got = row_scores(scores, tried);
      const double sum = std::accumulate(got.begin(), got.end(), 0.0);
      if (sum > best) {
        best = sum;
        n_best = 0;
        best_scores.clear();
      }
      if (sum == best) {
        ++n_best;
        best_scores.insert(got);
      }
    });
    const Found found = sparse(scores, matching);
    const std::vector<double> got = row_scores(scores, found.column_of_row);
    CHECK_EQUAL(std::accumulate(got.begin(), got.end(), 0.0), best);
    CHECK_EQUAL(found.unique_pairs, n_best == 1);
    CHECK_EQUAL(found.unique_scores, best_scores.size() == 1);
    n_unique += n_best == 1;
    n_unique_scores_only += n_best > 1 && best_scores.size() == 1;
    n_neither += best_scores.size() > 1;
  }
  CHECK(n_unique > 300 && n_unique_scores_only > 300 && n_neither > 300);
}

// Both solvers, thin and full tables, more rows and more columns, with and without ties.
void choice_is_that_of_the_whole_matrix() {
  Random random(4);
  ScoreAssignment assignment;
  for (int round = 0; round < 3000; ++round) {
    const std::size_t n_rows = random() % 24, n_columns = random() % 24;
    Scores scores = drawn(n_rows, n_columns, 1 + random() % 8, 1 + random() % 12, random);
    if (round % 2 == 0) {
      for (double& cell : scores.cell) {
        if (cell > 0.0) cell += static_cast<double>(random() % 1000) / 1024.0;
      }
    }
    for (double& cell : scores.cell) cell /= 8.0;
    std::vector<double> cost(scores.cell);
    for (double& cell : cost) cell = -cell;
    Columns want = dense(cost, n_rows, n_columns);
    std::vector<double> chosen;
    for (std::size_t i = 0; i < n_rows; ++i) {
      if (want[i] < 0) continue;
      chosen.push_back(scores.at(i, want[i]));
      if (chosen.back() == 0.0) want[i] = -1;
    }
    const Table table(scores);
    Columns got(n_rows);
    assignment.assign(table.view(), 1e-12, got.data());
    CHECK(got == want);
    CHECK_EQUAL(assignment.sum(table.view(), 1e-12),
                snellen::pairwise_sum(chosen.data(), chosen.size()));
  }
}

}  // namespace

int main() {
  dense_by_hand();
  dense_is_best();
  instructions_change_nothing();
  sparse_by_hand();
  sparse_is_best_and_knows_whether_alone();
  choice_is_that_of_the_whole_matrix();
  return snellen::testing::report();
}
