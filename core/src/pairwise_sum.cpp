#include "snellen/pairwise_sum.hpp"

namespace snellen {

double pairwise_sum(const double* values, std::size_t n) {
  if (n > kLeaf) {
    const std::size_t half = n / 2 - n / 2 % kStraight;
    return pairwise_sum(values, half) + pairwise_sum(values + half, n - half);
  }
  double sum = 0.0;
  std::size_t i = 0;
  if (n >= kStraight) {
    std::array<double, kStraight> sums;
    std::copy(values, values + kStraight, sums.begin());
    for (i = kStraight; i + kStraight <= n; i += kStraight) {
      for (std::size_t s = 0; s < kStraight; ++s) sums[s] += values[i + s];
    }
    sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }
  for (; i < n; ++i) sum += values[i];
  return sum;
}

}  // namespace snellen
