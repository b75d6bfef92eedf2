#include "snellen/assignment.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "snellen/pairwise_sum.hpp"

// A build for all x86-64 processors asks at run time for what newer ones can.
#if defined(__x86_64__) && defined(__GNUC__)
#define SNELLEN_ASK_FOR_AVX2
#define SNELLEN_AVX2 __attribute__((target("avx2")))
#define SNELLEN_INLINE inline __attribute__((always_inline))
#include <immintrin.h>
#else
#define SNELLEN_INLINE inline
#endif

namespace snellen {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int32_t kNone = -1;

// Where at least one cell in four has a score, the dense solver is the sooner one, except on
// tables of so few cells that nothing is.
constexpr std::size_t kFull = 4;
constexpr std::size_t kFewCells = 64;

bool is_full(const ScoreTable& table) {
  const std::size_t n_cells = table.n_rows * table.n_columns;
  return n_cells > kFewCells &&
         static_cast<std::size_t>(table.begin[table.n_rows]) >= n_cells / kFull;
}

inline double smaller(double a, double b) { return b < a ? b : a; }

// What the dense search does with whole rows, which is nearly all that it does.
struct PlainScan {
  // Distances of columns from a row that is `so_far` away; the least of them is returned. A column
  // that is done has a price of −∞, so that no distance to it is ever less than the ∞ that stands
  // there.
  static double reach(const double* cost, const double* price, double so_far, double row_price,
                      std::int64_t row, std::size_t begin, std::size_t n, double* distance,
                      std::int64_t* via) {
    double least = kInfinity;
    for (std::size_t j = begin; j < n; ++j) {
      const double reached = ((so_far + cost[j]) - row_price) - price[j];
      if (reached < distance[j]) {
        distance[j] = reached;
        via[j] = row;
      }
      least = smaller(least, distance[j]);
    }
    return least;
  }

  // The first step: every column is reached from the row itself, whose price is still 0.
  static double reach_first(const double* cost, const double* price, std::size_t begin,
                            std::size_t n, double* distance) {
    double least = kInfinity;
    for (std::size_t j = begin; j < n; ++j) {
      distance[j] = cost[j] - price[j];
      least = smaller(least, distance[j]);
    }
    return least;
  }

  // The first place from `begin` on with this value, or n.
  static std::size_t find(const double* values, std::size_t begin, std::size_t n, double value) {
    while (begin < n && values[begin] != value) ++begin;
    return begin;
  }
};

#if defined(SNELLEN_ASK_FOR_AVX2)
// The same, four columns at a time.
struct Avx2Scan {
  static constexpr std::size_t kLanes = 4;

  SNELLEN_AVX2 static double least_lane(__m256d values) {
    const __m128d two =
        _mm_min_pd(_mm256_castpd256_pd128(values), _mm256_extractf128_pd(values, 1));
    return _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)));
  }

  SNELLEN_AVX2 static double reach(const double* cost, const double* price, double so_far,
                                   double row_price, std::int64_t row, std::size_t begin,
                                   std::size_t n, double* distance, std::int64_t* via) {
    const __m256d from = _mm256_set1_pd(so_far), own = _mm256_set1_pd(row_price);
    const __m256i rows = _mm256_set1_epi64x(row);
    __m256d least = _mm256_set1_pd(kInfinity);
    std::size_t j = begin;
    for (; j + kLanes <= n; j += kLanes) {
      const __m256d reached =
          _mm256_sub_pd(_mm256_sub_pd(_mm256_add_pd(from, _mm256_loadu_pd(cost + j)), own),
                        _mm256_loadu_pd(price + j));
      const __m256d before = _mm256_loadu_pd(distance + j);
      const __m256i nearer = _mm256_castpd_si256(_mm256_cmp_pd(reached, before, _CMP_LT_OQ));
      const __m256d kept = _mm256_min_pd(reached, before);
      _mm256_storeu_pd(distance + j, kept);
      _mm256_maskstore_epi64(reinterpret_cast<long long*>(via + j), nearer, rows);
      least = _mm256_min_pd(kept, least);
    }
    return smaller(least_lane(least),
                   PlainScan::reach(cost, price, so_far, row_price, row, j, n, distance, via));
  }

  SNELLEN_AVX2 static double reach_first(const double* cost, const double* price, std::size_t begin,
                                         std::size_t n, double* distance) {
    __m256d least = _mm256_set1_pd(kInfinity);
    std::size_t j = begin;
    for (; j + kLanes <= n; j += kLanes) {
      const __m256d reached = _mm256_sub_pd(_mm256_loadu_pd(cost + j), _mm256_loadu_pd(price + j));
      _mm256_storeu_pd(distance + j, reached);
      least = _mm256_min_pd(reached, least);
    }
    return smaller(least_lane(least), PlainScan::reach_first(cost, price, j, n, distance));
  }

  SNELLEN_AVX2 static std::size_t find(const double* values, std::size_t begin, std::size_t n,
                                       double value) {
    const __m256d wanted = _mm256_set1_pd(value);
    for (; begin + kLanes <= n; begin += kLanes) {
      const int same =
          _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(values + begin), wanted, _CMP_EQ_OQ));
      if (same != 0) {
        return begin + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(same)));
      }
    }
    return PlainScan::find(values, begin, n, value);
  }
};
#endif

