#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "snellen/matching.hpp"
#include "snellen/track_matching.hpp"
#include "snellen/track_overlap.hpp"

namespace snellen::bind {
namespace {

// Bounds of parts that follow each other: from 0 to n, none of them negative.
void check_begin(const char* name, const In1<std::int64_t>& begin, std::size_t n, bool filled) {
  const std::size_t size = begin.size();
  bool right =
      size > 0 && begin.data()[0] == 0 && begin.data()[size - 1] == static_cast<std::int64_t>(n);
  for (std::size_t i = 1; right && i < size; ++i) {
    right = begin.data()[i] >= begin.data()[i - 1] + (filled ? 1 : 0);
  }
  if (right) return;
  const std::string text =
      std::string("expected ") + name + " to ascend from 0 to " + std::to_string(n);
  throw nb::value_error(text.c_str());
}

void check_tracks(const In1<std::int64_t>& begin, const In1<std::int64_t>& frame,
                  const In2<double>& xyxy) {
  check_begin("begin", begin, frame.size(), true);
  check_length("xyxy", xyxy.shape(0), frame.size());
  if (xyxy.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
}

TrackGroups groups_of(const In1<std::int64_t>& truth_begin, const In1<std::int64_t>& pred_begin,
                      std::size_t n_truth, std::size_t n_pred) {
  check_begin("truth_groups", truth_begin, n_truth, false);
  check_begin("pred_groups", pred_begin, n_pred, false);
  check_length("pred_groups", pred_begin.size(), truth_begin.size());
  return {truth_begin.data(), pred_begin.data(), truth_begin.size() - 1};
}

}  // namespace

void bind_track_map(nb::module_& m) {
  m.def(
      "track_overlaps",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> truth_frame, In2<double> truth_xyxy,
         In1<std::int64_t> pred_begin, In1<std::int64_t> pred_frame, In2<double> pred_xyxy,
         In1<std::int64_t> truth_groups, In1<std::int64_t> pred_groups) {
        check_tracks(truth_begin, truth_frame, truth_xyxy);
        check_tracks(pred_begin, pred_frame, pred_xyxy);
        const TrackBoxes truth{truth_begin.data(), truth_begin.size() - 1, truth_frame.data(),
                               truth_xyxy.data()};
        const TrackBoxes pred{pred_begin.data(), pred_begin.size() - 1, pred_frame.data(),
                              pred_xyxy.data()};
        const TrackGroups groups =
            groups_of(truth_groups, pred_groups, truth.n_tracks, pred.n_tracks);
        TrackOverlaps overlaps;
        {
          const nb::gil_scoped_release released;
          overlaps = track_overlaps(truth, pred, groups);
        }
        return std::make_tuple(to_numpy(std::move(overlaps.begin)),
                               to_numpy(std::move(overlaps.truth)),
                               to_numpy(std::move(overlaps.iou)));
      },
      nb::arg("truth_begin").noconvert(), nb::arg("truth_frame").noconvert(),
      nb::arg("truth_xyxy").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("pred_frame").noconvert(), nb::arg("pred_xyxy").noconvert(),
      nb::arg("truth_groups").noconvert(), nb::arg("pred_groups").noconvert(),
      "The truth tracks that each pred track of the same group overlaps with: begin (int64), truth "
      "(int32, ascending), IoU over all frames (float64).");
  m.def(
      "match_tracks",
      [](In1<std::int64_t> truth_groups, In1<std::int64_t> pred_groups,
         In1<std::uint32_t> truth_ignored, In1<std::uint32_t> pred_outside,
         In1<std::uint8_t> pred_blocks, In1<std::int64_t> candidate_begin,
         In1<std::int32_t> candidate, In1<double> iou, std::vector<double> iou_thresholds,
         std::size_t n_ranges) {
        const std::size_t n_pred = pred_outside.size();
        const TrackGroups groups =
            groups_of(truth_groups, pred_groups, truth_ignored.size(), n_pred);
        check_length("pred_blocks", pred_blocks.size(), n_pred);
        check_length("candidate_begin", candidate_begin.size(), n_pred + 1);
        check_begin("candidate_begin", candidate_begin, candidate.size(), false);
        check_length("iou", iou.size(), candidate.size());
        if (n_ranges > 32) throw nb::value_error("expected at most 32 ranges");
        if (iou_thresholds.empty() ||
            !std::is_sorted(iou_thresholds.begin(), iou_thresholds.end())) {
          throw nb::value_error("expected IoU thresholds in ascending order, at least one");
        }
        for (std::size_t group = 0; group < groups.n_groups; ++group) {
          const std::int64_t end = candidate_begin.data()[groups.pred_begin[group + 1]];
          for (std::int64_t c = candidate_begin.data()[groups.pred_begin[group]]; c < end; ++c) {
            if (candidate.data()[c] < groups.truth_begin[group] ||
                candidate.data()[c] >= groups.truth_begin[group + 1]) {
              throw nb::value_error("expected candidates of the track's own group");
            }
          }
        }
        const RankedTracks pred{pred_outside.data(), pred_blocks.data(), candidate_begin.data(),
                                candidate.data(), iou.data()};
        const std::size_t n_words = outcome_words(iou_thresholds.size());
        const TrackMatchRules rules{std::move(iou_thresholds), n_ranges};
        Column<std::uint32_t> outcome;
        {
          const nb::gil_scoped_release released;
          outcome = match_tracks(groups, truth_ignored.data(), pred, rules);
        }
        return to_numpy(std::move(outcome), {n_pred, n_ranges, n_words});
      },
      nb::arg("truth_groups").noconvert(), nb::arg("pred_groups").noconvert(),
      nb::arg("truth_ignored").noconvert(), nb::arg("pred_outside").noconvert(),
      nb::arg("pred_blocks").noconvert(), nb::arg("candidate_begin").noconvert(),
      nb::arg("candidate").noconvert(), nb::arg("iou").noconvert(), nb::kw_only(),
      nb::arg("iou_thresholds"), nb::arg("n_ranges"),
      "Match ranked pred tracks to truth tracks greedily in each group; outcomes (uint32), (n, "
      "ranges, words).");
}

}  // namespace snellen::bind
