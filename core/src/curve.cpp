#include "snellen/curve.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "label_rows.hpp"
#include "snellen/matching.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/parallel.hpp"
#include "snellen/ranking.hpp"

namespace snellen {
namespace {

// The number of the true positive at which recall first reaches each threshold: min k with
// k / n >= r, in the floating-point division that the definition uses. 0 for r <= 0.
void needed_true_positives(const std::vector<double>& recall_thresholds, std::size_t n_counted,
                           std::vector<std::size_t>& needed) {
  const double n = static_cast<double>(n_counted);
  needed.clear();
  for (const double r : recall_thresholds) {
    if (r <= 0) {
      needed.push_back(0);
      continue;
    }
    // The rounded product says where to begin; the quotient decides.
    std::size_t k = static_cast<std::size_t>(std::min(std::floor(r * n), n + 1));
    while (k <= n_counted && static_cast<double>(k) / n < r) ++k;
    needed.push_back(k);
  }
}

// A true positive on one curve.
struct Hit {
  std::uint32_t row;               // of the label, by rank
  std::uint32_t n_false_positive;  // down to this row
};

// One curve while its rows go by.
struct Curve {
  std::vector<Hit> hits;
  std::uint32_t n_false_positive = 0;  // beyond those that are false at every threshold
};

// The rows of one label, and its curves for all area ranges and caps and the thresholds of one
// word.
class LabelCurves {
 public:
  LabelCurves(const Outcomes& outcomes, const CurveRules& rules)
      : outcomes_(outcomes),
        rules_(rules),
        n_words_(outcome_words(rules.n_thresholds)),
        n_caps_(rules.max_detections.size()) {}

  // The label's rows by descending score: outcome words and ranks gathered once, so that every
  // area range and cap reads them in sequence.
  void load(Rows pred) {
    n_rows_ = pred.end - pred.begin;
    rank_by_score(outcomes_.score + pred.begin, n_rows_, order_);
    rank_in_cell_.resize_uninitialised(n_rows_);
    for (std::size_t i = 0; i < n_rows_; ++i) {
      const bool same_cell =
          i > 0 && outcomes_.image[pred.begin + i] == outcomes_.image[pred.begin + i - 1];
      rank_in_cell_[i] = same_cell ? rank_in_cell_[i - 1] + 1 : 0;
    }
    const std::size_t row_words = rules_.n_areas * n_words_;
    outcome_.resize_uninitialised(n_rows_ * row_words);
    score_.resize_uninitialised(n_rows_);
    cap_.resize_uninitialised(n_rows_);
    for (std::size_t i = 0; i < n_rows_; ++i) {
      const std::size_t row = pred.begin + order_[i];
      const std::uint32_t* const from = outcomes_.outcome + row * row_words;
      std::uint32_t* const to = outcome_.data() + i * row_words;
      for (std::size_t w = 0; w < row_words; ++w) to[w] = from[w];
      score_[i] = outcomes_.score[row];
      cap_[i] = first_cap(rules_.max_detections, rank_in_cell_[order_[i]]);
    }
  }

  std::size_t thresholds_in(std::size_t word) const {
    return std::min(kThresholdsPerWord, rules_.n_thresholds - word * kThresholdsPerWord);
  }

  // One walk over the rows fills the curves of all area ranges, all caps and the word's thresholds.
  void trace(std::size_t word) {
    clear();
    for (std::size_t i = 0; i < n_rows_; ++i) add_row(word, i);
  }

  const std::vector<Hit>& hits(std::size_t a, std::size_t cap, std::size_t bit) {
    return curve(a, cap, bit).hits;
  }

  // Calls point(r, precision, row) for each recall threshold r from the last to the first, where
  // row is null if the curve does not reach it. `needed` is of needed_true_positives.
  template <class Point>
  void read_precision(const std::vector<Hit>& hits, const std::vector<std::size_t>& needed,
                      const Point& point) const {
    double highest = 0;  // to the right of hit number `at`
    std::size_t at = hits.size();
    for (std::size_t r = needed.size(); r-- > 0;) {
      const std::size_t need = needed[r];
      if (need > hits.size()) {
        point(r, 0.0, nullptr);
        continue;
      }
      for (const std::size_t first = need == 0 ? 0 : need - 1; at > first; --at) {
        // Signed, which processors convert in one step.
        const double n_hits = static_cast<double>(static_cast<std::int64_t>(at));
        const double n_false = hits[at - 1].n_false_positive;
        highest = std::max(highest, n_hits / (n_false + n_hits + rules_.spacing));
      }
      // Recall 0 is reached at the first row of all, even one that is left out.
      static constexpr std::uint32_t kFirstRow = 0;
      point(r, highest, need == 0 ? &kFirstRow : &hits[need - 1].row);
    }
  }

