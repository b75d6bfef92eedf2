// Masks as run lengths taken at their word, the way COCO's mask API takes them.
//
// rle.hpp refuses runs that do not fit their image. pycocotools computes with them: sums are taken
// modulo 2³², a run of 0 is a run, masks of several images are painted one behind the other
// wherever the one before ended. This is what its numbers are for any runs, each loop with its ends
// in place; what it reads or writes beyond its memory is nothing here. Runs as masks have them when
// they are made go the fast way of rle.hpp, where the numbers are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "snellen/column.hpp"
#include "snellen/rle.hpp"

namespace snellen {

// Masks one after the other, of any runs; row i has the runs offset[i] … offset[i + 1] − 1 and the
// size size[2 i] (height), size[2 i + 1] (width), from 0 on.
struct LooseRle {
  const std::uint32_t* runs;
  const std::int64_t* offset;
  const std::int64_t* size;
  std::size_t n;

  std::size_t n_runs(std::size_t row) const {
    return static_cast<std::size_t>(offset[row + 1] - offset[row]);
  }
  std::uint64_t height(std::size_t row) const { return static_cast<std::uint64_t>(size[2 * row]); }
  std::uint64_t width(std::size_t row) const {
    return static_cast<std::uint64_t>(size[2 * row + 1]);
  }
};

// Adds the runs of a text, whatever its bytes; one that is 0 ends it. Where it is cut off, the end
// is the last character of its last run.
void append_loose_rle(std::string_view text, Column<std::uint32_t>& runs);

// The masks of images of n_pixels each, column by column; a run ends where the value changes.
RleRows encode_changes(const std::uint8_t* pixels, std::size_t n, std::size_t n_pixels);

// Writes the runs of all masks, 0 and 1 in turns, one behind the other; what they leave of
// `n_pixels` is 0. False where they go beyond; then the pixels are not to be used. Threads over
// masks.
bool paint_loose_rle(const LooseRle& masks, std::uint8_t* pixels, std::size_t n_pixels);

// The number of pixels in each mask, modulo 2³².
void loose_areas(const LooseRle& masks, std::uint32_t* area);

// The smallest box (left, top, width, height) around each mask. Zeros for a mask of one run or
// none, or of no height; of more without pixels what subtraction in 32 bits gives.
void loose_boxes(const LooseRle& masks, double* xywh);

// The union or intersection of all masks, as runs; of one mask its own. None where one mask ends
// before another has. Of one size (checked by the caller), and at least one.
std::optional<Column<std::uint32_t>> merge_loose_rle(const LooseRle& masks, RleMerge how);

// iou[j * pred.n + i] of row i of pred and row j of truth: −1 for masks of different sizes whose
// boxes meet. Against a crowd, pixels of the prediction stand for those of the union. False where
// one mask ends before another has and their boxes meet. Threads over rows of truth.
bool loose_iou_matrix(const LooseRle& pred, const LooseRle& truth, const std::uint8_t* crowd,
                      double* iou);

// The same of boxes; what is no number loses against one that is, when corners are compared.
void loose_box_iou_matrix(const double* pred, std::size_t n_pred, const double* truth,
                          const std::uint8_t* crowd, std::size_t n_truth, double* iou);

}  // namespace snellen
