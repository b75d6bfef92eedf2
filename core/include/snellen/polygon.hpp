// Polygons as run lengths: the pixels that COCO's mask API counts to them.
//
// A vertex is rounded to a grid five times as fine as the pixels. Each edge is then a chain of grid
// points, one for each step along its longer axis. Where the chain passes the middle of a column of
// pixels, a boundary lies in that column, above the pixel whose middle is the next at or below the
// upper one of the two points. From boundary to boundary, column by column from the top left, the
// pixels are outside, inside, outside …: polygons that cross themselves are filled even-odd.
//
// The chain itself is never made: of an edge only the points beside the middles of columns matter,
// and those can be computed one by one. What an edge costs is the number of columns that it passes,
// not its length on the grid. The arithmetic of a point is that of rleFrPoly (maskApi.c, P. Dollár
// and T.-Y. Lin), in the same order, as one unit in the last place moves a pixel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/rle.hpp"

namespace snellen {

// Polygons one after the other. Polygon i has the vertices begin[i] … begin[i + 1] − 1, each x and
// y, and lies in an image of height size[2 i] and width size[2 i + 1].
struct PolygonView {
  const double* xy;
  const std::int64_t* begin;
  const std::int64_t* size;
  std::size_t n;
};

// The masks of polygons. The last vertex is joined to the first; of less than three nothing is
// inside. A coordinate that is no number, or too large for the grid's 32 bits, counts as the
// lowest one that it has. The sum of the runs is the number of pixels modulo 2³²; where that is
// beyond, or the width is 0, the runs are those that the reference gives. Threads over polygons.
RleRows rle_of_polygons(const PolygonView& polygons);

// The first polygon with two vertices that are further apart, on the grid, than its 32 bits can
// tell; n where there is none.
std::size_t first_far_polygon(const double* xy, const std::int64_t* begin, std::size_t n);

}  // namespace snellen
