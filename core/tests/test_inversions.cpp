#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/inversions.hpp"
#include "snellen/parallel.hpp"

namespace {

using Times = std::vector<std::int64_t>;

std::vector<std::int64_t> counted(const std::vector<std::int32_t>& code, std::size_t n_codes,
                                  const Times& times) {
  const std::size_t n_sets = code.empty() ? 1 : times.size() / code.size();
  std::vector<std::int64_t> found(n_sets, -1);
  snellen::count_inversions(code.data(), code.size(), n_codes, times.data(), n_sets, found.data());
  return found;
}

void worked_by_hand() {
  CHECK_EQUAL(counted({}, 0, {})[0], 0);
  CHECK_EQUAL(counted({0, 1, 2}, 3, {1, 1, 1})[0], 0);
  CHECK_EQUAL(counted({2, 1, 0}, 3, {1, 1, 1})[0], 3);
  CHECK_EQUAL(counted({1, 1, 0}, 2, {1, 1, 1})[0], 2);  // equal codes are in order
  CHECK_EQUAL(counted({2, 0, 1}, 3, {3, 5, 0})[0], 15);
}

void as_all_pairs_say() {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const std::size_t n = 1 + random() % 40, n_codes = 1 + random() % 20, n_sets = 1 + random() % 5;
    std::vector<std::int32_t> code(n);
    Times times(n * n_sets);
    for (auto& c : code) c = static_cast<std::int32_t>(random() % n_codes);
    for (auto& t : times) t = static_cast<std::int64_t>(random() % 4);
    std::vector<std::int64_t> wanted(n_sets, 0);
    for (std::size_t set = 0; set < n_sets; ++set) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = 0; i < j; ++i) {
          if (code[i] > code[j]) wanted[set] += times[set * n + i] * times[set * n + j];
        }
      }
    }
    for (const int n_threads : {1, 4}) {
      snellen::set_thread_count(n_threads);
      const auto found = counted(code, n_codes, times);
      for (std::size_t set = 0; set < n_sets; ++set) CHECK_EQUAL(found[set], wanted[set]);
    }
    snellen::set_thread_count(0);
  }
}

void large_counts_fit() {
  // 2^31 rows before 2^31 − 1: 2^62 − 2^31 pairs.
  const std::int64_t half = std::int64_t{1} << 31;
  CHECK_EQUAL(counted({1, 0}, 2, {half, half - 1})[0], half * (half - 1));
}

}  // namespace

int main() {
  worked_by_hand();
  as_all_pairs_say();
  large_counts_fit();
  return snellen::testing::report();
}
