#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/resample.hpp"

namespace {

using Times = std::vector<std::int32_t>;

Times drawn(const std::vector<std::int64_t>& counts, std::uint64_t seed, std::uint64_t first,
            std::size_t n_replicates) {
  Times times(counts.size() * n_replicates, -1);
  snellen::multiplicities(counts.data(), counts.size(), seed, first, n_replicates, times.data());
  return times;
}

void replicates_are_those_of_any_grouping() {
  const std::vector<std::int64_t> counts{3, 0, 1, 500, 41};
  const Times all = drawn(counts, 7, 10, 9);
  for (std::size_t replicate = 0; replicate < 9; ++replicate) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(replicate * counts.size());
    const Times own(begin, begin + static_cast<std::ptrdiff_t>(counts.size()));
    CHECK(own == drawn(counts, 7, 10 + replicate, 1));
    CHECK_EQUAL(std::accumulate(own.begin(), own.end(), 0), 545);
    CHECK_EQUAL(own[1], 0);
  }
  for (const int n_threads : {1, 2, 5}) {
    snellen::set_thread_count(n_threads);
    CHECK(drawn(counts, 7, 10, 9) == all);
  }
  snellen::set_thread_count(0);
  CHECK(drawn(counts, 8, 10, 9) != all);
}

// Kinds of equal units are units drawn each for itself, added up.
void kinds_add_up() {
  const std::vector<std::int64_t> counts{2, 0, 3, 1};
  const Times of_kinds = drawn(counts, 1, 0, 50);
  const Times of_units = drawn(std::vector<std::int64_t>(6, 1), 1, 0, 50);
  for (std::size_t r = 0; r < 50; ++r) {
    const std::int32_t* const kind = of_kinds.data() + 4 * r;
    const std::int32_t* const unit = of_units.data() + 6 * r;
    CHECK_EQUAL(kind[0], unit[0] + unit[1]);
    CHECK_EQUAL(kind[2], unit[2] + unit[3] + unit[4]);
    CHECK_EQUAL(kind[3], unit[5]);
  }
}

void nothing_is_drawn_from_nothing() {
  CHECK(drawn({}, 0, 0, 3).empty());
  CHECK((drawn({0, 0}, 0, 0, 2) == Times{0, 0, 0, 0}));
}

void label_sums_are_those_of_a_loop(bool with_units, bool with_weights) {
  constexpr std::size_t kPairs = 300, kUnits = 40, kClasses = 7, kReplicates = 6;
  std::mt19937 random(5);
  auto draw = [&](int below) { return std::uniform_int_distribution<int>(0, below - 1)(random); };
  const std::size_t n_units = with_units ? kUnits : kPairs;
  Times truth(kPairs), predicted(kPairs), unit(kPairs), times(kReplicates * n_units);
  std::vector<double> weight(kPairs);
  for (std::size_t j = 0; j < kPairs; ++j) {
    truth[j] = draw(kClasses);
    predicted[j] = draw(3) == 0 ? draw(kClasses) : truth[j];
    unit[j] = draw(kUnits);
    weight[j] = draw(8) / 4.0;  // sums are exact in any order
  }
  for (std::int32_t& each : times) each = draw(4);
  const std::size_t n = kReplicates * kClasses;
  std::vector<double> want_correct(n), want_truth(n), want_predicted(n),
      want_costs(kReplicates * 3);
  for (std::size_t r = 0; r < kReplicates; ++r) {
    for (std::size_t j = 0; j < kPairs; ++j) {
      const std::size_t u = with_units ? static_cast<std::size_t>(unit[j]) : j;
      const double w = times[r * n_units + u] * (with_weights ? weight[j] : 1.0);
      const auto t = static_cast<std::size_t>(truth[j]), p = static_cast<std::size_t>(predicted[j]);
      want_truth[r * kClasses + t] += w;
      want_predicted[r * kClasses + p] += w;
      if (t == p) want_correct[r * kClasses + t] += w;
      const double apart = truth[j] - predicted[j];
      want_costs[3 * r] += t == p ? 0 : w;
      want_costs[3 * r + 1] += w * (apart < 0 ? -apart : apart);
      want_costs[3 * r + 2] += w * apart * apart;
    }
  }
  for (const int n_threads : {1, 3}) {
    snellen::set_thread_count(n_threads);
    std::vector<double> correct(n, -1), of_truth(n, -1), of_predicted(n, -1);
    std::vector<double> costs(kReplicates * 3, -1);
    snellen::label_sums(times.data(), kReplicates, n_units,
                        {truth.data(), predicted.data(), with_units ? unit.data() : nullptr,
                         with_weights ? weight.data() : nullptr, kPairs, kClasses},
                        {correct.data(), of_truth.data(), of_predicted.data(), costs.data()});
    CHECK(correct == want_correct);
    CHECK(of_truth == want_truth);
    CHECK(of_predicted == want_predicted);
    CHECK(costs == want_costs);
  }
  snellen::set_thread_count(0);
}

void sums_by_cell_are_those_of_a_loop() {
  const Times times{1, 0, 2, 3, 1, 0}, unit{0, 2, 2, 1}, cell{1, 0, 1, 0};
  const std::vector<double> weight{0.5, 1, 2, 4};
  std::vector<double> sums(4, -1);
  snellen::sums_by_cell(times.data(), 2, 3, unit.data(), weight.data(), cell.data(), 4, 2,
                        sums.data());
  // First data set: cell 0 has 2 · 1 + 0 · 4, cell 1 has 1 · 0.5 + 2 · 2. Second: 1 · 4, 3 · 0.5.
  CHECK((sums == std::vector<double>{2, 4.5, 4, 1.5}));
  snellen::sums_by_cell(times.data(), 2, 3, nullptr, nullptr, cell.data(), 3, 2, sums.data());
  CHECK((sums == std::vector<double>{0, 3, 1, 3}));
}

}  // namespace

int main() {
  replicates_are_those_of_any_grouping();
  kinds_add_up();
  nothing_is_drawn_from_nothing();
  for (const bool with_units : {false, true}) {
    for (const bool with_weights : {false, true}) {
      label_sums_are_those_of_a_loop(with_units, with_weights);
    }
  }
  sums_by_cell_are_those_of_a_loop();
  return snellen::testing::report();
}
