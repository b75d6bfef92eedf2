// Convex outlines, and the parts of them on one side of a line (Sutherland and Hodgman, CACM 1974).
#pragma once

#include <cstddef>

namespace snellen {

struct Point {
  double x, y;
};

// A convex polygon of a few corners.
struct Outline {
  // Each of four cuts adds one corner to the four. Rounding can bend a box that is no larger than
  // its distance's last bit, so there is room for every side of every outline to be cut:
  // 4, 6, 9, 13, 19.
  Point corner[19];
  std::size_t n = 0;

  void add(double x, double y) { corner[n++] = {x, y}; }
};

// Makes `kept` the part of the outline that is not beyond a line, and says whether any was. The
// distance of a point is beyond(point), above 0 beyond the line; settle(crossing) may correct a
// corner that is put on it.
template <class Beyond, class Settle>
inline bool clip(const Outline& outline, const Beyond& beyond, const Settle& settle,
                 Outline& kept) {
  kept.n = 0;
  if (outline.n == 0) return false;
  bool is_cut = false;
  const Point* from = &outline.corner[outline.n - 1];
  double from_beyond = beyond(*from);
  for (std::size_t i = 0; i < outline.n; ++i) {
    const Point* const to = &outline.corner[i];
    const double to_beyond = beyond(*to);
    // Strictly on both sides: a corner on the line is its own crossing.
    if ((from_beyond < 0 && to_beyond > 0) || (from_beyond > 0 && to_beyond < 0)) {
      const double part = from_beyond / (from_beyond - to_beyond);
      Point crossing = {from->x + part * (to->x - from->x), from->y + part * (to->y - from->y)};
      settle(crossing);
      kept.add(crossing.x, crossing.y);
    }
    if (to_beyond <= 0) {
      kept.add(to->x, to->y);
    } else {
      is_cut = true;
    }
    from = to;
    from_beyond = to_beyond;
  }
  return is_cut;
}

inline double area_of(const Outline& outline) {
  double twice = 0;
  for (std::size_t i = 2; i < outline.n; ++i) {
    const Point& origin = outline.corner[0];
    const Point& a = outline.corner[i - 1];
    const Point& b = outline.corner[i];
    twice += (a.x - origin.x) * (b.y - origin.y) - (a.y - origin.y) * (b.x - origin.x);
  }
  return twice / 2;
}

}  // namespace snellen
