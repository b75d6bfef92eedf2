#include <cstdint>
#include <vector>

#include "check.hpp"
#include "snellen/box_distances.hpp"

namespace {

using Rows = std::vector<std::int64_t>;

std::vector<double> distances(const std::vector<double>& truth, const std::vector<double>& pred,
                              double max_distance) {
  const Rows truth_begin{0, static_cast<std::int64_t>(truth.size() / 4)};
  const Rows pred_begin{0, static_cast<std::int64_t>(pred.size() / 4)};
  const auto found = snellen::box_distances(truth_begin.data(), pred_begin.data(), 1, truth.data(),
                                            pred.data(), max_distance);
  return {found.distance.begin(), found.distance.end()};
}

void worked_by_hand() {
  // 2 × 2 beside 2 × 2 shifted by 1: 2 / (4 + 4 - 2) = 1 / 3; beside 4 × 4: 4 / 16.
  CHECK((distances({0, 0, 2, 2}, {0, 0, 2, 2, 1, 0, 2, 2, 0, 0, 4, 4}, 0.9) ==
         std::vector<double>{0, 1 - 2.0 / 6.0, 0.75}));
  // The maximum belongs to what is allowed.
  CHECK((distances({0, 0, 2, 2}, {0, 0, 4, 4}, 0.75).size() == 1));
  CHECK((distances({0, 0, 2, 2}, {0, 0, 4, 4}, 0.74).empty()));
}

void no_overlap() {
  // Apart, side by side, without an area, of negative width: 1, which may be allowed.
  const std::vector<double> preds = {9, 9, 2, 2, 2, 0, 2, 2, 1, 1, 0, 0, 2, 0, -2, 2};
  CHECK((distances({0, 0, 2, 2}, preds, 1) == std::vector<double>{1, 1, 1, 1}));
  CHECK((distances({0, 0, 2, 2}, preds, 0.99).empty()));
}

void frames_are_apart() {
  const Rows truth_begin{0, 1, 1, 3}, pred_begin{0, 1, 2, 4};
  const std::vector<double> truth = {0, 0, 1, 1, 5, 5, 1, 1, 0, 0, 1, 1};
  const std::vector<double> pred = {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 1, 1};
  const auto found = snellen::box_distances(truth_begin.data(), pred_begin.data(), 3, truth.data(),
                                            pred.data(), 0.5);
  CHECK((Rows(found.pair_begin.begin(), found.pair_begin.end()) == Rows{0, 1, 2, 3}));
  CHECK((std::vector<std::int32_t>(found.pair_pred.begin(), found.pair_pred.end()) ==
         std::vector<std::int32_t>{0, 3, 2}));
}

}  // namespace

int main() {
  worked_by_hand();
  no_overlap();
  frames_are_apart();
  return snellen::testing::report();
}
