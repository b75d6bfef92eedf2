// Any doubles as vertices: the runs sum up to the image, none but the first is 0, vertices that
// come twice change nothing, nor do polygons before and behind; and edges that are not too long are
// where a walk along them, step by step, finds them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "snellen/polygon.hpp"

namespace {

using namespace snellen;

void check(bool holds) {
  if (!holds) std::abort();
}

RleRows rows_of(const std::vector<double>& xy, const std::int64_t* size) {
  const std::int64_t begin[] = {0, static_cast<std::int64_t>(xy.size() / 2)};
  return rle_of_polygons({xy.data(), begin, size, 1});
}

struct Point {
  std::int64_t x, y;
};

constexpr std::int64_t kScale = 5;
// What is walked takes so many steps.
constexpr std::int64_t kMostSteps = 20'000;

std::vector<Point> closed_on_grid(const std::vector<double>& xy) {
  std::vector<Point> points;
  for (std::size_t k = 0; k < xy.size(); k += 2) {
    points.push_back({static_cast<std::int64_t>(kScale * xy[k] + .5),
                      static_cast<std::int64_t>(kScale * xy[k + 1] + .5)});
  }
  if (!points.empty()) points.push_back(points.front());
  return points;
}

std::int64_t steps_between(Point from, Point to) {
  return std::max(std::abs(to.x - from.x), std::abs(to.y - from.y));
}

// Goes from one grid point to another along the longer axis, reckoned from its lower end.
void walk(Point from, Point to, std::vector<Point>& path) {
  const std::int64_t n = steps_between(from, to);
  const bool flat = std::abs(to.x - from.x) == n;
  const bool back = flat ? from.x > to.x : from.y > to.y;
  const Point low = back ? to : from, high = back ? from : to;
  const auto start = static_cast<double>(flat ? low.y : low.x);
  const auto rise = static_cast<double>(flat ? high.y - low.y : high.x - low.x);
  const double slope = n == 0 ? 0 : rise / static_cast<double>(n);
  for (std::int64_t k = 0; k <= n; ++k) {
    const std::int64_t t = back ? n - k : k;
    const auto across = static_cast<std::int64_t>(start + slope * static_cast<double>(t) + .5);
    path.push_back(flat ? Point{low.x + t, across} : Point{across, low.y + t});
  }
}

// Where the way round a polygon passes the middle of a column, pixels change from there on.
std::vector<std::uint32_t> runs_of_way(const std::vector<Point>& path, const std::int64_t* size) {
  std::vector<std::int64_t> changes;
  for (std::size_t k = 1; k < path.size(); ++k) {
    const Point a = path[k - 1], b = path[k];
    const std::int64_t x = std::min(a.x, b.x);
    if (a.x == b.x || x < 0 || x % kScale != 2 || x / kScale >= size[1]) continue;
    const double y = (static_cast<double>(std::min(a.y, b.y)) + .5) / kScale - .5;
    const auto row =
        static_cast<std::int64_t>(std::ceil(std::clamp(y, 0., static_cast<double>(size[0]))));
    changes.push_back(x / kScale * size[0] + row);
  }
  std::sort(changes.begin(), changes.end());
  // Two at one place are none.
  std::vector<std::int64_t> kept;
  for (const std::int64_t place : changes) {
    if (!kept.empty() && kept.back() == place) {
      kept.pop_back();
    } else {
      kept.push_back(place);
    }
  }
  const std::int64_t n_pixels = size[0] * size[1];
  if (kept.empty() || kept.back() < n_pixels) kept.push_back(n_pixels);
  std::vector<std::uint32_t> runs;
  for (std::size_t k = 0; k < kept.size(); ++k) {
    runs.push_back(static_cast<std::uint32_t>(kept[k] - (k == 0 ? 0 : kept[k - 1])));
  }
  return runs;
}

void check_walk(const std::vector<double>& xy, const std::int64_t* size, const RleRows& rows) {
  for (const double each : xy) {
    if (!(std::abs(each) < kMostSteps)) return;
  }
  const std::vector<Point> corners = closed_on_grid(xy);
  std::int64_t n_steps = 0;
  for (std::size_t k = 1; k < corners.size(); ++k) {
    n_steps += steps_between(corners[k - 1], corners[k]);
  }
  if (n_steps > kMostSteps) return;
  std::vector<Point> path;
  for (std::size_t k = 1; k < corners.size(); ++k) walk(corners[k - 1], corners[k], path);
  const std::vector<std::uint32_t> runs = runs_of_way(path, size);
  check(std::equal(runs.begin(), runs.end(), rows.runs.begin(), rows.runs.end()));
}

// Between a triangle of another image and the same again.
void check_beside(std::vector<double> xy, const std::int64_t* size, const RleRows& alone) {
  const std::vector<double> triangle{1, 1, 9.5, 3, 4, 12};
  const auto n = static_cast<std::int64_t>(xy.size() / 2);
  const std::int64_t begin[] = {0, 3, 3 + n, 6 + n};
  const std::int64_t sizes[] = {16, 16, size[0], size[1], 16, 16};
  xy.insert(xy.begin(), triangle.begin(), triangle.end());
  xy.insert(xy.end(), triangle.begin(), triangle.end());
  const RleRows rows = rle_of_polygons({xy.data(), begin, sizes, 3});
  const RleRows other = rows_of(triangle, sizes);
  const auto is_row = [&](std::size_t i, const RleRows& one) {
    return std::equal(rows.runs.begin() + rows.offset[i], rows.runs.begin() + rows.offset[i + 1],
                      one.runs.begin(), one.runs.end());
  };
  check(rows.offset.size() == 4 && is_row(0, other) && is_row(1, alone) && is_row(2, other));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  // A width of 0 has columns without end.
  const std::int64_t image[] = {data[0], 1 + data[1] % 200};
  const bool is_wide = data[2] % 2 == 0;
  data += 3;
  size -= 3;
  std::vector<double> xy;
  if (is_wide) {
    xy.resize(size / 16 * 2);
    if (!xy.empty()) std::memcpy(xy.data(), data, xy.size() * sizeof(double));
  } else {
    // Tenths of pixels, in and around the image.
    for (std::size_t k = 0; k + 3 < size; k += 4) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        std::int16_t tenths;
        std::memcpy(&tenths, data + k + 2 * axis, sizeof(tenths));
        xy.push_back(tenths / 10.0);
      }
    }
  }
  const RleRows rows = rows_of(xy, image);
  check(rows.offset.size() == 2 && rows.runs.size() > 0);
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < rows.runs.size(); ++k) {
    check(k == 0 || rows.runs[k] > 0 || image[0] == 0);
    sum += rows.runs[k];
  }
  check(sum == static_cast<std::uint64_t>(image[0] * image[1]));
  if (image[0] > 0) check_walk(xy, image, rows);
  check_beside(xy, image, rows);
  std::vector<double> twice;
  for (std::size_t k = 0; k < xy.size(); k += 2) {
    for (int time = 0; time < 2; ++time) twice.insert(twice.end(), {xy[k], xy[k + 1]});
  }
  const RleRows again = rows_of(twice, image);
  check(again.runs.size() == rows.runs.size());
  check(std::memcmp(again.runs.data(), rows.runs.data(),
                    rows.runs.size() * sizeof(std::uint32_t)) == 0);
  return 0;
}
