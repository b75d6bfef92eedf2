#include "snellen/curve.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "snellen/matching.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/parallel.hpp"
#include "snellen/ranking.hpp"

namespace snellen {
namespace {

struct Rows {
  std::size_t begin, end;
};

// Rows ascend by label.
std::vector<Rows> rows_of_labels(const std::int32_t* label, std::size_t n_rows,
                                 std::size_t n_labels) {
  std::vector<Rows> rows(n_labels);
  std::size_t at = 0;
  for (std::size_t k = 0; k < n_labels; ++k) {
    rows[k].begin = at;
    while (at < n_rows && static_cast<std::size_t>(label[at]) == k) ++at;
    rows[k].end = at;
  }
  return rows;
}

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

// Replicates that are looked at together: of each image so many numbers stand side by side, and one
// addition of them all is one of a cache line.
constexpr std::size_t kLanes = 16;

// How often images occur: [block of kLanes replicates][image][replicate].
Column<std::uint32_t> lanes_of(const Replicates& replicates) {
  const std::size_t n_images = replicates.n_images;
  const std::size_t n_blocks = (replicates.n_replicates + kLanes - 1) / kLanes;
  Column<std::uint32_t> lanes;
  lanes.resize_uninitialised(n_blocks * n_images * kLanes);
  parallel_for(n_blocks, [&](std::size_t block) {
    std::uint32_t* const to = lanes.data() + block * n_images * kLanes;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t replicate = block * kLanes + lane;
      const bool there = replicate < replicates.n_replicates;
      const std::int32_t* const times = replicates.times + (there ? replicate * n_images : 0);
      for (std::size_t image = 0; image < n_images; ++image) {
        to[image * kLanes + lane] = there ? static_cast<std::uint32_t>(times[image]) : 0;
      }
    }
  });
  return lanes;
}

struct Lanes {
  std::array<std::uint32_t, kLanes> sum{};

  void add(const std::uint32_t* numbers) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum[lane] += numbers[lane];
  }
};

// One curve while its rows go by.
struct Curve {
  std::vector<Hit> hits;               // where precision is wanted
  std::uint32_t n_false_positive = 0;  // beyond those that are false at every threshold
  std::uint32_t n_first_admitted = 0;  // true positives that no smaller cap admits
};

