#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/oriented_boxes.hpp"
#include "snellen/parallel.hpp"

using snellen::Candidates;
using snellen::PairedRows;

namespace {

using Corners = std::array<double, 8>;

double iou(const Corners& pred, const Corners& truth, bool crowd = false) {
  const std::uint8_t is_crowd = crowd;
  double result = -1;
  snellen::oriented_iou_matrix(pred.data(), 1, truth.data(), &is_crowd, 1, &result);
  return result;
}

bool near(double got, double want) { return std::abs(got - want) <= 1e-14; }

Corners turned(double x, double y, double width, double height, double angle) {
  const double cos = std::cos(angle), sin = std::sin(angle);
  Corners corners{};
  const double signs[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
  for (std::size_t i = 0; i < 4; ++i) {
    const double u = signs[i][0] * width / 2, v = signs[i][1] * height / 2;
    corners[2 * i] = x + cos * u - sin * v;
    corners[2 * i + 1] = y + sin * u + cos * v;
  }
  return corners;
}

// The same box named from another corner on, or the other way around.
Corners renamed(const Corners& corners, std::size_t first, bool reversed) {
  Corners result{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t from = (reversed ? first + 4 - i : first + i) % 4;
    result[2 * i] = corners[2 * from];
    result[2 * i + 1] = corners[2 * from + 1];
  }
  return result;
}

void boxes_by_hand() {
  const Corners square = {0, 0, 4, 0, 4, 4, 0, 4};
  const Corners diamond = {2, 0, 4, 2, 2, 4, 0, 2};
  // The diamond, of area 4 · 4 / 2, lies in the square, of area 16.
  CHECK_EQUAL(iou(diamond, square), 0.5);
  CHECK(near(iou(square, diamond), 0.5));
  CHECK_EQUAL(iou(diamond, square, true), 1.0);
  CHECK(near(iou(square, diamond, true), 0.5));
  // Two squares of side 2 that are turned by 45° have a regular octagon in common.
  const Corners upright = turned(0, 0, 2, 2, 0);
  CHECK(near(iou(turned(0, 0, 2, 2, std::numbers::pi / 4), upright), 1 / std::numbers::sqrt2));
  // A cross of two bars 6 × 2: 4 in common, 12 + 12 − 4 together.
  CHECK_EQUAL(iou({-3, -1, 3, -1, 3, 1, -3, 1}, {-1, -3, 1, -3, 1, 3, -1, 3}), 0.2);
  // Side by side, and corner to corner.
  CHECK_EQUAL(iou({4, 0, 8, 0, 8, 4, 4, 4}, square), 0.0);
  CHECK_EQUAL(iou({4, 4, 8, 4, 8, 8, 4, 8}, square), 0.0);
  CHECK_EQUAL(iou({4, 0, 6, 2, 4, 4, 2, 2}, {0, 0, 2, 2, 0, 4, -2, 2}), 0.0);
  // Upright boxes around them meet, they do not.
  CHECK_EQUAL(iou({0, 0, 1, 0, 10, 9, 9, 9}, {5, 0, 6, 0, 6, 1, 5, 1}), 0.0);
}

void other_outlines() {
  // An arrowhead with a corner that points inwards: twice a triangle of base 2 and height 4.
  const Corners arrow = {0, 0, 4, 4, 0, 2, -4, 4};
  const Corners square = {-4, 0, 4, 0, 4, 4, -4, 4};
  CHECK(near(iou(arrow, square), 8.0 / 32));
  CHECK(near(iou(square, arrow), 8.0 / 32));
  // The notch holds nothing of the arrowhead.
  CHECK(near(iou({-0.5, 3, 0.5, 3, 0.5, 4, -0.5, 4}, arrow), 0));
  for (std::size_t first = 0; first < 4; ++first) {
    for (const bool reversed : {false, true}) {
      CHECK(near(iou(renamed(arrow, first, reversed), arrow), 1));
      CHECK(near(iou(renamed(arrow, first, reversed), square), 0.25));
    }
  }
  // Corners by rows: the outline crosses itself, the box is the square all the same.
  const Corners by_rows = {0, 0, 4, 0, 0, 4, 4, 4};
  const Corners by_columns = {0, 0, 4, 4, 4, 0, 0, 4};
  CHECK_EQUAL(iou(by_rows, {0, 0, 4, 0, 4, 4, 0, 4}), 1.0);
  CHECK_EQUAL(iou(by_columns, by_rows), 1.0);
  Corners in_order{};
  double area = 0;
  std::uint8_t crossed = 0;
  for (const Corners& corners : {by_rows, by_columns}) {
    snellen::order_corners(corners.data(), 1, in_order.data(), &area, &crossed);
    CHECK_EQUAL(area, 16.0);
    CHECK_EQUAL(static_cast<int>(crossed), 1);
    snellen::order_corners(in_order.data(), 1, in_order.data(), &area, &crossed);
    CHECK_EQUAL(static_cast<int>(crossed), 0);
  }
  snellen::order_corners(arrow.data(), 1, in_order.data(), &area, &crossed);
  CHECK(in_order == arrow);
  CHECK_EQUAL(area, 8.0);
  CHECK_EQUAL(static_cast<int>(crossed), 0);
  // A triangle, one of whose corners is named twice.
  const Corners triangle = {0, 0, 4, 0, 4, 4, 4, 4};
  CHECK_EQUAL(iou(triangle, triangle), 1.0);
  CHECK_EQUAL(iou(triangle, by_rows), 0.5);
}

void without_an_area() {
  const Corners square = {0, 0, 4, 0, 4, 4, 0, 4};
  const Corners point = {1, 1, 1, 1, 1, 1, 1, 1};
  const Corners line = {0, 0, 4, 4, 4, 4, 0, 0};
  const Corners back_and_forth = {0, 0, 4, 4, 1, 1, 2, 2};
  for (const Corners& flat : {point, line, back_and_forth}) {
    for (const bool crowd : {false, true}) {
      CHECK_EQUAL(iou(flat, square, crowd), 0.0);
      CHECK_EQUAL(iou(square, flat, crowd), 0.0);
      CHECK_EQUAL(iou(flat, flat, crowd), 0.0);
    }
  }
}

void of_itself() {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> place(-1e5, 1e5), size(1e-3, 500), angle(-7, 7);
  for (int n = 0; n < 2000; ++n) {
    const Corners box =
        turned(place(random), place(random), size(random), size(random), angle(random));
    for (std::size_t first = 0; first < 4; ++first) {
      for (const bool reversed : {false, true}) {
        CHECK_EQUAL(iou(renamed(box, first, reversed), box), 1.0);
      }
    }
  }
}

// Far from the origin, moved by what doubles hold without rounding: the same bits.
void moved() {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> whole(0, 64);
  for (int n = 0; n < 2000; ++n) {
    Corners one{}, other{};
    for (double& number : one) number = whole(random);
    for (double& number : other) number = whole(random);
    Corners one_moved = one, other_moved = other;
    for (double& number : one_moved) number += 0x1p40;
    for (double& number : other_moved) number += 0x1p40;
    const double value = iou(one, other);
    CHECK(value >= 0 && value <= 1);
    CHECK_EQUAL(iou(one_moved, other_moved), value);
  }
}

// Slivers whose width is the rounding of their coordinates: what is inside what is noise, but no
// part is larger than the whole.
void slivers() {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> place(-1, 1);
  std::uniform_int_distribution<int> steps(0, 8), which(0, 7);
  for (int n = 0; n < 20000; ++n) {
    Corners one{};
    for (std::size_t i = 0; i < 8; i += 2) {
      one[i] = place(random);
      one[i + 1] = one[i] * (1 + 1e-16 * steps(random));
    }
    Corners other = one;
    double& moved = other[static_cast<std::size_t>(which(random))];
    moved = std::nextafter(moved, 2.0);
    const double value = iou(one, other);
    CHECK(value >= 0 && value <= 1);
  }
}

// A hundred orders of magnitude longer than wide: rounding has the small box inside the long one,
// though the upright boxes around them share next to nothing. Found by fuzzing.
void needles() {
  const Corners needle = {-1.1437232835316706e+86,
                          1.0718637176837925e+73,
                          2.5647809816686096e-95,
                          1.1838870859917385e-251,
                          0,
                          2.3964278325888703e-160,
                          7.5775880770242136e-132,
                          1.3583424538327319e+27};
  const Corners small = {8.9105150287930839e-146,
                         4.1821702780968493e-283,
                         8.0070594029352069e-72,
                         0,
                         0,
                         3.9285466193578125e-202,
                         0,
                         -2.5595728641258826e-44};
  const double shared = iou(small, needle, true);
  CHECK(shared >= 0 && shared < 0.1);
}

struct Table {
  std::vector<std::int32_t> image, label;
  std::vector<double> corners;

  Table(std::size_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::int32_t> image_of(0, 4), label_of(0, 2);
    std::uniform_real_distribution<double> place(0, 60), size(1, 30), angle(-4, 4);
    for (std::size_t i = 0; i < n; ++i) {
      image.push_back(image_of(random));
      label.push_back(label_of(random));
      const Corners box =
          turned(place(random), place(random), size(random), size(random), angle(random));
      corners.insert(corners.end(), box.begin(), box.end());
    }
  }
};

Candidates find(const Table& truth, const std::vector<std::uint8_t>& crowd, const Table& pred,
                double lowest, bool across_labels) {
  const PairedRows rows{truth.image.data(),
                        truth.label.data(),
                        truth.image.size(),
                        pred.image.data(),
                        pred.label.data(),
                        pred.image.size(),
                        5,
                        3};
  return snellen::oriented_candidates(rows, truth.corners.data(), crowd.data(), pred.corners.data(),
                                      {lowest, across_labels});
}

template <class T>
bool same(const snellen::Column<T>& one, const snellen::Column<T>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

void candidates_are_the_pairs_of_the_matrix() {
  const Table truth(400, 1), pred(3000, 2);
  std::vector<std::uint8_t> crowd(truth.image.size());
  for (std::size_t j = 0; j < crowd.size(); j += 7) crowd[j] = 1;
  const std::size_t n_truth = truth.image.size(), n_pred = pred.image.size();
  std::vector<double> all(n_pred * n_truth);
  snellen::oriented_iou_matrix(pred.corners.data(), n_pred, truth.corners.data(), crowd.data(),
                               n_truth, all.data());
  for (const bool across_labels : {false, true}) {
    for (const double lowest : {0.5, 0.1, 0.0, 1.0}) {
      const Candidates found = find(truth, crowd, pred, lowest, across_labels);
      std::size_t at = 0, n_wrong = 0;
      for (std::size_t i = 0; i < n_pred; ++i) {
        n_wrong += found.begin[i] != static_cast<std::int64_t>(at);
        for (std::size_t j = 0; j < n_truth; ++j) {
          if (truth.image[j] != pred.image[i]) continue;
          if (!across_labels && truth.label[j] != pred.label[i]) continue;
          if (!(all[i * n_truth + j] >= lowest)) continue;
          n_wrong += at >= found.truth.size() || found.truth[at] != static_cast<std::int32_t>(j) ||
                     found.similarity[at] != all[i * n_truth + j];
          ++at;
        }
      }
      CHECK_EQUAL(n_wrong, 0U);
      CHECK_EQUAL(at, found.truth.size());
      CHECK_EQUAL(found.begin[n_pred], static_cast<std::int64_t>(at));
      for (const int n_threads : {1, 2, 5}) {
        snellen::set_thread_count(n_threads);
        const Candidates again = find(truth, crowd, pred, lowest, across_labels);
        CHECK(same(again.begin, found.begin));
        CHECK(same(again.truth, found.truth));
        CHECK(same(again.similarity, found.similarity));
      }
      snellen::set_thread_count(0);
    }
  }
}

void nothing() {
  const Table none(0, 1), some(5, 1);
  const std::vector<std::uint8_t> crowd(5);
  Candidates found = find(none, crowd, some, 0, false);
  CHECK_EQUAL(found.begin.size(), 6U);
  CHECK_EQUAL(found.begin[5], 0);
  found = find(some, crowd, none, 0, false);
  CHECK_EQUAL(found.begin.size(), 1U);
  CHECK_EQUAL(found.begin[0], 0);
}

}  // namespace

int main() {
  boxes_by_hand();
  other_outlines();
  without_an_area();
  of_itself();
  moved();
  slivers();
  needles();
  candidates_are_the_pairs_of_the_matrix();
  nothing();
  return snellen::testing::report();
}
