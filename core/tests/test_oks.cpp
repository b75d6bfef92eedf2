#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "snellen/oks.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/parallel.hpp"

namespace {

using snellen::Candidates;

// Poses of truth and predictions, and how they are compared.
struct Example {
  std::vector<double> sigmas;
  std::vector<std::int32_t> truth_image, truth_label, pred_image, pred_label;
  std::vector<double> truth_points, xywh, area, pred_points, score;
  std::size_t n_images = 1, n_labels = 1;
  double lowest = -std::numeric_limits<double>::infinity();
  bool across_labels = false;
  std::size_t max_detections = 0;  // 0: no cap

  void truth(std::int32_t image, std::int32_t label, std::vector<double> points,
             std::vector<double> box, double size) {
    truth_image.push_back(image);
    truth_label.push_back(label);
    truth_points.insert(truth_points.end(), points.begin(), points.end());
    xywh.insert(xywh.end(), box.begin(), box.end());
    area.push_back(size);
  }

  void pred(std::int32_t image, std::int32_t label, std::vector<double> points,
            double confidence = 0.5) {
    pred_image.push_back(image);
    pred_label.push_back(label);
    pred_points.insert(pred_points.end(), points.begin(), points.end());
    score.push_back(confidence);
  }

  Candidates found(const snellen::Exponential& exponential) const {
    snellen::CandidateRules rules{lowest, across_labels};
    if (max_detections > 0) {
      rules.pred_score = score.data();
      rules.max_detections = max_detections;
    }
    return snellen::oks_candidates(
        {truth_image.data(), truth_label.data(), truth_image.size(), pred_image.data(),
         pred_label.data(), pred_image.size(), n_images, n_labels},
        {truth_points.data(), xywh.data(), area.data()}, pred_points.data(), {sigmas, rules},
        exponential);
  }

  Candidates found() const {
    return found([](double* values, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) values[i] = std::exp(values[i]);
    });
  }
};

std::vector<double> similarities(const Candidates& found) {
  return {found.similarity.begin(), found.similarity.end()};
}

std::vector<std::int64_t> begins(const Candidates& found) {
  return {found.begin.begin(), found.begin.end()};
}

std::vector<std::int32_t> truths(const Candidates& found) {
  return {found.truth.begin(), found.truth.end()};
}

// The similarity of one truth and one predicted pose by the definition, in the reference's order
// of operations.
double plain(const Example& example, std::size_t g, std::size_t d) {
  const std::size_t n = example.sigmas.size();
  const double* const truth = example.truth_points.data() + 3 * n * g;
  const double* const pred = example.pred_points.data() + 3 * n * d;
  const double* const box = example.xywh.data() + 4 * g;
  bool labelled = false;
  for (std::size_t k = 0; k < n; ++k) labelled = labelled || truth[3 * k + 2] > 0;
  std::vector<double> terms;
  for (std::size_t k = 0; k < n; ++k) {
    if (labelled && truth[3 * k + 2] <= 0) continue;
    double dx = pred[3 * k] - truth[3 * k], dy = pred[3 * k + 1] - truth[3 * k + 1];
    if (!labelled) {
      dx = std::max(0.0, box[0] - box[2] - pred[3 * k]) +
           std::max(0.0, pred[3 * k] - (box[0] + box[2] * 2));
      dy = std::max(0.0, box[1] - box[3] - pred[3 * k + 1]) +
           std::max(0.0, pred[3 * k + 1] - (box[1] + box[3] * 2));
    }
    const double variance = (example.sigmas[k] * 2) * (example.sigmas[k] * 2);
    terms.push_back(std::exp(-((dx * dx + dy * dy) / variance /
                               (example.area[g] + std::numeric_limits<double>::epsilon()) / 2)));
  }
  return snellen::pairwise_sum(terms.data(), terms.size()) / static_cast<double>(terms.size());
}

void worked_by_hand() {
  Example example;
  example.sigmas = {0.25, 0.5};
  // (2σ)² is 0.25 and 1; the area is 16.
  example.truth(0, 0, {10, 10, 2, 20, 10, 1}, {10, 10, 10, 1}, 16);
  example.pred(0, 0, {10, 10, 0, 20, 10, 0});
  example.pred(0, 0, {12, 10, 0, 20, 14, 0});  // e = 4 / 0.25 / 16 / 2 = 0.5 and 16 / 16 / 2 = 0.5
  const Candidates found = example.found();
  CHECK(begins(found) == (std::vector<std::int64_t>{0, 1, 2}));
  CHECK(truths(found) == (std::vector<std::int32_t>{0, 0}));
  CHECK_EQUAL(found.similarity[0], 1.0);
  // 2^-52 beside an area of 16 is rounded away.
  CHECK_EQUAL(found.similarity[1], (std::exp(-0.5) + std::exp(-0.5)) / 2);
}