// The rows of one label, and its curves for all area ranges and caps and the thresholds of one
// word.
class LabelCurves {
 public:
  LabelCurves(const Outcomes& outcomes, const CurveRules& rules,
              std::vector<std::uint8_t> read_precision)
      : outcomes_(outcomes),
        rules_(rules),
        read_precision_(std::move(read_precision)),
        n_words_(outcome_words(rules.n_thresholds)),
        n_caps_(rules.max_detections.size()),
        n_wanted_(static_cast<std::size_t>(
            std::count_if(read_precision_.begin(), read_precision_.end(),
                          [](std::uint8_t wanted) { return wanted != 0; }))) {}

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
      const auto& caps = rules_.max_detections;
      const std::size_t rank = rank_in_cell_[order_[i]];
      cap_[i] = static_cast<std::uint32_t>(std::upper_bound(caps.begin(), caps.end(), rank) -
                                           caps.begin());
    }
  }

  // Forgets rows that no area range and no cap counts, which most are where there is one area
  // range. They leave no trace but the score at recall 0.
  void drop_left_out() {
    const std::size_t row_words = rules_.n_areas * n_words_;
    std::size_t n_kept = 0;
    for (std::size_t i = 0; i < n_rows_; ++i) {
      const std::uint32_t* const words = outcome_.data() + i * row_words;
      const bool counts =
          std::any_of(words, words + row_words, [](auto word) { return word != 0; });
      if (!counts || cap_[i] == n_caps_) continue;
      std::copy_n(words, row_words, outcome_.data() + n_kept * row_words);
      order_[n_kept] = order_[i];
      score_[n_kept] = score_[i];
      cap_[n_kept] = cap_[i];
      ++n_kept;
    }
    n_rows_ = n_kept;
  }

  // For replicates: the image of each row, and where the rows of its image and score end.
  void load_images(Rows pred) {
    image_.resize_uninitialised(n_rows_);
    tied_until_.resize_uninitialised(n_rows_);
    for (std::size_t i = n_rows_; i-- > 0;) {
      image_[i] = outcomes_.image[pred.begin + order_[i]];
      const bool tied = i + 1 < n_rows_ && image_[i + 1] == image_[i] && score_[i + 1] == score_[i];
      tied_until_[i] = tied ? tied_until_[i + 1] : static_cast<std::uint32_t>(i + 1);
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

  // A replicate is a data set in which image j occurs times[j] times, under ids that follow each
  // other: the copies of a row stand together, save that the rows of one image and score are copied
  // as a whole. Most rows are false at every threshold. All that such a row does, wherever its
  // copies stand, is to be counted by the curves further on: that is done for kLanes replicates at
  // once. What is left, few rows, goes replicate by replicate.
  //
  // Tells the two kinds of rows apart.
  void split(std::size_t word, std::size_t a) {
    steps_.clear();
    false_image_.clear();
    false_cap_.clear();
    for (std::size_t i = 0; i < n_rows_; i = tied_until_[i]) {
      const std::size_t end = tied_until_[i];
      bool mixed = false;
      for (std::size_t row = i; row < end; ++row) mixed |= is_mixed(word, outcome(word, a, row));
      if (mixed) {
        steps_.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end),
                          static_cast<std::uint32_t>(false_image_.size())});
        continue;
      }
      for (std::size_t row = i; row < end; ++row) {
        if (outcome(word, a, row) == 0) continue;
        false_image_.push_back(image_[row]);
        false_cap_.push_back(cap_[row]);
      }
    }
  }

  // Counts the rows that are false, before each of the others. `lanes` are of kLanes replicates.
  void count_false(const std::uint32_t* lanes) {
    n_false_.resize_uninitialised(steps_.size() * n_wanted_ * kLanes);
    std::size_t wanted = 0;
    for (std::size_t m = 0; m < n_caps_; ++m) {
      if (!read_precision_[m]) continue;
      Lanes count;
      std::size_t at = 0;
      for (std::size_t s = 0; s < steps_.size(); ++s) {
        for (; at < steps_[s].n_false; ++at) {
          if (false_cap_[at] > m) continue;
          count.add(lanes + static_cast<std::size_t>(false_image_[at]) * kLanes);
        }
        std::copy(count.sum.begin(), count.sum.end(),
                  n_false_.data() + (s * n_wanted_ + wanted) * kLanes);
      }
      ++wanted;
    }
  }

  // The curves of one replicate.
  void trace_lane(std::size_t word, std::size_t a, const std::uint32_t* lanes, std::size_t lane) {
    clear();
    std::uint32_t* const always_false = always_false_.data() + a * (n_caps_ + 1);
    const std::uint32_t* before = n_false_.data() + lane;
    for (const Step& step : steps_) {
      const auto n_before = [before](std::size_t wanted) { return before[wanted * kLanes]; };
      before += n_wanted_ * kLanes;
      const std::uint32_t often =
          lanes[static_cast<std::size_t>(image_[step.begin]) * kLanes + lane];
      if (step.end == step.begin + 1) {
        if (often != 0) add_mixed(outcome(word, a, step.begin), a, step.begin, often, n_before);
        continue;
      }
      for (std::uint32_t copy = 0; copy < often; ++copy) {
        for (std::size_t row = step.begin; row < step.end; ++row) {
          const std::uint32_t each = outcome(word, a, row);
          if (is_mixed(word, each)) {
            add_mixed(each, a, row, 1, n_before);
          } else {
            always_false[cap_[row]] += each != 0;
          }
        }
      }
    }
  }

  const std::vector<Hit>& hits(std::size_t a, std::size_t cap, std::size_t bit) {
    return curve(a, cap, bit).hits;
  }

  std::size_t n_hits(std::size_t a, std::size_t cap, std::size_t bit) {
    std::size_t n = 0;
    for (std::size_t m = 0; m <= cap; ++m) n += curve(a, m, bit).n_first_admitted;
    return n;
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
      curve.n_first_admitted = 0;
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
  std::uint32_t outcome(std::size_t word, std::size_t a, std::size_t row) const {
    return outcome_[(row * rules_.n_areas + a) * n_words_ + word];
  }

  void add_row(std::size_t word, std::size_t row) {
    const std::uint32_t all_of_word_false = all_false(word);
    const std::uint32_t* outcome = outcome_.data() + row * rules_.n_areas * n_words_ + word;
    std::uint32_t* count = always_false_.data() + cap_[row];
    for (std::size_t a = 0; a < rules_.n_areas; ++a) {
      // Without a branch: which rows are false and which left out no processor can foresee.
      *count += *outcome == all_of_word_false ? 1 : 0;
      if (is_mixed(word, *outcome)) add_mixed(*outcome, a, row, 1, [](std::size_t) { return 0U; });
      count += n_caps_ + 1;
      outcome += n_words_;
    }
  }

  // `n_before`: rows that are false at every threshold and stand before this one, beside those of
  // always_false_, at each cap at which precision is wanted.
  template <class Before>
  void add_mixed(std::uint32_t outcome, std::size_t a, std::size_t row, std::uint32_t often,
                 const Before& n_before) {
    constexpr std::uint32_t kHits = (1U << kThresholdsPerWord) - 1;
    if (cap_[row] == n_caps_) return;
    for (std::uint32_t bits = outcome & kHits; bits != 0; bits &= bits - 1) {
      curve(a, cap_[row], static_cast<std::size_t>(std::countr_zero(bits))).n_first_admitted +=
          often;
    }
    std::uint32_t n_always_false = 0;
    std::size_t wanted = 0;
    for (std::size_t m = 0; m < n_caps_; ++m) {
      n_always_false += always_false_[a * (n_caps_ + 1) + m];
      if (!read_precision_[m]) continue;
      const std::uint32_t n_false = n_always_false + n_before(wanted++);
      if (m < cap_[row]) continue;
      for (std::uint32_t bits = outcome & kHits; bits != 0; bits &= bits - 1) {
        Curve& hit = curve(a, m, static_cast<std::size_t>(std::countr_zero(bits)));
        const Hit one{static_cast<std::uint32_t>(row), n_false + hit.n_false_positive};
        hit.hits.push_back(one);
        for (std::uint32_t copy = 1; copy < often; ++copy) hit.hits.push_back(one);
      }
      for (std::uint32_t bits = outcome >> kThresholdsPerWord; bits != 0; bits &= bits - 1) {
        curve(a, m, static_cast<std::size_t>(std::countr_zero(bits))).n_false_positive += often;
      }
    }
  }

  const Outcomes& outcomes_;
  const CurveRules& rules_;
  const std::vector<std::uint8_t> read_precision_;  // at which caps
  const std::size_t n_words_;
  const std::size_t n_caps_;
  const std::size_t n_wanted_;  // caps at which precision is read

  std::size_t n_rows_ = 0;
  Column<std::uint32_t> order_, rank_in_cell_, tied_until_;
  Column<std::int32_t> image_;
  Column<std::uint32_t> outcome_;  // [row by rank][area range][word]
  Column<double> score_;
  Column<std::uint32_t> cap_;  // the first cap that admits the row; all later ones do too
  std::vector<Curve> curves_;  // [area range][cap][bit]
  // Rows so far that are false at every threshold: [area range][first cap that admits them].
  std::vector<std::uint32_t> always_false_;
  std::vector<double> parts_;

  // Of replicates: rows of one image and score, not all of them false, and how many that are false
  // stand before.
  struct Step {
    std::uint32_t begin, end, n_false;
  };
  std::vector<Step> steps_;
  Column<std::int32_t> false_image_;
  Column<std::uint32_t> false_cap_;
  Column<std::uint32_t> n_false_;  // [step][cap at which precision is read][replicate]
};

