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
};

struct Pred {
  std::int32_t image, label;
  std::array<double, 4> box;
  double area;
  double score;
};

// What became of a detection at each area range and threshold.
enum class Fate { left_out, true_positive, false_positive };

struct Outcome {
  std::int32_t image, label;
  double score;
  std::vector<Fate> fate;  // [area range][threshold]

  bool operator==(const Outcome&) const = default;
};

struct TruthRow {
  std::int32_t image, label;
  std::uint32_t ignored;

  bool operator==(const TruthRow&) const = default;
};

struct Matched {
  std::vector<TruthRow> truth;
  std::vector<Outcome> pred;

  bool operator==(const Matched&) const = default;
};

constexpr std::size_t kImages = 9;
constexpr std::size_t kLabels = 4;

Matched match(const std::vector<Truth>& truth, const std::vector<Pred>& pred,
              const snellen::MatchRules& rules, bool with_pred_area = true) {
  std::vector<std::int32_t> t_image, t_label, p_image, p_label;
  std::vector<double> t_box, t_area, p_box, p_area, score;
  std::vector<std::uint8_t> crowd;
  std::vector<std::int64_t> id;
  for (const Truth& row : truth) {
    t_image.push_back(row.image);
    t_label.push_back(row.label);
    t_box.insert(t_box.end(), row.box.begin(), row.box.end());
    t_area.push_back(row.area);
    crowd.push_back(row.crowd ? 1 : 0);
    id.push_back(row.id);
  }
  for (const Pred& row : pred) {
    p_image.push_back(row.image);
    p_label.push_back(row.label);
    p_box.insert(p_box.end(), row.box.begin(), row.box.end());
    p_area.push_back(row.area);
    score.push_back(row.score);
  }
  const snellen::Matching matching = snellen::match_boxes(
      {t_image.data(), t_label.data(), t_area.data(), crowd.data(), nullptr, id.data(),
       truth.size()},
      t_box.data(),
      {p_image.data(), p_label.data(), with_pred_area ? p_area.data() : nullptr, score.data(),
       nullptr, pred.size()},
      p_box.data(), kImages, kLabels, rules);

  Matched matched;
  CHECK_EQUAL(matching.truth_image.size(), truth.size());
  for (std::size_t i = 0; i < matching.truth_image.size(); ++i) {
    matched.truth.push_back(
        {matching.truth_image[i], matching.truth_label[i], matching.truth_ignored[i]});
  }
  const std::size_t n_areas = rules.area_ranges.size();
  const std::size_t n_thresholds = rules.iou_thresholds.size();
  const std::size_t n_words = snellen::outcome_words(n_thresholds);
  CHECK_EQUAL(matching.pred_outcome.size(), matching.pred_score.size() * n_areas * n_words);
  for (std::size_t i = 0; i < matching.pred_score.size(); ++i) {
    Outcome outcome{matching.pred_image[i], matching.pred_label[i], matching.pred_score[i], {}};
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

// The rules of matching.hpp, one cell, area range and threshold after another.
std::vector<Fate> match_by_definition(const std::vector<Truth>& truth,
                                      const std::vector<Pred>& pred, double low, double high,
                                      double threshold, bool id_zero_is_no_match) {
  auto ignored = [&](const Truth& t) { return t.crowd || t.area < low || t.area > high; };
  std::vector<std::size_t> order(truth.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return !ignored(truth[a]) && ignored(truth[b]);
  });
  std::vector<bool> taken(truth.size(), false);
  std::vector<Fate> fates;
  for (const Pred& p : pred) {
    double best = std::min(threshold, 1 - 1e-10);
    const Truth* chosen = nullptr;
    for (const std::size_t g : order) {
      const Truth& t = truth[g];
      if (taken[g] && !t.crowd) continue;
      if (chosen != nullptr && !ignored(*chosen) && ignored(t)) break;
      const double iou = snellen::box_iou(p.box.data(), t.box.data(), t.crowd);
      if (iou < best) continue;
      best = iou;
      chosen = &t;
    }
    if (chosen != nullptr) taken[static_cast<std::size_t>(chosen - truth.data())] = true;
    const bool outside = p.area < low || p.area > high;
    if (chosen != nullptr && ignored(*chosen)) {
      fates.push_back(Fate::left_out);
    } else if (chosen != nullptr && (chosen->id != 0 || !id_zero_is_no_match)) {
      fates.push_back(Fate::true_positive);
    } else {
      fates.push_back(outside ? Fate::left_out : Fate::false_positive);
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
      for (const Truth& t : truth) {
        if (t.image == image && t.label == label) cell_truth.push_back(t);
      }
      for (const Pred& p : pred) {
        if (p.image == image && p.label == label) cell_pred.push_back(p);
      }
      std::stable_sort(cell_pred.begin(), cell_pred.end(),
                       [](const Pred& a, const Pred& b) { return a.score > b.score; });
      if (cell_pred.size() > rules.max_detections) {
        cell_pred.erase(cell_pred.begin() + static_cast<std::ptrdiff_t>(rules.max_detections),
                        cell_pred.end());
      }
      for (const Truth& t : cell_truth) {
        std::uint32_t ignored = 0;
        for (std::size_t a = 0; a < rules.area_ranges.size(); ++a) {
          const auto [low, high] = rules.area_ranges[a];
          if (t.crowd || t.area < low || t.area > high) ignored |= 1U << a;
        }
        matched.truth.push_back({image, label, ignored});
      }
      const std::size_t first = matched.pred.size();
      for (const Pred& p : cell_pred) matched.pred.push_back({image, label, p.score, {}});
      for (const auto& [low, high] : rules.area_ranges) {
        for (const double threshold : rules.iou_thresholds) {
          const std::vector<Fate> fates = match_by_definition(cell_truth, cell_pred, low, high,
                                                              threshold, rules.id_zero_is_no_match);
          for (std::size_t d = 0; d < fates.size(); ++d) {
            matched.pred[first + d].fate.push_back(fates[d]);
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
  CHECK(matched.truth == (std::vector<TruthRow>{{1, 0, 0}, {0, 1, 0}}));
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
                           std::size_t cap, unsigned seed) {
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
                     draw(0, 6) == 0, draw(0, 3)});
  }
  for (std::size_t i = 0; i < n_pred; ++i) {
    const auto xywh = draw_box();
    pred.push_back({draw(0, 8), draw_label(), xywh, xywh[2] * xywh[3], draw(0, 30) / 30.0});
  }
  for (const bool id_zero_is_no_match : {false, true}) {
    const snellen::MatchRules rules{thresholds_up_to_one(n_thresholds),
                                    {{0, 1e10}, {0, 64}, {64, 128}, {128, 1e10}, {1e6, 1e7}},
                                    cap,
                                    id_zero_is_no_match};
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
  for (unsigned seed = 0; seed < 30; ++seed) agrees_on_random_data(60, 120, 10, 100, seed);
  // One, two and three outcome words; small caps; more rows than one block of work.
  for (const std::size_t n_thresholds : {1U, 16U, 17U, 40U}) {
    agrees_on_random_data(60, 200, n_thresholds, 5, 100);
  }
  agrees_on_random_data(400, 30'000, 10, 600, 200);
  return snellen::testing::report();
}