void keypoints_without_label_do_not_count() {
  Example example;
  example.sigmas = {0.25, 0.5};
  example.truth(0, 0, {10, 10, 2, 0, 0, 0}, {5, 5, 10, 10}, 16);
  example.pred(0, 0, {10, 10, 0, 5000, 5000, 1});
  CHECK(similarities(example.found()) == (std::vector<double>{1.0}));
}

void truth_without_labels_is_measured_by_its_doubled_box() {
  Example example;
  example.sigmas = {0.5, 0.5};
  example.truth(0, 0, {0, 0, 0, 0, 0, 0}, {10, 20, 4, 2}, 4);
  // From 6 to 18 and from 18 to 24: corners, and points outside by 2 in x, by 2 and 0.
  example.pred(0, 0, {6, 18, 0, 18, 24, 0});
  example.pred(0, 0, {4, 20, 0, 20, 26, 0});  // d² is 4 and 8: e = 0.5 and 1
  const Candidates found = example.found();
  CHECK_EQUAL(found.similarity[0], 1.0);
  CHECK_EQUAL(found.similarity[1], (std::exp(-0.5) + std::exp(-1.0)) / 2);
}

void area_zero_divides() {
  Example example;
  example.sigmas = {0.5};
  example.truth(0, 0, {10, 10, 2}, {10, 10, 0, 0}, 0);
  example.pred(0, 0, {10, 10, 0});
  example.pred(0, 0, {10, 11, 0});
  CHECK(similarities(example.found()) == (std::vector<double>{1.0, 0.0}));
}

void far_off_numbers_give_zero() {
  Example example;
  example.sigmas = {0.5};
  example.truth(0, 0, {1e308, 0, 2}, {0, 0, 1, 1}, 1e308);
  example.truth(0, 0, {0, 0, 0}, {-1e308, 0, 1e308, 1}, 1);
  example.pred(0, 0, {-1e308, 0, 0});
  example.pred(0, 0, {1e308, 1e308, 0});
  for (const double lowest : {0.0, 0.5}) {
    example.lowest = lowest;
    const Candidates found = example.found();
    for (const double similarity : similarities(found)) {
      CHECK(similarity >= lowest && similarity <= 1);
    }
    CHECK_EQUAL(found.begin[2], lowest == 0.0 ? 4 : 1);  // a point within the endless box
  }
}

void pairs_stay_in_their_image_and_label() {
  Example example;
  example.sigmas = {0.5};
  example.n_images = 2;
  example.n_labels = 2;
  for (const std::int32_t image : {1, 0}) {
    for (const std::int32_t label : {0, 1}) {
      example.truth(image, label, {5, 5, 2}, {0, 0, 10, 10}, 100);
    }
  }
  example.pred(0, 1, {5, 5, 0});
  example.pred(1, 1, {5, 5, 0});
  example.pred(0, 0, {5, 5, 0});
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0, 1, 2, 3}));
  CHECK(truths(example.found()) == (std::vector<std::int32_t>{3, 1, 2}));
  example.across_labels = true;
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0, 2, 4, 6}));
  CHECK(truths(example.found()) == (std::vector<std::int32_t>{2, 3, 0, 1, 2, 3}));
}

void predictions_beyond_the_cap_have_no_candidates() {
  Example example;
  example.sigmas = {0.5};
  example.truth(0, 0, {5, 5, 2}, {0, 0, 10, 10}, 100);
  for (const double score : {0.5, 0.9, 0.5, 0.1}) example.pred(0, 0, {5, 5, 0}, score);
  example.max_detections = 2;  // of the equal scores the first
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0, 1, 2, 2, 2}));
}

void nothing_to_pair() {
  Example example;
  example.sigmas = {0.5};
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0}));
  example.pred(0, 0, {5, 5, 0});
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0, 0}));
  example.pred_image.clear();
  example.pred_label.clear();
  example.pred_points.clear();
  example.truth(0, 0, {5, 5, 2}, {0, 0, 10, 10}, 100);
  CHECK(begins(example.found()) == (std::vector<std::int64_t>{0}));
}

Example random_example(std::mt19937_64& random, std::size_t n_points, std::size_t n_rows) {
  std::uniform_real_distribution<double> place(0, 100), part(0, 1);
  std::normal_distribution<double> error(0, 6);
  Example example;
  example.n_images = 5;
  example.n_labels = 2;
  for (std::size_t k = 0; k < n_points; ++k) example.sigmas.push_back(0.02 + 0.2 * part(random));
  std::vector<double> points(3 * n_points);
  const auto code = [&](int n) { return static_cast<std::int32_t>(random() % n); };
  for (std::size_t row = 0; row < n_rows; ++row) {
    const bool labelled = part(random) < 0.8;
    for (std::size_t k = 0; k < n_points; ++k) {
      points[3 * k] = place(random);
      points[3 * k + 1] = place(random);
      points[3 * k + 2] = labelled ? static_cast<double>(random() % 3) : 0.0;
    }
    const double width = place(random), height = place(random);
    example.truth(code(5), code(2), points, {place(random), place(random), width, height},
                  width * height);
    for (std::size_t copy = 0; copy < 3; ++copy) {
      for (std::size_t k = 0; k < n_points; ++k) {
        points[3 * k] += error(random);
        points[3 * k + 1] += error(random);
      }
      example.pred(part(random) < 0.5 ? example.truth_image.back() : code(5),
                   example.truth_label.back(), points, part(random));
    }
  }
  return example;
}

