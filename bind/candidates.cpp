#include "snellen/candidates.hpp"

#include <nanobind/stl/optional.h>

#include <optional>
#include <utility>

#include "paired_rows.hpp"
#include "rle_arrays.hpp"

namespace snellen::bind {
namespace {

using Areas = std::optional<In1<std::int64_t>>;
using PixelBoxes = std::optional<In2<std::int32_t>>;

// Masks and their extents, which `own` holds where they are not given.
MeasuredRle measured(const Runs& runs, const Offsets& offset, const Sizes& size, const Areas& area,
                     const PixelBoxes& box, RleExtents& own) {
  const RleView masks = unchecked_masks_of(runs, offset, size);
  if (!area || !box) {
    own = extents_of(masks);
    return {masks, own.area.data(), own.box.data()};
  }
  // Who measured them has looked at their runs.
  check_length("area", area->size(), masks.n);
  check_length("box", box->shape(0), masks.n);
  if (box->shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
  return {masks, area->data(), box->data()};
}

}  // namespace

void bind_candidates(nb::module_& m) {
  m.def(
      "box_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, In2<double> truth_xywh,
         In1<std::uint8_t> truth_crowd, In1<std::int32_t> pred_image, In1<std::int32_t> pred_label,
         In2<double> pred_xywh, std::size_t n_images, std::size_t n_labels, double lowest,
         bool across_labels, std::optional<In1<double>> pred_score,
         std::optional<std::size_t> max_detections) {
        const PairedRows rows =
            paired_rows(truth_image, truth_label, pred_image, pred_label, n_images, n_labels);
        check_length("crowd", truth_crowd.size(), rows.n_truth);
        check_xywh(truth_xywh, rows.n_truth);
        check_xywh(pred_xywh, rows.n_pred);
        const CandidateRules rules =
            candidate_rules(lowest, across_labels, pred_score, max_detections, rows.n_pred);
        Candidates found;
        {
          const nb::gil_scoped_release released;
          found =
              box_candidates(rows, truth_xywh.data(), truth_crowd.data(), pred_xywh.data(), rules);
        }
        return to_dict(std::move(found));
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_xywh").noconvert(), nb::arg("truth_crowd").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_xywh").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("lowest"), nb::arg("across_labels"), nb::arg("pred_score").noconvert() = nb::none(),
      nb::arg("max_detections") = nb::none(),
      "The pairs of boxes of an image, and of a label where not across labels, whose IoU is at "
      "least `lowest`: begin, truth, similarity, by row of pred.");
  m.def(
      "mask_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label,
         In1<std::uint8_t> truth_crowd, Runs truth_runs, Offsets truth_offset, Sizes truth_size,
         In1<std::int32_t> pred_image, In1<std::int32_t> pred_label, Runs pred_runs,
         Offsets pred_offset, Sizes pred_size, std::size_t n_images, std::size_t n_labels,
         double lowest, bool across_labels, std::optional<In1<double>> pred_score,
         std::optional<std::size_t> max_detections, Areas truth_area, PixelBoxes truth_box,
         Areas pred_area, PixelBoxes pred_box) {
        const PairedRows rows =
            paired_rows(truth_image, truth_label, pred_image, pred_label, n_images, n_labels);
        check_length("crowd", truth_crowd.size(), rows.n_truth);
        RleExtents of_truth, of_pred;
        const MeasuredRle truth =
            measured(truth_runs, truth_offset, truth_size, truth_area, truth_box, of_truth);
        const MeasuredRle pred =
            measured(pred_runs, pred_offset, pred_size, pred_area, pred_box, of_pred);
        check_length("masks", truth.masks.n, rows.n_truth);
        check_length("masks", pred.masks.n, rows.n_pred);
        const CandidateRules rules =
            candidate_rules(lowest, across_labels, pred_score, max_detections, rows.n_pred);
        Candidates found;
        {
          const nb::gil_scoped_release released;
          found = mask_candidates(rows, truth, truth_crowd.data(), pred, rules);
        }
        return to_dict(std::move(found));
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_crowd").noconvert(), nb::arg("truth_runs").noconvert(),
      nb::arg("truth_offset").noconvert(), nb::arg("truth_size").noconvert(),
      nb::arg("pred_image").noconvert(), nb::arg("pred_label").noconvert(),
      nb::arg("pred_runs").noconvert(), nb::arg("pred_offset").noconvert(),
      nb::arg("pred_size").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      nb::arg("lowest"), nb::arg("across_labels"), nb::arg("pred_score").noconvert() = nb::none(),
      nb::arg("max_detections") = nb::none(), nb::arg("truth_area").noconvert() = nb::none(),
      nb::arg("truth_box").noconvert() = nb::none(), nb::arg("pred_area").noconvert() = nb::none(),
      nb::arg("pred_box").noconvert() = nb::none(),
      "The pairs of masks of an image, and of a label where not across labels, whose IoU is at "
      "least `lowest`: begin, truth, similarity, by row of pred. With scores, detections beyond "
      "the cap of a label and image get none. Areas and boxes are those of rle_extents, where they "
      "are there already.");
}

}  // namespace snellen::bind
