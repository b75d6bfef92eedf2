#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "snellen/distance.hpp"
#include "snellen/parallel.hpp"

namespace {

using snellen::ClassOfValue;
using snellen::Grid;
using snellen::GridPoint;
using snellen::SurfaceKind;
using snellen::Surfaces;

using Random = std::mt19937_64;
using Spacing = std::array<double, 3>;
// z, y, x, and which pixels around are of the class (0 of cells).
using Point = std::tuple<int, int, int, int>;
using Points = std::vector<Point>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
struct Image {
  Grid grid;
  std::vector<T> values;

  bool holds(int z, int y, int x) const {
    return z >= 0 && y >= 0 && x >= 0 && z < static_cast<int>(grid.extent[0]) &&
           y < static_cast<int>(grid.extent[1]) && x < static_cast<int>(grid.extent[2]);
  }
  T at(int z, int y, int x) const {
    return values[(static_cast<std::size_t>(z) * grid.extent[1] + static_cast<std::size_t>(y)) *
                      grid.extent[2] +
                  static_cast<std::size_t>(x)];
  }
  bool is(T value, int z, int y, int x) const { return holds(z, y, x) && at(z, y, x) == value; }
};

// ---- A plain version: one class at a time, point by point --------------------------------------

template <class T>
Points plain_cells(const Image<T>& image, T value) {
  Points found;
  const auto [depth, height, width] = image.grid.extent;
  for (int z = 0; z < static_cast<int>(depth); ++z) {
    for (int y = 0; y < static_cast<int>(height); ++y) {
      for (int x = 0; x < static_cast<int>(width); ++x) {
        if (!image.is(value, z, y, x)) continue;
        bool inside = image.is(value, z, y - 1, x) && image.is(value, z, y + 1, x) &&
                      image.is(value, z, y, x - 1) && image.is(value, z, y, x + 1);
        if (image.grid.n_axes == 3) {
          inside = inside && image.is(value, z - 1, y, x) && image.is(value, z + 1, y, x);
        }
        if (!inside) found.emplace_back(z, y, x, 0);
      }
    }
  }
  return found;
}

template <class T>
Points plain_corners(const Image<T>& image, T value) {
  Points found;
  const auto [depth, height, width] = image.grid.extent;
  const bool is_volume = image.grid.n_axes == 3;
  for (int z = 0; z <= (is_volume ? static_cast<int>(depth) : 0); ++z) {
    for (int y = 0; y <= static_cast<int>(height); ++y) {
      for (int x = 0; x <= static_cast<int>(width); ++x) {
        int around = 0;
        for (int i = 0; i < (is_volume ? 8 : 4); ++i) {
          const int at_z = is_volume ? z - 1 + (i >> 2) : 0;
          if (image.is(value, at_z, y - 1 + (i >> 1 & 1), x - 1 + (i & 1))) around |= 1 << i;
        }
        if (around != 0 && around != (is_volume ? 255 : 15)) found.emplace_back(z, y, x, around);
      }
    }
  }
  return found;
}

std::vector<double> plain_distances(const Points& from, const Points& to, const Spacing& spacing) {
  std::vector<double> found;
  for (const auto& [z, y, x, around] : from) {
    double best = kInfinity;
    for (const auto& [to_z, to_y, to_x, to_around] : to) {
      const double dz = (to_z - z) * spacing[0];
      const double dy = (to_y - y) * spacing[1];
      const double dx = (to_x - x) * spacing[2];
      best = std::min(best, dz * dz + dy * dy + dx * dx);
    }
    found.push_back(std::sqrt(best));
  }
  return found;
}

// ---- What the kernels found ---------------------------------------------------------------------

Points points_of(const Surfaces& surfaces, std::size_t k) {
  Points found;
  for (std::size_t i = surfaces.start[k]; i < surfaces.start[k + 1]; ++i) {
    const GridPoint& at = surfaces.point[i];
    found.emplace_back(at.z, at.y, at.x, surfaces.around.empty() ? 0 : surfaces.around[i]);
  }
  return found;
}

// Classes 0 … n − 1 are the values from `first` on.
struct Known {
  std::vector<std::int32_t> code;
  ClassOfValue classes;

