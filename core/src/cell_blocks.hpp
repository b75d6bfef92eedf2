// Tables in (label, image) order, and the matching of all their cells in blocks of work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cell_matcher.hpp"
#include "snellen/column.hpp"
#include "snellen/grouping.hpp"
#include "snellen/matching.hpp"
#include "snellen/parallel.hpp"

namespace snellen {

// rows[place]: the input row that stands there.
inline Column<std::uint32_t> rows_in_order(const Grouping& grouping) {
  Column<std::uint32_t> rows;
  rows.resize_uninitialised(grouping.place.size());
  for (std::size_t row = 0; row < grouping.place.size(); ++row) {
    rows[grouping.place[row]] = static_cast<std::uint32_t>(row);
  }
  return rows;
}

// A column that may be missing.
template <class T>
Column<T> ordered_if_given(const Grouping& grouping, const T* column) {
  return column == nullptr ? Column<T>() : grouping.ordered<1>(column);
}

struct OrderedTruth {
  Grouping grouping;
  Column<double> area;
  Column<std::uint8_t> crowd, ignored;
  Column<std::int64_t> id;

  OrderedTruth(const TruthColumns& truth, std::size_t n_images, std::size_t n_labels)
      : grouping(group_rows(truth.image, truth.label, truth.n_rows, n_images, n_labels)),
        area(grouping.ordered<1>(truth.area)),
        crowd(grouping.ordered<1>(truth.crowd)),
        ignored(ordered_if_given(grouping, truth.ignored)),
        id(grouping.ordered<1>(truth.id)) {}
};

struct OrderedPred {
  Grouping grouping;
  Column<double> area, score;
  Column<std::uint8_t> exempt;

  OrderedPred(const PredColumns& pred, std::size_t n_images, std::size_t n_labels)
      : grouping(group_rows(pred.image, pred.label, pred.n_rows, n_images, n_labels)),
        area(ordered_if_given(grouping, pred.area)),
        score(grouping.ordered<1>(pred.score)),
        exempt(ordered_if_given(grouping, pred.exempt)) {}
};

// Cells of both tables, label by label: visit(label, cell) for each with rows of pred from place
// `begin` to place `end`, which begin and end with a cell and are of one label.
template <class Visit>
void visit_cells(const Grouping& truth, const Grouping& pred, std::size_t label, std::size_t begin,
                 std::size_t end, const Visit& visit) {
  const std::int32_t* const truth_image = truth.image.data();
  const std::size_t truth_label_end = truth.label_start[label + 1];
  std::size_t truth_row =
      static_cast<std::size_t>(std::lower_bound(truth_image + truth.label_start[label],
                                                truth_image + truth_label_end, pred.image[begin]) -
                               truth_image);
  while (begin < end) {
    const std::int32_t image = pred.image[begin];
    std::size_t cell_end = begin + 1;
    while (cell_end < end && pred.image[cell_end] == image) ++cell_end;
    while (truth_row < truth_label_end && truth_image[truth_row] < image) ++truth_row;
    std::size_t truth_end = truth_row;
    while (truth_end < truth_label_end && truth_image[truth_end] == image) ++truth_end;
    visit(Cell{begin, cell_end, truth_row, truth_end});
    truth_row = truth_end;
    begin = cell_end;
  }
}

// A stretch of whole cells of one label.
struct CellBlock {
  std::size_t begin, end;  // places of pred
  std::size_t label;
};

// Blocks of about so many rows of pred: large enough that handing one out costs nothing, small
// enough that the threads end together. Calls cell(block, n_rows) for each cell.
template <class OfCell>
std::vector<CellBlock> cut_into_blocks(const Grouping& pred, std::size_t rows_of_block,
                                       const OfCell& of_cell) {
  std::vector<CellBlock> blocks;
  for (std::size_t label = 0; label + 1 < pred.label_start.size(); ++label) {
    const std::size_t label_end = pred.label_start[label + 1];
    for (std::size_t begin = pred.label_start[label]; begin < label_end;) {
      CellBlock block{begin, begin, label};
      while (block.end < label_end && block.end - begin < rows_of_block) {
        std::size_t end = block.end + 1;
        while (end < label_end && pred.image[end] == pred.image[block.end]) ++end;
        of_cell(blocks.size(), end - block.end);
        block.end = end;
      }
      begin = block.end;
      blocks.push_back(block);
    }
  }
  return blocks;
}

// Matches all cells; make_similarities() gives each thread its own.
template <class MakeSimilarities>
class BlockMatcher {
 public:
  BlockMatcher(OrderedTruth& truth, const OrderedPred& pred, const MatchRules& rules,
               const MakeSimilarities& make_similarities)
      : rules_(rules),
        truth_(truth),
        pred_(pred),
        make_similarities_(make_similarities),
        n_thresholds_(rules.iou_thresholds.size()),
        words_per_row_(rules.area_ranges.size() * outcome_words(n_thresholds_)) {}

