#include "snellen/track_overlap.hpp"

#include <algorithm>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// All that a track reaches: tracks whose extents are apart need no look at their frames.
struct Extent {
  double left, top, right, bottom;
  std::int64_t first, last;
};

struct Overlap {
  std::int32_t truth;
  double iou;
};

std::vector<Extent> extents_of(const TrackBoxes& tracks) {
  std::vector<Extent> extents(tracks.n_tracks);
  for (std::size_t k = 0; k < tracks.n_tracks; ++k) {
    const auto begin = static_cast<std::size_t>(tracks.begin[k]);
    const auto end = static_cast<std::size_t>(tracks.begin[k + 1]);
    const double* box = tracks.xyxy + 4 * begin;
    Extent extent{box[0], box[1], box[2], box[3], tracks.frame[begin], tracks.frame[end - 1]};
    for (std::size_t row = begin + 1; row < end; ++row) {
      box += 4;
      extent.left = std::min(extent.left, box[0]);
      extent.top = std::min(extent.top, box[1]);
      extent.right = std::max(extent.right, box[2]);
      extent.bottom = std::max(extent.bottom, box[3]);
    }
    extents[k] = extent;
  }
  return extents;
}

bool apart(const Extent& a, const Extent& b) {
  return a.last < b.first || b.last < a.first || a.right <= b.left || b.right <= a.left ||
         a.bottom <= b.top || b.bottom <= a.top;
}

double area(const double* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

double track_iou(const TrackBoxes& truth, std::size_t g, const TrackBoxes& pred, std::size_t d) {
  auto i = static_cast<std::size_t>(truth.begin[g]);
  auto j = static_cast<std::size_t>(pred.begin[d]);
  const auto i_end = static_cast<std::size_t>(truth.begin[g + 1]);
  const auto j_end = static_cast<std::size_t>(pred.begin[d + 1]);
  double shared = 0;
  double joint = 0;
  while (i < i_end || j < j_end) {
    const bool has_truth = i < i_end && (j == j_end || truth.frame[i] <= pred.frame[j]);
    const bool has_pred = j < j_end && (i == i_end || pred.frame[j] <= truth.frame[i]);
    const double* const a = truth.xyxy + 4 * i;
    const double* const b = pred.xyxy + 4 * j;
    if (has_truth && has_pred) {
      const double width = std::max(std::min(b[2], a[2]) - std::max(b[0], a[0]), 0.0);
      const double height = std::max(std::min(b[3], a[3]) - std::max(b[1], a[1]), 0.0);
      const double intersection = width * height;
      shared += intersection;
      joint += area(b) + area(a) - intersection;
    } else {
      joint += area(has_truth ? a : b);
    }
    i += has_truth;
    j += has_pred;
  }
  return joint > 0 ? shared / joint : 0;
}

}  // namespace

TrackOverlaps track_overlaps(const TrackBoxes& truth, const TrackBoxes& pred,
                             const TrackGroups& groups) {
  const std::vector<Extent> truth_extent = extents_of(truth);
  const std::vector<Extent> pred_extent = extents_of(pred);
  std::vector<std::size_t> group_of(pred.n_tracks);
  for (std::size_t group = 0; group < groups.n_groups; ++group) {
    const auto begin = static_cast<std::size_t>(groups.pred_begin[group]);
    const auto end = static_cast<std::size_t>(groups.pred_begin[group + 1]);
    std::fill(group_of.begin() + static_cast<std::ptrdiff_t>(begin),
              group_of.begin() + static_cast<std::ptrdiff_t>(end), group);
  }
  std::vector<std::vector<Overlap>> found(pred.n_tracks);
  parallel_for(pred.n_tracks, [&](std::size_t d) {
    const std::size_t group = group_of[d];
    const auto end = static_cast<std::size_t>(groups.truth_begin[group + 1]);
    for (auto g = static_cast<std::size_t>(groups.truth_begin[group]); g < end; ++g) {
      if (apart(truth_extent[g], pred_extent[d])) continue;
      const double iou = track_iou(truth, g, pred, d);
      if (iou > 0) found[d].push_back({static_cast<std::int32_t>(g), iou});
    }
  });
  TrackOverlaps overlaps;
  overlaps.begin.push_back(0);
  for (const std::vector<Overlap>& of_track : found) {
    for (const Overlap& overlap : of_track) {
      overlaps.truth.push_back(overlap.truth);
      overlaps.iou.push_back(overlap.iou);
    }
    overlaps.begin.push_back(static_cast<std::int64_t>(overlaps.truth.size()));
  }
  return overlaps;
}

}  // namespace snellen
