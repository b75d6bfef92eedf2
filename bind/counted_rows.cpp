#include "snellen/counted_rows.hpp"

#include "arrays.hpp"

namespace snellen::bind {

void bind_counted_rows(nb::module_& m) {
  m.def(
      "best_rows",
      [](In1<double> score, In1<std::int32_t> group, std::size_t n_groups, std::size_t cap) {
        check_length("score", score.size(), group.size());
        check_codes("group", group, n_groups);
        Column<std::int64_t> rows;
        {
          const nb::gil_scoped_release released;
          rows = best_rows(score.data(), group.data(), group.size(), n_groups, cap);
        }
        return to_numpy(std::move(rows));
      },
      nb::arg("score").noconvert(), nb::arg("group").noconvert(), nb::kw_only(),
      nb::arg("n_groups"), nb::arg("cap"),
      "The rows of highest score of each group, `cap` of it at most, ascending; of equal scores "
      "the first.");
  m.def(
      "looked_for",
      [](In1<std::int32_t> listed_image, In1<std::int32_t> listed_label,
         In1<std::uint8_t> exhaustive, In1<std::int32_t> truth_image, In1<std::int32_t> truth_label,
         In1<std::int32_t> pred_image, In1<std::int32_t> pred_label, std::size_t n_images,
         std::size_t n_labels) {
        check_length("exhaustive", exhaustive.size(), listed_image.size());
        const auto checked = [&](const In1<std::int32_t>& image, const In1<std::int32_t>& label) {
          check_length("label", label.size(), image.size());
          check_codes("image", image, n_images);
          check_codes("label", label, n_labels);
          return LabelsOfImages{image.data(), label.data(), image.size()};
        };
        const LabelsOfImages listed = checked(listed_image, listed_label);
        const LabelsOfImages truth = checked(truth_image, truth_label);
        const LabelsOfImages pred = checked(pred_image, pred_label);
        Column<std::uint8_t> found;
        {
          const nb::gil_scoped_release released;
          found = looked_for(listed, exhaustive.data(), truth, pred, n_images);
        }
        return to_numpy(std::move(found));
      },
      nb::arg("listed_image").noconvert(), nb::arg("listed_label").noconvert(),
      nb::arg("exhaustive").noconvert(), nb::arg("truth_image").noconvert(),
      nb::arg("truth_label").noconvert(), nb::arg("pred_image").noconvert(),
      nb::arg("pred_label").noconvert(), nb::kw_only(), nb::arg("n_images"), nb::arg("n_labels"),
      "Whether the class of each prediction was looked for in its image: 0 no, 1 yes (it is listed "
      "or truth has it there), 2 in part (it is listed as not exhaustive).");
}

}  // namespace snellen::bind
