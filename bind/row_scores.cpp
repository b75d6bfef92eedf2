#include "snellen/row_scores.hpp"

#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "snellen/column.hpp"

namespace snellen::bind {
namespace {

template <class T>
Column<T> column_of(std::size_t size) {
  Column<T> column;
  column.resize_uninitialised(size);
  return column;
}

template <class Score>
void check_columns(const In2<Score>& score) {
  if (score.shape(0) > 0 && score.shape(1) == 0) throw nb::value_error("expected columns");
}

Link link_of(bool logit) { return logit ? Link::logit : Link::identity; }

template <class Score>
void bind_for(nb::module_& m) {
  m.def(
      "row_sums",
      [](In2<Score> score) {
        Column<double> sum = column_of<double>(score.shape(0));
        {
          const nb::gil_scoped_release released;
          row_sums(score.data(), score.shape(0), score.shape(1), sum.data());
        }
        return to_numpy(std::move(sum));
      },
      nb::arg("score").noconvert(), "The sum of each row.");
  m.def(
      "row_maxima",
      [](In2<Score> score, bool logit) {
        check_columns(score);
        Column<double> highest = column_of<double>(score.shape(0));
        Column<std::int32_t> column = column_of<std::int32_t>(score.shape(0));
        {
          const nb::gil_scoped_release released;
          row_maxima(score.data(), score.shape(0), score.shape(1), link_of(logit), highest.data(),
                     column.data());
        }
        return std::make_tuple(to_numpy(std::move(highest)), to_numpy(std::move(column)));
      },
      nb::arg("score").noconvert(), nb::kw_only(), nb::arg("logit"),
      "The highest probability of each row and the first column that has it.");
  m.def(
      "row_losses",
      [](In2<Score> score, In1<std::int32_t> code, bool logit, double eps) {
        check_length("code", code.size(), score.shape(0));
        check_codes("code", code, score.shape(1));
        Column<double> log_loss = column_of<double>(score.shape(0));
        Column<double> brier = column_of<double>(score.shape(0));
        {
          const nb::gil_scoped_release released;
          row_losses(score.data(), score.shape(0), score.shape(1), code.data(), link_of(logit), eps,
                     log_loss.data(), brier.data());
        }
        return std::make_tuple(to_numpy(std::move(log_loss)), to_numpy(std::move(brier)));
      },
      nb::arg("score").noconvert(), nb::arg("code").noconvert(), nb::kw_only(), nb::arg("logit"),
      nb::arg("eps"), "Log loss and Brier score (summed over classes) of each row.");
  m.def(
      "cell_losses",
      [](In2<Score> score, In2<std::uint8_t> member, bool logit, double eps) {
        check_length("member", member.shape(0), score.shape(0));
        check_length("member columns", member.shape(1), score.shape(1));
        const std::size_t n = score.shape(0);
        const std::size_t k = score.shape(1);
        Column<double> log_loss = column_of<double>(n * k);
        Column<double> brier = column_of<double>(n * k);
        {
          const nb::gil_scoped_release released;
          cell_losses(score.data(), n * k, member.data(), link_of(logit), eps, log_loss.data(),
                      brier.data());
        }
        return std::make_tuple(to_numpy(std::move(log_loss), {n, k}),
                               to_numpy(std::move(brier), {n, k}));
      },
      nb::arg("score").noconvert(), nb::arg("member").noconvert(), nb::kw_only(), nb::arg("logit"),
      nb::arg("eps"), "Log loss and Brier score of each cell, a probability of its own.");
  m.def(
      "probabilities",
      [](In2<Score> score, bool logit) {
        const std::size_t n = score.shape(0);
        const std::size_t k = score.shape(1);
        Column<double> probability = column_of<double>(n * k);
        {
          const nb::gil_scoped_release released;
          probabilities(score.data(), n, k, link_of(logit), probability.data());
        }
        return to_numpy(std::move(probability), {n, k});
      },
      nb::arg("score").noconvert(), nb::kw_only(), nb::arg("logit"),
      "Probabilities (n, K): softmax of logits, of one column the logistic function.");
}

}  // namespace

void bind_row_scores(nb::module_& m) {
  bind_for<float>(m);
  bind_for<double>(m);
}

}  // namespace snellen::bind
