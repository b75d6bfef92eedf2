#include "snellen/oks.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

// Like np.exp(x, out).
using Function = nb::typed<nb::callable, nb::any(nb::any, nb::any)>;
using Poses = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void check_poses(const In1<std::int32_t>& image, const In1<std::int32_t>& label,
                 const Poses& keypoints, std::size_t n_points, std::size_t n_images,
                 std::size_t n_labels) {
  check_length("label", label.size(), image.size());
  check_length("keypoints", keypoints.shape(0), image.size());
  if (keypoints.shape(1) != n_points || keypoints.shape(2) != 3) {
    const std::string text = "expected " + std::to_string(n_points) + " keypoints of 3 numbers";
    throw nb::value_error(text.c_str());
  }
  check_codes("image", image, n_images);
  check_codes("label", label, n_labels);
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
      [](In1<std::int32_t> truth_image, In1<std::int32_t> truth_label, Poses truth_keypoints,
         In2<double> truth_xywh, In1<double> truth_area, In1<std::int32_t> pred_image,
         In1<std::int32_t> pred_label, Poses pred_keypoints, In1<double> pred_score,
         Function exponential, std::size_t n_images, std::size_t n_labels,
         std::vector<double> sigmas, double lowest, bool across_labels,
         std::optional<std::size_t> max_detections) {
        const bool usable = !sigmas.empty() && std::all_of(sigmas.begin(), sigmas.end(),
                                                           [](double s) { return s > 0; });
        if (!usable) throw nb::value_error("expected sigmas above 0");
        if (std::isnan(lowest)) throw nb::value_error("expected a lowest similarity, got NaN");
        check_poses(truth_image, truth_label, truth_keypoints, sigmas.size(), n_images, n_labels);
        check_poses(pred_image, pred_label, pred_keypoints, sigmas.size(), n_images, n_labels);
        check_length("xywh", truth_xywh.shape(0), truth_image.size());
        if (truth_xywh.shape(1) != 4) throw nb::value_error("expected boxes of 4 numbers");
        check_length("area", truth_area.size(), truth_image.size());
        check_length("score", pred_score.size(), pred_image.size());
        const TruthPoses truth{truth_image.data(), truth_label.data(), truth_keypoints.data(),
                               truth_xywh.data(),  truth_area.data(),  truth_image.size()};
        const PredPoses pred{pred_image.data(), pred_label.data(), pred_keypoints.data(),
                             pred_score.data(), pred_image.size()};
        const OksRules rules{std::move(sigmas), lowest, across_labels,
                             max_detections.value_or(std::numeric_limits<std::size_t>::max())};
        OksCandidates found;
        {
          const nb::gil_scoped_release released;
          found = oks_candidates(truth, pred, n_images, n_labels, rules, on_values(exponential));
        }
        nb::typed<nb::dict, nb::str, nb::any> columns;
        columns["begin"] = to_numpy(std::move(found.begin));
        columns["truth"] = to_numpy(std::move(found.truth));
        columns["similarity"] = to_numpy(std::move(found.similarity));
        return columns;
      },
      nb::arg("truth_image").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_keypoints").noconvert(), nb::arg("truth_xywh").noconvert(),
      nb::arg("truth_area").noconvert(), nb::arg("pred_image").noconvert(),
      nb::arg("pred_label").noconvert(), nb::arg("pred_keypoints").noconvert(),
      nb::arg("pred_score").noconvert(), nb::arg("exponential"), nb::kw_only(),
      nb::arg("n_images"), nb::arg("n_labels"), nb::arg("sigmas"), nb::arg("lowest"),
      nb::arg("across_labels"), nb::arg("max_detections").none(),
      "Find the pairs of poses at or above a similarity; `exponential(x, out)` is np.exp.");
}

}  // namespace snellen::bind
