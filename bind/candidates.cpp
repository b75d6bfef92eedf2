#include "snellen/candidates.hpp"

#include <nanobind/stl/optional.h>

#include <limits>
#include <optional>
#include <utility>

#include "rle_arrays.hpp"

namespace snellen::bind {
namespace {

PairedRows paired_rows(const In1<std::int32_t>& truth_image, const In1<std::int32_t>& truth_label,
                       const In1<std::uint8_t>& truth_crowd, const In1<std::int32_t>& pred_image,
                       const In1<std::int32_t>& pred_label, std::size_t n_images,
                       std::size_t n_labels) {
  check_length("label", truth_label.size(), truth_image.size());
  check_length("crowd", truth_crowd.size(), truth_image.size());
  check_length("label", pred_label.size(), pred_image.size());
  check_codes("image", truth_image, n_images);
  check_codes("label", truth_label, n_labels);
  check_codes("image", pred_image, n_images);
  check_codes("label", pred_label, n_labels);
  if (truth_image.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw nb::value_error("expected less than 2^31 rows of truth");
  }
  return {truth_image.data(), truth_label.data(), truth_image.size(), pred_image.data(),
          pred_label.data(),  pred_image.size(),  n_images,           n_labels};
}

CandidateRules candidate_rules(double lowest, bool across_labels,
                               const std::optional<In1<double>>& pred_score,
                               std::optional<std::size_t> max_detections, std::size_t n_pred) {
  if (pred_score.has_value() != max_detections.has_value()) {
    throw nb::value_error("expected pred_score and max_detections, or neither");
  }
  if (!pred_score) return {lowest, across_labels};
  check_length("score", pred_score->size(), n_pred);
  return {lowest, across_labels, pred_score->data(), *max_detections};
}

void check_xywh(const In2<double>& xywh, std::size_t n) {
  check_length("xywh", xywh.shape(0), n);
  if (xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
}

using Columns = nb::typed<nb::dict, nb::str, nb::any>;

Columns to_dict(Candidates&& found) {
  Columns columns;
  columns["begin"] = to_numpy(std::move(found.begin));
  columns["truth"] = to_numpy(std::move(found.truth));
  columns["similarity"] = to_numpy(std::move(found.similarity));
  return columns;
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
        const PairedRows rows = paired_rows(truth_image, truth_label, truth_crowd, pred_image,
                                            pred_label, n_images, n_labels);
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
         std::optional<std::size_t> max_detections) {
        const PairedRows rows = paired_rows(truth_image, truth_label, truth_crowd, pred_image,
                                            pred_label, n_images, n_labels);
        const RleView truth = masks_of(truth_runs, truth_offset, truth_size);
        const RleView pred = masks_of(pred_runs, pred_offset, pred_size);
        check_length("masks", truth.n, rows.n_truth);
        check_length("masks", pred.n, rows.n_pred);
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
      nb::arg("max_detections") = nb::none(),
      "The pairs of masks of an image, and of a label where not across labels, whose IoU is at "
      "least `lowest`: begin, truth, similarity, by row of pred. With scores, detections beyond "
      "the cap of a label and image get none.");
}

}  // namespace snellen::bind
