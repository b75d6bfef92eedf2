#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/curve.hpp"
#include "snellen/matching.hpp"
#include "snellen/parallel.hpp"

namespace {

constexpr double kUndefined = -7;

// Rows in (label, image, rank) order.
struct Data {
  std::vector<std::int32_t> image, label;
  std::vector<double> score;
  std::vector<std::uint32_t> outcome;
  std::vector<std::int32_t> truth_label;
  std::vector<std::uint32_t> truth_ignored;
};

struct Numbers {
  std::vector<double> precision, scores, recall;
  std::vector<std::int64_t> n_counted;

  bool operator==(const Numbers&) const = default;
};

Numbers curves_of(const Data& data, const snellen::CurveRules& rules) {
  const snellen::Curves curves = snellen::precision_recall_curves(
      {data.image.data(), data.label.data(), data.score.data(), data.outcome.data(),
       data.score.size(), data.truth_label.data(), data.truth_ignored.data(),
       data.truth_label.size()},
      rules);
  return {{curves.precision.begin(), curves.precision.end()},
          {curves.scores.begin(), curves.scores.end()},
          {curves.recall.begin(), curves.recall.end()},
          {curves.n_counted.begin(), curves.n_counted.end()}};
}

// The rules of curve.hpp, every point of every curve.
Numbers by_definition(const Data& data, const snellen::CurveRules& rules) {
  Numbers numbers;
  const std::size_t n_words = snellen::outcome_words(rules.n_thresholds);
  for (std::size_t k = 0; k < rules.n_labels; ++k) {
    for (std::size_t a = 0; a < rules.n_areas; ++a) {
      std::int64_t n_counted = 0;
      for (std::size_t i = 0; i < data.truth_label.size(); ++i) {
        if (data.truth_label[i] == static_cast<std::int32_t>(k) &&
            (data.truth_ignored[i] >> a & 1) == 0) {
          ++n_counted;
        }
      }
      numbers.n_counted.push_back(n_counted);
      for (const std::size_t cap : rules.max_detections) {
        std::vector<std::size_t> rows;
        std::size_t rank = 0;
        for (std::size_t i = 0; i < data.score.size(); ++i) {
          if (data.label[i] != static_cast<std::int32_t>(k)) continue;
          const bool same_cell =
              i > 0 && data.label[i] == data.label[i - 1] && data.image[i] == data.image[i - 1];
          rank = same_cell ? rank + 1 : 0;
          if (rank < cap) rows.push_back(i);
        }
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) {
          return data.score[x] > data.score[y];
        });
        for (std::size_t t = 0; t < rules.n_thresholds; ++t) {
          if (n_counted == 0) {
            numbers.recall.push_back(rules.undefined);
            for (std::size_t r = 0; r < rules.recall_thresholds.size(); ++r) {
              numbers.precision.push_back(rules.undefined);
              numbers.scores.push_back(rules.undefined);
            }
            continue;
          }
          std::vector<double> precision, recall;
          double hits = 0, misses = 0;
          for (const std::size_t i : rows) {
            const std::uint32_t bits =
                data.outcome[(i * rules.n_areas + a) * n_words + t / 16] >> t % 16;
            hits += bits & 1;
            misses += bits >> 16 & 1;
            precision.push_back(hits / (misses + hits + 0x1p-52));
            recall.push_back(hits / static_cast<double>(n_counted));
          }
          for (std::size_t i = precision.size(); i-- > 1;) {
            precision[i - 1] = std::max(precision[i - 1], precision[i]);
          }
          numbers.recall.push_back(recall.empty() ? 0 : recall.back());
          for (const double wanted : rules.recall_thresholds) {
            const auto at = static_cast<std::size_t>(
                std::lower_bound(recall.begin(), recall.end(), wanted) - recall.begin());
            const bool reached = at < recall.size();
            numbers.precision.push_back(reached ? precision[at] : 0);
            numbers.scores.push_back(reached ? data.score[rows[at]] : 0);
          }
        }
      }
    }
  }
  return numbers;
}

// -------------------------------------------------------------------------------------------
// By hand: one label, one area range, one threshold. A word is 1 for a true positive, 1 << 16 for
// a false one, 0 for a detection that is left out.

constexpr std::uint32_t kTrue = 1;
constexpr std::uint32_t kFalse = 1U << 16;
constexpr std::uint32_t kLeftOut = 0;

snellen::CurveRules rules(std::vector<double> recalls, std::vector<std::size_t> caps = {100}) {
  return {1, 1, 1, std::move(recalls), std::move(caps), kUndefined};
}

