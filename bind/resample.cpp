#include "snellen/resample.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {

void bind_resample(nb::module_& m) {
  m.def(
      "multiplicities",
      [](In1<std::int64_t> counts, std::uint64_t seed, std::uint64_t first,
         std::size_t n_replicates) {
        std::uint64_t n_units = 0;
        for (std::size_t kind = 0; kind < counts.size(); ++kind) {
          const std::int64_t count = counts.data()[kind];
          if (count < 0) throw nb::value_error("expected counts that are not negative");
          n_units += static_cast<std::uint64_t>(count);
          if (n_units > std::numeric_limits<std::uint32_t>::max()) {
            throw nb::value_error("expected fewer than 2^32 units");
          }
        }
        Column<std::int32_t> times;
        times.resize_uninitialised(n_replicates * counts.size());
        {
          const nb::gil_scoped_release released;
          multiplicities(counts.data(), counts.size(), seed, first, n_replicates, times.data());
        }
        return to_numpy(std::move(times), {n_replicates, counts.size()});
      },
      nb::arg("counts").noconvert(), nb::arg("seed"), nb::arg("first"), nb::arg("n_replicates"),
      "How often units of each kind are drawn in each bootstrap replicate, (replicates, kinds).");
  m.def(
      "random_bits",
      [](std::size_t n_units, std::uint64_t seed, std::uint64_t first, std::size_t n_replicates) {
        Column<std::uint8_t> bits;
        bits.resize_uninitialised(n_replicates * n_units);
        {
          const nb::gil_scoped_release released;
          random_bits(n_units, seed, first, n_replicates, bits.data());
        }
        return to_numpy(std::move(bits), {n_replicates, n_units});
      },
      nb::arg("n_units"), nb::arg("seed"), nb::arg("first"), nb::arg("n_replicates"),
      "A random 0 or 1 for each unit in each replicate, (replicates, units).");
  m.def(
      "sums_by_cell",
      [](In2<std::int32_t> times, In1<std::int32_t> cell, std::size_t n_cells,
         std::optional<In1<std::int32_t>> unit, std::optional<In1<double>> weight) {
        check_codes("cell", cell, n_cells);
        if (unit) {
          check_length("unit", unit->size(), cell.size());
          check_codes("unit", *unit, times.shape(1));
        } else {
          check_length("cell", cell.size(), times.shape(1));
        }
        if (weight) check_length("weight", weight->size(), cell.size());
        Column<double> sums;
        sums.resize_uninitialised(times.shape(0) * n_cells);
        {
          const nb::gil_scoped_release released;
          sums_by_cell(times.data(), times.shape(0), times.shape(1), unit ? unit->data() : nullptr,
                       weight ? weight->data() : nullptr, cell.data(), cell.size(), n_cells,
                       sums.data());
        }
        return to_numpy(std::move(sums), {times.shape(0), n_cells});
      },
      nb::arg("times").noconvert(), nb::arg("cell").noconvert(), nb::arg("n_cells"),
      nb::arg("unit").noconvert().none() = nb::none(),
      nb::arg("weight").noconvert().none() = nb::none(),
      "Sums of times[unit[j]] * weight[j] by cell[j] for each replicate, (replicates, cells).");
  m.def(
      "label_sums",
      [](In2<std::int32_t> times, In1<std::int32_t> truth, In1<std::int32_t> predicted,
         std::size_t n_classes, std::optional<In1<std::int32_t>> unit,
         std::optional<In1<double>> weight) {
        check_length("predicted", predicted.size(), truth.size());
        check_codes("truth", truth, n_classes);
        check_codes("predicted", predicted, n_classes);
        if (truth.size() > std::numeric_limits<std::uint32_t>::max()) {
          throw nb::value_error("expected fewer than 2^32 pairs");
        }
        if (unit) {
          check_length("unit", unit->size(), truth.size());
          check_codes("unit", *unit, times.shape(1));
        } else {
          check_length("truth", truth.size(), times.shape(1));
        }
        if (weight) check_length("weight", weight->size(), truth.size());
        const std::size_t n = times.shape(0);
        Column<double> correct, by_truth, by_prediction, costs;
        for (Column<double>* each : {&correct, &by_truth, &by_prediction}) {
          each->resize_uninitialised(n * n_classes);
        }
        costs.resize_uninitialised(n * 3);
        {
          const nb::gil_scoped_release released;
          label_sums(times.data(), n, times.shape(1),
                     {truth.data(), predicted.data(), unit ? unit->data() : nullptr,
                      weight ? weight->data() : nullptr, truth.size(), n_classes},
                     {correct.data(), by_truth.data(), by_prediction.data(), costs.data()});
        }
        return std::make_tuple(to_numpy(std::move(correct), {n, n_classes}),
                               to_numpy(std::move(by_truth), {n, n_classes}),
                               to_numpy(std::move(by_prediction), {n, n_classes}),
                               to_numpy(std::move(costs), {n, 3}));
      },
      nb::arg("times").noconvert(), nb::arg("truth").noconvert(), nb::arg("predicted").noconvert(),
      nb::arg("n_classes"), nb::arg("unit").noconvert().none() = nb::none(),
      nb::arg("weight").noconvert().none() = nb::none(),
      "Right, true and predicted weights of each class (replicates, K), and weights of pairs that "
      "differ: plain, times the distance, times its square (replicates, 3).");
}

}  // namespace snellen::bind
