#include "snellen/rank_statistics.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

using Codes = std::optional<In1<std::int32_t>>;
using Members = std::optional<In2<std::uint8_t>>;

template <class Score>
ScoreMatrix<Score> matrix_of(const In2<Score>& score, const Codes& code, const Members& member) {
  if (code.has_value() == member.has_value()) throw nb::value_error("expected code or member");
  if (code.has_value()) {
    check_length("code", code->size(), score.shape(0));
    check_codes("code", *code, score.shape(1));
  } else {
    check_length("member", member->shape(0), score.shape(0));
    check_length("member columns", member->shape(1), score.shape(1));
  }
  return {score.data(), score.shape(0), score.shape(1), code.has_value() ? code->data() : nullptr,
          member.has_value() ? member->data() : nullptr};
}

auto to_tuple(RankCurves&& curves) {
  return std::make_tuple(to_numpy(std::move(curves.begin)), to_numpy(std::move(curves.threshold)),
                         to_numpy(std::move(curves.n_true)), to_numpy(std::move(curves.n_false)),
                         to_numpy(std::move(curves.n_false_above)));
}

Column<std::int64_t> zeros(std::size_t size) {
  Column<std::int64_t> column;
  column.resize_uninitialised(size);
  std::fill(column.begin(), column.end(), 0);
  return column;
}

template <class Score>
void bind_for(nb::module_& m) {
  m.def(
      "target_ranks",
      [](In2<Score> score, In1<std::int32_t> code) {
        check_length("code", code.size(), score.shape(0));
        check_codes("code", code, score.shape(1));
        Column<std::int32_t> rank;
        rank.resize_uninitialised(code.size());
        {
          const nb::gil_scoped_release released;
          target_ranks(score.data(), score.shape(0), score.shape(1), code.data(), rank.data());
        }
        return to_numpy(std::move(rank));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert(),
      "How many columns of each row come before that of its code: higher, or equal and earlier.");
  m.def(
      "curves_by_column",
      [](In2<Score> score, Codes code, Members member) {
        const ScoreMatrix<Score> matrix = matrix_of(score, code, member);
        RankCurves curves;
        {
          const nb::gil_scoped_release released;
          curves = curves_by_column(matrix, static_cast<std::int64_t*>(nullptr));
        }
        return to_tuple(std::move(curves));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert().none(),
      nb::arg("member").noconvert().none(),
      "One curve a column: begin, threshold, n_true, n_false, n_false_above.");
  m.def(
      "curves_and_wins",
      [](In2<Score> score, In1<std::int32_t> code) {
        const ScoreMatrix<Score> matrix = matrix_of(score, Codes(code), Members());
        const std::size_t k = score.shape(1);
        Column<std::int64_t> twice_wins;
        RankCurves curves;
        {
          const nb::gil_scoped_release released;
          twice_wins = zeros(k * k);
          curves = curves_by_column(matrix, twice_wins.data());
        }
        return std::make_tuple(to_tuple(std::move(curves)),
                               to_numpy(std::move(twice_wins), {k, k}));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert(),
      "The same, and (K, K): twice the pairs that the row's class wins over the column's.");
  m.def(
      "curve_of_all",
      [](In2<Score> score, Codes code, Members member) {
        const ScoreMatrix<Score> matrix = matrix_of(score, code, member);
        RankCurves curves;
        {
          const nb::gil_scoped_release released;
          curves = curve_of_all(matrix);
        }
        return to_tuple(std::move(curves));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert().none(),
      nb::arg("member").noconvert().none(), "The curve of all cells, as one column.");
  m.def(
      "count_by_threshold",
      [](In2<Score> score, Codes code, Members member, In1<Score> thresholds) {
        const ScoreMatrix<Score> matrix = matrix_of(score, code, member);
        const Score* const begin = thresholds.data();
        const Score* const end = begin + thresholds.size();
        if (!std::is_sorted(begin, end) || std::adjacent_find(begin, end) != end) {
          throw nb::value_error("expected thresholds in strictly ascending order");
        }
        const std::size_t k = score.shape(1);
        const std::size_t cells = thresholds.size() + 1;
        Column<std::int64_t> all;
        Column<std::int64_t> positive;
        {
          const nb::gil_scoped_release released;
          all = zeros(k * cells);
          positive = zeros(k * cells);
          count_by_threshold(matrix, begin, thresholds.size(), all.data(), positive.data());
        }
        return std::make_tuple(to_numpy(std::move(all), {k, cells}),
                               to_numpy(std::move(positive), {k, cells}));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert().none(),
      nb::arg("member").noconvert().none(), nb::arg("thresholds").noconvert(),
      "All cells and positive ones of each column by how many thresholds they reach.");
}

}  // namespace

void bind_rank_statistics(nb::module_& m) {
  bind_for<float>(m);
  bind_for<double>(m);
}

}  // namespace snellen::bind