  // The one number of a summary. `needed` is of needed_true_positives.
  double summary(const std::vector<Hit>& hits, const std::vector<std::size_t>& needed,
                 std::size_t n_counted) {
    if (rules_.summary == CurveSummary::kArea) return area(hits, n_counted);
    parts_.resize(needed.size());
    read_precision(hits, needed, [&](std::size_t r, double highest, const std::uint32_t*) {
      parts_[r] = highest / static_cast<double>(needed.size());
    });
    return std::accumulate(parts_.begin(), parts_.end(), 0.0);
  }

  std::size_t n_rows() const { return n_rows_; }
  double score(std::size_t row) const { return score_[row]; }

 private:
  // Of each true positive how much recall rises, times the highest precision from it on; added up
  // as NumPy does it. What recall lacks of 1 counts as a part of 0.
  double area(const std::vector<Hit>& hits, std::size_t n_counted) {
    const double n = static_cast<double>(n_counted);
    parts_.assign(hits.size() + (hits.size() < n_counted ? 1 : 0), 0.0);
    double highest = 0;
    for (std::size_t at = hits.size(); at > 0; --at) {
      const double n_hits = static_cast<double>(at);
      const double n_false = hits[at - 1].n_false_positive;
      highest = std::max(highest, n_hits / (n_false + n_hits + rules_.spacing));
      parts_[at - 1] = (n_hits / n - (n_hits - 1) / n) * highest;
    }
    return pairwise_sum(parts_.data(), parts_.size());
  }

  Curve& curve(std::size_t a, std::size_t cap, std::size_t bit) {
    return curves_[(a * n_caps_ + cap) * kThresholdsPerWord + bit];
  }

  void clear() {
    curves_.resize(rules_.n_areas * n_caps_ * kThresholdsPerWord);
    for (Curve& curve : curves_) {
      curve.hits.clear();
      curve.n_false_positive = 0;
    }
    always_false_.assign(rules_.n_areas * (n_caps_ + 1), 0);
  }

  std::uint32_t all_false(std::size_t word) const {
    return ((1U << thresholds_in(word)) - 1) << kThresholdsPerWord;
  }
  // All false is the largest word there is: a bit is a hit, a miss, or neither.
  bool is_mixed(std::size_t word, std::uint32_t outcome) const {
    return outcome - 1 < all_false(word) - 1;
  }

  void add_row(std::size_t word, std::size_t row) {
    const std::uint32_t all_of_word_false = all_false(word);
    const std::uint32_t* outcome = outcome_.data() + row * rules_.n_areas * n_words_ + word;
    std::uint32_t* count = always_false_.data() + cap_[row];
    for (std::size_t a = 0; a < rules_.n_areas; ++a) {
      // Without a branch: which rows are false and which left out no processor can foresee.
      *count += *outcome == all_of_word_false ? 1 : 0;
      if (is_mixed(word, *outcome)) add_mixed(*outcome, a, row);
      count += n_caps_ + 1;
      outcome += n_words_;
    }
  }

  void add_mixed(std::uint32_t outcome, std::size_t a, std::size_t row) {
    constexpr std::uint32_t kHits = (1U << kThresholdsPerWord) - 1;
    std::uint32_t n_always_false = 0;
    for (std::size_t m = 0; m < n_caps_; ++m) {
      n_always_false += always_false_[a * (n_caps_ + 1) + m];
      if (m < cap_[row]) continue;
      for (std::uint32_t bits = outcome & kHits; bits != 0; bits &= bits - 1) {
        Curve& hit = curve(a, m, static_cast<std::size_t>(std::countr_zero(bits)));
        hit.hits.push_back(
            {static_cast<std::uint32_t>(row), n_always_false + hit.n_false_positive});
      }
      for (std::uint32_t bits = outcome >> kThresholdsPerWord; bits != 0; bits &= bits - 1) {
        ++curve(a, m, static_cast<std::size_t>(std::countr_zero(bits))).n_false_positive;
      }
    }
  }

  const Outcomes& outcomes_;
  const CurveRules& rules_;
  const std::size_t n_words_;
  const std::size_t n_caps_;

