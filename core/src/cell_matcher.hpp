// The matching of one cell, by rules of matching.hpp; `Similarities` says how alike two objects
// are:
//
//   void enter(const Cell&, const RankedRow* kept, std::size_t n_kept);
//     A new cell, and those of its detections that are not beyond the cap, best first.
//   template <class Found> void visit(std::size_t d, double bar, Found found);
//     Calls found(g, similarity) for each truth of the cell, ascending from 0, whose similarity to
//     kept detection d reaches the bar.
//   double pred_area(std::size_t row);
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "snellen/matching.hpp"

namespace snellen {

// One label in one image: its places in the tables, which are in (label, image) order.
struct Cell {
  std::size_t pred_begin, pred_end;
  std::size_t truth_begin, truth_end;
};

struct RankedRow {
  double score;
  std::size_t row;
};

// Best first; of equal scores the one that came first.
inline void rank_rows(std::vector<RankedRow>& rows) {
  constexpr std::size_t kInsertionSort = 32;
  if (rows.size() > kInsertionSort) {
    std::sort(rows.begin(), rows.end(), [](const RankedRow& a, const RankedRow& b) {
      return a.score > b.score || (a.score == b.score && a.row < b.row);
    });
    return;
  }
  // Most cells hold a handful, and detectors write them nearly sorted.
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const RankedRow item = rows[i];
    std::size_t j = i;
    for (; j > 0 && item.score > rows[j - 1].score; --j) rows[j] = rows[j - 1];
    rows[j] = item;
  }
}

// Columns in (label, image) order, as far as the matching of a cell asks for them.
struct CellColumns {
  const std::uint32_t* truth_ignored;  // bit a: left out of area range a
  const std::uint8_t* truth_crowd;
  const std::int64_t* truth_id;
  const std::uint32_t* truth_row;  // of the table given; null without matches
  const double* pred_score;
  const std::uint8_t* pred_exempt;  // null: none is
  const std::uint32_t* pred_row;    // of the table given; null without matches
};

// Where the rows of a cell's kept detections are written.
struct CellOutput {
  double* score;
  std::uint32_t* outcome;  // [detection][area range][word]
  std::int64_t* row;       // null without matches, as is the next
  std::int32_t* match;     // [detection][threshold]
};

// Matches one cell after another; holds the scratch memory for it.
template <class Similarities>
class CellMatcher {
 public:
  CellMatcher(const CellColumns& columns, Similarities similarities, const MatchRules& rules)
      : columns_(columns),
        similarities_(std::move(similarities)),
        rules_(rules),
        n_areas_(rules.area_ranges.size()),
        n_words_(outcome_words(rules.iou_thresholds.size())),
        true_positive_(n_areas_),
        took_ignored_(n_areas_) {
    for (std::size_t word = 0; word < n_words_; ++word) {
      const std::size_t n_bits =
          std::min(kThresholdsPerWord, rules.iou_thresholds.size() - word * kThresholdsPerWord);
      all_missed_.push_back(((1U << n_bits) - 1) << kThresholdsPerWord);
    }
    for (const double threshold : rules.iou_thresholds) bars_.push_back(bar_of(threshold));
  }

  void match(const Cell& cell, const CellOutput& output) {
    ranked_.clear();
    for (std::size_t row = cell.pred_begin; row < cell.pred_end; ++row) {
      ranked_.push_back({columns_.pred_score[row], row});
    }
    rank_rows(ranked_);
    const std::size_t n_kept = std::min(ranked_.size(), rules_.max_detections);
    for (std::size_t d = 0; d < n_kept; ++d) {
      output.score[d] = ranked_[d].score;
      write_unmatched(ranked_[d].row, output.outcome + d * n_areas_ * n_words_);
    }
    if (output.match != nullptr) {
      for (std::size_t d = 0; d < n_kept; ++d) output.row[d] = columns_.pred_row[ranked_[d].row];
      std::fill_n(output.match, n_kept * bars_.size(), -1);
    }
    if (cell.truth_begin == cell.truth_end) return;
    similarities_.enter(cell, ranked_.data(), n_kept);
    find_candidates(n_kept);
    if (suitors_.empty()) return;
    for (std::size_t word = 0; word < n_words_; ++word) {
      find_reaches(word);
      for (std::size_t a = 0; a < n_areas_; ++a) {
        match_in_area(
            cell, a,
            a == 0 && output.match != nullptr ? output.match + word * kThresholdsPerWord : nullptr);
      }
      write_matched(word, output.outcome);
    }
  }

