#include "snellen/rank_statistics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

template <class Score>
using KeyOf = std::conditional_t<sizeof(Score) == 4, std::uint32_t, std::uint64_t>;

// An integer that rises as the score does.
template <class Score>
KeyOf<Score> key_of(Score score) {
  using Key = KeyOf<Score>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  const Key bits = std::bit_cast<Key>(score + Score{0});  // −0 + 0 is +0
  return (bits & kSign) != 0 ? static_cast<Key>(~bits) : static_cast<Key>(bits | kSign);
}

template <class Score>
double score_of(KeyOf<Score> key) {
  using Key = KeyOf<Score>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  const Key bits = (key & kSign) != 0 ? static_cast<Key>(key ^ kSign) : static_cast<Key>(~key);
  return static_cast<double>(std::bit_cast<Score>(bits));
}

// Least significant digit first; a digit that all keys share is skipped.
template <class Key>
void sort_keys(std::vector<Key>& keys) {
  constexpr std::size_t kDigitBits = 11;
  constexpr std::size_t kRadix = std::size_t{1} << kDigitBits;
  constexpr std::size_t kDigits = (8 * sizeof(Key) + kDigitBits - 1) / kDigitBits;
  constexpr std::size_t kSmall = 4096;
  if (keys.size() < kSmall) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  std::vector<std::array<std::size_t, kRadix>> histogram(kDigits);
  for (const Key key : keys) {
    for (std::size_t d = 0; d < kDigits; ++d) {
      ++histogram[d][key >> (d * kDigitBits) & (kRadix - 1)];
    }
  }
  std::vector<Key> to(keys.size());
  for (std::size_t d = 0; d < kDigits; ++d) {
    auto& count = histogram[d];
    if (count[keys[0] >> (d * kDigitBits) & (kRadix - 1)] == keys.size()) continue;
    std::size_t start = 0;
    for (std::size_t& slot : count) start += std::exchange(slot, start);
    for (const Key key : keys) to[count[key >> (d * kDigitBits) & (kRadix - 1)]++] = key;
    keys.swap(to);
  }
}

// Distinct keys in ascending order (rungs), among which any key is placed.
//
// Cells are the rungs and the gaps around them, from below: cell 2r + 1 is rung r, cell 2r the gap
// below it.
template <class Key>
class Ladder {
 public:
  Ladder() = default;

  // Takes ascending keys, repeated or not.
  explicit Ladder(const std::vector<Key>& sorted) {
    for (const Key key : sorted) {
      if (rungs_.empty() || rungs_.back() != key) {
        rungs_.push_back(key);
        times_.push_back(0);
      }
      ++times_.back();
    }
    n_rungs_ = rungs_.size();
    if (n_rungs_ == 0) return;
    // About four buckets a rung: most then hold none, and need no comparison with any.
    std::size_t n_buckets = 64;
    while (n_buckets < 4 * n_rungs_ && n_buckets < kMostBuckets) n_buckets *= 2;
    low_ = rungs_.front();
    const Key span = static_cast<Key>(rungs_.back() - low_);
    while ((span >> shift_) >= n_buckets) ++shift_;
    n_buckets_ = static_cast<std::size_t>(span >> shift_) + 1;
    first_.assign(n_buckets_ + 1, static_cast<std::uint32_t>(n_rungs_));
    for (std::size_t r = n_rungs_; r-- > 0;) {
      first_[static_cast<std::size_t>((rungs_[r] - low_) >> shift_)] =
          static_cast<std::uint32_t>(r);
    }
    for (std::size_t b = n_buckets_; b-- > 0;) first_[b] = std::min(first_[b], first_[b + 1]);
    // What no number reaches, so that a step beyond the last rung needs no check.
    rungs_.insert(rungs_.end(), 2, static_cast<Key>(~Key{0}));
  }

  std::size_t n_rungs() const { return n_rungs_; }
  std::size_t n_cells() const { return 2 * n_rungs_ + 1; }
  Key rung(std::size_t r) const { return rungs_[r]; }
  // The lowest rung; of an empty ladder what nothing reaches but the highest key.
  Key lowest() const { return n_rungs_ == 0 ? static_cast<Key>(~Key{0}) : low_; }
  std::int64_t times(std::size_t r) const { return times_[r]; }

