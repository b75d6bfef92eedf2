// Replicates side by side: what is done, is done for kLanes of them at once.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/parallel.hpp"
#include "snellen/resampled_curves.hpp"

namespace snellen {

// Of 16, 32 and 64 the fastest.
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
    std::memcpy(added.data(), numbers.of.data(), sizeof(added));
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] += added[w];
  }
  Lanes<Small> lanes() const {
    Lanes<Small> lanes;
    std::memcpy(lanes.of.data(), words_.data(), sizeof(words_));
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

// How often images occur, in a type that holds it.
template <class Times>
class TimesByLane {
 public:
  explicit TimesByLane(const Replicates& replicates)
      : n_images_(replicates.n_images),
        n_blocks_((replicates.n_replicates + kLanes - 1) / kLanes),
        most_(n_images_) {
    lanes_.resize_uninitialised(n_blocks_ * n_images_);
    parallel_for(n_blocks_, [&](std::size_t block) {
      Lanes<Times>* const to = lanes_.data() + block * n_images_;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t replicate = block * kLanes + lane;
        const bool there = replicate < replicates.n_replicates;
        const std::int32_t* const times = replicates.times + (there ? replicate * n_images_ : 0);
        for (std::size_t image = 0; image < n_images_; ++image) {
          to[image][lane] = there ? static_cast<Times>(times[image]) : Times{0};
        }
      }
    });
    for (std::size_t block = 0; block < n_blocks_; ++block) {
      for (std::size_t image = 0; image < n_images_; ++image) {
        const auto& of = this->block(block)[image].of;
        most_[image] =
            std::max<std::uint32_t>(most_[image], *std::max_element(of.begin(), of.end()));
      }
    }
    for (const std::uint32_t most : most_) {
      at_once_ = std::min<std::size_t>(at_once_, kLargest / std::max(most, 1U));
    }
  }

  // Replicates stand in blocks of kLanes; the last may be part empty, as if no image occurred.
  std::size_t n_blocks() const { return n_blocks_; }
  // By image.
  const Lanes<Times>* block(std::size_t i) const { return lanes_.data() + i * n_images_; }
  // Of each image the largest number of times that it occurs in any replicate.
  const std::vector<std::uint32_t>& most() const { return most_; }
  // So many of the numbers add up in `Times` without overflow.
  std::size_t at_once() const { return at_once_; }

 private:
  static constexpr std::size_t kLargest = std::numeric_limits<Times>::max();

  std::size_t n_images_, n_blocks_;
  Column<Lanes<Times>> lanes_;
  std::vector<std::uint32_t> most_;
  std::size_t at_once_ = kLargest;
};

}  // namespace snellen
