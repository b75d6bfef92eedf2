#include "snellen/ranking.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::size_t kDigitBits = 11;
constexpr std::size_t kDigits = 3;  // 33 bits cover the 32 of a key
constexpr std::size_t kRadix = std::size_t{1} << kDigitBits;
// Below this size a comparison sort is done before the histograms are cleared.
constexpr std::size_t kSmall = 512;

struct Keyed {
  std::uint32_t key;
  std::uint32_t row;
};

// The upper half of an integer that falls as the score rises.
std::uint32_t descending_key(double score) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(score + 0.0);  // −0 + 0 is +0
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const std::uint64_t ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return static_cast<std::uint32_t>(~ascending >> 32);
}

std::size_t digit(std::uint32_t key, std::size_t d) {
  return key >> (d * kDigitBits) & (kRadix - 1);
}

}  // namespace

void rank_by_score(const double* score, std::size_t n_rows, Column<std::uint32_t>& rank) {
  rank.resize_uninitialised(n_rows);
  auto higher = [score](std::uint32_t a, std::uint32_t b) { return score[a] > score[b]; };
  if (n_rows < kSmall) {
    std::iota(rank.begin(), rank.end(), 0U);
    std::stable_sort(rank.begin(), rank.end(), higher);
    return;
  }
  Column<Keyed> from;
  Column<Keyed> to;
  from.resize_uninitialised(n_rows);
  to.resize_uninitialised(n_rows);
  std::array<std::array<std::uint32_t, kRadix>, kDigits> histogram{};
  for (std::size_t i = 0; i < n_rows; ++i) {
    const std::uint32_t key = descending_key(score[i]);
    from[i] = {key, static_cast<std::uint32_t>(i)};
    for (std::size_t d = 0; d < kDigits; ++d) ++histogram[d][digit(key, d)];
  }
  for (std::size_t d = 0; d < kDigits; ++d) {
    auto& count = histogram[d];
    if (count[digit(from[0].key, d)] == n_rows) continue;  // one digit throughout: in order already
    std::uint32_t start = 0;
    for (std::uint32_t& slot : count) start += std::exchange(slot, start);
    for (const Keyed& item : from) to[count[digit(item.key, d)]++] = item;
    std::swap(from, to);
  }
  for (std::size_t i = 0; i < n_rows; ++i) rank[i] = from[i].row;
  for (std::size_t begin = 0; begin < n_rows;) {
    std::size_t end = begin + 1;
    bool equal = true;
    for (; end < n_rows && from[end].key == from[begin].key; ++end) {
      equal = equal && score[rank[end]] == score[rank[begin]];
    }
    if (!equal) {
      std::stable_sort(rank.begin() + begin, rank.begin() + end, higher);
    }
    begin = end;
  }
}

Column<std::uint32_t> rank_in_groups(const double* score, const std::int32_t* group,
                                     std::size_t n_rows, std::size_t n_groups) {
  std::vector<std::size_t> begin(n_groups + 1);
  for (std::size_t g = 0; g <= n_groups; ++g) {
    const auto least = static_cast<std::int64_t>(g);
    begin[g] = static_cast<std::size_t>(std::lower_bound(group, group + n_rows, least) - group);
  }
  Column<std::uint32_t> rows;
  rows.resize_uninitialised(n_rows);
  parallel_for_workers(n_groups, [&] {
    return [&, rank = Column<std::uint32_t>()](std::size_t g) mutable {
      rank_by_score(score + begin[g], begin[g + 1] - begin[g], rank);
      const auto first = static_cast<std::uint32_t>(begin[g]);
      for (std::size_t i = 0; i < rank.size(); ++i) rows[begin[g] + i] = first + rank[i];
    };
  });
  return rows;
}

}  // namespace snellen