// Dijkstra's search from each row in turn for the shortest way to a free column.
//
// Rows are no more than columns here.
//
// Ties. The reference goes through the columns that are not done, from the last to the first at
// the start; a column that is done is replaced there by the one that stands at the end. Among
// columns of the least distance it takes the last free one that it meets, or if none is free the
// first.
template <class Scan>
SNELLEN_INLINE void assign_wide(const double* cost, std::size_t n_rows, std::size_t n_columns,
                                DenseScratch& scratch) {
  scratch.row_price.assign(n_rows, 0.0);
  scratch.column_price.assign(n_columns, 0.0);
  scratch.distance.resize(n_columns);
  scratch.final_distance.resize(n_columns);
  scratch.via.resize(n_columns);
  scratch.row_of_column.assign(n_columns, kNone);
  scratch.column_of_row.assign(n_rows, kNone);
  scratch.order.resize(n_columns);
  scratch.place.resize(n_columns);
  double* const row_price = scratch.row_price.data();
  double* const price = scratch.column_price.data();
  double* const distance = scratch.distance.data();
  double* const final_distance = scratch.final_distance.data();
  std::int64_t* const via = scratch.via.data();
  std::int32_t* const row_of_column = scratch.row_of_column.data();
  std::int32_t* const column_of_row = scratch.column_of_row.data();
  std::int32_t* const order = scratch.order.data();
  std::int32_t* const place = scratch.place.data();
  std::vector<std::int32_t>& taken = scratch.taken;

  for (std::size_t row = 0; row < n_rows; ++row) {
    double least = Scan::reach_first(cost + row * n_columns, price, 0, n_columns, distance);
    std::size_t column = n_columns;
    for (std::size_t j = Scan::find(distance, 0, n_columns, least); j < n_columns;
         j = Scan::find(distance, j + 1, n_columns, least)) {
      column = j;
      if (row_of_column[j] == kNone) break;
    }
    if (row_of_column[column] == kNone) {
      row_price[row] += least;
      row_of_column[column] = static_cast<std::int32_t>(row);
      column_of_row[row] = static_cast<std::int32_t>(column);
      continue;
    }

    std::fill(via, via + n_columns, static_cast<std::int64_t>(row));
    std::size_t n_left = n_columns;
    for (std::size_t j = 0; j < n_columns; ++j) {
      order[j] = place[j] = static_cast<std::int32_t>(n_columns - 1 - j);
    }
    // Columns that are done, in turn; their prices are kept until the search is over.
    taken.clear();
    scratch.taken_price.clear();
    while (true) {
      --n_left;
      const std::int32_t hole = place[column];
      const std::int32_t moved = order[n_left];
      order[hole] = moved;
      place[moved] = hole;
      taken.push_back(static_cast<std::int32_t>(column));
      scratch.taken_price.push_back(price[column]);
      final_distance[column] = distance[column];
      distance[column] = kInfinity;
      price[column] = -kInfinity;
      if (row_of_column[column] == kNone) break;

      const auto from = static_cast<std::size_t>(row_of_column[column]);
      least = Scan::reach(cost + from * n_columns, price, least, row_price[from],
                          static_cast<std::int64_t>(from), 0, n_columns, distance, via);
      std::int32_t first_place = std::numeric_limits<std::int32_t>::max(), last_free = kNone;
      for (std::size_t j = Scan::find(distance, 0, n_columns, least); j < n_columns;
           j = Scan::find(distance, j + 1, n_columns, least)) {
        first_place = std::min(first_place, place[j]);
        if (row_of_column[j] == kNone) last_free = std::max(last_free, place[j]);
      }
      column = static_cast<std::size_t>(order[last_free != kNone ? last_free : first_place]);
    }

    row_price[row] += least;
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const auto j = static_cast<std::size_t>(taken[k]);
      const std::int32_t owner = row_of_column[j];
      if (owner != kNone) row_price[owner] += least - final_distance[j];
      price[j] = scratch.taken_price[k] - (least - final_distance[j]);
    }
    for (auto j = static_cast<std::int32_t>(column); j != kNone;) {
      const auto from = static_cast<std::int32_t>(via[j]);
      row_of_column[j] = from;
      std::swap(column_of_row[from], j);
    }
  }
}

