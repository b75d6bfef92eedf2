// Masks as run lengths, the way COCO stores them, and what can be known of them without pixels.
//
// The pixels of an image are taken column by column, from the top left. The runs of a mask are the
// numbers of pixels outside, inside, outside … it; the first may be 0. Runs of 0 further on are
// read as what they say: nothing. Masks that are made here have none.
//
// As text, a run is written in groups of 5 bits, the lowest first, each a character from "0" on;
// 32 is added to all groups but the last, whose highest bit is the sign. From the fourth run on it
// is the difference from the run two before that is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "snellen/column.hpp"
#include "snellen/text_table.hpp"

namespace snellen {

// Masks one after the other; row i has the runs offset[i] … offset[i + 1] − 1 and the size
// size[2 i] (height), size[2 i + 1] (width).
struct RleView {
  const std::uint32_t* runs;
  const std::int64_t* offset;
  const std::int32_t* size;
  std::size_t n;

  std::size_t n_runs(std::size_t row) const {
    return static_cast<std::size_t>(offset[row + 1] - offset[row]);
  }
  std::uint64_t n_pixels(std::size_t row) const {
    return static_cast<std::uint64_t>(size[2 * row]) *
           static_cast<std::uint64_t>(size[2 * row + 1]);
  }
};

struct RleRows {
  Column<std::uint32_t> runs;
  Column<std::int64_t> offset;
};

// Why masks were refused; `message` is empty where they were not.
struct RleFault {
  std::string message;
  std::size_t row = 0;
  std::size_t position = 0;  // of the character in its text, or of the run in its mask; from 0

  explicit operator bool() const { return !message.empty(); }
};

// Adds the runs of a text to a column. Faults: a character outside "0" … "o", a text that is cut
// off, a run below 0 or beyond the image, runs that do not sum up to it; then the column is as it
// was. `row` of the fault stays 0.
RleFault append_rle(std::string_view text, std::uint64_t n_pixels, Column<std::uint32_t>& runs);

// The runs of texts. Where there are faults, that of the first row. Threads over rows.
RleFault decode_rle(const TextRows& texts, const std::int32_t* size, RleRows& rows);

// The texts of masks.
TextPool encode_rle(const RleView& masks);

// The first row whose runs do not sum up to its pixels, or that has 2³² pixels or more. Threads
// over rows.
RleFault check_rle(const RleView& masks);

// The number of pixels in each mask.
void rle_areas(const RleView& masks, std::int64_t* area);

// The smallest box (left, top, width, height) around each mask, in pixels; zeros for no pixels.
void rle_boxes(const RleView& masks, std::int32_t* xywh);

// Both of them.
struct RleExtents {
  Column<std::int64_t> area;
  Column<std::int32_t> box;
};
// In one go over the runs, with what check_rle finds; of no use where that is a fault. Threads over
// rows.
RleFault rle_extents(const RleView& masks, RleExtents& found);

// Masks and what rle_extents says of them.
struct MeasuredRle {
  RleView masks;
  const std::int64_t* area;
  const std::int32_t* box;
};

// Some rows, in the order given.
RleRows take_rle(const RleView& masks, const std::int64_t* rows, std::size_t n_rows);

// Each row of `masks`, but in the place of those that are marked the next row of `others`.
RleRows replace_rle(const RleView& masks, const RleView& others, const std::uint8_t* marked);

enum class RleMerge { kUnion, kIntersection };

// One mask for each group of rows begin[g] … begin[g + 1] − 1, all of one size (checked by the
// caller). A group without rows becomes a mask without runs. Threads over groups.
RleRows merge_rle(const RleView& masks, const std::int64_t* begin, std::size_t n_groups,
                  RleMerge how);

// Row by row the pixels of one side that the other has not; the same sizes (checked by the caller).
RleRows subtract_rle(const RleView& masks, const RleView& others);

// The masks of images (n, height, width), row by row, of which every byte but 0 is inside.
RleRows encode_masks(const std::uint8_t* pixels, std::size_t n, std::size_t height,
                     std::size_t width);

// A mask for every value but 0 of label images (n, height, width).
struct RleOfLabels {
  Column<std::int64_t> begin;  // of the rows of each image; n + 1
  Column<std::int64_t> value;  // of each row, ascending within an image
  RleRows rows;
};

// Label is uint8, uint16, int32 or int64. Threads over images.
template <class Label>
RleOfLabels encode_labels(const Label* labels, std::size_t n, std::size_t height,
                          std::size_t width);

// Label images (n_images, height, width): image i shows the rows begin[i] … begin[i + 1] − 1, each
// with its value, over those before it; other pixels are 0. Masks of that size, whose runs sum up
// to it (checked by the caller). Label is uint8 or uint16. Threads over images.
template <class Label>
void paint_rle(const RleView& masks, const std::int64_t* begin, std::size_t n_images,
               const Label* value, std::size_t height, std::size_t width, Label* labels);

enum class MaskOverlap { kIou, kOverTruth, kOverPred };

// The pairs that share pixels, within frames.
struct MaskPairs {
  Column<std::int64_t> begin;  // of the pairs of each truth row; n_truth + 1
  Column<std::int32_t> pred;   // row, ascending within a truth row
  Column<double> similarity;   // shared pixels over those of the union, of truth, or of pred
};

// Frame t has the rows begin[t] … begin[t + 1] − 1 of each side; all are of a frame. Masks of a
// frame are of one size (checked by the caller). Threads over frames.
MaskPairs mask_pairs(const std::int64_t* truth_begin, const std::int64_t* pred_begin,
                     std::size_t n_frames, const RleView& truth, const RleView& pred,
                     MaskOverlap kind);

// iou[j * pred.n + i] of row i of pred and row j of truth, all of one size (checked by the
// caller). Against a crowd, pixels of the prediction stand for those of the union. Threads over
// rows of truth.
void mask_iou_matrix(const RleView& pred, const RleView& truth, const std::uint8_t* crowd,
                     double* iou);

// Two rows of a frame that share pixels.
struct MaskOverlapPair {
  std::int64_t frame, first, second;
};

// Of each frame that has such rows the pair with the lowest second row, then the lowest first.
// Rows with a mark may overlap each other; `marked` may be null. Threads over frames.
Column<MaskOverlapPair> find_overlaps(const RleView& masks, const std::int64_t* begin,
                                      std::size_t n_frames, const std::uint8_t* marked);

}  // namespace snellen
