// Label images as codes: the position of each pixel's label among the class ids.
//
// A label that stays the same from pixel to pixel, as most do, is looked up once; a block of it is
// read and written whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace snellen {

// Labels that are no class, and how many pixels have each.
using UnknownLabels = std::map<std::int64_t, std::int64_t>;

// code[i] becomes the position of labels[i] among ids (ascending), n_ids for the ignored label and
// for unknown ones, which are added to `unknown`. n_ids must fit Code (checked by the caller).
// Label is uint8, uint16, int32 or int64; Code is uint8 or uint16.
template <class Label, class Code>
void label_codes(const Label* labels, std::size_t n, const std::int64_t* ids, std::size_t n_ids,
                 std::optional<std::int64_t> ignored, Code* code, UnknownLabels& unknown);

}  // namespace snellen
