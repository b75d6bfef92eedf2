// The curves of data sets that are made of the same images, each so often: of replicates.
//
// The numbers are those of precision_recall_curves, to the last bit, without making the data sets.
// How it is fast:
//   * rows are sorted once for all replicates;
//   * 32 replicates stand side by side: how often an image occurs in them is one row of bytes, and
//     a few additions of whole words add it for all;
//   * a row that is false at every threshold (most are) is added to one count that all thresholds
//     share; behind the last true positive no row is looked at;
//   * true positives in sequence, with no false one of any image between them, are one run: down
//     it precision does not fall, so that one division at its end stands for all, and so do the
//     copies of an image's row, which stand together. An image that does not occur leaves recall
//     as it is and precision no higher, so nothing asks whether it does;
//   * how many recall thresholds k true positives reach is looked up, in a table that takes one
//     division for each threshold; the highest precision is kept by that number.
// Rows of one image and equal score stand together copy by copy, not row by row. Where both true
// and false ones are among them, each copy is followed by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/curve.hpp"

namespace snellen {

// Images are numbered in the order of their ids; the copies of one have ids that follow each other.
struct Replicates {
  const std::int32_t* times;  // [replicate][image], not negative
  std::size_t n_replicates;
  std::size_t n_images;
  const std::int32_t* truth_image;           // of each truth row
  std::vector<std::uint8_t> read_precision;  // at which caps precision is wanted
};

// N replicates; `undefined` where no truth box counts, and for precision that is not wanted.
struct ResampledCurves {
  Column<double> precision;        // N K A M T: mean over the recall thresholds, from the last on
  Column<double> recall;           // N K A M T
  Column<std::int64_t> n_counted;  // N K A
};

// The largest spacing with which precision never falls from one true positive to the next.
inline constexpr double kMostSpacing = 0x1p-52;

// Throws std::invalid_argument for more spacing than that, and std::overflow_error for replicates
// of 2^31 rows or more.
ResampledCurves resampled_curves(const Outcomes& outcomes, const Replicates& replicates,
                                 const CurveRules& rules);

}  // namespace snellen
