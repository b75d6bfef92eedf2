// Rows are given columns, each at most one, so that the sum over the pairs is best.
//
// Three solvers. The dense one goes through a whole matrix and makes the choice that
// scipy.optimize.linear_sum_assignment makes, among equal sums too: metrics that are defined by
// that function hang on its ties. The sparse one knows only the cells with a score above 0, finds
// a best matching along them, and can say whether any other is as good. ScoreAssignment joins
// them: where the best matching is the only one, both would choose it, and on most tables the
// sparse one is sooner; where it is not, the dense one decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace snellen {

// Memory that one call after another uses. A thread has its own.
struct DenseScratch {
  std::vector<double> row_price, column_price;
  std::vector<double> distance, final_distance;
  std::vector<std::int64_t> via;
  std::vector<std::int32_t> row_of_column, column_of_row;
  std::vector<std::int32_t> order, place;
  std::vector<std::int32_t> taken;
  std::vector<double> taken_price, turned;
};

// The instructions that the dense solver uses; the result does not depend on them.
enum class DenseScan { kFastest, kPortable };

// The least sum of finite costs, a matrix row by row. column_of_row[i] is -1 where there are more
// rows than columns and row i goes without.
void assign_dense(const double* cost, std::size_t n_rows, std::size_t n_columns,
                  DenseScratch& scratch, std::int32_t* column_of_row,
                  DenseScan scan = DenseScan::kFastest);

// Cells with a score above 0: those of row i are begin[i] … begin[i + 1] − 1, each column once.
struct ScoreTable {
  std::size_t n_rows, n_columns;
  const std::int64_t* begin;
  const std::int32_t* column;
  const double* score;
};

// A matching of the largest sum along the cells of a table, and what it hangs on.
class BestMatching {
 public:
  // What two matchings must share to count as the same: their pairs, or for each row its score.
  enum class Sameness { kPairs, kRowScores };

  // column_of_row[i] is -1 where row i is in no pair.
  void solve(const ScoreTable& table, std::int32_t* column_of_row);

  // Whether every other matching of the table that was solved last has a sum that is smaller by
  // more than the tolerance.
  bool is_unique(const ScoreTable& table, const std::int32_t* column_of_row, double tolerance,
                 Sameness sameness);

 private:
  struct Reached {
    double distance;
    std::int32_t column;
    bool operator<(const Reached& other) const { return distance > other.distance; }
  };
  // Another way for a row: into the column of row `to`, or to be alone or beside a free column,
  // for which the last node stands.
  struct Way {
    std::int32_t to;
    bool changes_score;
  };

  void extend(const ScoreTable& table, std::size_t row, std::int32_t* column_of_row);
  void collect_ways(const ScoreTable& table, const std::int32_t* column_of_row, double tolerance);
  bool has_round_trip(Sameness sameness);

  // row_price + column_price ≥ score in each cell, and equal in each pair. A row or column in no
  // pair has price 0.
  std::vector<double> row_price_, column_price_;
  std::vector<std::int32_t> row_of_column_;

  // Of one search: distances of columns, and the rows that they were reached from.
  std::vector<double> distance_;
  std::vector<std::int32_t> via_;
  std::vector<std::int32_t> touched_;
  std::vector<Reached> heap_;
  std::vector<std::pair<std::int32_t, double>> scanned_;

  std::vector<std::int64_t> way_begin_;
  std::vector<double> way_score_;
  std::vector<Way> ways_;
  std::vector<std::int32_t> visit_, lowest_, component_, open_;
  std::vector<std::pair<std::int32_t, std::int64_t>> trail_;
};

// What the dense solver chooses on the whole matrix of negative scores, where a cell that is not
// in the table has score 0.
class ScoreAssignment {
 public:
  // The pairs of the table that are chosen; −1 for a row that is given a cell of score 0, or none.
  // The tolerance is what rounding may add up to in either solver.
  void assign(const ScoreTable& table, double tolerance, std::int32_t* column_of_row);

  // The sum of the chosen scores, added as NumPy adds up an array of them in the order of rows,
  // zeros among them.
  double sum(const ScoreTable& table, double tolerance);

 private:
  void assign_whole(const ScoreTable& table, std::int32_t* column_of_row);

  BestMatching sparse_;
  DenseScratch dense_;
  std::vector<double> cost_, chosen_;
  std::vector<std::int32_t> row_of_column_, column_of_row_;
};

}  // namespace snellen