Data one_image(std::vector<double> score, std::vector<std::uint32_t> outcome, std::size_t n_truth) {
  const std::size_t n = score.size();
  return {std::vector<std::int32_t>(n, 0),
          std::vector<std::int32_t>(n, 0),
          std::move(score),
          std::move(outcome),
          std::vector<std::int32_t>(n_truth, 0),
          std::vector<std::uint32_t>(n_truth, 0)};
}

void one_hit_is_a_little_less_than_perfect() {
  // 1 / (1 + 2^-52) is 1 − 2^-52 + 2^-104 − …, which rounds to 1 − 2^-52.
  const Numbers got = curves_of(one_image({0.5}, {kTrue}, 1), rules({0.0, 0.5, 1.0}));
  const double one = 1 - 0x1p-52;
  CHECK(got.precision == (std::vector<double>{one, one, one}));
  CHECK(got.scores == (std::vector<double>{0.5, 0.5, 0.5}));
  CHECK(got.recall == (std::vector<double>{1.0}));
  CHECK(got.n_counted == (std::vector<std::int64_t>{1}));
}

void two_hits_are_perfect() {
  // 2 + 2^-52 is halfway between two doubles and rounds to the even one, 2; the maximum to the
  // right lifts the first point to 1.
  const Numbers got = curves_of(one_image({0.9, 0.5}, {kTrue, kTrue}, 2), rules({0.5, 1.0}));
  CHECK(got.precision == (std::vector<double>{1.0, 1.0}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.5}));
}

void precision_is_the_highest_to_the_right() {
  // True, false, false, true, true of 4: precision 1, 1/2, 1/3, 2/4, 3/5 at recall 1/4 (three
  // times), 2/4, 3/4.
  const Data data = one_image({0.9, 0.8, 0.7, 0.6, 0.5}, {kTrue, kFalse, kFalse, kTrue, kTrue}, 4);
  const Numbers got = curves_of(data, rules({0.0, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0}));
  const double first = 1 - 0x1p-52, last = 3 / (5 + 0x1p-52);
  CHECK(got.precision == (std::vector<double>{first, first, last, last, last, 0, 0}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.9, 0.6, 0.6, 0.5, 0, 0}));
  CHECK(got.recall == (std::vector<double>{0.75}));
}

void what_is_left_out_counts_nowhere_but_at_recall_zero() {
  // Recall 0 is reached at the first row, whatever it is: its score is read off there.
  const Data data = one_image({0.9, 0.8, 0.7}, {kLeftOut, kTrue, kLeftOut}, 1);
  const Numbers got = curves_of(data, rules({0.0, 1.0}));
  const double one = 1 - 0x1p-52;
  CHECK(got.precision == (std::vector<double>{one, one}));
  CHECK(got.scores == (std::vector<double>{0.9, 0.8}));
}

void nothing_found_is_zero() {
  Numbers got = curves_of(one_image({}, {}, 3), rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{0, 0}));
  CHECK(got.scores == (std::vector<double>{0, 0}));
  CHECK(got.recall == (std::vector<double>{0}));
  // With a false one there is a first row, so that recall 0 has its score.
  got = curves_of(one_image({0.5}, {kFalse}, 3), rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{0, 0}));
  CHECK(got.scores == (std::vector<double>{0.5, 0}));
}

void no_truth_that_counts_is_undefined() {
  Data data = one_image({0.5}, {kFalse}, 0);
  Numbers got = curves_of(data, rules({0.0, 0.5}));
  CHECK(got.precision == (std::vector<double>{kUndefined, kUndefined}));
  CHECK(got.scores == got.precision);
  CHECK(got.recall == (std::vector<double>{kUndefined}));
  CHECK(got.n_counted == (std::vector<std::int64_t>{0}));
  // The same when all of it is ignored.
  data.truth_label = {0, 0};
  data.truth_ignored = {1, 1};
  CHECK(curves_of(data, rules({0.0, 0.5})) == got);
}

void caps_are_of_one_image() {
  // Two images of two detections each; with a cap of 1 only the first of each takes part.
  Data data = one_image({0.9, 0.4, 0.8, 0.3}, {kFalse, kTrue, kTrue, kFalse}, 2);
  data.image = {0, 0, 1, 1};
  const Numbers got = curves_of(data, rules({0.5, 1.0}, {1, 2}));
  // Cap 1: false (0.9), true (0.8): 1/2 at recall 1/2. Cap 2: true (0.4) follows: 2/3 at recall 1.
  const double half = 1 / (2 + 0x1p-52), third = 2 / (3 + 0x1p-52);
  CHECK(got.precision == (std::vector<double>{half, 0, third, third}));
  CHECK(got.scores == (std::vector<double>{0.8, 0, 0.8, 0.4}));
  CHECK(got.recall == (std::vector<double>{0.5, 1.0}));
}