  // How many rungs the key reaches.
  std::size_t reached(Key key) const {
    if (n_rungs_ == 0 || key < low_) return 0;
    const std::size_t bucket = static_cast<std::size_t>((key - low_) >> shift_);
    if (bucket >= n_buckets_) return n_rungs_;
    std::size_t begin = first_[bucket];
    // Most buckets hold no rung or one: a step without a branch settles those.
    begin += rungs_[begin] <= key;
    if (rungs_[begin] > key) return begin;
    if (begin >= n_rungs_) return n_rungs_;  // not a number, should one ever come here
    std::size_t length = first_[bucket + 1] - begin;
    while (length > 0) {
      const std::size_t half = length / 2;
      if (rungs_[begin + half] <= key) {
        begin += half + 1;
        length -= half + 1;
      } else {
        length = half;
      }
    }
    return begin;
  }

  std::size_t cell(Key key) const {
    const std::size_t r = reached(key);
    return 2 * r - static_cast<std::size_t>(r > 0 && rungs_[r - 1] == key);
  }

 private:
  static constexpr std::size_t kMostBuckets = std::size_t{1} << 18;

  std::vector<Key> rungs_;
  std::vector<std::int64_t> times_;
  std::vector<std::uint32_t> first_;  // the first rung of each bucket or of one after it
  std::size_t n_rungs_ = 0;
  std::size_t n_buckets_ = 0;
  Key low_ = 0;
  unsigned shift_ = 0;
};

// One curve, descending.
struct Curve {
  std::vector<double> threshold;
  std::vector<std::int64_t> n_true;
  std::vector<std::int64_t> n_false;
  std::vector<std::int64_t> n_false_above;
};

// Reads the curve off the counts of all scores, positives too, in the cells of their ladder.
template <class Score, class Key>
Curve read_off(const Ladder<Key>& ladder, const std::vector<std::int64_t>& count) {
  Curve curve;
  const std::size_t n_rungs = ladder.n_rungs();
  curve.threshold.reserve(n_rungs);
  curve.n_true.reserve(n_rungs);
  curve.n_false.reserve(n_rungs);
  curve.n_false_above.reserve(n_rungs);
  std::int64_t n_true = 0;
  std::int64_t n_all = 0;
  for (std::size_t r = n_rungs; r-- > 0;) {
    n_all += count[2 * r + 2];
    curve.n_false_above.push_back(n_all - n_true);
    n_all += count[2 * r + 1];
    n_true += ladder.times(r);
    curve.threshold.push_back(score_of<Score>(ladder.rung(r)));
    curve.n_true.push_back(n_true);
    curve.n_false.push_back(n_all - n_true);
  }
  return curve;
}

RankCurves joined(const std::vector<Curve>& curves) {
  RankCurves all;
  all.begin.push_back(0);
  std::size_t n_rows = 0;
  for (const Curve& curve : curves) {
    n_rows += curve.threshold.size();
    all.begin.push_back(static_cast<std::int64_t>(n_rows));
  }
  auto join = [&](auto& column, auto part) {
    column.reserve(n_rows);
    for (const Curve& curve : curves) {
      for (const auto value : curve.*part) column.push_back(value);
    }
  };
  join(all.threshold, &Curve::threshold);
  join(all.n_true, &Curve::n_true);
  join(all.n_false, &Curve::n_false);
  join(all.n_false_above, &Curve::n_false_above);
  return all;
}

constexpr std::size_t kFewPositives = std::size_t{1} << 14;

