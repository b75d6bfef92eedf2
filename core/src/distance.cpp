#include "snellen/distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "snellen/parallel.hpp"

namespace snellen {

namespace {

constexpr std::size_t kLeafSize = 8;
// So many points are asked for by one job.
constexpr std::size_t kQueriesAtOnce = 4096;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_before(const GridPoint& a, const GridPoint& b) {
  if (a.z != b.z) return a.z < b.z;
  if (a.y != b.y) return a.y < b.y;
  return a.x < b.x;
}

struct Box {
  std::int32_t low[3];
  std::int32_t high[3];
};

Box box_of(const GridPoint* points, std::size_t n) {
  Box box{{points[0].z, points[0].y, points[0].x}, {points[0].z, points[0].y, points[0].x}};
  for (std::size_t i = 1; i < n; ++i) {
    const std::int32_t at[3] = {points[i].z, points[i].y, points[i].x};
    for (int axis = 0; axis < 3; ++axis) {
      box.low[axis] = std::min(box.low[axis], at[axis]);
      box.high[axis] = std::max(box.high[axis], at[axis]);
    }
  }
  return box;
}

std::int32_t coordinate(const GridPoint& point, int axis) {
  return axis == 0 ? point.z : axis == 1 ? point.y : point.x;
}

// The points of one surface in a tree of boxes, each the smallest around its points.
template <int kAxes>
class Tree {
 public:
  Tree(const GridPoint* points, std::size_t n, const std::array<double, 3>& spacing)
      : sorted_(points), n_(n), spacing_(spacing) {
    points_.resize_uninitialised(n);
    std::copy_n(points, n, points_.data());
    nodes_.reserve(4 * n / kLeafSize + 2);
    build(0, n);
  }

  // Asks for points in ascending order, from a first one on.
  class Walk {
   public:
    Walk(const Tree& tree, const GridPoint& first) : tree_(tree) {
      const GridPoint* const end = tree.sorted_ + tree.n_;
      next_ = std::lower_bound(tree.sorted_, end, first, is_before);
      last_ = tree.points_.data();
    }

    double squared_distance(const GridPoint& from) {
      const GridPoint* const end = tree_.sorted_ + tree_.n_;
      while (next_ != end && is_before(*next_, from)) ++next_;
      // What was nearest to the point before, and the points beside this one, are near as a rule:
      // of the tree only what is nearer still has to be looked at.
      double best = tree_.squared(from, *last_);
      if (next_ != end) take_if_nearer(from, next_, best);
      if (next_ != tree_.sorted_) take_if_nearer(from, next_ - 1, best);
      if (best == 0) return best;

      struct Waiting {
        std::uint32_t node;
        double bound;
      };
      Waiting waiting[64];
      int n_waiting = 0;
      std::uint32_t node = 0;
      for (;;) {
        const Node& here = tree_.nodes_.data()[node];
        if (here.n_points != 0) {
          const GridPoint* const points = tree_.points_.data() + here.next;
          for (std::uint32_t i = 0; i < here.n_points; ++i) {
            take_if_nearer(from, points + i, best);
          }
        } else {
          std::uint32_t near = node + 1;
          std::uint32_t far = here.next;
          double near_bound = tree_.bound(from, tree_.nodes_.data()[near].box);
          double far_bound = tree_.bound(from, tree_.nodes_.data()[far].box);
          if (far_bound < near_bound) {
            std::swap(near, far);
            std::swap(near_bound, far_bound);
          }
          if (far_bound < best) waiting[n_waiting++] = {far, far_bound};
          if (near_bound < best) {
            node = near;
            continue;
          }
        }
        while (n_waiting > 0 && waiting[n_waiting - 1].bound >= best) --n_waiting;
        if (n_waiting == 0) return best;
        node = waiting[--n_waiting].node;
      }
    }

   private:
    void take_if_nearer(const GridPoint& from, const GridPoint* point, double& best) {
      const double found = tree_.squared(from, *point);
      if (found >= best) return;
      best = found;
      last_ = point;
    }

    const Tree& tree_;
    const GridPoint* next_;  // the first of the surface that is not before the point asked for
    const GridPoint* last_;  // the nearest of a point asked for before
  };

