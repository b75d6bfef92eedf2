#include "snellen/hamming.hpp"

#include <nanobind/stl/tuple.h>

#include <tuple>

#include "arrays.hpp"

namespace snellen::bind {

void bind_hamming(nb::module_& m) {
  m.def(
      "near_duplicates",
      [](In2<std::uint64_t> hash, In1<std::int32_t> part, std::size_t n_parts, int distance) {
        if (hash.shape(1) != kHashWords) throw nb::value_error("expected hashes of 4 words");
        if (distance < 0 || distance >= kHashBits) {
          throw nb::value_error("expected a distance from 0 to 255");
        }
        check_length("part", part.size(), hash.shape(0));
        check_codes("part", part, n_parts);
        NearDuplicates found;
        {
          const nb::gil_scoped_release released;
          found = near_duplicates(hash.data(), part.data(), part.size(), n_parts, distance);
        }
        Column<std::int64_t> n_pairs;
        for (const std::int64_t n : found.n_pairs) n_pairs.push_back(n);
        return std::make_tuple(to_numpy(std::move(found.group)),
                               to_numpy(std::move(found.nearest), {part.size(), n_parts}),
                               to_numpy(std::move(found.bits), {part.size(), n_parts}),
                               to_numpy(std::move(n_pairs), {n_parts, n_parts}));
      },
      nb::arg("hash").noconvert(), nb::arg("part").noconvert(), nb::arg("n_parts"),
      nb::arg("distance"),
      "Of each row the first row of its group, and by part the nearest other row and its distance "
      "(-1: none is near); the near pairs by parts.");
}

}  // namespace snellen::bind
