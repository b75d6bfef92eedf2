// Which predictions count: the best ones of a group, and those of classes that were looked for.
//
// Best rows: one pass that counts the rows of each group; groups within the cap, nearly all of
// them, cost no more. In the others the rows that stay are partitioned off, which is linear.
// Verified rows: what was looked for in an image is a short sorted run of its own, so that nothing
// grows with images times classes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "snellen/column.hpp"

namespace snellen {

// The rows of highest score of each group, `cap` of it at most, ascending. Of equal scores the
// first row comes first, and what is no number comes last. Codes are below n_groups (checked by the
// caller).
Column<std::int64_t> best_rows(const double* score, const std::int32_t* group, std::size_t n_rows,
                               std::size_t n_groups, std::size_t cap);

// Classes in images.
struct LabelsOfImages {
  const std::int32_t* image;
  const std::int32_t* label;
  std::size_t n;
};

enum class LookedFor : std::uint8_t {
  no,
  yes,
  in_part  // some objects of the class may be missing from truth
};

// Whether the class of each prediction was looked for in its image: it was listed, or truth has it
// there. `exhaustive` of a listed one: 0 says "in part", whatever else says "yes". Codes are from 0
// on, images below n_images (checked by the caller). Threads over predictions.
Column<std::uint8_t> looked_for(const LabelsOfImages& listed, const std::uint8_t* exhaustive,
                                const LabelsOfImages& truth, const LabelsOfImages& pred,
                                std::size_t n_images);

}  // namespace snellen