 private:
  // The nodes below a node follow it: those of its first half, and from `next` on those of its
  // second half. A leaf has points, from `next` on.
  struct Node {
    Box box;
    std::uint32_t next;
    std::uint32_t n_points;
  };

  double length(std::int32_t steps, int axis) const {
    const double at = static_cast<double>(steps) * spacing_[static_cast<std::size_t>(axis)];
    return at * at;
  }

  double squared(const GridPoint& a, const GridPoint& b) const {
    const double in_plane = length(b.y - a.y, 1);
    const double before = kAxes == 3 ? length(b.z - a.z, 0) + in_plane : in_plane;
    return before + length(b.x - a.x, 2);
  }

  static std::int32_t steps_to(std::int32_t low, std::int32_t high, std::int32_t at) {
    return std::max({low - at, at - high, 0});
  }

  double bound(const GridPoint& a, const Box& box) const {
    const double in_plane = length(steps_to(box.low[1], box.high[1], a.y), 1);
    const double before =
        kAxes == 3 ? length(steps_to(box.low[0], box.high[0], a.z), 0) + in_plane : in_plane;
    return before + length(steps_to(box.low[2], box.high[2], a.x), 2);
  }

  void build(std::size_t begin, std::size_t end) {
    const std::size_t n = end - begin;
    const std::size_t here = nodes_.size();
    const Box box = box_of(points_.data() + begin, n);
    if (n <= kLeafSize) {
      nodes_.push_back({box, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(n)});
      return;
    }
    int longest = 2;
    double most = -1;
    for (int axis = 3 - kAxes; axis < 3; ++axis) {
      const double extent = length(box.high[axis] - box.low[axis], axis);
      if (extent <= most) continue;
      most = extent;
      longest = axis;
    }
    const std::size_t middle = begin + n / 2;
    std::nth_element(points_.begin() + begin, points_.begin() + middle, points_.begin() + end,
                     [longest](const GridPoint& a, const GridPoint& b) {
                       return coordinate(a, longest) < coordinate(b, longest);
                     });
    nodes_.push_back({box, 0, 0});
    build(begin, middle);
    nodes_[here].next = static_cast<std::uint32_t>(nodes_.size());
    build(middle, end);
  }

  const GridPoint* sorted_;
  std::size_t n_;
  std::array<double, 3> spacing_;
  Column<GridPoint> points_;
  Column<Node> nodes_;
};

struct Job {
  std::size_t code;
  std::size_t begin;
  std::size_t end;
};

template <int kAxes>
Column<double> nearest(const Surfaces& from, const Surfaces& to,
                       const std::array<double, 3>& spacing) {
  Column<double> distance;
  distance.resize_uninitialised(from.point.size());
  std::vector<std::size_t> wanted;
  std::vector<Job> jobs;
  for (std::size_t k = 0; k + 1 < from.start.size(); ++k) {
    const std::size_t begin = from.start[k], end = from.start[k + 1];
    if (to.start[k] == to.start[k + 1]) {
      std::fill(distance.data() + begin, distance.data() + end, kInfinity);
      continue;
    }
    if (begin < end) wanted.push_back(k);
    for (std::size_t first = begin; first < end; first += kQueriesAtOnce) {
      jobs.push_back({k, first, std::min(first + kQueriesAtOnce, end)});
    }
  }
  std::vector<std::unique_ptr<Tree<kAxes>>> trees(from.start.size());
  parallel_for(wanted.size(), [&](std::size_t i) {
    const std::size_t k = wanted[i];
    trees[k] = std::make_unique<Tree<kAxes>>(to.point.data() + to.start[k],
                                             to.start[k + 1] - to.start[k], spacing);
  });
  parallel_for(jobs.size(), [&](std::size_t i) {
    const Job& job = jobs[i];
    typename Tree<kAxes>::Walk walk(*trees[job.code], from.point.data()[job.begin]);
    for (std::size_t q = job.begin; q < job.end; ++q) {
      distance.data()[q] = std::sqrt(walk.squared_distance(from.point.data()[q]));
    }
  });
  return distance;
}

}  // namespace

Column<double> nearest_distances(const Surfaces& from, const Surfaces& to,
                                 const std::array<double, 3>& spacing, int n_axes) {
  return n_axes == 2 ? nearest<2>(from, to, spacing) : nearest<3>(from, to, spacing);
}

}  // namespace snellen