#if defined(SNELLEN_ASK_FOR_AVX2)
SNELLEN_AVX2 void assign_wide_avx2(const double* cost, std::size_t n_rows, std::size_t n_columns,
                                   DenseScratch& scratch) {
  assign_wide<Avx2Scan>(cost, n_rows, n_columns, scratch);
}
#endif

void assign_wide_portable(const double* cost, std::size_t n_rows, std::size_t n_columns,
                          DenseScratch& scratch) {
  assign_wide<PlainScan>(cost, n_rows, n_columns, scratch);
}

using AssignWide = void (*)(const double*, std::size_t, std::size_t, DenseScratch&);

AssignWide fastest_scan() {
#if defined(SNELLEN_ASK_FOR_AVX2)
  if (__builtin_cpu_supports("avx2")) return assign_wide_avx2;
#endif
  return assign_wide_portable;
}

}  // namespace

void assign_dense(const double* cost, std::size_t n_rows, std::size_t n_columns,
                  DenseScratch& scratch, std::int32_t* column_of_row, DenseScan scan) {
  static const AssignWide fastest = fastest_scan();
  const AssignWide solve_wide = scan == DenseScan::kFastest ? fastest : assign_wide_portable;
  std::fill(column_of_row, column_of_row + n_rows, kNone);
  if (n_rows == 0 || n_columns == 0) return;
  if (n_rows <= n_columns) {
    solve_wide(cost, n_rows, n_columns, scratch);
    std::copy(scratch.column_of_row.begin(), scratch.column_of_row.end(), column_of_row);
    return;
  }
  std::vector<double>& turned = scratch.turned;
  turned.resize(n_rows * n_columns);
  for (std::size_t i = 0; i < n_rows; ++i) {
    for (std::size_t j = 0; j < n_columns; ++j) turned[j * n_rows + i] = cost[i * n_columns + j];
  }
  solve_wide(turned.data(), n_columns, n_rows, scratch);
  for (std::size_t j = 0; j < n_columns; ++j) {
    column_of_row[scratch.column_of_row[j]] = static_cast<std::int32_t>(j);
  }
}

void BestMatching::solve(const ScoreTable& table, std::int32_t* column_of_row) {
  row_price_.resize(table.n_rows);
  column_price_.assign(table.n_columns, 0.0);
  row_of_column_.assign(table.n_columns, kNone);
  if (distance_.size() < table.n_columns) distance_.resize(table.n_columns, kInfinity);
  via_.resize(table.n_columns);
  // Each row asks for its best column; the first to ask has it, the others search.
  for (std::size_t i = 0; i < table.n_rows; ++i) {
    double best = 0.0;
    std::int32_t column = kNone;
    for (std::int64_t k = table.begin[i]; k < table.begin[i + 1]; ++k) {
      if (table.score[k] <= best) continue;
      best = table.score[k];
      column = table.column[k];
    }
    row_price_[i] = best;
    column_of_row[i] = kNone;
    if (column != kNone && row_of_column_[column] == kNone) {
      row_of_column_[column] = static_cast<std::int32_t>(i);
      column_of_row[i] = column;
    }
  }
  for (std::size_t i = 0; i < table.n_rows; ++i) {
    if (column_of_row[i] == kNone && row_price_[i] > 0.0) extend(table, i, column_of_row);
  }
}