 private:
  // Truth that a detection may take.
  struct Candidate {
    std::uint32_t truth;  // position in the cell
    double similarity;
  };

  // For each detection that reaches the lowest threshold with any truth, that truth: highest
  // similarity first, of equal ones the later, or the first where a detection looks at one only.
  void find_candidates(std::size_t n_kept) {
    candidates_.clear();
    suitors_.clear();
    first_candidate_.assign(1, 0);
    for (std::size_t d = 0; d < n_kept; ++d) {
      similarities_.visit(d, bars_.front(), [&](std::size_t g, double similarity) {
        candidates_.push_back({static_cast<std::uint32_t>(g), similarity});
        for (std::size_t c = candidates_.size() - 1; c > first_candidate_.back(); --c) {
          const double before = candidates_[c - 1].similarity;
          if (before > similarity || (before == similarity && rules_.best_only)) break;
          std::swap(candidates_[c], candidates_[c - 1]);
        }
      });
      if (candidates_.size() > first_candidate_.back()) {
        suitors_.push_back(static_cast<std::uint32_t>(d));
        first_candidate_.push_back(candidates_.size());
      }
    }
  }

  // The thresholds of a word that each candidate reaches, as bits.
  void find_reaches(std::size_t word) {
    const std::size_t first = word * kThresholdsPerWord;
    const std::size_t last = std::min(first + kThresholdsPerWord, bars_.size());
    reach_.clear();
    for (const Candidate& candidate : candidates_) {
      std::size_t reached = first;
      while (reached < last && candidate.similarity >= bars_[reached]) ++reached;
      reach_.push_back((1U << (reached - first)) - 1);
    }
  }

  // Fills true_positive_[a] and took_ignored_[a], a set of thresholds for each suitor, and, where
  // not null, the cells of a word in the rows of `match`.
  void match_in_area(const Cell& cell, std::size_t a, std::int32_t* match) {
    const std::uint32_t* const ignored = columns_.truth_ignored + cell.truth_begin;
    const std::size_t n_truth = cell.truth_end - cell.truth_begin;
    for (std::size_t earlier = 0; earlier < a; ++earlier) {
      const bool same = std::all_of(ignored, ignored + n_truth, [=](std::uint32_t bits) {
        return ((bits >> a ^ bits >> earlier) & 1) == 0;
      });
      if (same) {
        true_positive_[a] = true_positive_[earlier];
        took_ignored_[a] = took_ignored_[earlier];
        return;
      }
    }
    taken_.assign(n_truth, 0);
    true_positive_[a].assign(suitors_.size(), 0);
    took_ignored_[a].assign(suitors_.size(), 0);
    for (std::size_t s = 0; s < suitors_.size(); ++s) {
      const auto take = [&](std::size_t c, std::uint32_t now) {
        const std::uint32_t g = candidates_[c].truth;
        const std::size_t row = cell.truth_begin + g;
        const bool counts = (ignored[g] >> a & 1) == 0;
        // What does not count is used up, too, but for crowds; not where it is all that a
        // detection looks at.
        if (counts || (columns_.truth_crowd[row] == 0 && !rules_.best_only)) taken_[g] |= now;
        if (!counts) {
          took_ignored_[a][s] |= now;
        } else if (columns_.truth_id[row] != 0 || !rules_.id_zero_is_no_match) {
          true_positive_[a][s] |= now;
        }
        if (match == nullptr) return;
        const auto truth_row = static_cast<std::int32_t>(columns_.truth_row[row]);
        std::int32_t* const of_word = match + suitors_[s] * bars_.size();
        for (std::uint32_t rest = now; rest != 0; rest &= rest - 1) {
          of_word[std::countr_zero(rest)] = truth_row;
        }
      };
      if (rules_.best_only) {
        take_best(cell, s, take);
      } else {
        take_free(ignored, a, s, take);
      }
    }
  }

