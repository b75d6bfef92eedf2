#include "snellen/exact_sum.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <optional>
#include <tuple>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

using Limbs = nb::ndarray<std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// A value whose limbs the sums do not have would be written elsewhere.
void check_span(const LimbSpan& span, const Limbs& limbs, std::int32_t low) {
  if (span.begin >= span.end) return;
  const auto n_limbs = static_cast<std::int32_t>(limbs.shape(1));
  if (span.begin >= low && span.end <= low + n_limbs) return;
  throw nb::value_error("expected limbs that hold the span of the values");
}

}  // namespace

void bind_exact_sum(nb::module_& m) {
  m.def(
      "limb_span",
      [](In1<double> values) {
        const LimbSpan span = limb_span(values.data(), values.size());
        return std::make_tuple(span.begin, span.end);
      },
      nb::arg("values").noconvert(), "First limb and the one after the last that values touch.");
  m.def(
      "limb_span_of_products",
      [](In1<double> a, In1<double> b) {
        check_length("b", b.size(), a.size());
        const LimbSpan span = limb_span_of_products(a.data(), b.data(), a.size());
        return std::make_tuple(span.begin, span.end);
      },
      nb::arg("a").noconvert(), nb::arg("b").noconvert(),
      "First limb and the one after the last that the exact products touch.");
  m.def(
      "add_exactly",
      [](In1<double> values, Limbs limbs, std::int32_t low, std::optional<In1<std::int64_t>> cell) {
        check_span(limb_span(values.data(), values.size()), limbs, low);
        if (cell) {
          check_length("cell", cell->size(), values.size());
          check_codes("cell", *cell, limbs.shape(0));
        }
        const nb::gil_scoped_release released;
        add_exactly(values.data(), cell ? cell->data() : nullptr, values.size(), limbs.data(),
                    limbs.shape(0), limbs.shape(1), low);
      },
      nb::arg("values").noconvert(), nb::arg("limbs").noconvert(), nb::arg("low"),
      nb::arg("cell").noconvert().none() = nb::none(),
      "Add values to sums, in place: to sum cell[i], or to all sums in turn.");
  m.def(
      "add_products_exactly",
      [](In1<double> a, In1<double> b, Limbs limbs, std::int32_t low) {
        check_length("b", b.size(), a.size());
        check_span(limb_span_of_products(a.data(), b.data(), a.size()), limbs, low);
        const nb::gil_scoped_release released;
        add_products_exactly(a.data(), b.data(), a.size(), limbs.data(), limbs.shape(0),
                             limbs.shape(1), low);
      },
      nb::arg("a").noconvert(), nb::arg("b").noconvert(), nb::arg("limbs").noconvert(),
      nb::arg("low"), "Add products, not rounded, to all sums in turn, in place.");
  m.def(
      "pass_carries",
      [](Limbs limbs) { pass_carries(limbs.data(), limbs.shape(0), limbs.shape(1)); },
      nb::arg("limbs").noconvert(), "Bring all limbs but the last into [0, 2^32), in place.");
  m.def(
      "round_sums",
      [](In2<std::int64_t> limbs, std::int32_t low) {
        Column<double> rounded;
        rounded.resize_uninitialised(limbs.shape(0));
        round_sums(limbs.data(), limbs.shape(0), limbs.shape(1), low, rounded.data());
        return to_numpy(std::move(rounded));
      },
      nb::arg("limbs").noconvert(), nb::arg("low"), "Sums rounded once, to nearest even.");
}

}  // namespace snellen::bind
