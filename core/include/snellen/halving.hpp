// A division of units in two such that the weight of every label goes over in its share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// The weights of labels in units, label by label. A unit is an image or a group of them; its
// weight is how often it holds the label.
struct LabelWeights {
  std::size_t n_labels;
  const std::int64_t* begin;  // n_labels + 1 places in the next two
  const std::int32_t* unit;   // which units hold the label
  const double* weight;       // how often, > 0
  const double* target;       // weight that should be in the left half, for each label
  const double* importance;   // of a squared unit of deviation from the target, for each label
};

struct Effort {
  int n_sweeps;              // over all labels, at most
  std::size_t n_candidates;  // units at the boundary that may change sides in the end
  const double* price;       // of changing sides, for each unit, in what importance weighs
};

// Each unit has a position in [0, 1), drawn by hash: below `share` it is in the left half. Label
// after label, the units that hold it are shifted together, in proportion to their weight, so far
// that its weight in the left half comes as close to its target as can be. As a shift is no larger
// than it needs to be, a unit more or less moves few others. At last, of the units nearest to the
// boundary, single ones and pairs change sides as long as that lowers the sum over all labels of
// importance × deviation² by more than their price; so small gains move nobody. Ties go to the unit
// that comes first.
//
// right[i] = 1 where unit i is in the right half. `position` is overwritten.
void halve(const LabelWeights& labels, std::size_t n_units, double share, const Effort& effort,
           double* position, std::uint8_t* right);

}  // namespace snellen