  Known(std::int64_t first, std::size_t n) : code(n) {
    for (std::size_t i = 0; i < n; ++i) code[i] = static_cast<std::int32_t>(i);
    classes = {first, code.data(), n, n};
  }
};

template <class T>
void check_both(const Image<T>& a, const Image<T>& b, T first, std::size_t n,
                const Spacing& spacing) {
  const Known known(static_cast<std::int64_t>(first), n);
  for (const SurfaceKind kind : {SurfaceKind::kCells, SurfaceKind::kCorners}) {
    const Surfaces of_a = snellen::find_surfaces(a.values.data(), a.grid, known.classes, kind);
    const Surfaces of_b = snellen::find_surfaces(b.values.data(), b.grid, known.classes, kind);
    const auto distance = snellen::nearest_distances(of_a, of_b, spacing, a.grid.n_axes);
    CHECK_EQUAL(distance.size(), of_a.point.size());
    for (std::size_t k = 0; k < n; ++k) {
      const T value = static_cast<T>(first + static_cast<T>(k));
      const bool cells = kind == SurfaceKind::kCells;
      const Points want = cells ? plain_cells(a, value) : plain_corners(a, value);
      const Points other = cells ? plain_cells(b, value) : plain_corners(b, value);
      CHECK(points_of(of_a, k) == want);
      const std::vector<double> got(distance.begin() + of_a.start[k],
                                    distance.begin() + of_a.start[k + 1]);
      CHECK(got == plain_distances(want, other, spacing));
    }
    std::set<std::int64_t> unknown;
    for (const T value : a.values) {
      if (value < first || value >= first + static_cast<T>(n)) unknown.insert(value);
    }
    CHECK(of_a.unknown == std::vector<std::int64_t>(unknown.begin(), unknown.end()));
  }
}

// Blocks of equal values, so that there are insides, with some noise.
template <class T>
Image<T> random_image(const Grid& grid, T first, int n_values, Random& random) {
  Image<T> image{grid, {}};
  const auto [depth, height, width] = grid.extent;
  const std::size_t block = 1 + random() % 6;
  const std::uint64_t salt = random();
  for (std::size_t z = 0; z < depth; ++z) {
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const std::uint64_t cell = (z / block) * 10007 + (y / block) * 101 + x / block;
        const std::uint64_t drawn = (salt + cell) * 0x9E3779B97F4A7C15u >> 32;
        const std::uint64_t pick = random() % 20 == 0 ? random() : drawn;
        image.values.push_back(
            static_cast<T>(first + static_cast<T>(pick % static_cast<std::uint64_t>(n_values))));
      }
    }
  }
  return image;
}

template <class T>
void random_images(T first, std::uint64_t seed) {
  Random random(seed);
  const double steps[] = {1.0, 0.7, 0.3, 2.5, 1.0 / 3};
  for (int repeat = 0; repeat < 40; ++repeat) {
    Grid grid{2 + repeat % 2, {1, 1 + random() % 20, 1 + random() % 30}};
    if (grid.n_axes == 3) grid.extent = {1 + random() % 7, 1 + random() % 9, 1 + random() % 12};
    Spacing spacing{};
    for (double& step : spacing) step = repeat % 4 < 2 ? 1.0 : steps[random() % 5];
    // One value more than there are classes: it is unknown.
    const auto a = random_image<T>(grid, first, 4, random);
    const auto b = random_image<T>(grid, first, 4, random);
    check_both<T>(a, b, first, 3, spacing);
  }
}

// ---- Tests --------------------------------------------------------------------------------------

