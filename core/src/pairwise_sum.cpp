#include "snellen/pairwise_sum.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace snellen {
namespace {

constexpr std::size_t kSums = 8;    // running sums of a leaf of the tree
constexpr std::size_t kLeaf = 128;  // numbers of a leaf at most
constexpr std::size_t kBlock = 8192;

// How many of n numbers the first branch gets.
std::size_t first_half(std::size_t n) {
  const std::size_t half = n / 2;
  return half - half % kSums;
}

double join(const std::array<double, kSums>& sums) {
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Numbers [begin, begin + n), of which those with places first … last − 1 are given.
template <class Place>
double sum_given(const double* values, const Place* places, std::size_t first, std::size_t last,
                 std::size_t begin, std::size_t n) {
  if (first == last) return 0.0;
  if (first + 1 == last) return values[first];
  if (n > kLeaf) {
    const std::size_t half = first_half(n);
    const auto* const cut =
        std::lower_bound(places + first, places + last, static_cast<Place>(begin + half));
    const auto middle = static_cast<std::size_t>(cut - places);
    return sum_given(values, places, first, middle, begin, half) +
           sum_given(values, places, middle, last, begin + half, n - half);
  }
  const std::size_t whole = begin + (n < kStraight ? 0 : n - n % kSums);
  double total = 0.0;
  if (n >= kStraight) {
    std::array<double, kSums> sums{};
    for (; first < last && static_cast<std::size_t>(places[first]) < whole; ++first) {
      sums[(static_cast<std::size_t>(places[first]) - begin) % kSums] += values[first];
    }
    total = join(sums);
  }
  for (; first < last; ++first) total += values[first];
  return total;
}

// The same walk for lanes beside each other. Each level of the tree below the first has a row of
// sums of its own.
class Lanes {
 public:
  Lanes(const double* values, const std::int64_t* places, std::size_t n_lanes)
      : values_(values), places_(places), n_lanes_(n_lanes), sums_(kSums * n_lanes) {}

  void sum(std::size_t first, std::size_t last, std::size_t begin, std::size_t n, double* out) {
    if (first == last) {
      std::fill(out, out + n_lanes_, 0.0);
      return;
    }
    if (first + 1 == last) {
      std::memcpy(out, values_ + first * n_lanes_, n_lanes_ * sizeof(double));
      return;
    }
    if (n > kLeaf) {
      const std::size_t half = first_half(n);
      const auto* const cut = std::lower_bound(places_ + first, places_ + last,
                                               static_cast<std::int64_t>(begin + half));
      const auto middle = static_cast<std::size_t>(cut - places_);
      sum(first, middle, begin, half, out);
      if (middle == last) return;
      std::vector<double> second(n_lanes_);
      sum(middle, last, begin + half, n - half, second.data());
      add(second.data(), out);
      return;
    }
    const std::size_t whole = begin + (n < kStraight ? 0 : n - n % kSums);
    std::fill(out, out + n_lanes_, 0.0);
    if (n >= kStraight) {
      std::fill(sums_.begin(), sums_.end(), 0.0);
      for (; first < last && static_cast<std::size_t>(places_[first]) < whole; ++first) {
        const std::size_t slot = (static_cast<std::size_t>(places_[first]) - begin) % kSums;
        add(values_ + first * n_lanes_, sums_.data() + slot * n_lanes_);
      }
      for (std::size_t k = 0; k < n_lanes_; ++k) {
        std::array<double, kSums> lane;
        for (std::size_t s = 0; s < kSums; ++s) lane[s] = sums_[s * n_lanes_ + k];
        out[k] = join(lane);
      }
    }
    for (; first < last; ++first) add(values_ + first * n_lanes_, out);
  }

 private:
  void add(const double* from, double* to) const {
    for (std::size_t k = 0; k < n_lanes_; ++k) to[k] += from[k];
  }

  const double* values_;
  const std::int64_t* places_;
  std::size_t n_lanes_;
  std::vector<double> sums_;
};

}  // namespace

double pairwise_sum(const double* values, std::size_t n) {
  if (n > kLeaf) {
    const std::size_t half = first_half(n);
    return pairwise_sum(values, half) + pairwise_sum(values + half, n - half);
  }
  std::size_t i = 0;
  double total = 0.0;
  if (n >= kStraight) {
    std::array<double, kSums> sums;
    std::copy(values, values + kSums, sums.begin());
    for (i = kSums; i + kSums <= n; i += kSums) {
      for (std::size_t s = 0; s < kSums; ++s) sums[s] += values[i + s];
    }
    total = join(sums);
  }
  for (; i < n; ++i) total += values[i];
  return total;
}

double pairwise_sum(const double* values, const std::int32_t* places, std::size_t n_given,
                    std::size_t n) {
  return sum_given(values, places, 0, n_given, 0, n);
}

std::vector<double> pairwise_sums(const double* values, const std::int64_t* places,
                                  std::size_t n_given, std::size_t n, std::size_t n_lanes,
                                  bool blocked) {
  std::vector<double> total(n_lanes, 0.0);
  Lanes lanes(values, places, n_lanes);
  if (!blocked) {
    lanes.sum(0, n_given, 0, n, total.data());
    return total;
  }
  std::vector<double> block(n_lanes);
  for (std::size_t first = 0; first < n_given;) {
    const std::size_t begin = static_cast<std::size_t>(places[first]) / kBlock * kBlock;
    const std::size_t size = std::min(kBlock, n - begin);
    const auto* const cut =
        std::lower_bound(places + first, places + n_given, static_cast<std::int64_t>(begin + size));
    const auto last = static_cast<std::size_t>(cut - places);
    lanes.sum(first, last, begin, size, block.data());
    for (std::size_t k = 0; k < n_lanes; ++k) total[k] += block[k];
    first = last;
  }
  return total;
}

}  // namespace snellen
