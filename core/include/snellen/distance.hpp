// Surfaces of all classes of a label image or volume, and exact distances between those of two.
//
// A surface is a set of grid points; there are two notions of it:
//
//   cells    the pixels (voxels) of a class that have a neighbour of another one along an axis, or
//            none because the image ends there;
//   corners  the corners between pixels of which some, but not all, of the 4 (8) pixels around are
//            of the class, with which of them are. What lies outside of the image is of no class.
//
// Either is found for all classes in one pass, and the images are not looked at again. Surfaces
// are sparse: the nearest of n points is sought in a tree of boxes around them, for the points that
// ask alone, so that the cost follows the surfaces, not the size of the image nor how far apart
// they are. (A distance transform of the whole box, after Felzenszwalb and Huttenlocher 2012, costs
// as much for a small class as for a large one, and would be paid for each class.)
//
// A distance is the square root of ((Δz·sz)² + (Δy·sy)²) + (Δx·sx)² in float64, each step rounded
// once, and the least of that over all points. The bound of a box is computed by the same steps,
// each of which never decreases where an argument grows: what is left out is never nearer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

inline constexpr std::int32_t kNoClass = -1;  // a value that is known to be of no class
inline constexpr std::int32_t kUnknownValue = -2;

// Extents along z, y, x; an image has no z axis and an extent of 1 there.
struct Grid {
  int n_axes;  // 2 or 3
  std::array<std::size_t, 3> extent;
};

// The class of value first + i: a number below n_classes, kNoClass or kUnknownValue. Values beyond
// are unknown.
struct ClassOfValue {
  std::int64_t first;
  const std::int32_t* code;
  std::size_t size;
  std::size_t n_classes;
};

struct GridPoint {
  std::int32_t z, y, x;
};

struct Surfaces {
  std::vector<std::size_t> start;  // the points of class k are start[k] … start[k + 1], by z, y, x
  Column<GridPoint> point;
  // Of corners: which of the pixels around are of the class. The pixel after the corner along an
  // axis has the axis' bit set in its number (x: 1, y: 2, z: 4); its flag is 1 << number.
  Column<std::uint8_t> around;
  std::vector<std::int64_t> unknown;  // values, ascending, each once
};

enum class SurfaceKind { kCells, kCorners };

// Values in C order. Extents are below 2³¹ (checked by the caller). T is an integer of 8 to 64
// bits.
template <class T>
Surfaces find_surfaces(const T* values, const Grid& grid, const ClassOfValue& classes,
                       SurfaceKind kind);

// Of each point of `from` the distance to the nearest point of the same class of `to`; infinite
// where that has none. Both have the same classes. Spacing along z, y, x: above 0.
Column<double> nearest_distances(const Surfaces& from, const Surfaces& to,
                                 const std::array<double, 3>& spacing, int n_axes);

}  // namespace snellen
