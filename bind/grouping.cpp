#include "snellen/grouping.hpp"

#include "arrays.hpp"

namespace snellen::bind {

void bind_grouping(nb::module_& m) {
  m.def(
      "group_rows",
      [](In1<std::int32_t> image, In1<std::int32_t> label, std::size_t n_images,
         std::size_t n_labels) {
        check_length("label", label.size(), image.size());
        check_codes("image", image, n_images);
        check_codes("label", label, n_labels);
        Grouping grouping;
        {
          const nb::gil_scoped_release released;
          grouping = group_rows(image.data(), label.data(), image.size(), n_images, n_labels);
        }
        return to_numpy(std::move(grouping.place));
      },
      nb::arg("image").noconvert(), nb::arg("label").noconvert(), nb::arg("n_images"),
      nb::arg("n_labels"), "The place (uint32) of each row in stable (label, image) order.");
}

}  // namespace snellen::bind
