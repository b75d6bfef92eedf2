#include "snellen/image_resize.hpp"

#include <nanobind/stl/string.h>

#include <string>

#include "arrays.hpp"

namespace snellen::bind {

namespace {

using Image = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

constexpr std::size_t kMostPixels = std::size_t{1} << 31;  // along an axis

ResizeFilter filter_of(const std::string& name) {
  if (name == "box") return ResizeFilter::kBox;
  if (name == "bilinear") return ResizeFilter::kBilinear;
  if (name == "hamming") return ResizeFilter::kHamming;
  if (name == "bicubic") return ResizeFilter::kBicubic;
  if (name == "lanczos") return ResizeFilter::kLanczos;
  throw nb::value_error("expected a filter of box, bilinear, hamming, bicubic, lanczos");
}

}  // namespace

void bind_image_resize(nb::module_& m) {
  m.def(
      "resize_image",
      [](Image image, std::size_t height, std::size_t width, const std::string& filter,
         std::size_t top, std::size_t left, std::size_t n_rows, std::size_t n_columns,
         bool down_first) {
        const std::size_t channels = image.shape(2);
        if (channels < 1 || channels > 4) throw nb::value_error("expected 1 to 4 channels");
        for (const std::size_t size :
             {image.shape(0), image.shape(1), height, width, n_rows, n_columns}) {
          if (size < 1 || size >= kMostPixels) {
            throw nb::value_error("expected sizes from 1 to 2^31 - 1");
          }
        }
        if (top > height || n_rows > height - top || left > width || n_columns > width - left) {
          throw nb::value_error("expected a window within the result");
        }
        const ResizeFilter chosen = filter_of(filter);
        Column<std::uint8_t> out;
        out.resize_uninitialised(n_rows * n_columns * channels);
        {
          const nb::gil_scoped_release released;
          resize_image({image.data(), image.shape(0), image.shape(1), channels},
                       {height, width, top, left, n_rows, n_columns}, chosen,
                       down_first ? FirstPass::kDown : FirstPass::kAcross, out.data());
        }
        return to_numpy(std::move(out), {n_rows, n_columns, channels});
      },
      nb::arg("image").noconvert(), nb::arg("height"), nb::arg("width"), nb::arg("filter"),
      nb::arg("top"), nb::arg("left"), nb::arg("n_rows"), nb::arg("n_columns"), nb::kw_only(),
      nb::arg("down_first"),
      "Of an image (H, W, C) in another size the pixels in a window, as Pillow computes them.");
}

}  // namespace snellen::bind
