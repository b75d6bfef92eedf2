#include "snellen/curve.hpp"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "snellen/matching.hpp"

namespace snellen::bind {

void bind_curve(nb::module_& m) {
  m.def(
      "precision_recall_curves",
      [](In1<std::int32_t> image, In1<std::int32_t> label, In1<double> score,
         nb::ndarray<const std::uint32_t, nb::ndim<3>, nb::c_contig, nb::device::cpu> outcome,
         In1<std::int32_t> truth_label, In1<std::uint32_t> truth_ignored, std::size_t n_labels,
         std::size_t n_thresholds, std::vector<double> recall_thresholds,
         std::vector<std::size_t> max_detections, double undefined) {
        check_length("label", label.size(), image.size());
        check_length("score", score.size(), image.size());
        check_length("outcome", outcome.shape(0), image.size());
        check_length("outcome words", outcome.shape(2), outcome_words(n_thresholds));
        check_length("truth_ignored", truth_ignored.size(), truth_label.size());
        check_codes("label", label, n_labels);
        check_codes("truth label", truth_label, n_labels);
        check_ascending("label", label);
        check_ascending("truth label", truth_label);
        if (!std::is_sorted(max_detections.begin(), max_detections.end()) ||
            !std::is_sorted(recall_thresholds.begin(), recall_thresholds.end())) {
          throw nb::value_error("expected caps and recall thresholds in ascending order");
        }
        const Outcomes outcomes{image.data(),         label.data(),      score.data(),
                                outcome.data(),       image.size(),      truth_label.data(),
                                truth_ignored.data(), truth_label.size()};
        const std::size_t k = n_labels;
        const std::size_t a = outcome.shape(1);
        const std::size_t t = n_thresholds;
        const std::size_t c = max_detections.size();
        const std::size_t r = recall_thresholds.size();
        const CurveRules rules{
            k, a, t, std::move(recall_thresholds), std::move(max_detections), undefined};
        Curves curves;
        {
          const nb::gil_scoped_release released;
          curves = precision_recall_curves(outcomes, rules);
        }
        return std::make_tuple(to_numpy(std::move(curves.precision), {k, a, c, t, r}),
                               to_numpy(std::move(curves.scores), {k, a, c, t, r}),
                               to_numpy(std::move(curves.recall), {k, a, c, t}),
                               to_numpy(std::move(curves.n_counted), {k, a}));
      },
      nb::arg("image").noconvert(), nb::arg("label").noconvert(), nb::arg("score").noconvert(),
      nb::arg("outcome").noconvert(), nb::arg("truth_label").noconvert(),
      nb::arg("truth_ignored").noconvert(), nb::kw_only(), nb::arg("n_labels"),
      nb::arg("n_thresholds"), nb::arg("recall_thresholds"), nb::arg("max_detections"),
      nb::arg("undefined"),
      "Precision, scores (K, A, M, T, R), recall (K, A, M, T) and counted truth boxes (K, A).");
}

}  // namespace snellen::bind
