#include "snellen/polygon.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "rle_spans.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::int64_t kScale = 5;
// A boundary lies between the grid points 5 c + 2 and 5 c + 3, on either side of the middle of
// column c.
constexpr std::int64_t kBefore = 2, kBehind = 3;
constexpr std::size_t kPolygonsOfBlock = 32;

struct GridPoint {
  std::int64_t x, y;
};

struct Boundary {
  std::int32_t column;
  std::uint32_t row;
};

std::int64_t on_grid(double coordinate) {
  const double scaled = static_cast<double>(kScale) * coordinate + .5;
  constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
  // Written so that what is no number fails.
  const bool fits = scaled > -2147483649.0 && scaled < 2147483648.0;
  return fits ? static_cast<std::int32_t>(scaled) : kLowest;
}

// Rounded down and up; the numbers may be below 0.
std::int64_t floor_of_fifth(std::int64_t value) {
  return value >= 0 ? value / kScale : -((-value + kScale - 1) / kScale);
}
std::int64_t ceil_of_fifth(std::int64_t value) { return -floor_of_fifth(-value); }

// Collects the boundaries of a polygon, then makes runs of them.
class Outline {
 public:
  void start(std::int64_t height, std::int64_t width) {
    height_ = height;
    width_ = width;
    boundaries_.clear();
    // The reference subtracts 1 from an unsigned width.
    last_column_ = width == 0 ? std::numeric_limits<std::int32_t>::max() : width - 1;
  }

  void add_edge(GridPoint from, GridPoint to) {
    const std::int64_t low = std::min(from.x, to.x), high = std::max(from.x, to.x);
    const std::int64_t first = std::max<std::int64_t>(0, ceil_of_fifth(low - kBefore));
    const std::int64_t last = std::min(last_column_, floor_of_fifth(high - kBehind));
    if (first > last) return;
    const std::int64_t dx = high - low, dy = std::max(from.y, to.y) - std::min(from.y, to.y);
    if (dx >= dy) {
      add_flat_edge(from, to, first, last, dx);
    } else {
      add_steep_edge(from, to, first, last, dy);
    }
  }

  void append_runs(RleRows& rows) {
    const auto height = static_cast<std::uint64_t>(height_);
    const auto width = static_cast<std::uint64_t>(width_);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const bool plain = width > 0 && height <= kMost / width;
    if (plain) {
      sort_by_column();
    } else {
      ends_.clear();
      for (const Boundary& each : boundaries_) ends_.push_back(end_of(each));
    }
    ends_.push_back(static_cast<std::uint32_t>(height * width));
    // Pixels are numbered in 32 bits; beyond, the order of columns is not that of numbers.
    if (!plain) std::sort(ends_.begin(), ends_.end());
    append_differences(rows);
  }

 private:
  // One step in x is one grid point.
  void add_flat_edge(GridPoint from, GridPoint to, std::int64_t first, std::int64_t last,
                     std::int64_t dx) {
    if (from.x > to.x) std::swap(from, to);
    const double slope = static_cast<double>(to.y - from.y) / static_cast<double>(dx);
    const auto y_of = [&](std::int64_t t) {
      return static_cast<std::int64_t>(static_cast<double>(from.y) +
                                       slope * static_cast<double>(t) + .5);
    };
    for (std::int64_t column = first; column <= last; ++column) {
      const std::int64_t t = kScale * column + kBefore - from.x;
      add(column, std::min(y_of(t), y_of(t + 1)));
    }
  }

  // One step in y is one grid point.
  void add_steep_edge(GridPoint from, GridPoint to, std::int64_t first, std::int64_t last,
                      std::int64_t dy) {
    if (from.y > to.y) std::swap(from, to);
    const double slope = static_cast<double>(to.x - from.x) / static_cast<double>(dy);
    const bool rising = slope > 0;
    const auto start = static_cast<double>(from.x);
    for (std::int64_t column = first; column <= last; ++column) {
      const auto middle = static_cast<double>(kScale * column + kBehind);
      const auto is_past = [&](std::int64_t t) {
        const double x = start + slope * static_cast<double>(t) + .5;
        return rising ? x >= middle : x < middle;
      };
      // The first step that is past the middle: rounding moves what is solved for by a few.
      const double solved = (middle - .5 - start) / slope;
      std::int64_t t = std::clamp<std::int64_t>(static_cast<std::int64_t>(solved), 1, dy);
      while (t > 1 && is_past(t - 1)) --t;
      while (t < dy && !is_past(t)) ++t;
      add(column, from.y + t - 1);
    }
  }

