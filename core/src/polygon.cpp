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
constexpr std::size_t kPolygonsOfBlock = 128;

struct GridPoint {
  std::int64_t x, y;
};

// From an end of the longer axis to the other; it has one boundary in each column first … last.
struct Edge {
  GridPoint from, to;
  std::int64_t first, last;
  bool flat;
};

std::int64_t on_grid(double coordinate) {
  const double scaled = static_cast<double>(kScale) * coordinate + .5;
  constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
  // Written so that what is no number fails.
  const bool fits = scaled > -2147483649.0 && scaled < 2147483648.0;
  return fits ? static_cast<std::int32_t>(scaled) : kLowest;
}

// A fifth, rounded up; 0 of what is below 0.
std::int64_t ceil_of_fifth(std::int64_t value) {
  return static_cast<std::int64_t>(
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, value) + kScale - 1) / kScale);
}

// Collects the edges of a polygon, then makes runs of their boundaries.
class Outline {
 public:
  void start(std::int64_t height, std::int64_t width) {
    height_ = height;
    width_ = width;
    edges_.clear();
    n_boundaries_ = 0;
    // The reference subtracts 1 from an unsigned width.
    last_column_ = width == 0 ? std::numeric_limits<std::int32_t>::max() : width - 1;
  }

  void add_edge(GridPoint from, GridPoint to) {
    const std::int64_t low = std::min(from.x, to.x), high = std::max(from.x, to.x);
    if (high < kBehind) return;
    const std::int64_t first = ceil_of_fifth(low - kBefore);
    const std::int64_t last = std::min(last_column_, (high - kBehind) / kScale);
    if (first > last) return;
    const bool flat = high - low >= std::max(from.y, to.y) - std::min(from.y, to.y);
    if (flat ? from.x > to.x : from.y > to.y) std::swap(from, to);
    edges_.push_back({from, to, first, last, flat});
    n_boundaries_ += static_cast<std::size_t>(last - first) + 1;
  }

  void append_runs(RleRows& rows) {
    const auto height = static_cast<std::uint64_t>(height_);
    const auto width = static_cast<std::uint64_t>(width_);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    ends_.resize_uninitialised(n_boundaries_);
    if (width > 0 && height <= kMost / width) {
      place_by_column();
      ends_.push_back(static_cast<std::uint32_t>(height * width));
    } else {
      std::size_t n = 0;
      for (const Edge& edge : edges_) {
        visit_boundaries(edge, [&](std::int64_t, std::uint32_t end) { ends_[n++] = end; });
      }
      ends_.push_back(static_cast<std::uint32_t>(height * width));
      // Pixels are numbered in 32 bits; beyond, the order of columns is not that of numbers.
      std::sort(ends_.begin(), ends_.end());
    }
    append_differences(rows);
  }

 private:
  // Calls visit(column, end) for each: the number of the first pixel behind the boundary.
  template <class Visit>
  void visit_boundaries(const Edge& edge, const Visit& visit) const {
    const auto height = static_cast<std::uint32_t>(height_);
    // `upper` is the grid row of the upper point.
    const auto found = [&](std::int64_t column, std::int64_t upper) {
      const std::int64_t row = std::min(ceil_of_fifth(upper - kBefore), height_);
      visit(column, static_cast<std::uint32_t>(column) * height + static_cast<std::uint32_t>(row));
    };
    if (edge.flat) {
      visit_flat(edge, found);
    } else {
      visit_steep(edge, found);
    }
  }

  // One step in x is one grid point.
  template <class Found>
  static void visit_flat(const Edge& edge, const Found& found) {
    const auto [from, to, first, last, flat] = edge;
    const double slope = static_cast<double>(to.y - from.y) / static_cast<double>(to.x - from.x);
    const auto start = static_cast<double>(from.y);
    // Of the points on either side of the middle the upper one: rounding does not turn them round.
    const std::int64_t beside = kBefore + (slope < 0 ? 1 : 0) - from.x;
    for (std::int64_t column = first; column <= last; ++column) {
      const std::int64_t t = kScale * column + beside;
      found(column, static_cast<std::int64_t>(start + slope * static_cast<double>(t) + .5));
    }
  }

