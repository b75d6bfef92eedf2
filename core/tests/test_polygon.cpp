#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/polygon.hpp"

using snellen::RleRows;

namespace {

using Polygon = std::vector<double>;  // x, y of each vertex
using Runs = std::vector<std::uint32_t>;

std::vector<Runs> runs_of(const std::vector<Polygon>& polygons,
                          const std::vector<std::int64_t>& size) {
  std::vector<double> xy;
  std::vector<std::int64_t> begin = {0};
  for (const Polygon& each : polygons) {
    xy.insert(xy.end(), each.begin(), each.end());
    begin.push_back(static_cast<std::int64_t>(xy.size() / 2));
  }
  const RleRows rows =
      snellen::rle_of_polygons({xy.data(), begin.data(), size.data(), polygons.size()});
  std::vector<Runs> found;
  for (std::size_t i = 0; i < polygons.size(); ++i) {
    found.emplace_back(rows.runs.data() + rows.offset[i], rows.runs.data() + rows.offset[i + 1]);
  }
  return found;
}

Runs runs_of(const Polygon& polygon, std::int64_t height, std::int64_t width) {
  return runs_of(std::vector<Polygon>{polygon}, {height, width})[0];
}

// The plain version: the whole chain of grid points, then the parity of boundaries before a pixel.
Runs plain_runs(const Polygon& polygon, std::int64_t height, std::int64_t width) {
  struct Point {
    int x, y;
  };
  std::vector<Point> vertices, chain;
  for (std::size_t k = 0; k + 1 < polygon.size(); k += 2) {
    vertices.push_back(
        {static_cast<int>(5 * polygon[k] + .5), static_cast<int>(5 * polygon[k + 1] + .5)});
  }
  for (std::size_t k = 0; k < vertices.size(); ++k) {
    const Point from = vertices[k], to = vertices[(k + 1) % vertices.size()];
    const int dx = std::abs(to.x - from.x), dy = std::abs(to.y - from.y);
    const bool flat = dx >= dy;
    // Points are worked out from the lower end of the longer axis, whichever way the edge goes.
    const bool swapped = flat ? from.x > to.x : from.y > to.y;
    const Point low = swapped ? to : from, high = swapped ? from : to;
    std::vector<Point> points;
    for (int t = 0; t <= std::max(dx, dy); ++t) {
      if (dx == 0 && dy == 0) {
        points.push_back(low);
      } else if (flat) {
        points.push_back(
            {low.x + t,
             static_cast<int>(low.y + static_cast<double>(high.y - low.y) / dx * t + .5)});
      } else {
        points.push_back(
            {static_cast<int>(low.x + static_cast<double>(high.x - low.x) / dy * t + .5),
             low.y + t});
      }
    }
    if (swapped) std::reverse(points.begin(), points.end());
    chain.insert(chain.end(), points.begin(), points.end());
  }
  std::vector<int> boundaries(static_cast<std::size_t>(height * width) + 1, 0);
  for (std::size_t j = 1; j < chain.size(); ++j) {
    const int left = std::min(chain[j].x, chain[j - 1].x);
    if (chain[j].x == chain[j - 1].x || left < 2 || left % 5 != 2) continue;
    const std::int64_t column = left / 5;
    if (column >= width) continue;
    const double row = std::ceil((std::min(chain[j].y, chain[j - 1].y) - 2) / 5.0);
    const auto clamped =
        static_cast<std::int64_t>(std::clamp(row, 0.0, static_cast<double>(height)));
    ++boundaries[static_cast<std::size_t>(column * height + clamped)];
  }
  Runs runs = {0};
  bool inside = false;
  for (std::int64_t pixel = 0; pixel < height * width; ++pixel) {
    if (boundaries[static_cast<std::size_t>(pixel)] % 2 != 0) {
      inside = !inside;
      runs.push_back(0);
    }
    ++runs.back();
  }
  return runs;
}

void worked_by_hand() {
  // Corners at pixels 1 and 3 of both axes: the grid's 5 and 15. The middles of columns 1 and 2 lie
  // at 7.5 and 12.5; from row 1 (5 ≤ 7.5) to row 3 (15 ≤ 17.5), exclusive.
  const Runs square = runs_of({1, 1, 1, 3, 3, 3, 3, 1}, 4, 5);
  CHECK(square == (Runs{5, 2, 2, 2, 9}));
  // The other way round, with vertices twice and the first again at the end.
  CHECK(runs_of({1, 1, 3, 1, 3, 1, 3, 3, 1, 3, 1, 1}, 4, 5) == square);
  // An image that ends within it.
  CHECK(runs_of({1, 1, 1, 3, 3, 3, 3, 1}, 2, 2) == (Runs{3, 1}));
  CHECK(runs_of({-7, -7, -7, 90, 90, 90, 90, -7}, 3, 4) == (Runs{0, 12}));
  // Twice around is outside again.
  CHECK(runs_of({1, 1, 1, 3, 3, 3, 3, 1, 1, 1, 1, 3, 3, 3, 3, 1}, 4, 5) == Runs{20});
}

void less_than_a_polygon() {
  for (const Polygon& polygon : {Polygon{}, {3, 3}, {1, 1, 9, 1}, {2, 2, 2, 2, 2, 2}}) {
    CHECK(runs_of(polygon, 10, 12) == Runs{120});
  }
  CHECK(runs_of({0, 0, 3, 0, 3, 3}, 0, 0) == Runs{0});
  CHECK(runs_of({0, 0, 3, 0, 3, 3}, 0, 7) == Runs{0});
}

void the_plain_version() {
  std::mt19937_64 random(1);
  std::vector<Polygon> polygons;
  std::vector<std::int64_t> size;
  for (int round = 0; round < 3000; ++round) {
    const auto spread = 1.0 + static_cast<double>(random() % 60);
    const bool tenths = random() % 2 == 0;
    Polygon polygon;
    for (std::size_t k = random() % 12; k > 0; --k) {
      for (int axis = 0; axis < 2; ++axis) {
        double value = (static_cast<double>(random() % 100'000) / 50'000 - .6) * spread + 10;
        if (tenths) value = std::floor(value * 10) / 10;
        polygon.push_back(value);
      }
      if (polygon.size() > 4 && random() % 5 == 0) polygon.back() = polygon[polygon.size() - 3];
    }
    polygons.push_back(polygon);
    size.push_back(static_cast<std::int64_t>(1 + random() % 40));
    size.push_back(static_cast<std::int64_t>(1 + random() % 40));
  }
  for (const int n_threads : {1, 4}) {
    snellen::set_thread_count(n_threads);
    const std::vector<Runs> found = runs_of(polygons, size);
    for (std::size_t i = 0; i < polygons.size(); ++i) {
      CHECK(found[i] == plain_runs(polygons[i], size[2 * i], size[2 * i + 1]));
    }
  }
  snellen::set_thread_count(0);
}

void many_vertices() {
  std::mt19937_64 random(2);
  Polygon star;
  for (int k = 0; k < 100'000; ++k) {
    star.push_back(static_cast<double>(random() % 1000) / 10);
    star.push_back(static_cast<double>(random() % 1000) / 10);
  }
  CHECK(runs_of(star, 90, 95) == plain_runs(star, 90, 95));
}

void any_numbers() {
  const double values[] = {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(),
                           1e300,
                           -1e300,
                           429'496'729.5,
                           429'496'729.3,
                           -429'496'729.5,
                           1e-320,
                           3.5};
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    Polygon polygon;
    for (int k = 0; k < 8; ++k) polygon.push_back(values[random() % std::size(values)]);
    const Runs runs = runs_of(polygon, 7, 9);
    std::uint64_t sum = 0;
    for (const std::uint32_t run : runs) sum += run;
    CHECK_EQUAL(sum, 63U);
  }
  const double far[] = {0, 0, 1, 1, 3e8, 0, -3e8, 1, values[0], 0, 1, 0, values[0], 0, -1e300, 0};
  const std::int64_t begin[] = {0, 0, 2, 4, 6, 8};
  CHECK_EQUAL(snellen::first_far_polygon(far, begin, 2), 2U);
  CHECK_EQUAL(snellen::first_far_polygon(far, begin, 5), 2U);
  CHECK_EQUAL(snellen::first_far_polygon(far, begin + 3, 2), 0U);
  CHECK_EQUAL(snellen::first_far_polygon(far, begin + 4, 1), 1U);
  // All that is no number lies at one point.
  CHECK(runs_of(Polygon(8, values[0]), 7, 9) == Runs{63});
}

}  // namespace

int main() {
  worked_by_hand();
  less_than_a_polygon();
  the_plain_version();
  many_vertices();
  any_numbers();
  return snellen::testing::report();
}