  // `upper` is the grid row of the upper point.
  void add(std::int64_t column, std::int64_t upper) {
    const std::int64_t row = std::clamp<std::int64_t>(ceil_of_fifth(upper - kBefore), 0, height_);
    boundaries_.push_back({static_cast<std::int32_t>(column), static_cast<std::uint32_t>(row)});
  }

  std::uint32_t end_of(const Boundary& boundary) const {
    return static_cast<std::uint32_t>(boundary.column) * static_cast<std::uint32_t>(height_) +
           boundary.row;
  }

  // Counts by column; within one, where there are few, by insertion.
  void sort_by_column() {
    const std::size_t n = boundaries_.size();
    ends_.resize_uninitialised(n);
    if (n == 0) return;
    std::int32_t first = boundaries_[0].column, last = first;
    for (const Boundary& each : boundaries_) {
      first = std::min(first, each.column);
      last = std::max(last, each.column);
    }
    begin_.assign(static_cast<std::size_t>(last - first) + 1, 0);
    for (const Boundary& each : boundaries_)
      ++begin_[static_cast<std::size_t>(each.column - first)];
    std::size_t total = 0;
    for (std::size_t& count : begin_) total += std::exchange(count, total);
    for (const Boundary& each : boundaries_) {
      ends_[begin_[static_cast<std::size_t>(each.column - first)]++] = end_of(each);
    }
    std::size_t at = 0;
    for (const std::size_t end : begin_) {  // by now the ends of the columns
      if (end - at > kFew) {
        std::sort(ends_.data() + at, ends_.data() + end);
      } else {
        for (std::size_t i = at + 1; i < end; ++i) {
          const std::uint32_t value = ends_[i];
          std::size_t k = i;
          for (; k > at && ends_[k - 1] > value; --k) ends_[k] = ends_[k - 1];
          ends_[k] = value;
        }
      }
      at = end;
    }
  }

  // Two boundaries at the same place are none: what lies before and behind them becomes one run.
  void append_differences(RleRows& rows) const {
    const std::size_t n = ends_.size();
    rows.runs.push_back(ends_[0]);
    for (std::size_t i = 1; i < n; ++i) {
      const std::uint32_t run = ends_[i] - ends_[i - 1];
      if (run > 0) {
        rows.runs.push_back(run);
      } else if (++i < n) {
        rows.runs[rows.runs.size() - 1] += ends_[i] - ends_[i - 1];
      }
    }
    rows.offset.push_back(static_cast<std::int64_t>(rows.runs.size()));
  }

  static constexpr std::size_t kFew = 16;

  std::int64_t height_ = 0, width_ = 0, last_column_ = 0;
  Column<Boundary> boundaries_;
  std::vector<std::size_t> begin_;
  Column<std::uint32_t> ends_;
};

}  // namespace

RleRows rle_of_polygons(const PolygonView& polygons) {
  const std::size_t n_blocks = (polygons.n + kPolygonsOfBlock - 1) / kPolygonsOfBlock;
  std::vector<RleRows> parts(n_blocks);
  parallel_for_workers(n_blocks, [&] {
    return [&, outline = Outline()](std::size_t block) mutable {
      RleRows& part = parts[block];
      part.offset.push_back(0);
      const std::size_t end = std::min(polygons.n, (block + 1) * kPolygonsOfBlock);
      for (std::size_t i = block * kPolygonsOfBlock; i < end; ++i) {
        const double* const xy = polygons.xy + 2 * polygons.begin[i];
        const auto n = static_cast<std::size_t>(polygons.begin[i + 1] - polygons.begin[i]);
        outline.start(polygons.size[2 * i], polygons.size[2 * i + 1]);
        const auto vertex = [&](std::size_t k) {
          return GridPoint{on_grid(xy[2 * k]), on_grid(xy[2 * k + 1])};
        };
        if (n > 0) {
          const GridPoint first = vertex(0);
          GridPoint from = first;
          for (std::size_t k = 1; k < n; ++k) {
            const GridPoint to = vertex(k);
            outline.add_edge(from, to);
            from = to;
          }
          outline.add_edge(from, first);
        }
        outline.append_runs(part);
      }
    };
  });
  return join_rows(parts);
}

std::size_t first_far_polygon(const double* xy, const std::int64_t* begin, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::int64_t axis = 0; axis < 2; ++axis) {
      std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = -low;
      for (std::int64_t k = begin[i]; k < begin[i + 1]; ++k) {
        const std::int64_t value = on_grid(xy[2 * k + axis]);
        low = std::min(low, value);
        high = std::max(high, value);
      }
      // Without vertices they are the other way round.
      if (high > low && high - low > std::numeric_limits<std::int32_t>::max()) return i;
    }
  }
  return n;
}

}  // namespace snellen
