#include "snellen/oriented_boxes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "listed_pairs.hpp"
#include "outline.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

Point between(const Point& from, const Point& to) { return {to.x - from.x, to.y - from.y}; }

double cross(const Point& a, const Point& b) { return a.x * b.y - a.y * b.x; }

// Twice the signed area of a triangle.
double turn(const Point& a, const Point& b, const Point& c) {
  return cross(between(a, b), between(a, c));
}

bool are_opposite(double a, double b) { return (a < 0 && b > 0) || (a > 0 && b < 0); }

struct Upright {
  double left, top, right, bottom;
};

// Four corners counter-clockwise (of axes x to the right and y up).
struct Quad {
  Point corner[4];
  double area;
  bool is_convex;  // else the triangles 0 1 2 and 0 2 3
};

// Exchanges two corners of an outline that crosses itself; says whether it did.
//
// Of the signs of the four turns, an outline without a crossing has at most one that differs. Both
// pairs of opposite turns differ in sign exactly where two opposite sides cross: the diagonals
// then.
bool uncross(Point* corner) {
  const double turns[4] = {
      turn(corner[0], corner[1], corner[2]), turn(corner[1], corner[2], corner[3]),
      turn(corner[2], corner[3], corner[0]), turn(corner[3], corner[0], corner[1])};
  if (!are_opposite(turns[0], turns[2]) || !are_opposite(turns[1], turns[3])) return false;
  if (are_opposite(turns[0], turns[1])) {
    std::swap(corner[2], corner[3]);
  } else {
    std::swap(corner[1], corner[2]);
  }
  return true;
}

// Half the cross product of the diagonals: whatever the first corner and the direction, the same
// bits, but for the sign.
double signed_area(const Point* corner) {
  return cross(between(corner[0], corner[2]), between(corner[1], corner[3])) / 2;
}

Quad quad_of(const double* numbers) {
  Quad quad;
  std::memcpy(quad.corner, numbers, sizeof quad.corner);
  Point* const corner = quad.corner;
  uncross(corner);
  quad.area = signed_area(corner);
  if (quad.area < 0) {
    std::swap(corner[1], corner[3]);
    quad.area = -quad.area;
  }
  const double first = turn(corner[0], corner[1], corner[2]);
  const double second = turn(corner[1], corner[2], corner[3]);
  const double third = turn(corner[2], corner[3], corner[0]);
  const double fourth = turn(corner[3], corner[0], corner[1]);
  quad.is_convex = first >= 0 && second >= 0 && third >= 0 && fourth >= 0;
  // The corner that points inwards is an end of the diagonal between the two triangles.
  if (first < 0 || third < 0) std::rotate(corner, corner + 1, corner + 4);
  return quad;
}

Upright upright_around(const Quad& quad) {
  Upright box{quad.corner[0].x, quad.corner[0].y, quad.corner[0].x, quad.corner[0].y};
  for (const Point& corner : quad.corner) {
    box.left = std::min(box.left, corner.x);
    box.top = std::min(box.top, corner.y);
    box.right = std::max(box.right, corner.x);
    box.bottom = std::max(box.bottom, corner.y);
  }
  return box;
}

// The convex parts of a quadrilateral, seen from an origin: 1 or 2.
std::size_t parts_of(const Quad& quad, const Point& origin, Outline* parts) {
  Point local[4];
  for (std::size_t i = 0; i < 4; ++i) local[i] = between(origin, quad.corner[i]);
  parts[0].n = 0;
  if (quad.is_convex) {
    for (const Point& corner : local) parts[0].add(corner.x, corner.y);
    return 1;
  }
  parts[1].n = 0;
  for (const std::size_t i : {0U, 1U, 2U}) parts[0].add(local[i].x, local[i].y);
  for (const std::size_t i : {0U, 2U, 3U}) parts[1].add(local[i].x, local[i].y);
  return 2;
}

// Clips `outline` to a convex one; says whether anything was cut off. `spare` is scratch memory,
// and may be where the result is.
bool clip_to(const Outline& convex, Outline*& outline, Outline*& spare) {
  bool is_cut = false;
  for (std::size_t i = 0; i < convex.n; ++i) {
    const Point& from = convex.corner[i];
    const Point side = between(from, convex.corner[i + 1 == convex.n ? 0 : i + 1]);
    // From the side's end the same bits as from its beginning to it: 0 for the end itself.
    const auto beyond = [&](const Point& point) { return -cross(side, between(from, point)); };
    if (!clip(*outline, beyond, [](Point&) {}, *spare)) continue;
    is_cut = true;
    std::swap(outline, spare);
    if (outline->n < 3) return true;
  }
  return is_cut;
}