// The labels' rows, and labels by size: the largest first, so that threads end together.
struct Partition {
  std::vector<Rows> pred, truth;
  std::vector<std::size_t> by_size;
};

Partition partition_of(const Outcomes& outcomes, std::size_t n_labels) {
  Partition parts{rows_of_labels(outcomes.label, outcomes.n_rows, n_labels),
                  rows_of_labels(outcomes.truth_label, outcomes.n_truth, n_labels),
                  std::vector<std::size_t>(n_labels)};
  std::iota(parts.by_size.begin(), parts.by_size.end(), std::size_t{0});
  std::stable_sort(parts.by_size.begin(), parts.by_size.end(), [&](std::size_t a, std::size_t b) {
    return parts.pred[a].end - parts.pred[a].begin > parts.pred[b].end - parts.pred[b].begin;
  });
  return parts;
}

// Writes the curves of labels, one after the other.
class CurveWriter {
 public:
  CurveWriter(const Outcomes& outcomes, const CurveRules& rules, Curves& out)
      : outcomes_(outcomes),
        rules_(rules),
        out_(out),
        curves_(outcomes, rules, std::vector<std::uint8_t>(rules.max_detections.size(), 1)) {}

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

// Writes the numbers of one label in replicate after replicate.
class ReplicateWriter {
 public:
  ReplicateWriter(const Outcomes& outcomes, const Replicates& replicates, const CurveRules& rules,
                  const std::uint32_t* lanes, ResampledCurves& out)
      : outcomes_(outcomes),
        replicates_(replicates),
        rules_(rules),
        lanes_(lanes),
        out_(out),
        curves_(outcomes, rules, replicates.read_precision) {}

