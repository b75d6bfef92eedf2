#include "snellen/oriented_boxes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "outline.hpp"
#include "snellen/grouping.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// Rows of pred in a piece of work.
constexpr std::size_t kBlockRows = 1024;

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
  if (is_inside) return pred.area;
  // Rounding must not make a part larger than the whole.
  return std::max(0.0, std::min({common, truth.area, pred.area}));
}

double overlap(const Quad& truth, const Quad& pred, bool crowd) {
  if (!(truth.area > 0) || !(pred.area > 0)) return 0;
  const double common = common_area(truth, pred);
  return common / (crowd ? pred.area : truth.area + pred.area - common);
}

// A side's boxes in the order that they are asked for.
struct Quads {
  std::vector<Quad> quad;
  std::vector<Upright> upright;

  explicit Quads(std::size_t n) : quad(n), upright(n) {}

  void set(std::size_t at, const double* corners) {
    quad[at] = quad_of(corners);
    upright[at] = upright_around(quad[at]);
  }
};

// Measures pairs, but for those that upright boxes show to be below `lowest`.
class Measure {
 public:
  Measure(const Quads& truth, const std::uint8_t* crowd, double lowest)
      : truth_(truth), crowd_(crowd), lowest_(lowest) {}

  // Below 0 where the similarity is below `lowest`.
  double operator()(std::size_t j, const Quad& pred, const Upright& around) const {
    const Upright& other = truth_.upright[j];
    const double width = std::min(around.right, other.right) - std::max(around.left, other.left);
    const double height = std::min(around.bottom, other.bottom) - std::max(around.top, other.top);
    if (width <= 0 || height <= 0) return 0 >= lowest_ ? 0 : -1;
    const Quad& truth = truth_.quad[j];
    const double most = std::min({width * height, truth.area, pred.area});
    const double joint = crowd_[j] != 0 ? pred.area : truth.area + pred.area - most;
    if (most * kRoom < lowest_ * joint) return -1;
    const double similarity = overlap(truth, pred, crowd_[j] != 0);
    return similarity >= lowest_ ? similarity : -1;
  }

 private:
  // For the rounding of upright boxes' areas against clipped ones.
  static constexpr double kRoom = 1 + 1e-9;

  const Quads& truth_;
  const std::uint8_t* crowd_;
  const double lowest_;
};

// The candidates of a stretch of pred rows.
struct Found {
  std::vector<std::int32_t> truth;
  std::vector<double> similarity;
};

// Truth by cell: the rows of one image, or of one label of it.
class TruthCells {
 public:
  TruthCells(const OrientedRows& truth, const std::uint8_t* crowd, std::size_t n_images,
             std::size_t n_labels)
      : grouping_(group_rows(truth.image, truth.label, truth.n_rows, n_images, n_labels)),
        quads_(truth.n_rows),
        row_(truth.n_rows),
        crowd_(grouping_.ordered<1>(crowd)) {
    for (std::size_t row = 0; row < truth.n_rows; ++row) {
      const std::size_t at = grouping_.place[row];
      row_[at] = static_cast<std::int32_t>(row);
      quads_.set(at, truth.corners + kCornerNumbers * row);
    }
  }

  const Quads& quads() const { return quads_; }
  const std::uint8_t* crowd() const { return crowd_.data(); }
  std::int32_t row(std::size_t at) const { return row_[at]; }

  // The first and last place of a cell; its rows ascend.
  std::pair<std::size_t, std::size_t> places(std::int32_t image, std::size_t label) const {
    const std::int32_t* const images = grouping_.image.data();
    const auto [first, last] = std::equal_range(images + grouping_.label_start[label],
                                                images + grouping_.label_start[label + 1], image);
    return {static_cast<std::size_t>(first - images), static_cast<std::size_t>(last - images)};
  }

 private:
  Grouping grouping_;
  Quads quads_;
  std::vector<std::int32_t> row_;
  Column<std::uint8_t> crowd_;
};

OrientedCandidates joined(const std::vector<Found>& blocks, Column<std::int64_t> begin) {
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  OrientedCandidates all;
  const auto n_pairs = static_cast<std::size_t>(begin[begin.size() - 1]);
  all.truth.resize_uninitialised(n_pairs);
  all.similarity.resize_uninitialised(n_pairs);
  std::size_t at = 0;
  for (const Found& found : blocks) {
    std::copy(found.truth.begin(), found.truth.end(), all.truth.data() + at);
    std::copy(found.similarity.begin(), found.similarity.end(), all.similarity.data() + at);
    at += found.truth.size();
  }
  all.begin = std::move(begin);
  return all;
}

}  // namespace

OrientedCandidates oriented_candidates(const OrientedRows& truth, const std::uint8_t* truth_crowd,
                                       const OrientedRows& pred, std::size_t n_images,
                                       std::size_t n_labels, double lowest, bool across_labels) {
  OrientedRows grouped = truth;
  const std::vector<std::int32_t> one_label(across_labels ? truth.n_rows : 0);
  if (across_labels) grouped.label = one_label.data();
  const TruthCells cells(grouped, truth_crowd, n_images, across_labels ? 1 : n_labels);
  const Measure measure(cells.quads(), cells.crowd(), lowest);

  Column<std::int64_t> begin;  // the number of pairs of each row, a place further
  begin.resize_uninitialised(pred.n_rows + 1);
  begin[0] = 0;
  std::vector<Found> blocks((pred.n_rows + kBlockRows - 1) / kBlockRows);
  parallel_for(blocks.size(), [&](std::size_t b) {
    Found found;
    const std::size_t end = std::min(pred.n_rows, (b + 1) * kBlockRows);
    for (std::size_t i = b * kBlockRows; i < end; ++i) {
      const std::size_t n_before = found.truth.size();
      const std::size_t label = across_labels ? 0 : static_cast<std::size_t>(pred.label[i]);
      const auto [first, last] = cells.places(pred.image[i], label);
      if (first < last) {
        const Quad quad = quad_of(pred.corners + kCornerNumbers * i);
        const Upright around = upright_around(quad);
        for (std::size_t at = first; at < last; ++at) {
          const double similarity = measure(at, quad, around);
          if (similarity < 0) continue;
          found.truth.push_back(cells.row(at));
          found.similarity.push_back(similarity);
        }
      }
      begin[i + 1] = static_cast<std::int64_t>(found.truth.size() - n_before);
    }
    blocks[b] = std::move(found);
  });
  return joined(blocks, std::move(begin));
}

void oriented_iou_matrix(const double* pred_corners, std::size_t n_pred,
                         const double* truth_corners, const std::uint8_t* truth_crowd,
                         std::size_t n_truth, double* iou) {
  Quads truth(n_truth);
  for (std::size_t j = 0; j < n_truth; ++j) truth.set(j, truth_corners + kCornerNumbers * j);
  const Measure measure(truth, truth_crowd, 0);
  parallel_for(n_pred, [&](std::size_t i) {
    const Quad quad = quad_of(pred_corners + kCornerNumbers * i);
    const Upright around = upright_around(quad);
    for (std::size_t j = 0; j < n_truth; ++j) iou[i * n_truth + j] = measure(j, quad, around);
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
