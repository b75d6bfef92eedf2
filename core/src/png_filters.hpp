// Undoing the filters of PNG rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen::detail {

// Undoes a filter (0 to 4: none, sub, up, average, Paeth) of a row of `size` bytes. `above` is the
// row above, unfiltered, or zeros. A pixel has 1, 2, 3, 4, 6 or 8 bytes; of less than 8 bits it
// counts as 1.
void undo_png_filter(unsigned filter, std::size_t pixel_bytes, const std::uint8_t* residual,
                     const std::uint8_t* above, std::size_t size, std::uint8_t* row);

}  // namespace snellen::detail