// The curve of all cells, positives and negatives both sorted.
template <class Score>
RankCurves merged_curve(const ScoreMatrix<Score>& matrix) {
  using Key = KeyOf<Score>;
  const std::size_t n_cells = matrix.n_rows * matrix.n_columns;
  std::array<std::vector<Key>, 2> keys;  // negatives, positives
  parallel_for(2, [&](std::size_t side) {
    std::vector<Key>& mine = keys[side];
    // Written always and kept if it is of this side: no branch that cannot be foreseen.
    mine.resize(n_cells + 1);
    std::size_t n = 0;
    for (std::size_t at = 0; at < n_cells; ++at) {
      mine[n] = key_of(matrix.score[at]);
      n += (matrix.member[at] != 0) == (side == 1);
    }
    mine.resize(n);
    sort_keys(mine);
  });
  const std::vector<Key>& negative = keys[0];
  const std::vector<Key>& positive = keys[1];
  RankCurves curve;
  for (auto* column : {&curve.n_true, &curve.n_false, &curve.n_false_above}) {
    column->reserve(positive.size());
  }
  curve.threshold.reserve(positive.size());
  std::size_t above = negative.size();  // negatives from here on lie above
  for (std::size_t end = positive.size(); end > 0;) {
    const Key key = positive[end - 1];
    std::size_t begin = end;
    while (begin > 0 && positive[begin - 1] == key) --begin;
    while (above > 0 && negative[above - 1] > key) --above;
    curve.n_false_above.push_back(static_cast<std::int64_t>(negative.size() - above));
    while (above > 0 && negative[above - 1] == key) --above;
    curve.n_false.push_back(static_cast<std::int64_t>(negative.size() - above));
    curve.n_true.push_back(static_cast<std::int64_t>(positive.size() - begin));
    curve.threshold.push_back(score_of<Score>(key));
    end = begin;
  }
  curve.begin.push_back(0);
  curve.begin.push_back(static_cast<std::int64_t>(curve.threshold.size()));
  return curve;
}

// Columns that one job goes through together: one cache line of a row.
template <class Score>
inline constexpr std::size_t kTile = 64 / sizeof(Score);
// Rows whose part in a tile is brought near before it is worked on, so that the waits for memory
// overlap.
inline constexpr std::size_t kBlock = 128;

// Keys of one column in a block of rows, and the rows.
template <class Key>
struct NearKeys {
  std::array<Key, kBlock> key;
  std::array<std::uint32_t, kBlock> row;
};

// Calls visit(column of the tile, row, key) for all rows whose key reaches the lowest of its
// column, block by block. Of a good classifier few do: they are picked out without a branch that
// nobody could foresee.
template <class Score, class Key, class Visit>
void for_each_key(const ScoreMatrix<Score>& matrix, std::size_t first, std::size_t n_columns,
                  const std::array<Key, kTile<Score>>& lowest, const Visit& visit) {
  std::array<NearKeys<Key>, kTile<Score>> near;
  for (std::size_t begin = 0; begin < matrix.n_rows; begin += kBlock) {
    const std::size_t n = std::min(kBlock, matrix.n_rows - begin);
    std::array<std::size_t, kTile<Score>> n_kept{};
    for (std::size_t i = 0; i < n; ++i) {
      const Score* row = matrix.score + (begin + i) * matrix.n_columns + first;
      for (std::size_t c = 0; c < n_columns; ++c) {
        const Key key = key_of(row[c]);
        near[c].key[n_kept[c]] = key;
        near[c].row[n_kept[c]] = static_cast<std::uint32_t>(i);
        n_kept[c] += key >= lowest[c];
      }
    }
    for (std::size_t c = 0; c < n_columns; ++c) {
      for (std::size_t at = 0; at < n_kept[c]; ++at) {
        visit(c, begin + near[c].row[at], near[c].key[at]);
      }
    }
  }
}

// Rows by class: those of class k are rows[start[k]] to rows[start[k + 1]].
struct RowsByClass {
  std::vector<std::size_t> start;
  std::vector<std::size_t> rows;
};

RowsByClass rows_by_class(const std::int32_t* code, std::size_t n_rows, std::size_t n_classes) {
  RowsByClass found{std::vector<std::size_t>(n_classes + 1), std::vector<std::size_t>(n_rows)};
  for (std::size_t i = 0; i < n_rows; ++i) ++found.start[static_cast<std::size_t>(code[i]) + 1];
  for (std::size_t k = 0; k < n_classes; ++k) found.start[k + 1] += found.start[k];
  std::vector<std::size_t> next(found.start.begin(), found.start.end() - 1);
  for (std::size_t i = 0; i < n_rows; ++i) {
    found.rows[next[static_cast<std::size_t>(code[i])]++] = i;
  }
  return found;
}

}  // namespace