  // One step in y is one grid point.
  template <class Found>
  static void visit_steep(const Edge& edge, const Found& found) {
    const auto [from, to, first, last, flat] = edge;
    const std::int64_t dy = to.y - from.y;
    const double slope = static_cast<double>(to.x - from.x) / static_cast<double>(dy);
    const double steps = 1 / slope;
    const bool rising = slope > 0;
    const auto start = static_cast<double>(from.x);
    for (std::int64_t column = first; column <= last; ++column) {
      const auto middle = static_cast<double>(kScale * column + kBehind);
      const auto is_past = [&](std::int64_t t) {
        const double x = start + slope * static_cast<double>(t) + .5;
        return rising ? x >= middle : x < middle;
      };
      // The first step that is past the middle: rounding moves what is solved for by a few.
      const double solved = (middle - .5 - start) * steps;
      std::int64_t t = std::clamp<std::int64_t>(static_cast<std::int64_t>(solved) + 1, 1, dy);
      while (t > 1 && is_past(t - 1)) --t;
      while (t < dy && !is_past(t)) ++t;
      found(column, from.y + t - 1);
    }
  }

  // Puts the boundaries in order. How many a column has is known before they are worked out.
  void place_by_column() {
    if (edges_.empty()) return;
    std::int64_t lowest = edges_[0].first, highest = edges_[0].last;
    for (const Edge& edge : edges_) {
      lowest = std::min(lowest, edge.first);
      highest = std::max(highest, edge.last);
    }
    const auto at = [lowest](std::int64_t column) {
      return static_cast<std::size_t>(column - lowest);
    };
    begin_.assign(at(highest) + 2, 0);
    for (const Edge& edge : edges_) {
      ++begin_[at(edge.first)];
      --begin_[at(edge.last) + 1];
    }
    std::int64_t n_crossing = 0, total = 0;
    for (std::int64_t& each : begin_) {
      n_crossing += each;
      each = total;
      total += n_crossing;
    }
    for (const Edge& edge : edges_) {
      visit_boundaries(edge, [&](std::int64_t column, std::uint32_t end) {
        ends_[static_cast<std::size_t>(begin_[at(column)]++)] = end;
      });
    }
    begin_.pop_back();
    std::size_t begin = 0;
    for (const std::int64_t behind : begin_) {  // by now the ends of the columns
      const auto end = static_cast<std::size_t>(behind);
      if (end - begin == 2) {
        const std::uint32_t one = ends_[begin], other = ends_[begin + 1];
        ends_[begin] = std::min(one, other);
        ends_[begin + 1] = std::max(one, other);
      } else {
        std::sort(ends_.data() + begin, ends_.data() + end);
      }
      begin = end;
    }
  }

  // Two boundaries at the same place are none: what lies before and behind them becomes one run.
  void append_differences(RleRows& rows) const {
    const std::size_t n = ends_.size(), before = rows.runs.size();
    if (before + n > rows.runs.capacity()) rows.runs.reserve(2 * (before + n));
    rows.runs.resize_uninitialised(before + n);
    std::uint32_t* run = rows.runs.data() + before;
    *run = ends_[0];
    for (std::size_t i = 1; i < n; ++i) {
      const std::uint32_t length = ends_[i] - ends_[i - 1];
      if (length > 0) {
        *++run = length;
      } else if (++i < n) {
        *run += ends_[i] - ends_[i - 1];
      }
    }
    rows.runs.resize_uninitialised(static_cast<std::size_t>(run + 1 - rows.runs.data()));
    rows.offset.push_back(static_cast<std::int64_t>(rows.runs.size()));
  }

  std::int64_t height_ = 0, width_ = 0, last_column_ = 0;
  std::vector<Edge> edges_;
  std::size_t n_boundaries_ = 0;
  std::vector<std::int64_t> begin_;
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
