#include "snellen/ranking.hpp"

#include <cstdint>
#include <limits>

#include "arrays.hpp"

namespace snellen::bind {

void bind_ranking(nb::module_& m) {
  m.def(
      "rank_in_groups",
      [](In1<double> score, In1<std::int32_t> group, std::size_t n_groups) {
        check_length("score", score.size(), group.size());
        check_codes("group", group, n_groups);
        check_ascending("group", group);
        if (score.size() > std::numeric_limits<std::uint32_t>::max()) {
          throw nb::value_error("expected fewer than 2^32 rows");
        }
        Column<std::uint32_t> rows;
        {
          const nb::gil_scoped_release released;
          rows = rank_in_groups(score.data(), group.data(), group.size(), n_groups);
        }
        return to_numpy(std::move(rows));
      },
      nb::arg("score").noconvert(), nb::arg("group").noconvert(), nb::kw_only(),
      nb::arg("n_groups"),
      "The rows (uint32) of each group by descending score, group after group; of equal scores the "
      "first. Rows ascend by group.");
}

}  // namespace snellen::bind
