#include "snellen/inversions.hpp"

#include <algorithm>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {

namespace {

// How often each code has occurred so far.
class Occurrences {
 public:
  explicit Occurrences(std::size_t n_codes) : sums_(n_codes + 1) {}

  void clear() { std::fill(sums_.begin(), sums_.end(), 0); }

  void add(std::size_t code, std::int64_t times) {
    for (std::size_t i = code + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i] += times;
  }

  std::int64_t upto(std::size_t code) const {
    std::int64_t sum = 0;
    for (std::size_t i = code + 1; i > 0; i &= i - 1) sum += sums_[i];
    return sum;
  }

 private:
  std::vector<std::int64_t> sums_;
};

}  // namespace

void count_inversions(const std::int32_t* code, std::size_t n, std::size_t n_codes,
                      const std::int64_t* times, std::size_t n_sets, std::int64_t* inversions) {
  parallel_for_workers(n_sets, [&] {
    return [&, seen = Occurrences(n_codes)](std::size_t set) mutable {
      seen.clear();
      const std::int64_t* const row_times = times + set * n;
      std::int64_t before = 0;
      std::int64_t count = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (row_times[i] == 0) continue;
        const auto at = static_cast<std::size_t>(code[i]);
        count += row_times[i] * (before - seen.upto(at));
        seen.add(at, row_times[i]);
        before += row_times[i];
      }
      inversions[set] = count;
    };
  });
}

}  // namespace snellen
