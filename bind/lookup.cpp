#include "snellen/lookup.hpp"

#include <nanobind/stl/tuple.h>

#include <tuple>

#include "arrays.hpp"

namespace snellen::bind {

void bind_lookup(nb::module_& m) {
  m.def(
      "lookup",
      [](In1<std::int64_t> ids, In1<std::int64_t> known) {
        for (std::size_t i = 1; i < known.size(); ++i) {
          if (known.data()[i - 1] >= known.data()[i]) {
            throw nb::value_error("expected known ids in strictly ascending order");
          }
        }
        Column<std::int32_t> position;
        position.resize_uninitialised(ids.size());
        std::size_t n_absent = 0;
        {
          const nb::gil_scoped_release released;
          n_absent = lookup(ids.data(), ids.size(), known.data(), known.size(), position.data());
        }
        return std::make_tuple(to_numpy(std::move(position)), n_absent);
      },
      nb::arg("ids").noconvert(), nb::arg("known").noconvert(),
      "Positions (int32) of ids in the ascending array known, -1 where absent, and how many are.");
}

}  // namespace snellen::bind
