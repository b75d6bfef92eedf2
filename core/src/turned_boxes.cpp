// Boxes in space, turned about the vertical axis.
//
// Each pair is measured in the axes of the truth box: there it is a plain rectangle, to which the
// other box's outline is clipped side by side. A box against itself then has corners without a
// rounding error, and comes out as exactly 1.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "outline.hpp"
#include "pairs_by_frame.hpp"
#include "snellen/frame_pairs.hpp"

namespace snellen {
namespace {

constexpr std::size_t kNumbers = 7;  // x, y, z, length, width, height, yaw

// The part of the outline with sign · coordinate <= limit.
Outline clipped(const Outline& outline, double Point::* axis, double sign, double limit) {
  Outline kept;
  clip(
      outline, [=](const Point& point) { return sign * point.*axis - limit; },
      [=](Point& crossing) { crossing.*axis = sign * limit; }, kept);
  return kept;
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