template <class Score>
void target_ranks(const Score* score, std::size_t n_rows, std::size_t n_columns,
                  const std::int32_t* code, std::int32_t* rank) {
  const std::size_t rows_a_job =
      std::max<std::size_t>(1, (std::size_t{1} << 18) / std::max<std::size_t>(1, n_columns));
  const std::size_t n_jobs = (n_rows + rows_a_job - 1) / rows_a_job;
  parallel_for(n_jobs, [=](std::size_t job) {
    const std::size_t end = std::min(n_rows, (job + 1) * rows_a_job);
    for (std::size_t i = job * rows_a_job; i < end; ++i) {
      const Score* row = score + i * n_columns;
      const std::size_t target = static_cast<std::size_t>(code[i]);
      const Score own = row[target];
      std::int32_t before = 0;
      for (std::size_t c = 0; c < target; ++c) before += row[c] >= own;
      for (std::size_t c = target + 1; c < n_columns; ++c) before += row[c] > own;
      rank[i] = before;
    }
  });
}

template <class Score>
RankCurves curves_by_column(const ScoreMatrix<Score>& matrix, std::int64_t* twice_wins) {
  using Key = KeyOf<Score>;
  const std::size_t n_columns = matrix.n_columns;
  RowsByClass by_class;
  if (matrix.code != nullptr) {
    by_class = rows_by_class(matrix.code, matrix.n_rows, n_columns);
  }
  std::vector<Curve> curves(n_columns);
  const std::size_t n_tiles = (n_columns + kTile<Score> - 1) / kTile<Score>;
  parallel_for(n_tiles, [&](std::size_t tile) {
    const std::size_t first = tile * kTile<Score>;
    const std::size_t width = std::min(kTile<Score>, n_columns - first);
    std::array<Ladder<Key>, kTile<Score>> ladders;
    std::array<std::vector<std::int64_t>, kTile<Score>> counts;
    std::array<Key, kTile<Score>> lowest{};
    for (std::size_t c = 0; c < width; ++c) {
      std::vector<Key> keys;
      const std::size_t column = first + c;
      if (matrix.code != nullptr) {
        for (std::size_t at = by_class.start[column]; at < by_class.start[column + 1]; ++at) {
          keys.push_back(key_of(matrix.score[by_class.rows[at] * n_columns + column]));
        }
      } else {
        for (std::size_t i = 0; i < matrix.n_rows; ++i) {
          if (matrix.member[i * n_columns + column] != 0) {
            keys.push_back(key_of(matrix.score[i * n_columns + column]));
          }
        }
      }
      sort_keys(keys);
      ladders[c] = Ladder<Key>(keys);
      lowest[c] = ladders[c].lowest();
      counts[c].assign(ladders[c].n_cells(), 0);
    }
    if (twice_wins == nullptr) {
      for_each_key(matrix, first, width, lowest,
                   [&](std::size_t c, std::size_t, Key key) { ++counts[c][ladders[c].cell(key)]; });
    } else {
      // All positives win over a score below them; what reaches some saves twice those below it
      // and once those beside it.
      std::array<std::vector<std::int64_t>, kTile<Score>> saved;
      for (std::size_t c = 0; c < width; ++c) {
        saved[c].assign(ladders[c].n_cells(), 0);
        std::int64_t below = 0;
        for (std::size_t r = 0; r < ladders[c].n_rungs(); ++r) {
          saved[c][2 * r + 1] = 2 * below + ladders[c].times(r);
          below += ladders[c].times(r);
          saved[c][2 * r + 2] = 2 * below;
        }
        for (std::size_t k = 0; k < n_columns; ++k) {
          twice_wins[(first + c) * n_columns + k] =
              2 * below * static_cast<std::int64_t>(by_class.start[k + 1] - by_class.start[k]);
        }
      }
      for_each_key(matrix, first, width, lowest, [&](std::size_t c, std::size_t i, Key key) {
        const std::size_t cell = ladders[c].cell(key);
        ++counts[c][cell];
        twice_wins[(first + c) * n_columns + static_cast<std::size_t>(matrix.code[i])] -=
            saved[c][cell];
      });
    }
    for (std::size_t c = 0; c < width; ++c) {
      curves[first + c] = read_off<Score>(ladders[c], counts[c]);
    }
  });
  return joined(curves);
}