void worked_by_hand() {
  // 1 1 1 .      . . . .
  // 1 1 1 .      . . . .
  // 1 1 1 2      . . . 1
  const Image<std::uint8_t> a{{2, {1, 3, 4}}, {1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 2}};
  const Image<std::uint8_t> b{{2, {1, 3, 4}}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  const std::vector<std::int32_t> code{snellen::kNoClass, 0, 1};
  const ClassOfValue classes{0, code.data(), 3, 2};
  const auto of_a = snellen::find_surfaces(a.values.data(), a.grid, classes, SurfaceKind::kCells);
  const auto of_b = snellen::find_surfaces(b.values.data(), b.grid, classes, SurfaceKind::kCells);
  // All nine but the middle one; the image ends beside the others, or class 2 or nothing begins.
  CHECK(points_of(of_a, 0) == (Points{{0, 0, 0, 0},
                                      {0, 0, 1, 0},
                                      {0, 0, 2, 0},
                                      {0, 1, 0, 0},
                                      {0, 1, 2, 0},
                                      {0, 2, 0, 0},
                                      {0, 2, 1, 0},
                                      {0, 2, 2, 0}}));
  CHECK(points_of(of_a, 1) == (Points{{0, 2, 3, 0}}));
  CHECK(of_a.unknown.empty());
  // Steps of 2 down and 1 to the right; to (2, 3): from (0, 0) √(4² + 3²) = 5, …
  const auto distance = snellen::nearest_distances(of_a, of_b, {1, 2, 1}, 2);
  const std::vector<double> got(distance.begin(), distance.begin() + 8);
  CHECK(got == (std::vector<double>{5, std::sqrt(20.0), std::sqrt(17.0), std::sqrt(13.0),
                                    std::sqrt(5.0), 3, 2, 1}));
  CHECK_EQUAL(distance[8], kInfinity);  // class 2 is missing in b
  const auto back = snellen::nearest_distances(of_b, of_a, {1, 2, 1}, 2);
  CHECK_EQUAL(back.size(), 1u);
  CHECK_EQUAL(back[0], 1.0);
}

void corners_of_one_pixel() {
  const Image<std::int16_t> image{{2, {1, 1, 1}}, {-7}};
  const Known known(-7, 1);
  const auto found =
      snellen::find_surfaces(image.values.data(), image.grid, known.classes, SurfaceKind::kCorners);
  // At the first corner the pixel lies behind it along both axes: number 1 + 2, flag 8.
  CHECK(points_of(found, 0) == (Points{{0, 0, 0, 8}, {0, 0, 1, 4}, {0, 1, 0, 2}, {0, 1, 1, 1}}));
  const Image<std::int16_t> volume{{3, {1, 1, 1}}, {-7}};
  const auto corners = snellen::find_surfaces(volume.values.data(), volume.grid, known.classes,
                                              SurfaceKind::kCorners);
  CHECK_EQUAL(corners.point.size(), 8u);
  CHECK_EQUAL(static_cast<int>(corners.around[0]), 128);
  CHECK_EQUAL(static_cast<int>(corners.around[7]), 1);
}

void the_largest_and_smallest_values() {
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int64_t>::max();
  const Image<std::int64_t> image{{2, {1, 1, 4}}, {low, high, 0, high - 1}};
  for (const std::int64_t first : {low, high - 1}) {
    const Known known(first, 2);
    const auto found =
        snellen::find_surfaces(image.values.data(), image.grid, known.classes, SurfaceKind::kCells);
    CHECK_EQUAL(found.point.size(), first == low ? 1u : 2u);
    CHECK(found.unknown == (first == low ? std::vector<std::int64_t>{0, high - 1, high}
                                         : std::vector<std::int64_t>{low, 0}));
  }
}

void nothing() {
  for (const Grid& grid : {Grid{2, {1, 0, 5}}, Grid{2, {1, 5, 0}}, Grid{3, {0, 4, 4}}}) {
    const Known known(0, 2);
    for (const SurfaceKind kind : {SurfaceKind::kCells, SurfaceKind::kCorners}) {
      const std::uint8_t none = 0;
      const auto found = snellen::find_surfaces(&none, grid, known.classes, kind);
      CHECK_EQUAL(found.point.size(), 0u);
      CHECK(found.start == (std::vector<std::size_t>{0, 0, 0}));
      CHECK_EQUAL(snellen::nearest_distances(found, found, {1, 1, 1}, grid.n_axes).size(), 0u);
    }
  }
}

// Sides that are far apart, and points that are all equally far: what trees are worst at.
void far_and_even() {
  const Grid grid{2, {1, 120, 160}};
  Image<std::uint8_t> a{grid, std::vector<std::uint8_t>(120 * 160)}, b = a;
  for (int y = 0; y < 120; ++y) {
    for (int x = 0; x < 160; ++x) {
      const int r2 = (y - 60) * (y - 60) + (x - 60) * (x - 60);
      const auto at = static_cast<std::size_t>(y * 160 + x);
      a.values[at] = r2 <= 2 ? 1 : x > 150 ? 2 : 0;
      b.values[at] = r2 > 50 * 50 && r2 < 52 * 52 ? 1 : x < 3 ? 2 : 0;
    }
  }
  check_both<std::uint8_t>(a, b, 1, 2, {1, 1, 1});
  check_both<std::uint8_t>(b, a, 1, 2, {1, 0.5, 1.75});
}

void threads_change_nothing() {
  Random random(9);
  const Grid grid{3, {16, 150, 170}};
  const auto a = random_image<std::int32_t>(grid, 0, 5, random);
  const auto b = random_image<std::int32_t>(grid, 0, 5, random);
  const Known known(0, 4);
  std::map<SurfaceKind, std::tuple<Points, std::vector<double>, std::vector<std::int64_t>>> want;
  for (const int n_threads : {1, 2, 3, 8}) {
    snellen::set_thread_count(n_threads);
    for (const SurfaceKind kind : {SurfaceKind::kCells, SurfaceKind::kCorners}) {
      const auto of_a = snellen::find_surfaces(a.values.data(), grid, known.classes, kind);
      const auto of_b = snellen::find_surfaces(b.values.data(), grid, known.classes, kind);
      const auto distance = snellen::nearest_distances(of_a, of_b, {2, 1, 1}, 3);
      Points points;
      for (std::size_t k = 0; k < 4; ++k) {
        const Points part = points_of(of_a, k);
        points.insert(points.end(), part.begin(), part.end());
      }
      const auto got = std::make_tuple(
          points, std::vector<double>(distance.begin(), distance.end()), of_a.unknown);
      CHECK(want.try_emplace(kind, got).first->second == got);
      CHECK(of_a.unknown == std::vector<std::int64_t>{4});
    }
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  worked_by_hand();
  corners_of_one_pixel();
  the_largest_and_smallest_values();
  nothing();
  random_images<std::uint8_t>(250, 1);
  random_images<std::int8_t>(-2, 2);
  random_images<std::uint16_t>(65530, 3);
  random_images<std::int16_t>(-32768, 4);
  random_images<std::uint32_t>(4'294'967'290u, 5);
  random_images<std::int32_t>(-1, 6);
  random_images<std::int64_t>(-4'000'000'000, 7);
  far_and_even();
  threads_change_nothing();
  return snellen::testing::report();
}
