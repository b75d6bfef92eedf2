#include "snellen/label_counts.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

// check_codes stops at the first code out of range; this only finds the highest, in vectors.
bool all_below(const In1<std::int32_t>& codes, std::size_t n_codes) {
  std::uint32_t highest = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    highest = std::max(highest, static_cast<std::uint32_t>(codes.data()[i]));
  }
  return codes.size() == 0 || highest < n_codes;
}

// A cell counts with 32 bits.
void check_row_count(std::size_t n) {
  if (n <= std::numeric_limits<std::uint32_t>::max()) return;
  throw nb::value_error("expected fewer than 2^32 rows at once");
}

}  // namespace

void bind_label_counts(nb::module_& m) {
  m.def(
      "factorise",
      [](In1<std::int64_t> labels,
         std::size_t max_span) -> std::optional<std::pair<Out<std::int64_t>, Out<std::int32_t>>> {
        Factorised found;
        bool done = false;
        {
          const nb::gil_scoped_release released;
          done = factorise(labels.data(), labels.size(), max_span, found);
        }
        if (!done) return std::nullopt;
        return std::make_pair(to_numpy(std::move(found.ids)), to_numpy(std::move(found.code)));
      },
      nb::arg("labels").noconvert(), nb::arg("max_span"),
      "Distinct labels, ascending, and the position (int32) of each; None where they are spread "
      "over more than max_span numbers.");
  m.def(
      "count_pairs",
      [](In1<std::int32_t> row, In1<std::int32_t> column, std::size_t n_classes) {
        check_length("column", column.size(), row.size());
        if (!all_below(row, n_classes)) check_codes("row", row, n_classes);
        if (!all_below(column, n_classes)) check_codes("column", column, n_classes);
        check_row_count(row.size());
        PairCount found;
        {
          const nb::gil_scoped_release released;
          found = count_pairs(row.data(), column.data(), row.size(), n_classes);
        }
        return std::make_pair(to_numpy(std::move(found.cell)), to_numpy(std::move(found.count)));
      },
      nb::arg("row").noconvert(), nb::arg("column").noconvert(), nb::arg("n_classes"),
      "Cells (row * n_classes + column, ascending) and how often each pair of codes occurs.");
  m.def(
      "count_labels",
      [](In1<std::int64_t> truth, In1<std::int64_t> pred, std::size_t max_span)
          -> std::optional<std::tuple<Out<std::int64_t>, Out<std::int64_t>, Out<std::int64_t>>> {
        check_length("pred", pred.size(), truth.size());
        check_row_count(truth.size());
        LabelPairs found;
        bool done = false;
        {
          const nb::gil_scoped_release released;
          done = count_labels(truth.data(), pred.data(), truth.size(), max_span, found);
        }
        if (!done) return std::nullopt;
        return std::make_tuple(to_numpy(std::move(found.ids)),
                               to_numpy(std::move(found.pairs.cell)),
                               to_numpy(std::move(found.pairs.count)));
      },
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(), nb::arg("max_span"),
      "Labels of both sides, ascending, cells and counts as from count_pairs; None where the "
      "labels "
      "are spread over more than max_span numbers.");
}

}  // namespace snellen::bind
