// What of a mask lies near its edge, from run lengths to run lengths.
//
// A pixel of a mask is of its boundary where a pixel within chessboard distance d is not of the
// mask, or not in the image: the mask without what d erosions by a 3 × 3 square leave (Boundary
// IoU: Cheng et al., CVPR 2021). Only the smallest box around the mask is unfolded: beyond it no
// pixel is of the mask, as beyond the image.
#pragma once

#include <cstddef>

#include "snellen/rle.hpp"

namespace snellen {

// The boundaries of masks whose runs sum up to their images (checked by the caller), each of its
// own width from 1 on. Threads over masks.
RleRows rle_boundaries(const RleView& masks, const std::int64_t* distance);

}  // namespace snellen