void every_pair_that_reaches_the_lowest_is_found() {
  std::mt19937_64 random(8);
  for (const std::size_t n_points : {1U, 2U, 5U, 8U, 17U, 133U, 260U}) {
    Example example = random_example(random, n_points, 40);
    for (const double lowest : {-1.0, 0.0, 1e-300, 0.1, 0.5, 0.9, 1 - 1e-10, 1.0, 2.0, 100.0}) {
      for (const bool across : {false, true}) {
        example.lowest = lowest;
        example.across_labels = across;
        const Candidates found = example.found();
        std::size_t at = 0, n_wrong = 0;
        for (std::size_t d = 0; d < example.pred_image.size(); ++d) {
          n_wrong += static_cast<std::size_t>(found.begin[d]) != at;
          for (std::size_t g = 0; g < example.truth_image.size(); ++g) {
            if (example.truth_image[g] != example.pred_image[d]) continue;
            if (!across && example.truth_label[g] != example.pred_label[d]) continue;
            const double similarity = plain(example, g, d);
            if (similarity < lowest) continue;
            n_wrong += at >= found.truth.size() ||
                       found.truth[at] != static_cast<std::int32_t>(g) ||
                       found.similarity[at] != similarity;
            ++at;
          }
        }
        CHECK_EQUAL(n_wrong, 0U);
        CHECK_EQUAL(found.truth.size(), at);
      }
    }
  }
}

void far_pairs_need_no_exponential() {
  Example example;
  example.sigmas = {0.1, 0.1, 0.1};
  example.lowest = 0.5;
  example.truth(0, 0, {5, 5, 2, 6, 6, 2, 7, 7, 2}, {0, 0, 10, 10}, 100);
  std::atomic<std::size_t> n_terms{0};
  const snellen::Exponential counting = [&](double* values, std::size_t n) {
    n_terms += n;
    for (std::size_t i = 0; i < n; ++i) values[i] = std::exp(values[i]);
  };
  for (int i = 0; i < 100; ++i) example.pred(0, 0, {5, 5, 0, 90, 90, 0, 80, 80, 0});
  CHECK_EQUAL(example.found(counting).truth.size(), 0U);
  CHECK_EQUAL(n_terms.load(), 0U);
  example.pred(0, 0, {5, 5, 0, 6, 6, 0, 80, 80, 0});
  CHECK_EQUAL(example.found(counting).truth.size(), 1U);
  CHECK_EQUAL(n_terms.load(), 3U);
}

void many_terms_come_in_blocks_on_any_number_of_threads() {
  std::mt19937_64 random(9);
  Example example = random_example(random, 17, 400);
  example.lowest = 0.0;
  std::vector<double> first;
  for (const int n_threads : {1, 4}) {
    snellen::set_thread_count(n_threads);
    std::atomic<std::size_t> n_calls{0}, largest{0};
    const Candidates found = example.found([&](double* values, std::size_t n) {
      ++n_calls;
      if (n > largest) largest = n;
      for (std::size_t i = 0; i < n; ++i) values[i] = std::exp(values[i]);
    });
    CHECK(n_calls > 3);
    CHECK(largest < (1U << 16) + 17);
    if (first.empty()) first = similarities(found);
    CHECK(similarities(found) == first);
  }
  snellen::set_thread_count(0);
}

void an_error_of_the_exponential_comes_through() {
  Example example;
  example.sigmas = {0.5};
  example.truth(0, 0, {5, 5, 2}, {0, 0, 10, 10}, 100);
  example.pred(0, 0, {5, 5, 0});
  bool thrown = false;
  try {
    example.found([](double*, std::size_t) { throw std::runtime_error("no"); });
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
}

}  // namespace

int main() {
  worked_by_hand();
  keypoints_without_label_do_not_count();
  truth_without_labels_is_measured_by_its_doubled_box();
  area_zero_divides();
  far_off_numbers_give_zero();
  pairs_stay_in_their_image_and_label();
  predictions_beyond_the_cap_have_no_candidates();
  nothing_to_pair();
  every_pair_that_reaches_the_lowest_is_found();
  far_pairs_need_no_exponential();
  many_terms_come_in_blocks_on_any_number_of_threads();
  an_error_of_the_exponential_comes_through();
  return snellen::testing::report();
}
