#include "snellen/polygon.hpp"

#include "rle_arrays.hpp"

namespace snellen::bind {

void bind_polygon(nb::module_& m) {
  m.def(
      "rle_of_polygons",
      [](In1<double> xy, Offsets begin, In2<std::int64_t> size) {
        check_offsets("begins of polygons", begin, xy.size() / 2);
        check_length("size", size.shape(0), begin.size() - 1);
        bool good = size.shape(1) == 2 && xy.size() % 2 == 0;
        for (std::size_t i = 0; good && i < size.size(); ++i) good = size.data()[i] >= 0;
        if (!good) throw nb::value_error("expected x and y of vertices, and sizes from 0 on");
        RleRows rows;
        {
          const nb::gil_scoped_release released;
          rows = rle_of_polygons({xy.data(), begin.data(), size.data(), begin.size() - 1});
        }
        return to_numpy(std::move(rows));
      },
      nb::arg("xy").noconvert(), nb::arg("begin").noconvert(), nb::arg("size").noconvert(),
      "Runs and offsets of polygons: polygon i has the vertices begin[i] … begin[i + 1] - 1, each "
      "x "
      "and y, and lies in an image of size[i] (height, width).");
}

}  // namespace snellen::bind