template <class Score>
RankCurves curve_of_all(const ScoreMatrix<Score>& matrix) {
  using Key = KeyOf<Score>;
  const std::size_t n_cells = matrix.n_rows * matrix.n_columns;
  std::size_t n_positive = matrix.n_rows;
  if (matrix.code == nullptr) {
    n_positive = static_cast<std::size_t>(
        std::count_if(matrix.member, matrix.member + n_cells, [](auto m) { return m != 0; }));
    // With a ladder that no cache holds, sorting the negatives too is sooner done.
    if (n_positive > kFewPositives && n_positive > n_cells / 16) return merged_curve(matrix);
  }
  std::vector<Key> keys;
  keys.reserve(n_positive);
  if (matrix.code != nullptr) {
    for (std::size_t i = 0; i < matrix.n_rows; ++i) {
      const std::size_t column = static_cast<std::size_t>(matrix.code[i]);
      keys.push_back(key_of(matrix.score[i * matrix.n_columns + column]));
    }
  } else {
    for (std::size_t at = 0; at < n_cells; ++at) {
      if (matrix.member[at] != 0) keys.push_back(key_of(matrix.score[at]));
    }
  }
  sort_keys(keys);
  const Ladder<Key> ladder(keys);
  // Each thread counts its own part; sums of integers are the same in any order.
  const std::size_t n_parts = static_cast<std::size_t>(thread_count());
  std::vector<std::vector<std::int64_t>> counts(n_parts);
  parallel_for(n_parts, [&](std::size_t part) {
    std::vector<std::int64_t>& count = counts[part];
    count.assign(ladder.n_cells(), 0);
    const std::size_t end =
        n_cells / n_parts * (part + 1) + (part + 1 == n_parts ? n_cells % n_parts : 0);
    for (std::size_t at = n_cells / n_parts * part; at < end; ++at) {
      ++count[ladder.cell(key_of(matrix.score[at]))];
    }
  });
  for (std::size_t part = 1; part < n_parts; ++part) {
    for (std::size_t cell = 0; cell < counts[0].size(); ++cell)
      counts[0][cell] += counts[part][cell];
  }
  std::vector<Curve> curve;
  curve.push_back(read_off<Score>(ladder, counts[0]));
  return joined(curve);
}

template <class Score>
void count_by_threshold(const ScoreMatrix<Score>& matrix, const Score* thresholds,
                        std::size_t n_thresholds, std::int64_t* all, std::int64_t* positive) {
  using Key = KeyOf<Score>;
  std::vector<Key> keys;
  for (std::size_t t = 0; t < n_thresholds; ++t) keys.push_back(key_of(thresholds[t]));
  const Ladder<Key> ladder(keys);
  const std::size_t n_columns = matrix.n_columns;
  const std::size_t n_tiles = (n_columns + kTile<Score> - 1) / kTile<Score>;
  const std::array<Key, kTile<Score>> lowest{};  // all are counted
  parallel_for(n_tiles, [&](std::size_t tile) {
    const std::size_t first = tile * kTile<Score>;
    const std::size_t width = std::min(kTile<Score>, n_columns - first);
    for_each_key(matrix, first, width, lowest, [&](std::size_t c, std::size_t i, Key key) {
      const std::size_t column = first + c;
      const std::size_t at = column * (n_thresholds + 1) + ladder.reached(key);
      ++all[at];
      positive[at] += matrix.code != nullptr ? static_cast<std::size_t>(matrix.code[i]) == column
                                             : matrix.member[i * n_columns + column] != 0;
    });
  });
}

template void target_ranks<float>(const float*, std::size_t, std::size_t, const std::int32_t*,
                                  std::int32_t*);
template void target_ranks<double>(const double*, std::size_t, std::size_t, const std::int32_t*,
                                   std::int32_t*);
template RankCurves curves_by_column<float>(const ScoreMatrix<float>&, std::int64_t*);
template RankCurves curves_by_column<double>(const ScoreMatrix<double>&, std::int64_t*);
template RankCurves curve_of_all<float>(const ScoreMatrix<float>&);
template RankCurves curve_of_all<double>(const ScoreMatrix<double>&);
template void count_by_threshold<float>(const ScoreMatrix<float>&, const float*, std::size_t,
                                        std::int64_t*, std::int64_t*);
template void count_by_threshold<double>(const ScoreMatrix<double>&, const double*, std::size_t,
                                         std::int64_t*, std::int64_t*);

}  // namespace snellen
