#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/halving.hpp"

namespace {

struct Problem {
  std::vector<double> position;
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> unit;
  std::vector<double> weight;
  std::vector<double> target;
  std::vector<double> importance;
  double price = 0;

  void add(const std::vector<std::int32_t>& units, const std::vector<double>& weights,
           double wanted) {
    unit.insert(unit.end(), units.begin(), units.end());
    weight.insert(weight.end(), weights.begin(), weights.end());
    begin.push_back(static_cast<std::int64_t>(unit.size()));
    target.push_back(wanted);
    importance.push_back(1);
  }

  std::vector<std::uint8_t> halve(double share, int n_sweeps, std::size_t n_candidates) const {
    std::vector<double> moving = position;
    std::vector<std::uint8_t> right(position.size(), 7);
    const std::vector<double> prices(position.size(), price);
    snellen::halve(
        {target.size(), begin.data(), unit.data(), weight.data(), target.data(), importance.data()},
        position.size(), share, {n_sweeps, n_candidates, prices.data()}, moving.data(),
        right.data());
    return right;
  }
};

using Sides = std::vector<std::uint8_t>;

void without_labels_the_share_cuts() {
  Problem problem;
  problem.position = {0.1, 0.6, 0.49, 0.5};
  CHECK(problem.halve(0.5, 5, 4) == (Sides{0, 1, 0, 1}));
}

void one_label_reaches_its_target() {
  Problem problem;
  problem.position = {0.1, 0.2, 0.3, 0.4, 0.9};
  problem.add({0, 1, 2, 3, 4}, {1, 1, 1, 1, 1}, 2);
  CHECK(problem.halve(0.5, 1, 0) == (Sides{0, 0, 1, 1, 1}));
  // The same by units that change sides: the two nearest to the cut.
  CHECK(problem.halve(0.5, 0, 5) == (Sides{0, 0, 1, 1, 1}));
}

void heavy_units_stop_at_the_closest() {
  Problem problem;
  problem.position = {0.1, 0.2, 0.3};
  problem.add({0, 1, 2}, {3, 3, 3}, 4);  // 3 is closer than 6
  CHECK(problem.halve(0.5, 3, 0) == (Sides{0, 1, 1}));
}

// Two labels that no single unit can mend: two units change places.
void a_pair_changes_sides() {
  Problem problem;
  problem.position = {0.4, 0.6};
  problem.add({0}, {1}, 0);
  problem.add({1}, {1}, 1);
  problem.add({0, 1}, {1, 1}, 1);
  problem.importance = {1, 1, 10};
  CHECK(problem.halve(0.5, 0, 1) == (Sides{0, 1}));
  CHECK(problem.halve(0.5, 0, 2) == (Sides{1, 0}));
  // It gains 2; two prices of 1.5 are more.
  problem.price = 0.9;
  CHECK(problem.halve(0.5, 0, 2) == (Sides{1, 0}));
  problem.price = 1.5;
  CHECK(problem.halve(0.5, 0, 2) == (Sides{0, 1}));
}

void many_labels_come_close() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> draw(0, 1);
  Problem problem;
  const std::int32_t n_units = 2000;
  for (std::int32_t i = 0; i < n_units; ++i) problem.position.push_back(draw(random));
  for (int label = 0; label < 20; ++label) {
    std::vector<std::int32_t> units;
    for (std::int32_t i = 0; i < n_units; ++i) {
      if (draw(random) < 0.1) units.push_back(i);
    }
    problem.add(units, std::vector<double>(units.size(), 1),
                static_cast<double>(units.size() * 8 / 10));
  }
  const Sides right = problem.halve(0.8, 40, 400);
  for (std::size_t label = 0; label < problem.target.size(); ++label) {
    double left = 0;
    for (auto i = problem.begin[label]; i < problem.begin[label + 1]; ++i) {
      left += right[static_cast<std::size_t>(problem.unit[static_cast<std::size_t>(i)])] == 0;
    }
    CHECK_EQUAL(left, problem.target[label]);
  }
}

}  // namespace

int main() {
  without_labels_the_share_cuts();
  one_label_reaches_its_target();
  heavy_units_stop_at_the_closest();
  a_pair_changes_sides();
  many_labels_come_close();
  return snellen::testing::report();
}
