#include "snellen/counted_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// begin[c]: how many rows have a code below c.
std::vector<std::size_t> begins(const std::int32_t* code, std::size_t n, std::size_t n_codes,
                                std::vector<std::size_t> count = {}) {
  count.resize(n_codes + 1, 0);
  for (std::size_t i = 0; i < n; ++i) ++count[static_cast<std::size_t>(code[i]) + 1];
  return count;
}

void add_up(std::vector<std::size_t>& count) {
  for (std::size_t c = 1; c < count.size(); ++c) count[c] += count[c - 1];
}

// Whether row a comes before row b.
struct Better {
  const double* score;

  bool operator()(std::size_t a, std::size_t b) const {
    const double one = score[a], other = score[b];
    if (std::isnan(one) || std::isnan(other)) {
      return std::isnan(one) == std::isnan(other) ? a < b : std::isnan(other);
    }
    return one != other ? one > other : a < b;
  }
};

// A class and whether it was looked for in part, as one number.
constexpr std::uint32_t key_of(std::int32_t label, bool in_part) {
  return 2 * static_cast<std::uint32_t>(label) + (in_part ? 1 : 0);
}

}  // namespace

Column<std::int64_t> best_rows(const double* score, const std::int32_t* group, std::size_t n_rows,
                               std::size_t n_groups, std::size_t cap) {
  std::vector<std::size_t> begin = begins(group, n_rows, n_groups);
  std::vector<bool> crowded(n_groups);
  std::size_t n_kept = 0;
  for (std::size_t g = 0; g < n_groups; ++g) {
    crowded[g] = begin[g + 1] > cap;
    n_kept += std::min(begin[g + 1], cap);
    if (!crowded[g]) begin[g + 1] = 0;
  }
  std::vector<bool> dropped;
  if (n_kept < n_rows) {
    add_up(begin);
    dropped.resize(n_rows);
    std::vector<std::size_t> row_of(begin.back());
    std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const auto g = static_cast<std::size_t>(group[row]);
      if (crowded[g]) row_of[next[g]++] = row;
    }
    for (std::size_t g = 0; g < n_groups; ++g) {
      if (!crowded[g]) continue;
      const auto first = row_of.begin() + static_cast<std::ptrdiff_t>(begin[g]);
      const auto last = row_of.begin() + static_cast<std::ptrdiff_t>(begin[g + 1]);
      const auto kept = first + static_cast<std::ptrdiff_t>(cap);
      std::nth_element(first, kept, last, Better{score});
      std::for_each(kept, last, [&dropped](std::size_t row) { dropped[row] = true; });
    }
  }
  Column<std::int64_t> rows;
  rows.reserve(n_kept);
  for (std::size_t row = 0; row < n_rows; ++row) {
    if (dropped.empty() || !dropped[row]) rows.push_back(static_cast<std::int64_t>(row));
  }
  return rows;
}

Column<std::uint8_t> looked_for(const LabelsOfImages& listed, const std::uint8_t* exhaustive,
                                const LabelsOfImages& truth, const LabelsOfImages& pred,
                                std::size_t n_images) {
  constexpr std::size_t kBlockRows = 1 << 15;
  std::vector<std::size_t> begin =
      begins(truth.image, truth.n, n_images, begins(listed.image, listed.n, n_images));
  add_up(begin);
  std::vector<std::uint32_t> key(begin.back());
  std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t i = 0; i < listed.n; ++i) {
    key[next[static_cast<std::size_t>(listed.image[i])]++] =
        key_of(listed.label[i], exhaustive[i] == 0);
  }
  for (std::size_t i = 0; i < truth.n; ++i) {
    key[next[static_cast<std::size_t>(truth.image[i])]++] = key_of(truth.label[i], false);
  }
  const auto run_of = [&](std::size_t image) {
    const auto at = [&](std::size_t i) { return key.begin() + static_cast<std::ptrdiff_t>(i); };
    return std::pair{at(begin[image]), at(begin[image + 1])};
  };
  for (std::size_t image = 0; image < n_images; ++image) {
    const auto [first, last] = run_of(image);
    std::sort(first, last);
  }
  Column<std::uint8_t> found;
  found.resize_uninitialised(pred.n);
  parallel_for((pred.n + kBlockRows - 1) / kBlockRows, [&](std::size_t block) {
    const std::size_t end = std::min(pred.n, (block + 1) * kBlockRows);
    for (std::size_t i = block * kBlockRows; i < end; ++i) {
      const auto [first, last] = run_of(static_cast<std::size_t>(pred.image[i]));
      const std::uint32_t in_part = key_of(pred.label[i], true);
      const auto at = std::lower_bound(first, last, in_part);
      LookedFor state = LookedFor::no;
      if (at != last && *at == in_part) {
        state = LookedFor::in_part;
      } else if (at != first && *(at - 1) == in_part - 1) {
        state = LookedFor::yes;
      }
      found[i] = static_cast<std::uint8_t>(state);
    }
  });
  return found;
}

}  // namespace snellen
