// Any masks of a small image: areas, boxes, unions and IoU by their runs are those by their pixels,
// and what is listed as a candidate is what reaches the threshold.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "snellen/candidates.hpp"
#include "snellen/rle.hpp"

namespace {

using namespace snellen;

constexpr std::size_t kMostMasks = 5;

void check(bool holds) {
  if (!holds) std::abort();
}

// Masks of one size, each a few runs that are cut to the image, with runs of 0 among them.
struct Masks {
  std::vector<std::uint32_t> runs;
  std::vector<std::int64_t> offset{0};
  std::vector<std::int32_t> size;
  std::vector<std::vector<bool>> pixels;

  void add(const std::uint8_t* data, std::size_t n, std::int32_t height, std::int32_t width) {
    std::vector<bool> own(static_cast<std::size_t>(height * width));
    std::size_t at = 0;
    bool inside = false;
    for (std::size_t k = 0; k < n; ++k, inside = !inside) {
      const std::size_t run = std::min<std::size_t>(data[k], own.size() - at);
      std::fill_n(own.begin() + static_cast<std::ptrdiff_t>(at), run, inside);
      runs.push_back(static_cast<std::uint32_t>(run));
      at += run;
    }
    runs.push_back(static_cast<std::uint32_t>(own.size() - at));
    std::fill(own.begin() + static_cast<std::ptrdiff_t>(at), own.end(), inside);
    offset.push_back(static_cast<std::int64_t>(runs.size()));
    size.insert(size.end(), {height, width});
    pixels.push_back(std::move(own));
  }

  RleView view() const { return {runs.data(), offset.data(), size.data(), pixels.size()}; }
};

std::size_t shared(const std::vector<bool>& a, const std::vector<bool>& b) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < a.size(); ++i) found += a[i] && b[i];
  return found;
}

// Left, top, width, height; pixels stand column by column.
std::array<std::int32_t, 4> box_of(const std::vector<bool>& pixels, std::int32_t height) {
  std::int32_t left = 0, top = height, right = -1, bottom = -1;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (!pixels[i]) continue;
    const auto column = static_cast<std::int32_t>(i) / height;
    const auto row = static_cast<std::int32_t>(i) % height;
    if (right < 0) left = column;
    right = column;
    top = std::min(top, row);
    bottom = std::max(bottom, row);
  }
  if (right < 0) return {0, 0, 0, 0};
  return {left, top, right - left + 1, bottom - top + 1};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::int32_t height = 1 + data[0] % 24, width = 1 + data[1] % 24;
  const bool is_crowd = data[2] % 2 == 1;
  const double lowest = (1 + data[2] / 2 % 10) / 10.0;
  const std::size_t n = 1 + data[3] % kMostMasks;
  Masks masks;
  const std::size_t length = (size - 4) / n;
  for (std::size_t i = 0; i < n; ++i) masks.add(data + 4 + i * length, length, height, width);
  const RleView view = masks.view();
  check(!check_rle(view));
  std::vector<std::int64_t> area(n);
  std::vector<std::int32_t> box(4 * n);
  rle_areas(view, area.data());
  rle_boxes(view, box.data());
  RleExtents extents;
  check(!rle_extents(view, extents));
  check(std::equal(area.begin(), area.end(), extents.area.begin(), extents.area.end()));
  check(std::equal(box.begin(), box.end(), extents.box.begin(), extents.box.end()));
  const MeasuredRle measured{view, area.data(), box.data()};
  const std::vector<std::int32_t> zeros(n);
  std::vector<std::uint8_t> crowd(n);
  if (is_crowd) crowd[0] = 1;
  const Candidates found =
      mask_candidates({zeros.data(), zeros.data(), n, zeros.data(), zeros.data(), n, 1, 1},
                      measured, crowd.data(), measured, {lowest, false});
  for (std::size_t i = 0; i < n; ++i) {
    check(area[i] == std::count(masks.pixels[i].begin(), masks.pixels[i].end(), true));
    const std::array<std::int32_t, 4> expected = box_of(masks.pixels[i], height);
    check(std::equal(expected.begin(), expected.end(), box.data() + 4 * i));
    auto k = static_cast<std::size_t>(found.begin[i]);
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t both = shared(masks.pixels[i], masks.pixels[j]);
      const auto own = static_cast<std::size_t>(area[i]);
      const std::size_t all = crowd[j] != 0 ? own : own + static_cast<std::size_t>(area[j]) - both;
      const double iou = both == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
      if (iou >= lowest) {
        check(k < static_cast<std::size_t>(found.begin[i + 1]));
        check(found.truth[k] == static_cast<std::int32_t>(j) && found.similarity[k] == iou);
        ++k;
      }
    }
    check(k == static_cast<std::size_t>(found.begin[i + 1]));
  }
  const std::int64_t begin[] = {0, static_cast<std::int64_t>(n)};
  for (const RleMerge how : {RleMerge::kUnion, RleMerge::kIntersection}) {
    const RleRows merged = merge_rle(view, begin, 1, how);
    std::size_t at = 0;
    for (std::size_t k = 0; k < merged.runs.size(); ++k) {
      for (const std::size_t end = at + merged.runs[k]; at < end; ++at) {
        std::size_t having = 0;
        for (const std::vector<bool>& each : masks.pixels) having += each[at];
        check((k % 2 == 1) == (how == RleMerge::kUnion ? having > 0 : having == n));
      }
    }
    check(at == static_cast<std::size_t>(height * width));
  }
  return 0;
}
