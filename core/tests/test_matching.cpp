#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/candidates.hpp"
#include "snellen/iou.hpp"
#include "snellen/matching.hpp"
#include "snellen/parallel.hpp"

namespace {

struct Truth {
  std::int32_t image, label;
  std::array<double, 4> box;
  double area;
  bool crowd = false;
  std::int64_t id = 1;
  bool ignored = false;
};

struct Pred {
  std::int32_t image, label;
  std::array<double, 4> box;
  double area;
  double score;
  bool exempt = false;
};

// What became of a detection at each area range and threshold.
enum class Fate { left_out, true_positive, false_positive };

struct Outcome {
  std::int32_t image, label;
  double score;
  std::vector<Fate> fate;  // [area range][threshold]
  std::int64_t row = -1;   // of the table given
  std::vector<int> match;  // [threshold]: the row of truth taken in the first area range, or −1

  bool operator==(const Outcome&) const = default;
};

struct TruthRow {
  std::int32_t image, label;
  std::uint32_t ignored;
  std::int64_t row;

  bool operator==(const TruthRow&) const = default;
};

struct Matched {
  std::vector<TruthRow> truth;
  std::vector<Outcome> pred;

  bool operator==(const Matched&) const = default;
};

constexpr std::size_t kImages = 9;
constexpr std::size_t kLabels = 4;

// Reads what the kernel wrote; that without matches is the same but for them.
Matched read(const snellen::Matching& matching, const snellen::MatchRules& rules) {
  Matched matched;
  CHECK_EQUAL(matching.truth_row.size(), matching.truth_image.size());
  for (std::size_t i = 0; i < matching.truth_image.size(); ++i) {
    matched.truth.push_back({matching.truth_image[i], matching.truth_label[i],
                             matching.truth_ignored[i], matching.truth_row[i]});
  }
  const std::size_t n_areas = rules.area_ranges.size();
  const std::size_t n_thresholds = rules.iou_thresholds.size();
  const std::size_t n_words = snellen::outcome_words(n_thresholds);
  CHECK_EQUAL(matching.pred_outcome.size(), matching.pred_score.size() * n_areas * n_words);
  CHECK_EQUAL(matching.pred_row.size(), matching.pred_score.size());
  CHECK_EQUAL(matching.pred_match.size(), matching.pred_score.size() * n_thresholds);
  for (std::size_t i = 0; i < matching.pred_score.size(); ++i) {
    const std::int32_t* const match = matching.pred_match.data() + i * n_thresholds;
    Outcome outcome{matching.pred_image[i], matching.pred_label[i],
                    matching.pred_score[i], {},
                    matching.pred_row[i],   {match, match + n_thresholds}};
    for (std::size_t a = 0; a < n_areas; ++a) {
      for (std::size_t word = 0; word < n_words; ++word) {
        const std::uint32_t bits = matching.pred_outcome[(i * n_areas + a) * n_words + word];
        std::uint32_t known = 0;
        for (std::size_t b = 0; b < 16 && word * 16 + b < n_thresholds; ++b) {
          const std::uint32_t hit = bits >> b & 1, miss = bits >> (16 + b) & 1;
          CHECK((hit & miss) == 0);
          known |= hit << b | miss << (16 + b);
          outcome.fate.push_back(hit != 0    ? Fate::true_positive
                                 : miss != 0 ? Fate::false_positive
                                             : Fate::left_out);
        }
        CHECK_EQUAL(bits, known);  // nothing beyond the thresholds
      }
    }
    matched.pred.push_back(outcome);
  }
  return matched;
}

template <class T>
bool same_columns(const snellen::Column<T>& a, const snellen::Column<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// Matches boxes measured on the way, and the same ones listed before: all must agree.
Matched match(const std::vector<Truth>& truth, const std::vector<Pred>& pred,
              const snellen::MatchRules& given, bool with_pred_area = true) {
  std::vector<std::int32_t> t_image, t_label, p_image, p_label;
  std::vector<double> t_box, t_area, p_box, p_area, score;
  std::vector<std::uint8_t> crowd, ignored, exempt;
  std::vector<std::int64_t> id;
  for (const Truth& row : truth) {
    t_image.push_back(row.image);
    t_label.push_back(row.label);
    t_box.insert(t_box.end(), row.box.begin(), row.box.end());
    t_area.push_back(row.area);
    crowd.push_back(row.crowd ? 1 : 0);
    ignored.push_back(row.ignored ? 1 : 0);
    id.push_back(row.id);
  }
  for (const Pred& row : pred) {
    p_image.push_back(row.image);
    p_label.push_back(row.label);
    p_box.insert(p_box.end(), row.box.begin(), row.box.end());
    p_area.push_back(row.area);
    score.push_back(row.score);
    exempt.push_back(row.exempt ? 1 : 0);
  }
  snellen::TruthColumns truths{t_image.data(), t_label.data(), t_area.data(), crowd.data(),
                               ignored.data(), id.data(),      truth.size()};
  snellen::PredColumns preds{p_image.data(), p_label.data(), p_area.data(),
                             score.data(),   exempt.data(),  pred.size()};
  // Columns of nothing but zeros need not be there.
  if (std::none_of(ignored.begin(), ignored.end(), [](int flag) { return flag != 0; })) {
    truths.ignored = nullptr;
  }
  if (std::none_of(exempt.begin(), exempt.end(), [](int flag) { return flag != 0; })) {
    preds.exempt = nullptr;
  }
  snellen::MatchRules rules = given;
  rules.with_matches = true;
  const snellen::PairedRows rows{t_image.data(), t_label.data(), truth.size(), p_image.data(),
                                 p_label.data(), pred.size(),    kImages,      kLabels};
  const double lowest = snellen::bar_of(rules.iou_thresholds[0]);
  // Across labels, below the lowest threshold, without those beyond the cap: it is all the same.
  const snellen::CandidateRules listings[] = {
      {lowest, false},
      {lowest / 2, true},
      {lowest, false, score.data(), rules.max_detections},
  };
  std::vector<Matched> listed;
  for (const snellen::CandidateRules& listing : listings) {
    const snellen::Candidates candidates =
        snellen::box_candidates(rows, t_box.data(), crowd.data(), p_box.data(), listing);
    listed.push_back(
        read(snellen::match_candidates(
                 truths, preds,
                 {candidates.begin.data(), candidates.truth.data(), candidates.similarity.data()},
                 kImages, kLabels, rules),
             rules));
  }
  if (!with_pred_area) preds.area = nullptr;
  const auto measured = [&](const snellen::MatchRules& wanted) {
    return snellen::match_boxes(truths, t_box.data(), preds, p_box.data(), kImages, kLabels,
                                wanted);
  };
  const snellen::Matching matching = measured(rules);
  Matched matched = read(matching, rules);
  for (const Matched& other : listed) CHECK(other == matched);
  rules.with_matches = false;
  const snellen::Matching without = measured(rules);
  CHECK(same_columns(without.pred_outcome, matching.pred_outcome));
  CHECK(same_columns(without.pred_score, matching.pred_score));
  CHECK(same_columns(without.truth_ignored, matching.truth_ignored));
  CHECK(without.truth_row.empty() && without.pred_row.empty() && without.pred_match.empty());
  return matched;
}

// The truth that a detection takes, or null; by the rules of matching.hpp.
const Truth* choice(const Pred& p, const std::vector<Truth>& truth, const std::vector<bool>& counts,
                    const std::vector<bool>& taken, double threshold, bool best_only) {
  const double bar = std::min(threshold, 1 - 1e-10);
  const auto iou = [&](std::size_t g) {
    return snellen::box_iou(p.box.data(), truth[g].box.data(), truth[g].crowd);
  };
  // The best of those that `may` and reach the bar; of equal ones the last, or the first.
  const auto best = [&](auto may) {
    std::size_t chosen = truth.size();
    for (std::size_t g = 0; g < truth.size(); ++g) {
      if (!may(g) || iou(g) < bar) continue;
      if (chosen == truth.size() || iou(g) > iou(chosen) || (iou(g) == iou(chosen) && !best_only)) {
        chosen = g;
      }
    }
    return chosen;
  };
  std::size_t chosen;
  if (best_only) {
    chosen = best([&](std::size_t g) { return !truth[g].crowd; });
    if (chosen == truth.size() || taken[chosen]) {
      chosen = best([&](std::size_t g) { return truth[g].crowd; });
    }
  } else {
    const auto free = [&](std::size_t g) { return truth[g].crowd || !taken[g]; };
    chosen = best([&](std::size_t g) { return counts[g] && free(g); });
    if (chosen == truth.size()) {
      chosen = best([&](std::size_t g) { return !counts[g] && free(g); });
    }
  }
  return chosen == truth.size() ? nullptr : &truth[chosen];
}

bool outside(double area, const std::array<double, 2>& range) {
  return area < range[0] || area > range[1];
}

// One cell, area range and threshold; `took` gets the truth of each detection.
std::vector<Fate> match_by_definition(const std::vector<Truth>& truth,
                                      const std::vector<Pred>& pred,
                                      const std::array<double, 2>& range, double threshold,
                                      const snellen::MatchRules& rules,
                                      std::vector<const Truth*>& took) {
  std::vector<bool> counts, taken(truth.size(), false);
  for (const Truth& t : truth) counts.push_back(!t.crowd && !t.ignored && !outside(t.area, range));
  std::vector<Fate> fates;
  took.clear();
  for (const Pred& p : pred) {
    const Truth* const chosen = choice(p, truth, counts, taken, threshold, rules.best_only);
    took.push_back(chosen);
    bool counted = false;
    if (chosen != nullptr) {
      const auto g = static_cast<std::size_t>(chosen - truth.data());
      counted = counts[g];
      if (counted || !rules.best_only) taken[g] = true;
    }
    if (chosen != nullptr && !counted) {
      fates.push_back(Fate::left_out);
    } else if (chosen != nullptr && (chosen->id != 0 || !rules.id_zero_is_no_match)) {
      fates.push_back(Fate::true_positive);
    } else {
      fates.push_back(p.exempt || outside(p.area, range) ? Fate::left_out : Fate::false_positive);
    }
  }
  return fates;
}

Matched by_definition(const std::vector<Truth>& truth, const std::vector<Pred>& pred,
                      const snellen::MatchRules& rules) {
  Matched matched;
  for (std::int32_t label = 0; label < static_cast<std::int32_t>(kLabels); ++label) {
    for (std::int32_t image = 0; image < static_cast<std::int32_t>(kImages); ++image) {
      std::vector<Truth> cell_truth;
      std::vector<Pred> cell_pred;
      std::vector<std::size_t> truth_row, pred_row;
      for (std::size_t i = 0; i < truth.size(); ++i) {
        if (truth[i].image == image && truth[i].label == label) truth_row.push_back(i);
      }
      for (std::size_t i = 0; i < pred.size(); ++i) {
        if (pred[i].image == image && pred[i].label == label) pred_row.push_back(i);
      }
      std::stable_sort(pred_row.begin(), pred_row.end(),
                       [&](std::size_t a, std::size_t b) { return pred[a].score > pred[b].score; });
      pred_row.resize(std::min(pred_row.size(), rules.max_detections));
      for (const std::size_t row : truth_row) {
        const Truth& t = truth[row];
        std::uint32_t ignored = 0;
        for (std::size_t a = 0; a < rules.area_ranges.size(); ++a) {
          if (t.crowd || t.ignored || outside(t.area, rules.area_ranges[a])) ignored |= 1U << a;
        }
        matched.truth.push_back({image, label, ignored, static_cast<std::int64_t>(row)});
        cell_truth.push_back(t);
      }
      const std::size_t first = matched.pred.size();
      for (const std::size_t row : pred_row) {
        matched.pred.push_back(
            {image, label, pred[row].score, {}, static_cast<std::int64_t>(row), {}});
        cell_pred.push_back(pred[row]);
      }
      std::vector<const Truth*> took;
      for (std::size_t a = 0; a < rules.area_ranges.size(); ++a) {
        for (const double threshold : rules.iou_thresholds) {
          const std::vector<Fate> fates = match_by_definition(
              cell_truth, cell_pred, rules.area_ranges[a], threshold, rules, took);
          for (std::size_t d = 0; d < fates.size(); ++d) {
            Outcome& outcome = matched.pred[first + d];
            outcome.fate.push_back(fates[d]);
            if (a != 0) continue;
            const int row =
                took[d] == nullptr
                    ? -1
                    : static_cast<int>(
                          truth_row[static_cast<std::size_t>(took[d] - cell_truth.data())]);
            outcome.match.push_back(row);
          }
        }
      }
    }
  }
  return matched;
}

// -------------------------------------------------------------------------------------------
// By hand. One cell, one area range (0 … 1000) where not said otherwise.

constexpr Fate kTrue = Fate::true_positive;
constexpr Fate kFalse = Fate::false_positive;
constexpr Fate kLeftOut = Fate::left_out;

snellen::MatchRules rules(std::vector<double> thresholds) {
  return {std::move(thresholds), {{0, 1000}}, 100, false};
}

Truth box(double x, double width, bool crowd = false, std::int64_t id = 1) {
  return {0, 0, {x, 0, width, 10}, width * 10, crowd, id};
}

Pred found(double x, double width, double score) {
  return {0, 0, {x, 0, width, 10}, width * 10, score};
}

// The fates of detections by rank, for each all thresholds of the one area range.
std::vector<std::vector<Fate>> fates(const std::vector<Truth>& truth, const std::vector<Pred>& pred,
                                     const snellen::MatchRules& rules) {
  std::vector<std::vector<Fate>> found;
  for (const Outcome& outcome : match(truth, pred, rules).pred) found.push_back(outcome.fate);
  return found;
}

using Fates = std::vector<std::vector<Fate>>;

void a_threshold_is_reached_at_equality() {
  // 5 × 10 in 10 × 10: an IoU of exactly a half.
  CHECK(fates({box(0, 10)}, {found(0, 5, 0.9)}, rules({0.5, 0.75})) == (Fates{{kTrue, kFalse}}));
}

void a_threshold_of_one_is_a_little_less() {
  // 1 − 1e-11 of the width passes 1, 1 − 1e-9 does not.
  const Fates got = fates({box(0, 1), box(50, 1)},
                          {found(0, 1 - 1e-11, 0.9), found(50, 1 - 1e-9, 0.8)}, rules({1.0}));
  CHECK(got == (Fates{{kTrue}, {kFalse}}));
}

void the_better_score_goes_first() {
  // Both reach the one truth box; the second in the file has the higher score.
  CHECK(fates({box(0, 10)}, {found(0, 9, 0.3), found(0, 8, 0.7)}, rules({0.5})) ==
        (Fates{{kTrue}, {kFalse}}));
  const Matched matched = match({box(0, 10)}, {found(0, 9, 0.3), found(0, 8, 0.7)}, rules({0.5}));
  CHECK_EQUAL(matched.pred[0].score, 0.7);
  CHECK_EQUAL(matched.pred[1].score, 0.3);
}

void the_best_free_truth_box_is_taken() {
  // The first takes the truth box of IoU 1, the second the other: 8 / 12.
  CHECK(fates({box(0, 10), box(2, 10)}, {found(0, 10, 0.9), found(0, 10, 0.8)},
              rules({0.5, 0.7})) == (Fates{{kTrue, kTrue}, {kTrue, kFalse}}));
}

void of_equal_overlaps_the_later_is_taken() {
  // Both truth boxes overlap the first detection by 9 / 11. It takes the later, whose id is 0:
  // then it is false, and the second detection, on the earlier one, true.
  snellen::MatchRules strict = rules({0.5});
  strict.id_zero_is_no_match = true;
  CHECK(fates({box(0, 10), box(2, 10, false, 0)}, {found(1, 10, 0.9), found(0, 10, 0.8)}, strict) ==
        (Fates{{kFalse}, {kTrue}}));
  CHECK(fates({box(0, 10, false, 0), box(2, 10)}, {found(1, 10, 0.9), found(0, 10, 0.8)}, strict) ==
        (Fates{{kTrue}, {kFalse}}));
}

void a_truth_box_of_id_zero_is_used_up() {
  snellen::MatchRules strict = rules({0.5});
  strict.id_zero_is_no_match = true;
  const std::vector<Pred> twice = {found(0, 10, 0.9), found(0, 10, 0.8)};
  CHECK(fates({box(0, 10, false, 0)}, twice, strict) == (Fates{{kFalse}, {kFalse}}));
  CHECK(fates({box(0, 10, false, 0)}, twice, rules({0.5})) == (Fates{{kTrue}, {kFalse}}));
  CHECK(fates({box(0, 10, false, -3)}, twice, strict) == (Fates{{kTrue}, {kFalse}}));
  // A crowd of id 0 leaves its detections out all the same.
  CHECK(fates({box(0, 10, true, 0)}, twice, strict) == (Fates{{kLeftOut}, {kLeftOut}}));
}

void a_crowd_takes_any_number_but_comes_last() {
  // The truth box (IoU 0.6) is preferred to the crowd (IoU 1); the others go to the crowd, but for
  // the last, of which half lies outside.
  const std::vector<Truth> truth = {box(0, 100, true), box(0, 10)};
  const std::vector<Pred> pred = {found(0, 6, 0.9), found(0, 6, 0.8), found(50, 10, 0.7),
                                  found(95, 10, 0.6)};
  CHECK(fates(truth, pred, rules({0.5})) == (Fates{{kTrue}, {kLeftOut}, {kLeftOut}, {kLeftOut}}));
  CHECK(fates(truth, pred, rules({0.6})) == (Fates{{kTrue}, {kLeftOut}, {kLeftOut}, {kFalse}}));
}

void areas_decide_what_counts() {
  // Ranges 0 … 100, 100 … 200, 150 … 160. The truth box's own area, 100, not that of its box, is
  // in the first two, which are closed.
  Truth truth = box(0, 20);
  truth.area = 100;
  const snellen::MatchRules ranges{{0.5}, {{0, 100}, {100, 200}, {150, 160}}, 100, false};
  const Matched matched =
      match({truth}, {found(0, 20, 0.9), found(0, 20, 0.8), found(60, 15.5, 0.7)}, ranges);
  CHECK_EQUAL(matched.truth[0].ignored, 0b100U);
  // Matched: true where the truth box counts, although the detection's own area is 200; left out
  // elsewhere.
  CHECK(matched.pred[0].fate == (std::vector<Fate>{kTrue, kTrue, kLeftOut}));
  // Unmatched, of area 200: false only where that is in range. An ignored truth box can be taken
  // once only.
  CHECK(matched.pred[1].fate == (std::vector<Fate>{kLeftOut, kFalse, kLeftOut}));
  CHECK(matched.pred[2].fate == (std::vector<Fate>{kLeftOut, kFalse, kFalse}));
}

void areas_of_detections_may_be_left_to_the_kernel() {
  const snellen::MatchRules ranges{{0.5}, {{0, 100}, {100.5, 1e9}}, 100, false};
  const std::vector<Pred> pred = {found(0, 10, 0.9), found(0, 11, 0.8)};
  CHECK(match({}, pred, ranges) == match({}, pred, ranges, false));
  CHECK(match({}, pred, ranges, false).pred[0].fate == (std::vector<Fate>{kFalse, kLeftOut}));
}

void the_cap_drops_the_lowest() {
  snellen::MatchRules capped = rules({0.5});
  capped.max_detections = 2;
  std::vector<Pred> pred = {found(0, 10, 0.1), found(50, 10, 0.5), found(60, 10, 0.5),
                            found(70, 10, 0.5)};
  pred.push_back({1, 0, {0, 0, 1, 1}, 1, 0.0});
  const Matched matched = match({box(0, 10)}, pred, capped);
  CHECK_EQUAL(matched.pred.size(), 3U);
  CHECK_EQUAL(matched.pred[1].score, 0.5);
  CHECK_EQUAL(matched.pred[2].image, 1);
}

void images_and_labels_are_apart() {
  const std::vector<Truth> truth = {{1, 0, {0, 0, 10, 10}, 100}, {0, 1, {0, 0, 10, 10}, 100}};
  const std::vector<Pred> pred = {{0, 0, {0, 0, 10, 10}, 100, 0.9},
                                  {1, 1, {0, 0, 10, 10}, 100, 0.8}};
  CHECK(fates(truth, pred, rules({0.5})) == (Fates{{kFalse}, {kFalse}}));
  const Matched matched = match(truth, pred, rules({0.5}));
  CHECK(matched.truth == (std::vector<TruthRow>{{1, 0, 0, 0}, {0, 1, 0, 1}}));
}

using Rows = std::vector<std::vector<int>>;

// The rows of truth that detections took, by rank, for each all thresholds.
Rows taken(const std::vector<Truth>& truth, const std::vector<Pred>& pred,
           const snellen::MatchRules& rules) {
  Rows rows;
  for (const Outcome& outcome : match(truth, pred, rules).pred) rows.push_back(outcome.match);
  return rows;
}

Truth marked(double x, double width) {
  Truth truth = box(x, width);
  truth.ignored = true;
  return truth;
}

void truth_that_is_ignored_is_taken_once_and_last() {
  // The first takes what counts, although it overlaps it by 0.6 only; the second what does not;
  // for the third nothing is left.
  const std::vector<Truth> truth = {marked(0, 10), box(0, 6)};
  const std::vector<Pred> pred = {found(0, 10, 0.9), found(0, 10, 0.8), found(0, 10, 0.7)};
  CHECK(fates(truth, pred, rules({0.5})) == (Fates{{kTrue}, {kLeftOut}, {kFalse}}));
  CHECK(taken(truth, pred, rules({0.5})) == (Rows{{1}, {0}, {-1}}));
  CHECK_EQUAL(match(truth, pred, rules({0.5})).truth[0].ignored, 1U);
  CHECK_EQUAL(match(truth, pred, rules({0.5})).truth[1].ignored, 0U);
}

void an_exempt_detection_is_true_or_left_out() {
  std::vector<Pred> pred = {found(0, 10, 0.9), found(0, 10, 0.8), found(50, 10, 0.7)};
  pred[0].exempt = pred[1].exempt = true;
  CHECK(fates({box(0, 10)}, pred, rules({0.5})) == (Fates{{kTrue}, {kLeftOut}, {kFalse}}));
  // One that took truth of id 0 took none, under rules that read it so.
  snellen::MatchRules strict = rules({0.5});
  strict.id_zero_is_no_match = true;
  CHECK(fates({box(0, 10, false, 0)}, pred, strict) == (Fates{{kLeftOut}, {kLeftOut}, {kFalse}}));
}

snellen::MatchRules best(std::vector<double> thresholds) {
  snellen::MatchRules only = rules(std::move(thresholds));
  only.best_only = true;
  return only;
}

void only_the_best_is_looked_at() {
  // Both are nearest to row 0 (IoUs 1 and 8/12): the second does not fall back to row 1.
  const std::vector<Pred> twice = {found(0, 10, 0.9), found(0, 10, 0.8)};
  CHECK(fates({box(0, 10), box(2, 10)}, twice, rules({0.5})) == (Fates{{kTrue}, {kTrue}}));
  CHECK(fates({box(0, 10), box(2, 10)}, twice, best({0.5})) == (Fates{{kTrue}, {kFalse}}));
  CHECK(taken({box(0, 10), box(2, 10)}, twice, best({0.5})) == (Rows{{0}, {-1}}));
  // Of equal overlaps (9/11) the first.
  CHECK(taken({box(0, 10), box(2, 10)}, {found(1, 10, 0.9)}, best({0.5})) == (Rows{{0}}));
  CHECK(taken({box(0, 10), box(2, 10)}, {found(1, 10, 0.9)}, rules({0.5})) == (Rows{{1}}));
  // At 0.9 the first does not reach the truth, so that it is free for the second.
  CHECK(fates({box(0, 10)}, {found(0, 8, 0.9), found(0, 10, 0.8)}, best({0.5, 0.9})) ==
        (Fates{{kTrue, kFalse}, {kFalse, kTrue}}));
}

void the_best_that_does_not_count_leaves_out_every_time() {
  const std::vector<Truth> truth = {marked(0, 10), box(0, 8)};
  CHECK(fates(truth, {found(0, 10, 0.9), found(0, 10, 0.8), found(0, 8, 0.7)}, best({0.5})) ==
        (Fates{{kLeftOut}, {kLeftOut}, {kTrue}}));
}

void crowds_come_after_the_best() {
  // The crowd holds both detections whole; the first takes the box all the same. The second finds
  // it taken, the third reaches the crowd alone, the fourth neither.
  const std::vector<Truth> truth = {box(0, 100, true), box(0, 10)};
  const std::vector<Pred> pred = {found(0, 6, 0.9), found(0, 6, 0.8), found(50, 10, 0.7),
                                  found(96, 10, 0.6)};
  CHECK(fates(truth, pred, best({0.5})) == (Fates{{kTrue}, {kLeftOut}, {kLeftOut}, {kFalse}}));
  CHECK(taken(truth, pred, best({0.5})) == (Rows{{1}, {0}, {0}, {-1}}));
}

void matches_are_those_of_the_first_area_range() {
  // In 0 … 100 the second truth does not count and is looked at last; in 0 … 1000 it is the best.
  snellen::MatchRules ranges{{0.5, 0.8}, {{0, 100}, {0, 1000}}, 100, false};
  CHECK(taken({box(0, 10), box(0, 12)}, {found(0, 12, 0.9), found(0, 12, 0.8)}, ranges) ==
        (Rows{{0, 0}, {1, 1}}));
  std::swap(ranges.area_ranges[0], ranges.area_ranges[1]);
  CHECK(taken({box(0, 10), box(0, 12)}, {found(0, 12, 0.9), found(0, 12, 0.8)}, ranges) ==
        (Rows{{1, 1}, {0, 0}}));
}

void candidates_decide_alone() {
  // Any similarities will do: here they have nothing to do with boxes.
  const std::int32_t zeros[3] = {}, other_label[2] = {0, 1};
  const double area[3] = {1, 1, 1}, score[3] = {0.1, 0.2, 0.3};
  const std::uint8_t crowd[2] = {};
  const std::int64_t id[2] = {1, 2};
  const std::int64_t begin[] = {0, 2, 3, 3};
  const std::int32_t truth[] = {0, 1, 0};
  const double similarity[] = {0.9, 0.95, 0.6};
  snellen::MatchRules with_matches = rules({0.5, 0.7});
  with_matches.with_matches = true;
  // Row 2 of pred has none. Row 1 takes row 0 of truth at 0.5. Row 0 is left with row 1 of truth
  // where that is of its label, and with row 0 of truth at 0.7 where it is not.
  for (const bool apart : {false, true}) {
    const Matched matched = read(
        snellen::match_candidates({zeros, apart ? other_label : zeros, area, crowd, nullptr, id, 2},
                                  {zeros, zeros, area, score, nullptr, 3},
                                  {begin, truth, similarity}, kImages, kLabels, with_matches),
        with_matches);
    CHECK_EQUAL(matched.pred[0].row, 2);
    CHECK_EQUAL(matched.pred[2].row, 0);
    CHECK(matched.pred[0].match == (std::vector<int>{-1, -1}));
    CHECK(matched.pred[1].match == (std::vector<int>{0, -1}));
    CHECK(matched.pred[2].match == (apart ? std::vector<int>{-1, 0} : std::vector<int>{1, 1}));
  }
}

void nothing() {
  CHECK(match({}, {}, rules({0.5})) == Matched{});
  CHECK_EQUAL(match({box(0, 10)}, {}, rules({0.5})).truth.size(), 1U);
  CHECK(fates({}, {found(0, 10, 0.5)}, rules({0.5})) == (Fates{{kFalse}}));
}

// The kernel measures overlaps in its own way; each must be box_iou's to the last bit.
void overlaps_are_those_of_box_iou() {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> place(-2, 2), size(1, 9);
  int n_pairs = 0;
  while (n_pairs < 3000) {
    const bool crowd = n_pairs % 3 == 0;
    const Truth truth{0, 0, {place(random), place(random), size(random), size(random)}, 1, crowd};
    const Pred pred{0, 0, {place(random), place(random), size(random), size(random)}, 1, 0.5};
    const double iou = snellen::box_iou(pred.box.data(), truth.box.data(), crowd);
    if (iou < 0.01 || iou > 0.99) continue;
    ++n_pairs;
    const Fate matched = crowd ? kLeftOut : kTrue;
    const snellen::MatchRules narrow =
        rules({std::nextafter(iou, 0.0), iou, std::nextafter(iou, 1.0)});
    CHECK(fates({truth}, {pred}, narrow) == (Fates{{matched, matched, kFalse}}));
  }
}

// -------------------------------------------------------------------------------------------
// Against the definition, on random data.

std::vector<double> thresholds_up_to_one(std::size_t n) {
  std::vector<double> thresholds;
  for (std::size_t i = 1; i <= n; ++i) {
    thresholds.push_back(static_cast<double>(i) / static_cast<double>(n));
  }
  return thresholds;
}

void agrees_on_random_data(std::size_t n_truth, std::size_t n_pred, std::size_t n_thresholds,
                           std::size_t cap, unsigned seed, bool with_flags) {
  std::mt19937 random(seed);
  auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  // Few places and sizes: overlaps, scores and areas tie. Label 0 is the most frequent.
  auto draw_box = [&] {
    return std::array<double, 4>{draw(0, 3) * 4.0, draw(0, 2) * 4.0, draw(0, 4) * 4.0,
                                 draw(1, 4) * 4.0};
  };
  auto draw_label = [&] { return std::min(draw(0, 3), draw(0, 3)); };
  std::vector<Truth> truth;
  std::vector<Pred> pred;
  for (std::size_t i = 0; i < n_truth; ++i) {
    const auto xywh = draw_box();
    truth.push_back({draw(0, 8), draw_label(), xywh, draw(0, 4) == 0 ? 64.0 : xywh[2] * xywh[3],
                     draw(0, 6) == 0, draw(0, 3), with_flags && draw(0, 5) == 0});
  }
  for (std::size_t i = 0; i < n_pred; ++i) {
    const auto xywh = draw_box();
    pred.push_back({draw(0, 8), draw_label(), xywh, xywh[2] * xywh[3], draw(0, 30) / 30.0,
                    with_flags && draw(0, 5) == 0});
  }
  for (const int kind : {0, 1, 2}) {
    const snellen::MatchRules rules{thresholds_up_to_one(n_thresholds),
                                    {{0, 1e10}, {0, 64}, {64, 128}, {128, 1e10}, {1e6, 1e7}},
                                    cap,
                                    kind == 1,
                                    kind == 2};
    const Matched want = by_definition(truth, pred, rules);
    for (const int n_threads : {1, 2, 8}) {
      snellen::set_thread_count(n_threads);
      CHECK(match(truth, pred, rules) == want);
      CHECK(match(truth, pred, rules, false) == want);
    }
    snellen::set_thread_count(0);
  }
}

}  // namespace

int main() {
  a_threshold_is_reached_at_equality();
  a_threshold_of_one_is_a_little_less();
  the_better_score_goes_first();
  the_best_free_truth_box_is_taken();
  of_equal_overlaps_the_later_is_taken();
  a_truth_box_of_id_zero_is_used_up();
  a_crowd_takes_any_number_but_comes_last();
  areas_decide_what_counts();
  areas_of_detections_may_be_left_to_the_kernel();
  the_cap_drops_the_lowest();
  images_and_labels_are_apart();
  nothing();
  overlaps_are_those_of_box_iou();
  truth_that_is_ignored_is_taken_once_and_last();
  an_exempt_detection_is_true_or_left_out();
  only_the_best_is_looked_at();
  the_best_that_does_not_count_leaves_out_every_time();
  crowds_come_after_the_best();
  matches_are_those_of_the_first_area_range();
  candidates_decide_alone();
  for (unsigned seed = 0; seed < 30; ++seed) {
    agrees_on_random_data(60, 120, 10, 100, seed, seed % 2 == 1);
  }
  // One, two and three outcome words; small caps; more rows than one block of work.
  for (const std::size_t n_thresholds : {1U, 16U, 17U, 40U}) {
    agrees_on_random_data(60, 200, n_thresholds, 5, 100, true);
  }
  agrees_on_random_data(400, 30'000, 10, 600, 200, false);
  agrees_on_random_data(400, 10'000, 10, 100, 201, true);
  return snellen::testing::report();
}
