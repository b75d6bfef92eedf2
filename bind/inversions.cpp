#include "snellen/inversions.hpp"

#include "arrays.hpp"

namespace snellen::bind {

namespace {

// Counts of pairs must fit int64.
void check_times(const In2<std::int64_t>& times) {
  for (std::size_t set = 0; set < times.shape(0); ++set) {
    std::int64_t total = 0;
    for (std::size_t i = 0; i < times.shape(1); ++i) {
      const std::int64_t each = times.data()[set * times.shape(1) + i];
      if (each < 0 || each >> 32 != 0 || (total += each) >> 32 != 0) {
        throw nb::value_error("expected times from 0, fewer than 2^32 rows in all");
      }
    }
  }
}

}  // namespace

void bind_inversions(nb::module_& m) {
  m.def(
      "count_inversions",
      [](In1<std::int32_t> code, std::size_t n_codes, In2<std::int64_t> times) {
        check_codes("code", code, n_codes);
        check_length("times", times.shape(1), code.size());
        check_times(times);
        Column<std::int64_t> inversions;
        inversions.resize_uninitialised(times.shape(0));
        {
          const nb::gil_scoped_release released;
          count_inversions(code.data(), code.size(), n_codes, times.data(), times.shape(0),
                           inversions.data());
        }
        return to_numpy(std::move(inversions));
      },
      nb::arg("code").noconvert(), nb::arg("n_codes"), nb::arg("times").noconvert(),
      "For each row of times, how many pairs of codes stand in descending order.");
}

}  // namespace snellen::bind
