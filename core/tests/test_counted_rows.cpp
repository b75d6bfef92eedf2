#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/counted_rows.hpp"
#include "snellen/parallel.hpp"

using Codes = std::vector<std::int32_t>;
using Rows = std::vector<std::int64_t>;

namespace {

Rows best(const std::vector<double>& score, const Codes& group, std::size_t n_groups,
          std::size_t cap) {
  const auto rows = snellen::best_rows(score.data(), group.data(), score.size(), n_groups, cap);
  return {rows.begin(), rows.end()};
}

void the_best_of_each_group_stay() {
  CHECK(best({0.1, 0.9, 0.5, 0.7}, {0, 0, 1, 0}, 2, 2) == (Rows{1, 2, 3}));
  CHECK(best({0.1, 0.9, 0.5, 0.7}, {0, 0, 1, 0}, 2, 3) == (Rows{0, 1, 2, 3}));
  CHECK(best({}, {}, 0, 1).empty());
  CHECK(best({}, {}, 3, 1).empty());
}

void of_equal_scores_the_first_stay() {
  CHECK(best({0.5, 0.5, 0.5, 0.5}, {0, 0, 0, 0}, 1, 2) == (Rows{0, 1}));
  CHECK(best({-0.0, 0.0, 0.0}, {0, 0, 0}, 1, 1) == (Rows{0}));
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  CHECK(best({kNone, 0.0, kNone}, {0, 0, 0}, 1, 2) == (Rows{0, 1}));
}

void agrees_with_a_stable_sort() {
  std::mt19937 random(3);
  std::uniform_int_distribution<std::int32_t> draw_group(0, 20), draw_score(0, 30);
  std::vector<double> score(2000);
  Codes group(score.size());
  for (std::size_t i = 0; i < score.size(); ++i) {
    score[i] = draw_score(random) / 30.0;
    group[i] = draw_group(random) * draw_group(random) / 20;
  }
  for (const std::size_t cap : {1U, 7U, 50U, 400U, 5000U}) {
    Rows order(score.size());
    std::iota(order.begin(), order.end(), 0);
    const auto at = [](std::int64_t row) { return static_cast<std::size_t>(row); };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return score[at(a)] > score[at(b)]; });
    std::map<std::int32_t, std::size_t> taken;
    Rows expected;
    for (const std::int64_t row : order) {
      if (taken[group[at(row)]]++ < cap) expected.push_back(row);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(best(score, group, 21, cap) == expected);
  }
}

struct Labels {
  Codes image, label;

  snellen::LabelsOfImages view() const { return {image.data(), label.data(), image.size()}; }
};

std::vector<int> looked(const Labels& listed, const std::vector<std::uint8_t>& exhaustive,
                        const Labels& truth, const Labels& pred, std::size_t n_images) {
  const auto found =
      snellen::looked_for(listed.view(), exhaustive.data(), truth.view(), pred.view(), n_images);
  return {found.begin(), found.end()};
}

void what_is_listed_or_there_was_looked_for() {
  const Labels listed{{0, 0, 1}, {3, 5, 3}};
  const Labels truth{{0, 2, 2, 0}, {1, 3, 3, 5}};
  const Labels pred{{0, 0, 0, 1, 1, 2, 2, 0}, {1, 3, 4, 3, 1, 3, 2, 5}};
  CHECK(looked(listed, {1, 0, 0}, truth, pred, 3) == (std::vector<int>{1, 1, 0, 2, 0, 1, 0, 2}));
  // Listed twice, once as not exhaustive.
  CHECK(looked({{0, 0}, {2, 2}}, {1, 0}, {}, {{0}, {2}}, 1) == (std::vector<int>{2}));
  CHECK(looked({}, {}, {}, {{0}, {0}}, 1) == (std::vector<int>{0}));
  CHECK(looked({}, {}, {}, {}, 0).empty());
  // The greatest code.
  const std::int32_t most = std::numeric_limits<std::int32_t>::max();
  CHECK(looked({{0}, {most}}, {0}, {}, {{0, 0}, {most, 0}}, 1) == (std::vector<int>{2, 0}));
}

void agrees_with_sets_on_any_number_of_threads() {
  std::mt19937 random(5);
  std::uniform_int_distribution<std::int32_t> draw_image(0, 99), draw_label(0, 40);
  const auto drawn = [&](std::size_t n) {
    Labels labels;
    for (std::size_t i = 0; i < n; ++i) {
      labels.image.push_back(draw_image(random));
      labels.label.push_back(draw_label(random));
    }
    return labels;
  };
  const Labels listed = drawn(900), truth = drawn(500), pred = drawn(80'000);
  std::vector<std::uint8_t> exhaustive(listed.image.size());
  std::set<std::pair<std::int32_t, std::int32_t>> known, partial;
  for (std::size_t i = 0; i < exhaustive.size(); ++i) {
    exhaustive[i] = i % 3 != 0;
    known.emplace(listed.image[i], listed.label[i]);
    if (exhaustive[i] == 0) partial.emplace(listed.image[i], listed.label[i]);
  }
  for (std::size_t i = 0; i < truth.image.size(); ++i)
    known.emplace(truth.image[i], truth.label[i]);
  std::vector<int> expected;
  for (std::size_t i = 0; i < pred.image.size(); ++i) {
    const std::pair place{pred.image[i], pred.label[i]};
    expected.push_back(partial.contains(place) ? 2 : known.contains(place) ? 1 : 0);
  }
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    CHECK(looked(listed, exhaustive, truth, pred, 100) == expected);
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  the_best_of_each_group_stay();
  of_equal_scores_the_first_stay();
  agrees_with_a_stable_sort();
  what_is_listed_or_there_was_looked_for();
  agrees_with_sets_on_any_number_of_threads();
  return snellen::testing::report();
}
