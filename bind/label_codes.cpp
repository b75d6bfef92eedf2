#include "snellen/label_codes.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>

#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

using Codes = std::variant<Out<std::uint8_t>, Out<std::uint16_t>>;

template <class Code, class Label>
std::tuple<Codes, Out<std::int64_t>, Out<std::int64_t>> codes_of(
    const In1<Label>& labels, const In1<std::int64_t>& ids, std::optional<std::int64_t> ignored) {
  Column<Code> codes;
  UnknownLabels unknown;
  {
    const nb::gil_scoped_release released;
    codes.resize_uninitialised(labels.size());
    label_codes(labels.data(), labels.size(), ids.data(), ids.size(), ignored, codes.data(),
                unknown);
  }
  Column<std::int64_t> values, counts;
  for (const auto& [label, count] : unknown) {
    values.push_back(label);
    counts.push_back(count);
  }
  return {to_numpy(std::move(codes)), to_numpy(std::move(values)), to_numpy(std::move(counts))};
}

template <class Label>
void bind_label_codes_of(nb::module_& m) {
  m.def(
      "label_codes",
      [](In1<Label> labels, In1<std::int64_t> ids, std::optional<std::int64_t> ignored) {
        check_ascending("ids", ids);
        if (ids.size() <= std::numeric_limits<std::uint8_t>::max()) {
          return codes_of<std::uint8_t>(labels, ids, ignored);
        }
        if (ids.size() > std::numeric_limits<std::uint16_t>::max()) {
          throw nb::value_error("expected fewer than 2^16 ids");
        }
        return codes_of<std::uint16_t>(labels, ids, ignored);
      },
      nb::arg("labels").noconvert(), nb::arg("ids").noconvert(), nb::arg("ignored").none(),
      "Of each label its position among the ids (uint8, or uint16 for more than 255 ids), the "
      "number of ids for the ignored and for unknown ones; the unknown labels, ascending, and how "
      "often each occurs.");
}

}  // namespace

void bind_label_codes(nb::module_& m) {
  bind_label_codes_of<std::uint8_t>(m);
  bind_label_codes_of<std::uint16_t>(m);
  bind_label_codes_of<std::int32_t>(m);
  bind_label_codes_of<std::int64_t>(m);
}

}  // namespace snellen::bind
