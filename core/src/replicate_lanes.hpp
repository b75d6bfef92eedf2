// Replicates side by side: what is done, is done for kLanes of them at once.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace snellen {

inline constexpr std::size_t kLanes = 32;

// A number of each replicate.
template <class T>
struct Lanes {
  std::array<T, kLanes> of{};

  T& operator[](std::size_t lane) { return of[lane]; }
  T operator[](std::size_t lane) const { return of[lane]; }

  template <class Other>
  void add(const Lanes<Other>& other) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) of[lane] += other.of[lane];
  }
};

using Counts = Lanes<std::uint32_t>;

// Adds up small numbers: so few that no lane overflows, words of several lanes are added as one.
template <class Small>
class PackedSum {
 public:
  void add(const Lanes<Small>& numbers) {
    Words added;
    std::memcpy(&added, numbers.of.data(), sizeof(added));
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] += added[w];
  }
  Lanes<Small> lanes() const {
    Lanes<Small> lanes;
    std::memcpy(lanes.of.data(), &words_, sizeof(lanes.of));
    return lanes;
  }

 private:
  using Words = std::array<std::uint64_t, kLanes * sizeof(Small) / sizeof(std::uint64_t)>;
  Words words_{};
};

// Adds the n lanes numbers(0) … numbers(n − 1) to a sum; `at_once` of them overflow no lane.
template <class Numbers>
void add_up(std::size_t n, std::size_t at_once, const Numbers& numbers, Counts& sum) {
  using Small = std::remove_cvref_t<decltype(numbers(0).of[0])>;
  for (std::size_t i = 0; i < n;) {
    PackedSum<Small> part;
    for (const std::size_t end = i + std::min(n - i, at_once); i < end; ++i) part.add(numbers(i));
    sum.add(part.lanes());
  }
}

}  // namespace snellen