double common_area(const Quad& truth, const Quad& pred) {
  const Point& origin = truth.corner[0];
  Outline truth_parts[2], pred_parts[2], cut[2];
  const std::size_t n_truth = parts_of(truth, origin, truth_parts);
  const std::size_t n_pred = parts_of(pred, origin, pred_parts);
  double common = 0;
  bool is_inside = true;
  for (std::size_t j = 0; j < n_pred; ++j) {
    bool part_is_inside = false;
    for (std::size_t i = 0; i < n_truth; ++i) {
      cut[0] = pred_parts[j];
      Outline* outline = &cut[0];
      Outline* spare = &cut[1];
      part_is_inside |= !clip_to(truth_parts[i], outline, spare);
      common += area_of(*outline);
    }
    is_inside &= part_is_inside;
  }
  if (is_inside) common = pred.area;
  // Rounding must not make a part larger than the whole.
  return std::max(0.0, std::min({common, truth.area, pred.area}));
}

// `most` is what the common area cannot exceed.
double overlap(const Quad& truth, const Quad& pred, bool crowd, double most) {
  if (!(truth.area > 0) || !(pred.area > 0)) return 0;
  const double common = std::min(common_area(truth, pred), most);
  return common / (crowd ? pred.area : truth.area + pred.area - common);
}

// Truth boxes, made ready to be compared with one detection after another.
class Truth {
 public:
  void clear() {
    quad_.clear();
    upright_.clear();
    crowd_.clear();
  }
  void add(const double* corners, bool crowd) {
    quad_.push_back(quad_of(corners));
    upright_.push_back(upright_around(quad_.back()));
    crowd_.push_back(crowd);
  }

  // Calls found(j, similarity) for each box j whose similarity is `lowest` or more.
  template <class Found>
  void visit(const double* pred_corners, double lowest, const Found& found) const {
    const Quad pred = quad_of(pred_corners);
    const Upright around = upright_around(pred);
    for (std::size_t j = 0; j < quad_.size(); ++j) {
      const Upright& other = upright_[j];
      const double width = std::min(around.right, other.right) - std::max(around.left, other.left);
      const double height = std::min(around.bottom, other.bottom) - std::max(around.top, other.top);
      if (width <= 0 || height <= 0) {
        if (0 >= lowest) found(j, 0.0);
        continue;
      }
      const bool crowd = crowd_[j] != 0;
      const double area = quad_[j].area;
      const double most = std::min({width * height, area, pred.area}) * kRoom;
      if (most < lowest * (crowd ? pred.area : area + pred.area - most)) continue;
      const double similarity = overlap(quad_[j], pred, crowd, most);
      if (similarity >= lowest) found(j, similarity);
    }
  }

 private:
  // For the rounding of upright boxes' areas against clipped ones. Beyond it the clipped one is
  // wrong: of boxes a hundred orders of magnitude longer than wide no digit is left.
  static constexpr double kRoom = 1 + 1e-9;

  std::vector<Quad> quad_;
  std::vector<Upright> upright_;
  std::vector<std::uint8_t> crowd_;
};

class OrientedMeasure {
 public:
  OrientedMeasure(const double* truth_corners, const std::uint8_t* truth_crowd,
                  const double* pred_corners)
      : truth_corners_(truth_corners), truth_crowd_(truth_crowd), pred_corners_(pred_corners) {}

  void enter(const PairedCell& cell) {
    pred_ = cell.pred;
    truth_.clear();
    for (std::size_t g = 0; g < cell.n_truth; ++g) {
      const std::size_t row = cell.truth[g];
      truth_.add(truth_corners_ + kCornerNumbers * row, truth_crowd_[row] != 0);
    }
  }

  template <class Found>
  void visit(std::size_t d, double bar, const Found& found) const {
    truth_.visit(pred_corners_ + kCornerNumbers * pred_[d], bar, found);
  }

 private:
  const double* truth_corners_;
  const std::uint8_t* truth_crowd_;
  const double* pred_corners_;
  const std::uint32_t* pred_ = nullptr;
  Truth truth_;
};

}  // namespace

Candidates oriented_candidates(const PairedRows& rows, const double* truth_corners,
                               const std::uint8_t* truth_crowd, const double* pred_corners,
                               const CandidateRules& rules) {
  return list_candidates(rows, rules,
                         [&] { return OrientedMeasure(truth_corners, truth_crowd, pred_corners); });
}

void oriented_iou_matrix(const double* pred_corners, std::size_t n_pred,
                         const double* truth_corners, const std::uint8_t* truth_crowd,
                         std::size_t n_truth, double* iou) {
  Truth truth;
  for (std::size_t j = 0; j < n_truth; ++j) {
    truth.add(truth_corners + kCornerNumbers * j, truth_crowd[j] != 0);
  }
  parallel_for(n_pred, [&](std::size_t i) {
    truth.visit(pred_corners + kCornerNumbers * i, 0,
                [&](std::size_t j, double similarity) { iou[i * n_truth + j] = similarity; });
  });
}

void order_corners(const double* corners, std::size_t n_rows, double* in_order, double* area,
                   std::uint8_t* crossed) {
  for (std::size_t row = 0; row < n_rows; ++row) {
    Point corner[4];
    std::memcpy(corner, corners + kCornerNumbers * row, sizeof corner);
    crossed[row] = uncross(corner);
    area[row] = std::abs(signed_area(corner));
    std::memcpy(in_order + kCornerNumbers * row, corner, sizeof corner);
  }
}

}  // namespace snellen