// Dijkstra's search from a row in no pair. It ends at a free column, or at a row that is better
// left alone: that costs the row's price on top of the way to it. Both kinds of end limit how far
// the search goes.
void BestMatching::extend(const ScoreTable& table, std::size_t start, std::int32_t* column_of_row) {
  double end = row_price_[start];
  auto end_row = static_cast<std::int32_t>(start);
  std::int32_t end_column = kNone;
  touched_.clear();
  heap_.clear();
  scanned_.clear();
  std::int32_t row = end_row;
  double so_far = 0.0;
  while (true) {
    scanned_.emplace_back(row, so_far);
    const double base = so_far + row_price_[row];
    for (std::int64_t k = table.begin[row]; k < table.begin[row + 1]; ++k) {
      const std::int32_t column = table.column[k];
      const double reached = base + column_price_[column] - table.score[k];
      if (reached >= end || reached >= distance_[column]) continue;
      if (distance_[column] == kInfinity) touched_.push_back(column);
      distance_[column] = reached;
      via_[column] = row;
      if (row_of_column_[column] == kNone) {
        end = reached;
        end_row = kNone;
        end_column = column;
      } else {
        heap_.push_back({reached, column});
        std::push_heap(heap_.begin(), heap_.end());
      }
    }
    while (!heap_.empty() && heap_.front().distance > distance_[heap_.front().column]) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    if (heap_.empty() || heap_.front().distance >= end) break;
    so_far = heap_.front().distance;
    row = row_of_column_[heap_.front().column];
    // Done: rounding must not make it nearer once more.
    distance_[heap_.front().column] = -kInfinity;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    if (so_far + row_price_[row] < end) {
      end = so_far + row_price_[row];
      end_row = row;
      end_column = kNone;
    }
  }
  // The column of a scanned row was as far away as the row.
  for (const auto& [scanned, at] : scanned_) {
    row_price_[scanned] -= end - at;
    const std::int32_t own = column_of_row[scanned];
    if (own != kNone) column_price_[own] += end - at;
  }
  std::int32_t column = end_column;
  if (end_row != kNone) {
    column = column_of_row[end_row];
    column_of_row[end_row] = kNone;
  }
  while (column != kNone) {
    const std::int32_t from = via_[column];
    row_of_column_[column] = from;
    std::swap(column_of_row[from], column);
  }
  for (const std::int32_t j : touched_) distance_[j] = kInfinity;
}

// Rows are nodes; the last node stands for all that costs nothing to give up or to take: rows and
// columns in no pair. Another matching that is as good differs by round trips along these ways.
void BestMatching::collect_ways(const ScoreTable& table, const std::int32_t* column_of_row,
                                double tolerance) {
  const auto outside = static_cast<std::int32_t>(table.n_rows);
  ways_.clear();
  way_begin_.resize(table.n_rows + 2);
  for (std::size_t i = 0; i < table.n_rows; ++i) {
    way_begin_[i] = static_cast<std::int64_t>(ways_.size());
    const std::int32_t own = column_of_row[i];
    const std::int64_t begin = table.begin[i], end = table.begin[i + 1];
    if (begin == end) continue;
    const double limit = row_price_[i] - tolerance;
    const std::size_t n_before = ways_.size();
    double own_score = 0.0;
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int32_t column = table.column[k];
      if (column == own) {
        own_score = table.score[k];
      } else if (limit + column_price_[column] <= table.score[k]) {
        const std::int32_t owner = row_of_column_[column];
        ways_.push_back({owner == kNone ? outside : owner, false});
        // The score itself is kept aside until the row's own is known.
        way_score_.push_back(table.score[k]);
      }
    }
    for (std::size_t w = n_before; w < ways_.size(); ++w) {
      ways_[w].changes_score = way_score_[w - n_before] != own_score;
    }
    way_score_.clear();
    if (own != kNone && row_price_[i] <= tolerance) ways_.push_back({outside, true});
  }
  way_begin_[table.n_rows] = static_cast<std::int64_t>(ways_.size());
  if (!ways_.empty()) {
    for (std::size_t i = 0; i < table.n_rows; ++i) {
      if (way_begin_[i] == way_begin_[i + 1]) continue;
      const std::int32_t own = column_of_row[i];
      if (own == kNone || column_price_[own] <= tolerance) {
        ways_.push_back({static_cast<std::int32_t>(i), false});
      }
    }
  }
  way_begin_[table.n_rows + 1] = static_cast<std::int64_t>(ways_.size());
}