void ties_go_by_image_then_rank() {
  // All scores equal: in the order of the rows false, true: 1/2 at recall 1.
  Data data = one_image({0.5, 0.5}, {kFalse, kTrue}, 1);
  data.image = {0, 1};
  CHECK(curves_of(data, rules({1.0})).precision == (std::vector<double>{1 / (2 + 0x1p-52)}));
}

void recall_is_compared_as_a_quotient() {
  // k / n >= r in floating point: 7 / 25 is the double nearest to 0.28, and 0.28 × 25 is more
  // than 7. Every such threshold must be reached by the k-th hit.
  for (const std::size_t n : {3U, 7U, 10U, 25U, 49U, 93U, 1000U}) {
    std::vector<double> recalls, scores(n);
    for (std::size_t k = 1; k <= n; ++k) {
      recalls.push_back(static_cast<double>(k) / static_cast<double>(n));
    }
    for (std::size_t i = 0; i < n; ++i) scores[i] = 1 - static_cast<double>(i) / 2000;
    const Numbers got =
        curves_of(one_image(scores, std::vector<std::uint32_t>(n, kTrue), n), rules(recalls, {n}));
    CHECK(got.scores == scores);
  }
}

// -------------------------------------------------------------------------------------------
// Against the definition, on random data.

constexpr std::uint32_t kLabels = 4, kImages = 12, kAreas = 3;

Data random_data(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                 std::mt19937& random) {
  auto draw = [&](std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random);
  };
  const std::size_t n_words = snellen::outcome_words(n_thresholds);
  Data data;
  std::vector<std::uint32_t> cell(n_rows);
  // The last label has no detections, the first the most.
  for (std::uint32_t& c : cell)
    c = draw(0, kLabels - 2) * draw(0, 1) * kImages + draw(0, kImages - 1);
  std::sort(cell.begin(), cell.end());
  for (const std::uint32_t c : cell) {
    data.label.push_back(static_cast<std::int32_t>(c / kImages));
    data.image.push_back(static_cast<std::int32_t>(c % kImages));
    data.score.push_back(draw(0, 40) / 40.0);
    const bool always_false = draw(0, 2) == 0;
    for (std::size_t i = 0; i < kAreas * n_words; ++i) {
      const std::size_t n_bits = std::min<std::size_t>(16, n_thresholds - i % n_words * 16);
      const std::uint32_t all = (1U << n_bits) - 1;
      const std::uint32_t hit = always_false ? 0 : draw(0, all) & draw(0, all);
      const std::uint32_t miss = always_false ? all : draw(0, all) & ~hit;
      data.outcome.push_back(hit | miss << 16);
    }
  }
  // In each cell by falling score, as the matching ranks them.
  for (std::size_t begin = 0; begin < n_rows;) {
    std::size_t end = begin;
    while (end < n_rows && cell[end] == cell[begin]) ++end;
    std::sort(data.score.begin() + static_cast<std::ptrdiff_t>(begin),
              data.score.begin() + static_cast<std::ptrdiff_t>(end), std::greater<>());
    begin = end;
  }
  for (std::size_t i = 0; i < n_truth; ++i) {
    data.truth_label.push_back(static_cast<std::int32_t>(i * kLabels / n_truth));
    data.truth_ignored.push_back(draw(0, 7) & draw(0, 7));
  }
  return data;
}

snellen::CurveRules random_rules(std::size_t n_thresholds) {
  std::vector<double> recalls;
  for (int i = 0; i <= 100; ++i) recalls.push_back(i * 0.01);
  return {kLabels, kAreas, n_thresholds, recalls, {1, 3, 10, 1000}, kUndefined};
}

void agrees_on_random_data(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                           unsigned seed) {
  std::mt19937 random(seed);
  const Data data = random_data(n_rows, n_truth, n_thresholds, random);
  const snellen::CurveRules rules = random_rules(n_thresholds);
  const Numbers want = by_definition(data, rules);
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    CHECK(curves_of(data, rules) == want);
  }
  snellen::set_thread_count(0);
}

// -------------------------------------------------------------------------------------------
// Resampled: the same numbers as of a data set in which every image is there so often.

