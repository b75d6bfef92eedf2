#include "snellen/rle_boundary.hpp"

#include <algorithm>
#include <utility>

#include "rle_arrays.hpp"

namespace snellen::bind {

void bind_rle_boundary(nb::module_& m) {
  m.def(
      "rle_boundaries",
      [](Runs runs, Offsets offset, Sizes size, In1<std::int64_t> distance) {
        const RleView masks = masks_of(runs, offset, size);
        check_length("distance", distance.size(), masks.n);
        if (std::any_of(distance.data(), distance.data() + distance.size(),
                        [](std::int64_t each) { return each < 1; })) {
          throw nb::value_error("expected distances from 1 on");
        }
        RleRows rows;
        {
          const nb::gil_scoped_release released;
          rows = rle_boundaries(masks, distance.data());
        }
        return to_numpy(std::move(rows));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      nb::arg("distance").noconvert(),
      "Runs and offsets of what of each mask lies within a distance of its edge, in pixels.");
}

}  // namespace snellen::bind
