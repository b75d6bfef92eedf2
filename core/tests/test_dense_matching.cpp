#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/dense_matching.hpp"

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Scene {
  std::vector<double> iou, truth_id, pred_id;
  std::vector<std::uint8_t> crowd, ignored;
  std::vector<double> thresholds{0.5};

  Scene(std::size_t n_pred, std::size_t n_truth)
      : iou(n_pred * n_truth), crowd(n_truth), ignored(n_truth) {
    for (std::size_t g = 0; g < n_truth; ++g) truth_id.push_back(static_cast<double>(g + 1));
    for (std::size_t d = 0; d < n_pred; ++d) pred_id.push_back(static_cast<double>(d + 1));
  }
};

struct Found {
  std::vector<double> took, taken, left_out;
};

Found match(const Scene& scene) {
  const std::size_t n_pred = scene.pred_id.size(), n_truth = scene.truth_id.size();
  const std::size_t n_thresholds = scene.thresholds.size();
  Found found{std::vector<double>(n_thresholds * n_pred),
              std::vector<double>(n_thresholds * n_truth),
              std::vector<double>(n_thresholds * n_pred)};
  snellen::match_dense({scene.iou.data(), scene.truth_id.data(), scene.pred_id.data(),
                        scene.crowd.data(), scene.ignored.data(), n_pred, n_truth},
                       scene.thresholds.data(), n_thresholds,
                       {found.took.data(), found.taken.data(), found.left_out.data()});
  return found;
}

using Numbers = std::vector<double>;

void better_ranks_choose_first() {
  Scene scene(2, 2);
  scene.iou = {0.6, 0.9, 0.5, 0.8};  // both prefer the second
  const Found found = match(scene);
  CHECK((found.took == Numbers{2, 1}));
  CHECK((found.taken == Numbers{2, 1}));
  CHECK((found.left_out == Numbers{0, 0}));
}

void of_equals_the_later_is_taken() {
  Scene scene(1, 3);
  scene.iou = {0.7, 0.7, 0.6};
  CHECK((match(scene).took == Numbers{2}));
}

void the_threshold_is_enough() {
  Scene scene(1, 1);
  scene.iou = {0.5};
  CHECK((match(scene).took == Numbers{1}));
  scene.iou = {std::nextafter(0.5, 0.0)};
  CHECK((match(scene).took == Numbers{0}));
  scene.thresholds = {1.0};
  scene.iou = {1 - 1e-10};
  CHECK((match(scene).took == Numbers{1}));
}

void what_counts_comes_before_what_does_not() {
  Scene scene(2, 2);
  scene.iou = {0.5, 0.9, 0.0, 0.9};
  scene.ignored = {0, 1};
  const Found found = match(scene);
  CHECK((found.took == Numbers{1, 2}));
  CHECK((found.left_out == Numbers{0, 1}));
}

void a_crowd_is_never_used_up() {
  Scene scene(3, 1);
  scene.iou = {0.6, 0.7, 0.8};
  scene.ignored = {1};
  CHECK((match(scene).took == Numbers{1, 0, 0}));
  scene.crowd = {1};
  CHECK((match(scene).took == Numbers{1, 1, 1}));
  CHECK((match(scene).taken == Numbers{3}));
}

void only_ids_above_0_use_truth_up() {
  Scene scene(3, 1);
  scene.iou = {0.6, 0.7, 0.8};
  scene.pred_id = {0, -5, 7};
  CHECK((match(scene).took == Numbers{1, 1, 1}));
  CHECK((match(scene).taken == Numbers{7}));
  scene.truth_id = {0};
  CHECK((match(scene).took == Numbers{0, 0, 0}));
}

void what_is_no_number_passes() {
  Scene scene(1, 2);
  scene.iou = {0.9, kNaN};
  CHECK((match(scene).took == Numbers{2}));
  scene.iou = {0.1, 0.2};
  scene.thresholds = {kNaN, 0.5};
  CHECK((match(scene).took == Numbers{2, 0}));
}

void nothing() {
  Scene scene(0, 2);
  CHECK((match(scene).taken == Numbers{0, 0}));
  CHECK((match(Scene(2, 0)).took == Numbers{0, 0}));
}

// The loop of evaluateImg, pair by pair, for each threshold.
Numbers took_of_every_pair(const Scene& scene) {
  const std::size_t n_pred = scene.pred_id.size(), n_truth = scene.truth_id.size();
  Numbers took;
  for (const double threshold : scene.thresholds) {
    Numbers taken(n_truth);
    for (std::size_t d = 0; d < n_pred; ++d) {
      double best = std::min(threshold, 1 - 1e-10);
      int at = -1;
      for (std::size_t g = 0; g < n_truth; ++g) {
        if (taken[g] > 0 && !scene.crowd[g]) continue;
        if (at >= 0 && !scene.ignored[static_cast<std::size_t>(at)] && scene.ignored[g]) break;
        if (scene.iou[d * n_truth + g] < best) continue;
        best = scene.iou[d * n_truth + g];
        at = static_cast<int>(g);
      }
      took.push_back(at < 0 ? 0 : scene.truth_id[static_cast<std::size_t>(at)]);
      if (at >= 0) taken[static_cast<std::size_t>(at)] = scene.pred_id[d];
    }
  }
  return took;
}

void random_cells() {
  std::mt19937 random(3);
  const auto below = [&](unsigned n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    Scene scene(below(9), below(7));
    const std::size_t n_truth = scene.truth_id.size();
    for (double& iou : scene.iou) iou = below(11) / 10.0;
    for (std::size_t g = 0; g < n_truth; ++g) {
      // Truth that counts comes first.
      scene.ignored[g] = g >= n_truth / 2 && below(2) ? 1 : g > 0 ? scene.ignored[g - 1] : 0;
      scene.crowd[g] = scene.ignored[g] && below(2);
    }
    scene.thresholds = {0.3, 0.5, 0.0, 0.9, 1.0};
    CHECK((match(scene).took == took_of_every_pair(scene)));
  }
}

}  // namespace

int main() {
  better_ranks_choose_first();
  of_equals_the_later_is_taken();
  the_threshold_is_enough();
  what_counts_comes_before_what_does_not();
  a_crowd_is_never_used_up();
  only_ids_above_0_use_truth_up();
  what_is_no_number_passes();
  nothing();
  random_cells();
  return snellen::testing::report();
}