// Whether a way, one that changes a row's score where that is asked, lies on a round trip: within
// a strongly connected component, after R. Tarjan (1972).
bool BestMatching::has_round_trip(Sameness sameness) {
  const std::size_t n_nodes = way_begin_.size() - 1;
  visit_.assign(n_nodes, kNone);
  component_.assign(n_nodes, kNone);
  lowest_.resize(n_nodes);
  open_.clear();
  std::int32_t n_visits = 0, n_components = 0;
  const auto enter = [&](std::int32_t node) {
    visit_[node] = lowest_[node] = n_visits++;
    open_.push_back(node);
    trail_.emplace_back(node, way_begin_[node]);
  };
  for (std::size_t start = 0; start < n_nodes; ++start) {
    if (visit_[start] != kNone || way_begin_[start] == way_begin_[start + 1]) continue;
    enter(static_cast<std::int32_t>(start));
    while (!trail_.empty()) {
      const std::int32_t node = trail_.back().first;
      if (trail_.back().second < way_begin_[node + 1]) {
        const std::int32_t to = ways_[static_cast<std::size_t>(trail_.back().second++)].to;
        if (visit_[to] == kNone) {
          enter(to);
        } else if (component_[to] == kNone) {
          lowest_[node] = std::min(lowest_[node], visit_[to]);
        }
        continue;
      }
      trail_.pop_back();
      if (!trail_.empty()) {
        const std::int32_t before = trail_.back().first;
        lowest_[before] = std::min(lowest_[before], lowest_[node]);
      }
      if (lowest_[node] != visit_[node]) continue;
      std::int32_t member;
      do {
        member = open_.back();
        open_.pop_back();
        component_[member] = n_components;
      } while (member != node);
      ++n_components;
    }
  }
  for (std::size_t node = 0; node < n_nodes; ++node) {
    for (std::int64_t w = way_begin_[node]; w < way_begin_[node + 1]; ++w) {
      const Way& way = ways_[static_cast<std::size_t>(w)];
      if (component_[way.to] != component_[node]) continue;
      if (sameness == Sameness::kPairs || way.changes_score) return true;
    }
  }
  return false;
}

bool BestMatching::is_unique(const ScoreTable& table, const std::int32_t* column_of_row,
                             double tolerance, Sameness sameness) {
  collect_ways(table, column_of_row, tolerance);
  return ways_.empty() || !has_round_trip(sameness);
}

void ScoreAssignment::assign_whole(const ScoreTable& table, std::int32_t* column_of_row) {
  const std::size_t n_rows = table.n_rows, n_columns = table.n_columns;
  const bool turned = n_rows > n_columns;
  cost_.assign(n_rows * n_columns, 0.0);
  for (std::size_t i = 0; i < n_rows; ++i) {
    for (std::int64_t k = table.begin[i]; k < table.begin[i + 1]; ++k) {
      const auto j = static_cast<std::size_t>(table.column[k]);
      cost_[turned ? j * n_rows + i : i * n_columns + j] = -table.score[k];
    }
  }
  if (!turned) {
    assign_dense(cost_.data(), n_rows, n_columns, dense_, column_of_row);
    return;
  }
  row_of_column_.resize(n_columns);
  assign_dense(cost_.data(), n_columns, n_rows, dense_, row_of_column_.data());
  std::fill(column_of_row, column_of_row + n_rows, kNone);
  for (std::size_t j = 0; j < n_columns; ++j) {
    column_of_row[row_of_column_[j]] = static_cast<std::int32_t>(j);
  }
}

void ScoreAssignment::assign(const ScoreTable& table, double tolerance,
                             std::int32_t* column_of_row) {
  if (!is_full(table)) {
    sparse_.solve(table, column_of_row);
    if (sparse_.is_unique(table, column_of_row, tolerance, BestMatching::Sameness::kPairs)) return;
  }
  assign_whole(table, column_of_row);
  for (std::size_t i = 0; i < table.n_rows; ++i) {
    const std::int32_t* const first = table.column + table.begin[i];
    const std::int32_t* const last = table.column + table.begin[i + 1];
    if (std::find(first, last, column_of_row[i]) == last) column_of_row[i] = kNone;
  }
}

double ScoreAssignment::sum(const ScoreTable& table, double tolerance) {
  column_of_row_.resize(table.n_rows);
  std::int32_t* const column_of_row = column_of_row_.data();
  const bool every_row = table.n_rows <= table.n_columns;
  bool known = false;
  if (!is_full(table)) {
    sparse_.solve(table, column_of_row);
    const std::size_t n_chosen = std::min(table.n_rows, table.n_columns);
    std::size_t n_pairs = 0;
    for (const std::int32_t column : column_of_row_) n_pairs += column != kNone;
    // The places of the zeros are known where every row is chosen or every column is in a pair,
    // and do not matter where the sum is straight.
    known = (every_row || n_pairs == n_chosen || n_chosen < kStraight) &&
            sparse_.is_unique(table, column_of_row, tolerance, BestMatching::Sameness::kRowScores);
  }
  if (!known) assign_whole(table, column_of_row);
  chosen_.clear();
  for (std::size_t i = 0; i < table.n_rows; ++i) {
    const std::int32_t column = column_of_row[i];
    if (column == kNone && !(known && every_row)) continue;
    double score = 0.0;
    for (std::int64_t k = table.begin[i]; k < table.begin[i + 1]; ++k) {
      if (table.column[k] == column) score = table.score[k];
    }
    chosen_.push_back(score);
  }
  return pairwise_sum(chosen_.data(), chosen_.size());
}

}  // namespace snellen