  Matching run() {
    write_truth();
    std::size_t n_output = 0;
    const std::vector<CellBlock> blocks =
        cut_into_blocks(pred_.grouping, kBlockRows, [&](std::size_t block, std::size_t n_rows) {
          // Where a block writes depends on how many detections the blocks before it keep.
          if (block == output_begin_.size()) output_begin_.push_back(n_output);
          n_output += std::min(n_rows, rules_.max_detections);
        });
    out_.pred_image.resize_uninitialised(n_output);
    out_.pred_label.resize_uninitialised(n_output);
    out_.pred_score.resize_uninitialised(n_output);
    out_.pred_outcome.resize_uninitialised(n_output * words_per_row_);
    Column<std::uint32_t> truth_row, pred_row;
    if (rules_.with_matches) {
      truth_row = rows_in_order(truth_.grouping);
      pred_row = rows_in_order(pred_.grouping);
      out_.truth_row.resize_uninitialised(truth_row.size());
      std::copy(truth_row.begin(), truth_row.end(), out_.truth_row.begin());
      out_.pred_row.resize_uninitialised(n_output);
      out_.pred_match.resize_uninitialised(n_output * n_thresholds_);
    }
    const CellColumns columns{out_.truth_ignored.data(),
                              truth_.crowd.data(),
                              truth_.id.data(),
                              truth_row.data(),
                              pred_.score.data(),
                              pred_.exempt.empty() ? nullptr : pred_.exempt.data(),
                              pred_row.data()};
    parallel_for_workers(blocks.size(), [&] {
      return [&, matcher = CellMatcher(columns, make_similarities_(), rules_)](
                 std::size_t b) mutable { match_block(blocks[b], output_begin_[b], matcher); };
    });
    out_.truth_image = std::move(truth_.grouping.image);
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kBlockRows = 8192;

  std::uint32_t ranges_without(double area) const {
    std::uint32_t bits = 0;
    for (std::size_t a = 0; a < rules_.area_ranges.size(); ++a) {
      const auto& [low, high] = rules_.area_ranges[a];
      bits |= static_cast<std::uint32_t>(area < low || area > high) << a;
    }
    return bits;
  }

  void write_truth() {
    const std::size_t n_rows = truth_.grouping.image.size();
    out_.truth_label.resize_uninitialised(n_rows);
    out_.truth_ignored.resize_uninitialised(n_rows);
    const std::uint32_t every_range =
        static_cast<std::uint32_t>((std::uint64_t{1} << rules_.area_ranges.size()) - 1);
    const auto& label_start = truth_.grouping.label_start;
    for (std::size_t label = 0; label + 1 < label_start.size(); ++label) {
      for (std::size_t row = label_start[label]; row < label_start[label + 1]; ++row) {
        const bool never_counts =
            truth_.crowd[row] != 0 || (!truth_.ignored.empty() && truth_.ignored[row] != 0);
        out_.truth_label[row] = static_cast<std::int32_t>(label);
        out_.truth_ignored[row] = never_counts ? every_range : ranges_without(truth_.area[row]);
      }
    }
  }

  template <class Matcher>
  void match_block(const CellBlock& block, std::size_t at, Matcher& matcher) {
    visit_cells(
        truth_.grouping, pred_.grouping, block.label, block.begin, block.end,
        [&](const Cell& cell) {
          const std::size_t n_kept =
              std::min(cell.pred_end - cell.pred_begin, rules_.max_detections);
          std::fill_n(out_.pred_image.data() + at, n_kept, pred_.grouping.image[cell.pred_begin]);
          std::fill_n(out_.pred_label.data() + at, n_kept, static_cast<std::int32_t>(block.label));
          CellOutput output{out_.pred_score.data() + at,
                            out_.pred_outcome.data() + at * words_per_row_, nullptr, nullptr};
          if (rules_.with_matches) {
            output.row = out_.pred_row.data() + at;
            output.match = out_.pred_match.data() + at * n_thresholds_;
          }
          matcher.match(cell, output);
          at += n_kept;
        });
  }

  const MatchRules& rules_;
  OrderedTruth& truth_;
  const OrderedPred& pred_;
  const MakeSimilarities& make_similarities_;
  const std::size_t n_thresholds_;
  const std::size_t words_per_row_;
  std::vector<std::size_t> output_begin_;  // the first row that each block writes
  Matching out_;
};

}  // namespace snellen
