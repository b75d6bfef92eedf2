#include "snellen/oks.hpp"

#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "paired_rows.hpp"

namespace snellen::bind {
namespace {

// Like np.exp(x, out).
using Function = nb::typed<nb::callable, nb::any(nb::any, nb::any)>;
using Keypoints = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void check_keypoints(const Keypoints& keypoints, std::size_t n_points, std::size_t n_rows) {
  check_length("keypoints", keypoints.shape(0), n_rows);
  if (keypoints.shape(1) == n_points && keypoints.shape(2) == 3) return;
  const std::string text = "expected " + std::to_string(n_points) + " keypoints of 3 numbers";
  throw nb::value_error(text.c_str());
}

// Lets Python work on the values where they lie.
Exponential on_values(const Function& exponential) {
  return [&exponential](double* values, std::size_t n) {
    const nb::gil_scoped_acquire held;
    const nb::capsule lent(values, [](void*) noexcept {});
    const auto array = nb::cast(Out<double>(values, {n}, lent));
    exponential(array, array);
  };
}

}  // namespace

void bind_oks(nb::module_& m) {
  m.def(
      "oks_candidates",
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, Keypoints truth_keypoints,
         In2<double> truth_xywh, In1<double> truth_area, In1<std::int32_t> pred_image,
         In1<std::int32_t> pred_label, Keypoints pred_keypoints, Function exponential,
         std::vector<double> sigmas, std::size_t n_images, std::size_t n_labels, double lowest,
         bool across_labels, std::optional<In1<double>> pred_score,
         std::optional<std::size_t> max_detections) {
        const bool usable = !sigmas.empty() && std::all_of(sigmas.begin(), sigmas.end(),
                                                           [](double s) { return s > 0; });
        if (!usable) throw nb::value_error("expected sigmas above 0");
        const PairedRows rows =
            paired_rows(truth_image, truth_label, pred_image, pred_label, n_images, n_labels);
        check_keypoints(truth_keypoints, sigmas.size(), rows.n_truth);
        check_keypoints(pred_keypoints, sigmas.size(), rows.n_pred);
        check_xywh(truth_xywh, rows.n_truth);
        check_length("area", truth_area.size(), rows.n_truth);
        const TruthPoses truth{truth_keypoints.data(), truth_xywh.data(), truth_area.data()};
        const OksRules rules{std::move(sigmas), candidate_rules(lowest, across_labels, pred_score,
                                                                max_detections, rows.n_pred)};
        Candidates found;
        {
          const nb::gil_scoped_release released;
          found = oks_candidates(rows, truth, pred_keypoints.data(), rules, on_values(exponential));
        }
        return to_dict(std::move(found));
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_keypoints").noconvert(), nb::arg("truth_xywh").noconvert(),
      nb::arg("truth_area").noconvert(), nb::arg("pred_image").noconvert(),
      nb::arg("pred_label").noconvert(), nb::arg("pred_keypoints").noconvert(),
      nb::arg("exponential"), nb::kw_only(), nb::arg("sigmas"), nb::arg("n_images"),
      nb::arg("n_labels"), nb::arg("lowest"), nb::arg("across_labels"),
      nb::arg("pred_score").noconvert() = nb::none(), nb::arg("max_detections") = nb::none(),
      "The pairs of poses of an image, and of a label where not across labels, whose similarity is "
      "at least `lowest`: begin, truth, similarity, by row of pred. With scores, detections beyond "
      "the cap of a label and image get none. `exponential(x, out)` is np.exp.");
}

}  // namespace snellen::bind
