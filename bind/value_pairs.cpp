#include "snellen/value_pairs.hpp"

#include <nanobind/stl/tuple.h>

#include <string>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

// Rows of pixels of any kind, or of colours.
using Maps = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

PixelMaps pixel_maps(const char* name, const Maps& maps) {
  const auto refuse = [name] {
    const std::string text = std::string(
                                 "expected whole numbers or flags (N, n_pixels), or uint8 "
                                 "colours (N, n_pixels, 3) as ") +
                             name;
    throw nb::value_error(text.c_str());
  };
  const nb::dlpack::dtype type = maps.dtype();
  if (maps.ndim() == 3 && maps.shape(2) == 3 && type == nb::dtype<std::uint8_t>()) {
    return {maps.data(), PixelKind::kColour};
  }
  if (maps.ndim() != 2) refuse();
  if (type == nb::dtype<bool>()) return {maps.data(), PixelKind::kBool};
  if (type == nb::dtype<std::int8_t>()) return {maps.data(), PixelKind::kInt8};
  if (type == nb::dtype<std::uint8_t>()) return {maps.data(), PixelKind::kUint8};
  if (type == nb::dtype<std::int16_t>()) return {maps.data(), PixelKind::kInt16};
  if (type == nb::dtype<std::uint16_t>()) return {maps.data(), PixelKind::kUint16};
  if (type == nb::dtype<std::int32_t>()) return {maps.data(), PixelKind::kInt32};
  if (type == nb::dtype<std::uint32_t>()) return {maps.data(), PixelKind::kUint32};
  if (type == nb::dtype<std::int64_t>()) return {maps.data(), PixelKind::kInt64};
  if (type == nb::dtype<std::uint64_t>()) return {maps.data(), PixelKind::kUint64};
  refuse();
  return {};
}

}  // namespace

void bind_value_pairs(nb::module_& m) {
  m.def(
      "value_pairs",
      [](Maps truth, Maps pred) {
        const PixelMaps truth_maps = pixel_maps("truth", truth);
        const PixelMaps pred_maps = pixel_maps("pred", pred);
        check_length("pred", pred.shape(0), truth.shape(0));
        if (pred.shape(1) != truth.shape(1)) {
          const std::string text = "expected " + std::to_string(truth.shape(1)) +
                                   " pixels of pred, got " + std::to_string(pred.shape(1));
          throw nb::value_error(text.c_str());
        }
        ValuePairs found;
        {
          const nb::gil_scoped_release released;
          found = value_pairs(truth_maps, pred_maps, truth.shape(0), truth.shape(1));
        }
        return std::make_tuple(to_numpy(std::move(found.start)), to_numpy(std::move(found.truth)),
                               to_numpy(std::move(found.pred)), to_numpy(std::move(found.count)));
      },
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(),
      nb::sig("def value_pairs(truth: NDArray[numpy.generic], pred: NDArray[numpy.generic]) -> "
              "tuple[NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int64], "
              "NDArray[numpy.int64]]"),
      "Where the pairs of each image start, and of each pair of values, ascending: truth, pred, "
      "count.");
}

}  // namespace snellen::bind
