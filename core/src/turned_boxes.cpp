// Boxes in space, turned about the vertical axis.
//
// Each pair is measured in the axes of the truth box: there it is a plain rectangle, to which the
// other box's outline is clipped side by side (Sutherland and Hodgman, CACM 1974). A box against
// itself then has corners without a rounding error, and comes out as exactly 1.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "pairs_by_frame.hpp"
#include "snellen/frame_pairs.hpp"

namespace snellen {
namespace {

constexpr std::size_t kNumbers = 7;  // x, y, z, length, width, height, yaw

struct Point {
  double x, y;
};

// A convex polygon of a few corners.
struct Outline {
  // Each of the four cuts adds one corner to the four. Rounding can bend a box that is no larger
  // than its distance's last bit, so there is room for every side of every outline to be cut:
  // 4, 6, 9, 13, 19.
  Point corner[19];
  std::size_t n = 0;

  void add(double x, double y) { corner[n++] = {x, y}; }
};

// The part of the outline with sign · coordinate <= limit.
Outline clipped(const Outline& outline, double Point::* axis, double sign, double limit) {
  Outline kept;
  for (std::size_t i = 0; i < outline.n; ++i) {
    const Point& from = outline.corner[i == 0 ? outline.n - 1 : i - 1];
    const Point& to = outline.corner[i];
    const double from_beyond = sign * from.*axis - limit;
    const double to_beyond = sign * to.*axis - limit;
    // Strictly on both sides: a corner on the line is its own crossing.
    if ((from_beyond < 0 && to_beyond > 0) || (from_beyond > 0 && to_beyond < 0)) {
      const double part = from_beyond / (from_beyond - to_beyond);
      Point crossing = {from.x + part * (to.x - from.x), from.y + part * (to.y - from.y)};
      crossing.*axis = sign * limit;
      kept.add(crossing.x, crossing.y);
    }
    if (to_beyond <= 0) kept.add(to.x, to.y);
  }
  return kept;
}

double area_of(const Outline& outline) {
  double twice = 0;
  for (std::size_t i = 2; i < outline.n; ++i) {
    const Point& origin = outline.corner[0];
    const Point& a = outline.corner[i - 1];
    const Point& b = outline.corner[i];
    twice += (a.x - origin.x) * (b.y - origin.y) - (a.y - origin.y) * (b.x - origin.x);
  }
  return twice / 2;
}

double volume_of(const double* box) { return box[3] * box[4] * box[5]; }

double similarity(const double* truth, const double* pred) {
  const double dx = pred[0] - truth[0], dy = pred[1] - truth[1], dz = pred[2] - truth[2];
  const double height = std::min(truth[5] / 2, dz + pred[5] / 2) -  // in the truth box's axes
                        std::max(-truth[5] / 2, dz - pred[5] / 2);
  if (!(height > 0)) return 0;
  // The circles around the outlines do not meet.
  const double reach = (std::hypot(truth[3], truth[4]) + std::hypot(pred[3], pred[4])) / 2;
  if (std::abs(dx) > reach || std::abs(dy) > reach) return 0;

  const double truth_cos = std::cos(truth[6]), truth_sin = std::sin(truth[6]);
  const double x = truth_cos * dx + truth_sin * dy, y = truth_cos * dy - truth_sin * dx;
  const double turn_cos = std::cos(pred[6] - truth[6]), turn_sin = std::sin(pred[6] - truth[6]);
  const double half_length = pred[3] / 2, half_width = pred[4] / 2;
  Outline outline;
  for (const auto& [along, across] : {Point{-1, -1}, Point{1, -1}, Point{1, 1}, Point{-1, 1}}) {
    const double u = along * half_length, v = across * half_width;
    outline.add(x + (turn_cos * u - turn_sin * v), y + (turn_sin * u + turn_cos * v));
  }
  outline = clipped(outline, &Point::x, 1, truth[3] / 2);
  outline = clipped(outline, &Point::x, -1, truth[3] / 2);
  outline = clipped(outline, &Point::y, 1, truth[4] / 2);
  outline = clipped(outline, &Point::y, -1, truth[4] / 2);

  const double truth_volume = volume_of(truth), pred_volume = volume_of(pred);
  // Rounding must not make a part larger than the whole.
  const double common = std::min({area_of(outline) * height, truth_volume, pred_volume});
  const double joint = truth_volume + pred_volume - common;
  return joint > 0 ? common / joint : 0;
}

}  // namespace

FramePairs box3d_pairs(const FrameRows& frames, const double* truth, const double* pred) {
  return pairs_by_frame(frames, [&] {
    return [&](const FrameSpan& frame, PairWriter& out) {
      for (std::size_t i = frame.truth_first; i < frame.truth_last; ++i) {
        out.open_row(frame.pred_last - frame.pred_first);
        for (std::size_t j = frame.pred_first; j < frame.pred_last; ++j) {
          out.add(j, similarity(truth + kNumbers * i, pred + kNumbers * j));
        }
        out.close_row();
      }
    };
  });
}

}  // namespace snellen
