#include "snellen/halving.hpp"

#include <algorithm>

#include "arrays.hpp"

namespace snellen::bind {

void bind_halving(nb::module_& m) {
  m.def(
      "halve",
      [](In1<double> position, double share, In1<std::int64_t> begin, In1<std::int32_t> unit,
         In1<double> weight, In1<double> target, In1<double> importance, In1<double> price,
         int n_sweeps, std::size_t n_candidates) {
        const std::size_t n_units = position.size(), n_labels = target.size();
        check_length("begin", begin.size(), n_labels + 1);
        check_length("weight", weight.size(), unit.size());
        check_length("importance", importance.size(), n_labels);
        check_length("price", price.size(), n_units);
        check_codes("units", unit, n_units);
        check_ascending("begin", begin);
        if (begin.data()[0] != 0 ||
            static_cast<std::size_t>(begin.data()[n_labels]) != unit.size()) {
          throw nb::value_error("expected begin to lead from 0 to the number of weights");
        }
        Column<double> moving;
        moving.resize_uninitialised(n_units);
        std::copy_n(position.data(), n_units, moving.data());
        Column<std::uint8_t> right;
        right.resize_uninitialised(n_units);
        {
          const nb::gil_scoped_release released;
          halve({n_labels, begin.data(), unit.data(), weight.data(), target.data(),
                 importance.data()},
                n_units, share, {n_sweeps, n_candidates, price.data()}, moving.data(),
                right.data());
        }
        return to_numpy(std::move(right));
      },
      nb::arg("position").noconvert(), nb::arg("share"), nb::arg("begin").noconvert(),
      nb::arg("unit").noconvert(), nb::arg("weight").noconvert(), nb::arg("target").noconvert(),
      nb::arg("importance").noconvert(), nb::arg("price").noconvert(), nb::kw_only(),
      nb::arg("n_sweeps"), nb::arg("n_candidates"),
      "Halves of units (uint8, 1 is right) in which each label has its target of weight.");
}

}  // namespace snellen::bind
