// NumPy's order of adding up float64.
//
// np.sum adds along contiguous memory in a tree: up to 7 numbers from left to right; up to 128 in
// eight running sums, which are joined two by two; more are halved, the first half a multiple of
// eight. A zero changes no sum, so the tree can be walked along the other numbers alone, as long
// as their places are known.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace snellen {

// Fewer numbers than this are added from left to right; as many running sums has a leaf.
inline constexpr std::size_t kStraight = 8;
// The most numbers of a leaf.
inline constexpr std::size_t kLeaf = 128;
// Up to NumPy 2.2 a sum over all axes of an array goes through blocks of this many numbers, each a
// tree of its own, and adds them from left to right.
inline constexpr std::size_t kBlock = 8192;

double pairwise_sum(const double* values, std::size_t n);

// The sum of the numbers at places begin … begin + n − 1, of which those at the given places,
// ascending, may be other than 0. A number is anything that can be added: one float64, or several
// that are added side by side.
template <class Number, class Place>
Number pairwise_sum(const Number* values, const Place* places, std::size_t n_given, Place begin,
                    std::size_t n) {
  if (n_given == 0) return Number{};
  if (n_given == 1) return values[0];
  if (n > kLeaf) {
    const std::size_t half = n / 2 - n / 2 % kStraight;
    const Place middle = begin + static_cast<Place>(half);
    const auto n_first =
        static_cast<std::size_t>(std::lower_bound(places, places + n_given, middle) - places);
    Number sum = pairwise_sum(values, places, n_first, begin, half);
    sum += pairwise_sum(values + n_first, places + n_first, n_given - n_first, middle, n - half);
    return sum;
  }
  Number sum{};
  std::size_t k = 0;
  if (n >= kStraight) {
    const Place tail = begin + static_cast<Place>(n - n % kStraight);
    std::array<Number, kStraight> sums{};
    for (; k < n_given && places[k] < tail; ++k) {
      sums[static_cast<std::size_t>(places[k] - begin) % kStraight] += values[k];
    }
    for (std::size_t width = 1; width < kStraight; width *= 2) {
      for (std::size_t s = 0; s < kStraight; s += 2 * width) sums[s] += sums[s + width];
    }
    sum = sums[0];
  }
  for (; k < n_given; ++k) sum += values[k];
  return sum;
}

// The same from place 0 on, in blocks.
template <class Number, class Place>
Number blocked_sum(const Number* values, const Place* places, std::size_t n_given, std::size_t n) {
  Number sum{};
  for (std::size_t k = 0; k < n_given;) {
    const std::size_t block = static_cast<std::size_t>(places[k]) / kBlock;
    const auto begin = static_cast<Place>(block * kBlock);
    const std::size_t size = std::min(kBlock, n - block * kBlock);
    const Place end = begin + static_cast<Place>(size);
    const auto n_in_block = static_cast<std::size_t>(
        std::lower_bound(places + k, places + n_given, end) - (places + k));
    sum += pairwise_sum(values + k, places + k, n_in_block, begin, size);
    k += n_in_block;
  }
  return sum;
}

}  // namespace snellen
