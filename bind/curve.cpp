#include "snellen/curve.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "snellen/matching.hpp"
#include "snellen/resampled_curves.hpp"

namespace snellen::bind {

namespace {

using Words = nb::ndarray<const std::uint32_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// Checks rows of detections and of truth boxes.
Outcomes outcomes_of(In1<std::int32_t> image, In1<std::int32_t> label, In1<double> score,
                     Words outcome, In1<std::int32_t> truth_label, In1<std::uint32_t> truth_ignored,
                     std::size_t n_labels, std::size_t n_thresholds) {
  check_length("label", label.size(), image.size());
  check_length("score", score.size(), image.size());
  check_length("outcome", outcome.shape(0), image.size());
  check_length("outcome words", outcome.shape(2), outcome_words(n_thresholds));
  check_length("truth_ignored", truth_ignored.size(), truth_label.size());
  check_codes("label", label, n_labels);
  check_codes("truth label", truth_label, n_labels);
  check_ascending("label", label);
  check_ascending("truth label", truth_label);
  return {image.data(), label.data(),       score.data(),         outcome.data(),
          image.size(), truth_label.data(), truth_ignored.data(), truth_label.size()};
}

CurveSummary summary_of(const std::string& name) {
  if (name == "points") return CurveSummary::kPoints;
  if (name == "area") return CurveSummary::kArea;
  if (name == "sum-of-parts") return CurveSummary::kSumOfParts;
  throw nb::value_error("expected a summary of points, area, sum-of-parts");
}

CurveRules rules_of(std::size_t n_labels, Words outcome, std::size_t n_thresholds,
                    std::vector<double> recall_thresholds, std::vector<std::size_t> max_detections,
                    double undefined, const std::string& summary, double spacing) {
  if (!std::is_sorted(max_detections.begin(), max_detections.end()) ||
      !std::is_sorted(recall_thresholds.begin(), recall_thresholds.end())) {
    throw nb::value_error("expected caps and recall thresholds in ascending order");
  }
  const CurveSummary kept = summary_of(summary);
  if (recall_thresholds.empty() && kept == CurveSummary::kSumOfParts) {
    throw nb::value_error("expected recall thresholds");
  }
  return {n_labels,
          outcome.shape(1),
          n_thresholds,
          std::move(recall_thresholds),
          std::move(max_detections),
          undefined,
          kept,
          spacing};
}

}  // namespace

void bind_curve(nb::module_& m) {
  m.def(
      "precision_recall_curves",
      [](In1<std::int32_t> image, In1<std::int32_t> label, In1<double> score, Words outcome,
         In1<std::int32_t> truth_label, In1<std::uint32_t> truth_ignored, std::size_t n_labels,
         std::size_t n_thresholds, std::vector<double> recall_thresholds,
         std::vector<std::size_t> max_detections, double undefined, const std::string& summary,
         double spacing) {
        const Outcomes outcomes = outcomes_of(image, label, score, outcome, truth_label,
                                              truth_ignored, n_labels, n_thresholds);
        const std::size_t k = n_labels;
        const std::size_t a = outcome.shape(1);
        const std::size_t t = n_thresholds;
        const std::size_t c = max_detections.size();
        const CurveRules rules = rules_of(k, outcome, t, std::move(recall_thresholds),
                                          std::move(max_detections), undefined, summary, spacing);
        const std::size_t r = rules.n_points();
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
      nb::arg("undefined"), nb::arg("summary") = "points", nb::arg("spacing") = 0x1p-52,
      "Precision, scores (K, A, M, T, R), recall (K, A, M, T) and counted truth boxes (K, A).");
  m.def(
      "resampled_curves",
      [](In1<std::int32_t> image, In1<std::int32_t> label, In1<double> score, Words outcome,
         In1<std::int32_t> truth_image, In1<std::int32_t> truth_label,
         In1<std::uint32_t> truth_ignored, In2<std::int32_t> times, std::size_t n_labels,
         std::size_t n_thresholds, std::vector<double> recall_thresholds,
         std::vector<std::size_t> max_detections, std::vector<bool> read_precision,
         double undefined, const std::string& summary, double spacing) {
        const Outcomes outcomes = outcomes_of(image, label, score, outcome, truth_label,
                                              truth_ignored, n_labels, n_thresholds);
        check_length("truth_image", truth_image.size(), truth_label.size());
        check_length("read_precision", read_precision.size(), max_detections.size());
        check_codes("image", image, times.shape(1));
        check_codes("truth image", truth_image, times.shape(1));
        for (std::size_t i = 0; i < times.size(); ++i) {
          if (times.data()[i] < 0) throw nb::value_error("expected times that are not negative");
        }
        if (recall_thresholds.empty()) throw nb::value_error("expected recall thresholds");
        const std::size_t n = times.shape(0);
        const std::size_t k = n_labels;
        const std::size_t a = outcome.shape(1);
        const std::size_t t = n_thresholds;
        const std::size_t c = max_detections.size();
        const CurveRules rules = rules_of(k, outcome, t, std::move(recall_thresholds),
                                          std::move(max_detections), undefined, summary, spacing);
        const Replicates replicates{times.data(),
                                    n,
                                    times.shape(1),
                                    truth_image.data(),
                                    {read_precision.begin(), read_precision.end()}};
        ResampledCurves curves;
        {
          const nb::gil_scoped_release released;
          curves = resampled_curves(outcomes, replicates, rules);
        }
        return std::make_tuple(to_numpy(std::move(curves.precision), {n, k, a, c, t}),
                               to_numpy(std::move(curves.recall), {n, k, a, c, t}),
                               to_numpy(std::move(curves.n_counted), {n, k, a}));
      },
      nb::arg("image").noconvert(), nb::arg("label").noconvert(), nb::arg("score").noconvert(),
      nb::arg("outcome").noconvert(), nb::arg("truth_image").noconvert(),
      nb::arg("truth_label").noconvert(), nb::arg("truth_ignored").noconvert(),
      nb::arg("times").noconvert(), nb::kw_only(), nb::arg("n_labels"), nb::arg("n_thresholds"),
      nb::arg("recall_thresholds"), nb::arg("max_detections"), nb::arg("read_precision"),
      nb::arg("undefined"), nb::arg("summary") = "points", nb::arg("spacing") = 0x1p-52,
      "Of data sets in which images occur so often: mean precision at wanted caps and recall "
      "(N, K, A, M, T), and counted truth boxes (N, K, A).");
}

}  // namespace snellen::bind
