#include "snellen/assignment.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "arrays.hpp"
#include "pair_lists.hpp"
#include "snellen/frame_matching.hpp"

namespace snellen::bind {
namespace {

Out<std::int32_t> assign(In2<double> cost) {
  const std::size_t n_rows = cost.shape(0), n_columns = cost.shape(1);
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  if (n_rows > kMost || n_columns > kMost) {
    throw nb::value_error("expected fewer than 2^31 rows and columns of cost");
  }
  Column<std::int32_t> column_of_row;
  column_of_row.resize_uninitialised(n_rows);
  bool is_finite = true;
  {
    const nb::gil_scoped_release released;
    for (std::size_t i = 0; i < cost.size(); ++i) is_finite &= std::isfinite(cost.data()[i]);
    DenseScratch scratch;
    if (is_finite) {
      assign_dense(cost.data(), n_rows, n_columns, scratch, column_of_row.data());
    }
  }
  if (!is_finite) throw nb::value_error("expected finite costs");
  return to_numpy(std::move(column_of_row));
}

Out<std::int32_t> matched_preds(In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin,
                                In1<std::int64_t> pair_begin, In1<std::int32_t> pair_pred,
                                In1<double> similarity, double threshold) {
  const PairLists pairs = pair_lists(truth_begin, pred_begin, pair_begin, pair_pred, similarity);
  check_threshold(threshold);
  Column<std::int32_t> truth_of_pred;
  truth_of_pred.resize_uninitialised(pairs.n_pred());
  {
    const nb::gil_scoped_release released;
    match_frames(pairs, threshold, truth_of_pred.data());
  }
  return to_numpy(std::move(truth_of_pred));
}

}  // namespace

void bind_assignment(nb::module_& m) {
  m.def("assign", assign, nb::arg("cost").noconvert(),
        "The column given to each row so that the sum of costs is least, -1 for none; among equal "
        "sums the choice of scipy.optimize.linear_sum_assignment.");
  m.def("matched_preds", matched_preds, nb::arg("truth_begin").noconvert(),
        nb::arg("pred_begin").noconvert(), nb::arg("pair_begin").noconvert(),
        nb::arg("pair_pred").noconvert(), nb::arg("similarity").noconvert(), nb::arg("threshold"),
        "The truth row that each row of predictions is matched to, -1 for none: in each frame the "
        "largest sum of the similarities that reach the threshold.");
}

}  // namespace snellen::bind
