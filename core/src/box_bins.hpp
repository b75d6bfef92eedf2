// Which boxes of a frame may overlap another box.
//
// Both axes are cut into bins, and each bin keeps the set of boxes that reach into it, one bit
// each. The boxes that share a bin with another box on both axes are a few more than those that
// overlap it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace snellen {

class BoxBins {
 public:
  // Boxes are corners x0, y0, x1, y1. Boxes without a positive width and height are left out.
  void fill(const double* xyxy, std::size_t n) {
    n_words_ = (n + kWordBits - 1) / kWordBits;
    for (std::size_t axis = 0; axis < 2; ++axis) {
      Axis& line = axes_[axis];
      line.set.assign(n_words_ * kBins, 0);
      if (n == 0) continue;
      double first = xyxy[axis], last = xyxy[axis + 2];
      for (std::size_t i = 1; i < n; ++i) {
        first = std::min(first, xyxy[4 * i + axis]);
        last = std::max(last, xyxy[4 * i + axis + 2]);
      }
      line.first = first;
      line.bins_per_unit = static_cast<double>(kBins) / (last - first);
      for (std::size_t i = 0; i < n; ++i) {
        const double* const box = xyxy + 4 * i;
        if (!has_extent(box)) continue;
        std::uint64_t* const set = &line.set[i / kWordBits * kBins];
        const std::uint64_t bit = std::uint64_t{1} << (i % kWordBits);
        const std::size_t end = line.bin(box[axis + 2]);
        for (std::size_t b = line.bin(box[axis]); b <= end; ++b) set[b] |= bit;
      }
    }
  }

  // Calls visit(i), ascending, for every box that overlaps this one, and for some that do not.
  template <class Visit>
  void for_each_near(const double* box, const Visit& visit) const {
    if (!has_extent(box)) return;
    const std::size_t x0 = axes_[0].bin(box[0]), x1 = axes_[0].bin(box[2]);
    const std::size_t y0 = axes_[1].bin(box[1]), y1 = axes_[1].bin(box[3]);
    for (std::size_t w = 0; w < n_words_; ++w) {
      const std::uint64_t* const along_x = &axes_[0].set[w * kBins];
      const std::uint64_t* const along_y = &axes_[1].set[w * kBins];
      std::uint64_t in_x = 0, in_y = 0;
      for (std::size_t b = x0; b <= x1; ++b) in_x |= along_x[b];
      for (std::size_t b = y0; b <= y1; ++b) in_y |= along_y[b];
      for (std::uint64_t near = in_x & in_y; near != 0; near &= near - 1) {
        visit(w * kWordBits + static_cast<std::size_t>(std::countr_zero(near)));
      }
    }
  }

 private:
  static constexpr std::size_t kWordBits = 64;
  static constexpr std::size_t kBins = 64;

  struct Axis {
    double first, bins_per_unit;
    std::vector<std::uint64_t> set;  // [word][bin]

    // Never falls as x grows, whatever overflows: boxes that overlap have a bin in common.
    std::size_t bin(double x) const {
      const double place = (x - first) * bins_per_unit;
      if (!(place > 0)) return 0;
      return place < static_cast<double>(kBins) ? static_cast<std::size_t>(place) : kBins - 1;
    }
  };

  static bool has_extent(const double* box) { return box[2] > box[0] && box[3] > box[1]; }

  std::size_t n_words_ = 0;
  Axis axes_[2];
};

}  // namespace snellen