  std::size_t n_rows_ = 0;
  Column<std::uint32_t> order_, rank_in_cell_;
  Column<std::uint32_t> outcome_;  // [row by rank][area range][word]
  Column<double> score_;
  Column<std::uint32_t> cap_;  // the first cap that admits the row; all later ones do too
  std::vector<Curve> curves_;  // [area range][cap][bit]
  // Rows so far that are false at every threshold: [area range][first cap that admits them].
  std::vector<std::uint32_t> always_false_;
  std::vector<double> parts_;
};

// Writes the curves of labels, one after the other.
class CurveWriter {
 public:
  CurveWriter(const Outcomes& outcomes, const CurveRules& rules, Curves& out)
      : outcomes_(outcomes), rules_(rules), out_(out), curves_(outcomes, rules) {}

  void run(std::size_t label, Rows pred, Rows truth) {
    curves_.load(pred);
    for (std::size_t word = 0; word < outcome_words(rules_.n_thresholds); ++word) {
      curves_.trace(word);
      for (std::size_t a = 0; a < rules_.n_areas; ++a) {
        const std::size_t n_counted = count_truth(truth, a);
        const std::size_t area_index = label * rules_.n_areas + a;
        out_.n_counted[area_index] = static_cast<std::int64_t>(n_counted);
        if (n_counted == 0) {
          fill_undefined(area_index);
          continue;
        }
        needed_true_positives(rules_.recall_thresholds, n_counted, needed_);
        read_off(a, area_index, word, n_counted);
      }
    }
  }

 private:
  std::size_t count_truth(Rows truth, std::size_t a) const {
    std::size_t n_counted = 0;
    for (std::size_t i = truth.begin; i < truth.end; ++i) {
      n_counted += (outcomes_.truth_ignored[i] >> a & 1) == 0;
    }
    return n_counted;
  }

  void fill_undefined(std::size_t area_index) {
    const std::size_t n_curves = rules_.max_detections.size() * rules_.n_thresholds;
    const std::size_t n_points = n_curves * rules_.n_points();
    std::fill_n(out_.precision.data() + area_index * n_points, n_points, rules_.undefined);
    std::fill_n(out_.scores.data() + area_index * n_points, n_points, rules_.undefined);
    std::fill_n(out_.recall.data() + area_index * n_curves, n_curves, rules_.undefined);
  }

  void read_off(std::size_t a, std::size_t area_index, std::size_t word, std::size_t n_counted) {
    const std::size_t n_recall = rules_.n_points();
    const std::size_t n_caps = rules_.max_detections.size();
    for (std::size_t m = 0; m < n_caps; ++m) {
      for (std::size_t bit = 0; bit < curves_.thresholds_in(word); ++bit) {
        const std::size_t t = word * kThresholdsPerWord + bit;
        const std::size_t index = (area_index * n_caps + m) * rules_.n_thresholds + t;
        const std::vector<Hit>& hits = curves_.hits(a, m, bit);
        out_.recall[index] = static_cast<double>(hits.size()) / static_cast<double>(n_counted);
        double* const precision = out_.precision.data() + index * n_recall;
        double* const score = out_.scores.data() + index * n_recall;
        if (rules_.summary != CurveSummary::kPoints) {
          *precision = curves_.summary(hits, needed_, n_counted);
          *score = hits.empty() ? 0 : curves_.score(hits.back().row);
          continue;
        }
        curves_.read_precision(
            hits, needed_, [&](std::size_t r, double highest, const std::uint32_t* row) {
              precision[r] = highest;
              score[r] = row == nullptr || curves_.n_rows() == 0 ? 0 : curves_.score(*row);
            });
      }
    }
  }

  const Outcomes& outcomes_;
  const CurveRules& rules_;
  Curves& out_;
  LabelCurves curves_;
  std::vector<std::size_t> needed_;
};

}  // namespace

Curves precision_recall_curves(const Outcomes& outcomes, const CurveRules& rules) {
  Curves curves;
  const std::size_t n_curves =
      rules.n_labels * rules.n_areas * rules.max_detections.size() * rules.n_thresholds;
  curves.precision.resize_uninitialised(n_curves * rules.n_points());
  curves.scores.resize_uninitialised(n_curves * rules.n_points());
  curves.recall.resize_uninitialised(n_curves);
  curves.n_counted.resize_uninitialised(rules.n_labels * rules.n_areas);

  const Partition parts = partition_of(outcomes, rules.n_labels);
  parallel_for_workers(rules.n_labels, [&] {
    return [&, writer = CurveWriter(outcomes, rules, curves)](std::size_t job) mutable {
      const std::size_t label = parts.by_size[job];
      writer.run(label, parts.pred[label], parts.truth[label]);
    };
  });
  return curves;
}

}  // namespace snellen
