// Masks as run lengths, in and out of the kernels: what would be read as an address is checked.
#pragma once

#include <nanobind/stl/tuple.h>

#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "snellen/rle.hpp"

namespace snellen::bind {

using Runs = In1<std::uint32_t>;
using Offsets = In1<std::int64_t>;
using Sizes = In2<std::int32_t>;

// Offsets that begin at 0, never descend, and end at `n_items`.
inline void check_offsets(const char* name, const Offsets& offset, std::size_t n_items) {
  bool good = offset.size() > 0 && offset.data()[0] == 0;
  for (std::size_t i = 1; good && i < offset.size(); ++i) {
    good = offset.data()[i - 1] <= offset.data()[i];
  }
  if (good && static_cast<std::size_t>(offset.data()[offset.size() - 1]) == n_items) return;
  const std::string text =
      std::string("expected ") + name + " that ascend from 0 to " + std::to_string(n_items);
  throw nb::value_error(text.c_str());
}

inline void check_sizes(const Sizes& size, std::size_t n) {
  check_length("size", size.shape(0), n);
  bool good = size.shape(1) == 2;
  for (std::size_t i = 0; good && i < size.size(); ++i) good = size.data()[i] >= 0;
  if (!good) throw nb::value_error("expected a height and a width from 0 on for each mask");
}

inline void refuse(const RleFault& fault) {
  if (!fault) return;
  const std::string text = fault.message + " in row " + std::to_string(fault.row);
  throw nb::value_error(text.c_str());
}

// Runs, offsets and sizes; whether the runs sum up to the sizes is not looked at.
inline RleView unchecked_masks_of(const Runs& runs, const Offsets& offset, const Sizes& size) {
  check_offsets("offsets", offset, runs.size());
  check_sizes(size, offset.size() - 1);
  return {runs.data(), offset.data(), size.data(), offset.size() - 1};
}

// Runs, offsets and sizes, the runs summing up to the sizes: no kernel can then leave an image.
inline RleView masks_of(const Runs& runs, const Offsets& offset, const Sizes& size) {
  const RleView masks = unchecked_masks_of(runs, offset, size);
  refuse(check_rle(masks));
  return masks;
}

// The areas and boxes of masks whose runs sum up to their sizes.
inline RleExtents extents_of(const RleView& masks) {
  RleExtents found;
  RleFault fault;
  {
    const nb::gil_scoped_release released;
    fault = rle_extents(masks, found);
  }
  refuse(fault);
  return found;
}

using RunArrays = std::tuple<Out<std::uint32_t>, Out<std::int64_t>>;

inline RunArrays to_numpy(RleRows&& rows) {
  return {to_numpy(std::move(rows.runs)), to_numpy(std::move(rows.offset))};
}

}  // namespace snellen::bind