Data repeated(const Data& data, const std::vector<std::int32_t>& truth_image,
              const std::int32_t* times, std::size_t n_words) {
  Data made;
  const std::size_t row_words = kAreas * n_words;
  for (std::size_t begin = 0, end = 0; begin < data.score.size(); begin = end) {
    while (end < data.score.size() && data.label[end] == data.label[begin] &&
           data.image[end] == data.image[begin]) {
      ++end;
    }
    for (std::int32_t copy = 0; copy < times[data.image[begin]]; ++copy) {
      for (std::size_t i = begin; i < end; ++i) {
        made.image.push_back(data.image[i] * 1000 + copy);
        made.label.push_back(data.label[i]);
        made.score.push_back(data.score[i]);
        for (std::size_t w = 0; w < row_words; ++w) {
          made.outcome.push_back(data.outcome[i * row_words + w]);
        }
      }
    }
  }
  for (std::size_t i = 0; i < data.truth_label.size(); ++i) {
    for (std::int32_t copy = 0; copy < times[truth_image[i]]; ++copy) {
      made.truth_label.push_back(data.truth_label[i]);
      made.truth_ignored.push_back(data.truth_ignored[i]);
    }
  }
  return made;
}

void resampled_is_repeated(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                           unsigned seed) {
  std::mt19937 random(seed);
  const Data data = random_data(n_rows, n_truth, n_thresholds, random);
  const snellen::CurveRules rules = random_rules(n_thresholds);
  constexpr std::size_t kReplicates = 70;  // more than are done at once
  std::uniform_int_distribution<std::int32_t> image(0, kImages - 1), often(0, 3);
  std::vector<std::int32_t> truth_image(n_truth), times(kReplicates * kImages);
  for (std::int32_t& each : truth_image) each = image(random);
  for (std::int32_t& each : times) each = often(random);
  std::fill_n(times.begin(), kImages, 0);  // a data set without images
  const std::vector<std::uint8_t> wanted{0, 1, 0, 1};

  std::vector<double> precision, recall;
  std::vector<std::int64_t> n_counted;
  const std::size_t n_recall = rules.recall_thresholds.size();
  for (std::size_t replicate = 0; replicate < kReplicates; ++replicate) {
    const Numbers want = curves_of(repeated(data, truth_image, times.data() + replicate * kImages,
                                            snellen::outcome_words(n_thresholds)),
                                   rules);
    recall.insert(recall.end(), want.recall.begin(), want.recall.end());
    n_counted.insert(n_counted.end(), want.n_counted.begin(), want.n_counted.end());
    for (std::size_t curve = 0; curve < want.recall.size(); ++curve) {
      const bool read = wanted[curve / n_thresholds % wanted.size()] != 0;
      double sum = 0;
      for (std::size_t r = n_recall; r-- > 0;) sum += want.precision[curve * n_recall + r];
      const bool defined = want.n_counted[curve / (wanted.size() * n_thresholds)] > 0;
      precision.push_back(read && defined ? sum / static_cast<double>(n_recall) : kUndefined);
    }
  }
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    const snellen::ResampledCurves got = snellen::resampled_curves(
        {data.image.data(), data.label.data(), data.score.data(), data.outcome.data(), n_rows,
         data.truth_label.data(), data.truth_ignored.data(), n_truth},
        {times.data(), kReplicates, kImages, truth_image.data(), wanted}, rules);
    CHECK(std::equal(recall.begin(), recall.end(), got.recall.begin(), got.recall.end()));
    CHECK(
        std::equal(precision.begin(), precision.end(), got.precision.begin(), got.precision.end()));
    CHECK(
        std::equal(n_counted.begin(), n_counted.end(), got.n_counted.begin(), got.n_counted.end()));
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  one_hit_is_a_little_less_than_perfect();
  two_hits_are_perfect();
  precision_is_the_highest_to_the_right();
  what_is_left_out_counts_nowhere_but_at_recall_zero();
  nothing_found_is_zero();
  no_truth_that_counts_is_undefined();
  caps_are_of_one_image();
  ties_go_by_image_then_rank();
  recall_is_compared_as_a_quotient();
  for (unsigned seed = 0; seed < 20; ++seed) agrees_on_random_data(150, 60, 10, seed);
  agrees_on_random_data(300, 7, 1, 50);
  for (const std::size_t n_thresholds : {1U, 16U, 17U, 40U}) {
    agrees_on_random_data(4000, 500, n_thresholds, 100);
  }
  for (unsigned seed = 0; seed < 5; ++seed) resampled_is_repeated(150, 60, 10, seed);
  resampled_is_repeated(600, 80, 17, 100);
  resampled_is_repeated(0, 5, 1, 101);
  return snellen::testing::report();
}