  // The replicates begin with the first of a block of kLanes.
  void run(std::size_t label, Rows pred, Rows truth, Rows of_replicates) {
    curves_.load(pred);
    curves_.drop_left_out();
    curves_.load_images(pred);
    for (std::size_t a = 0; a < rules_.n_areas; ++a) {
      for (std::size_t word = 0; word < outcome_words(rules_.n_thresholds); ++word) {
        curves_.split(word, a);
        for (std::size_t first = of_replicates.begin; first < of_replicates.end; first += kLanes) {
          const std::uint32_t* const lanes = lanes_ + first * replicates_.n_images;
          const Lanes n_counted = count_truth(truth, a, lanes);
          curves_.count_false(lanes);
          const std::size_t n_lanes = std::min(kLanes, of_replicates.end - first);
          for (std::size_t lane = 0; lane < n_lanes; ++lane) {
            curves_.trace_lane(word, a, lanes, lane);
            const std::size_t area_index =
                ((first + lane) * rules_.n_labels + label) * rules_.n_areas + a;
            out_.n_counted[area_index] = n_counted.sum[lane];
            read_off(a, area_index, word, n_counted.sum[lane]);
          }
        }
      }
    }
  }

 private:
  Lanes count_truth(Rows truth, std::size_t a, const std::uint32_t* lanes) const {
    Lanes count;
    for (std::size_t i = truth.begin; i < truth.end; ++i) {
      if ((outcomes_.truth_ignored[i] >> a & 1) != 0) continue;
      count.add(lanes + static_cast<std::size_t>(replicates_.truth_image[i]) * kLanes);
    }
    return count;
  }

  void read_off(std::size_t a, std::size_t area_index, std::size_t word, std::size_t n_counted) {
    if (n_counted != 0) needed_true_positives(rules_.recall_thresholds, n_counted, needed_);
    const std::size_t n_caps = rules_.max_detections.size();
    for (std::size_t m = 0; m < n_caps; ++m) {
      for (std::size_t bit = 0; bit < curves_.thresholds_in(word); ++bit) {
        const std::size_t t = word * kThresholdsPerWord + bit;
        const std::size_t index = (area_index * n_caps + m) * rules_.n_thresholds + t;
        out_.recall[index] = n_counted == 0 ? rules_.undefined
                                            : static_cast<double>(curves_.n_hits(a, m, bit)) /
                                                  static_cast<double>(n_counted);
        out_.precision[index] = n_counted == 0 || !replicates_.read_precision[m]
                                    ? rules_.undefined
                                    : mean_precision(curves_.hits(a, m, bit), n_counted);
      }
    }
  }

  double mean_precision(const std::vector<Hit>& hits, std::size_t n_counted) {
    if (rules_.summary != CurveSummary::kPoints) {
      return curves_.summary(hits, needed_, n_counted);
    }
    double sum = 0;
    curves_.read_precision(
        hits, needed_, [&](std::size_t, double highest, const std::uint32_t*) { sum += highest; });
    return sum / static_cast<double>(needed_.size());
  }

  const Outcomes& outcomes_;
  const Replicates& replicates_;
  const CurveRules& rules_;
  const std::uint32_t* const lanes_;
  ResampledCurves& out_;
  LabelCurves curves_;
  std::vector<std::size_t> needed_;
};

// A label's rows are sorted once for so many replicates, which takes as long as a few of them.
constexpr std::size_t kReplicatesAtOnce = 64;
static_assert(kReplicatesAtOnce % kLanes == 0);

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

ResampledCurves resampled_curves(const Outcomes& outcomes, const Replicates& replicates,
                                 const CurveRules& rules) {
  ResampledCurves curves;
  const std::size_t n = replicates.n_replicates;
  const std::size_t n_cells = n * rules.n_labels * rules.n_areas;
  const std::size_t n_curves = n_cells * rules.max_detections.size() * rules.n_thresholds;
  curves.precision.resize_uninitialised(n_curves);
  curves.recall.resize_uninitialised(n_curves);
  curves.n_counted.resize_uninitialised(n_cells);

  const Partition parts = partition_of(outcomes, rules.n_labels);
  const Column<std::uint32_t> lanes = lanes_of(replicates);
  const std::size_t n_blocks = (n + kReplicatesAtOnce - 1) / kReplicatesAtOnce;
  parallel_for_workers(rules.n_labels * n_blocks, [&] {
    return [&, writer = ReplicateWriter(outcomes, replicates, rules, lanes.data(), curves)](
               std::size_t job) mutable {
      const std::size_t label = parts.by_size[job / n_blocks];
      const std::size_t first = job % n_blocks * kReplicatesAtOnce;
      writer.run(label, parts.pred[label], parts.truth[label],
                 {first, std::min(n, first + kReplicatesAtOnce)});
    };
  });
  return curves;
}

}  // namespace snellen