  // At each threshold the first candidate that is free, of all that count, else of the others.
  template <class Take>
  void take_free(const std::uint32_t* ignored, std::size_t a, std::size_t s, const Take& take) {
    std::uint32_t settled = 0;
    for (const std::uint32_t want_ignored : {0U, 1U}) {
      for (std::size_t c = first_candidate_[s]; c < first_candidate_[s + 1]; ++c) {
        const std::uint32_t g = candidates_[c].truth;
        if ((ignored[g] >> a & 1) != want_ignored) continue;
        const std::uint32_t now = reach_[c] & ~taken_[g] & ~settled;
        if (now == 0) continue;
        settled |= now;
        take(c, now);
      }
    }
  }

  // The best candidate where it is free, else the best crowd.
  template <class Take>
  void take_best(const Cell& cell, std::size_t s, const Take& take) {
    std::uint32_t settled = 0;
    for (const bool want_crowd : {false, true}) {
      for (std::size_t c = first_candidate_[s]; c < first_candidate_[s + 1]; ++c) {
        const std::uint32_t g = candidates_[c].truth;
        if ((columns_.truth_crowd[cell.truth_begin + g] != 0) != want_crowd) continue;
        const std::uint32_t now = reach_[c] & ~taken_[g] & ~settled;
        settled |= now;
        if (now != 0) take(c, now);
        break;
      }
    }
  }

  // A false positive everywhere, but left out of the area ranges that its own area is outside of.
  void write_unmatched(std::size_t row, std::uint32_t* outcome) {
    if (columns_.pred_exempt != nullptr && columns_.pred_exempt[row] != 0) {
      std::fill_n(outcome, n_areas_ * n_words_, 0U);
      return;
    }
    const double area = similarities_.pred_area(row);
    for (const auto& [low, high] : rules_.area_ranges) {
      const bool outside = area < low || area > high;
      for (const std::uint32_t missed : all_missed_) *outcome++ = outside ? 0U : missed;
    }
  }

  // A suitor is true, or left out, where it took truth, and as unmatched elsewhere.
  void write_matched(std::size_t word, std::uint32_t* outcome) const {
    for (std::size_t s = 0; s < suitors_.size(); ++s) {
      std::uint32_t* const row = outcome + suitors_[s] * n_areas_ * n_words_ + word;
      for (std::size_t a = 0; a < n_areas_; ++a) {
        const std::uint32_t hit = true_positive_[a][s];
        const std::uint32_t matched = hit | took_ignored_[a][s];
        std::uint32_t& unmatched = row[a * n_words_];
        unmatched = (unmatched & ~(matched << kThresholdsPerWord)) | hit;
      }
    }
  }

  const CellColumns columns_;
  Similarities similarities_;
  const MatchRules& rules_;
  const std::size_t n_areas_;
  const std::size_t n_words_;
  std::vector<std::uint32_t> all_missed_;  // by word: "false positive" at all its thresholds
  std::vector<double> bars_;               // ascending

  std::vector<RankedRow> ranked_;
  std::vector<std::uint32_t> suitors_;        // ranks of the detections that have candidates
  std::vector<std::size_t> first_candidate_;  // suitor s: first_candidate_[s] … [s + 1] - 1
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> reach_;  // of each candidate
  std::vector<std::uint32_t> taken_;  // of each truth of the cell: at which thresholds
  std::vector<std::vector<std::uint32_t>> true_positive_, took_ignored_;  // [area][suitor]
};

}  // namespace snellen
