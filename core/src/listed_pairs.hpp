// Lists of candidates, written cell by cell.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "cell_blocks.hpp"
#include "snellen/candidates.hpp"
#include "snellen/column.hpp"
#include "snellen/grouping.hpp"
#include "snellen/parallel.hpp"

namespace snellen {

// The rows of a label and image, or of an image, none of the two lists empty; ascending.
struct PairedCell {
  const std::uint32_t* truth;
  std::size_t n_truth;
  const std::uint32_t* pred;
  std::size_t n_pred;
};

// The pairs of a job, in the order of its detections, then of truth.
struct Listed {
  Column<std::int32_t> truth;
  Column<double> similarity;
};

// Both tables in the order of their cells: by image, then by label. Files mostly have their rows
// by image, so those of a cell lie near to each other and to those of the next.
struct CellOrder {
  Grouping truth, pred;

  static CellOrder of(const PairedRows& rows, bool across_labels) {
    std::vector<std::int32_t> one_label;
    if (across_labels) one_label.assign(std::max(rows.n_truth, rows.n_pred), 0);
    const auto ordered = [&](const std::int32_t* image, const std::int32_t* label,
                             std::size_t n_rows) {
      return across_labels ? group_rows(one_label.data(), image, n_rows, 1, rows.n_images)
                           : group_rows(label, image, n_rows, rows.n_labels, rows.n_images);
    };
    return {ordered(rows.truth_image, rows.truth_label, rows.n_truth),
            ordered(rows.pred_image, rows.pred_label, rows.n_pred)};
  }
};

// For each row of pred whether it is beyond the cap of its label and image; empty without a cap.
inline std::vector<std::uint8_t> rows_beyond_cap(const PairedRows& rows,
                                                 const CandidateRules& rules) {
  if (rules.pred_score == nullptr) return {};
  std::vector<std::uint8_t> beyond(rows.n_pred, 0);
  const Grouping grouping =
      group_rows(rows.pred_image, rows.pred_label, rows.n_pred, rows.n_images, rows.n_labels);
  const Column<std::uint32_t> row_of = rows_in_order(grouping);
  std::vector<RankedRow> ranked;
  std::size_t begin = 0;
  const auto drop = [&](std::size_t, std::size_t n_rows) {
    if (n_rows > rules.max_detections) {
      ranked.clear();
      for (std::size_t i = begin; i < begin + n_rows; ++i) {
        ranked.push_back({rules.pred_score[row_of[i]], row_of[i]});
      }
      rank_rows(ranked);
      for (std::size_t d = rules.max_detections; d < n_rows; ++d) beyond[ranked[d].row] = 1;
    }
    begin += n_rows;
  };
  cut_into_blocks(grouping, rows.n_pred, drop);
  return beyond;
}

// Each thread has a `Lister` of its own, which may put off what it lists until a job ends:
//
//   void list(const PairedCell&, Listed&, std::int64_t* count);
//   void finish(Listed&, std::int64_t* count);
//     Between them they add each pair to the list, and 1 to count[row of pred] for it.
template <class MakeLister>
Candidates list_blocks(const PairedRows& rows, const CandidateRules& rules,
                       const MakeLister& make_lister) {
  constexpr std::size_t kRowsOfBlock = 1024;
  const CellOrder order = CellOrder::of(rows, rules.across_labels);
  const Column<std::uint32_t> truth_row = rows_in_order(order.truth);
  const Column<std::uint32_t> pred_row = rows_in_order(order.pred);
  const std::vector<std::uint8_t> beyond = rows_beyond_cap(rows, rules);
  const std::vector<CellBlock> blocks =
      cut_into_blocks(order.pred, kRowsOfBlock, [](std::size_t, std::size_t) {});
  // The cells of an image are few: a job is many of their blocks.
  std::vector<std::size_t> first_block;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const bool full =
        first_block.empty() || blocks[b].begin - blocks[first_block.back()].begin >= kRowsOfBlock;
    if (full) first_block.push_back(b);
  }
  const std::size_t n_jobs = first_block.size();
  first_block.push_back(blocks.size());

  Candidates found;
  found.begin.resize_uninitialised(rows.n_pred + 1);
  std::fill(found.begin.begin(), found.begin.end(), 0);
  std::int64_t* const count = found.begin.data() + 1;
  std::vector<Listed> of_job(n_jobs);
  parallel_for_workers(n_jobs, [&] {
    return [&, lister = make_lister(), kept = std::vector<std::uint32_t>()](std::size_t j) mutable {
      const auto list = [&](const Cell& cell) {
        if (cell.truth_begin == cell.truth_end) return;
        PairedCell paired{truth_row.data() + cell.truth_begin, cell.truth_end - cell.truth_begin,
                          pred_row.data() + cell.pred_begin, cell.pred_end - cell.pred_begin};
        if (!beyond.empty()) {
          kept.clear();
          std::copy_if(paired.pred, paired.pred + paired.n_pred, std::back_inserter(kept),
                       [&](std::uint32_t row) { return beyond[row] == 0; });
          paired.pred = kept.data();
          paired.n_pred = kept.size();
          if (kept.empty()) return;
        }
        lister.list(paired, of_job[j], count);
      };
      for (std::size_t b = first_block[j]; b < first_block[j + 1]; ++b) {
        visit_cells(order.truth, order.pred, blocks[b].label, blocks[b].begin, blocks[b].end, list);
      }
      lister.finish(of_job[j], count);
    };
  });

  for (std::size_t i = 0; i < rows.n_pred; ++i) found.begin[i + 1] += found.begin[i];
  const auto n_pairs = static_cast<std::size_t>(found.begin[rows.n_pred]);
  found.truth.resize_uninitialised(n_pairs);
  found.similarity.resize_uninitialised(n_pairs);
  parallel_for(n_jobs, [&](std::size_t j) {
    const Listed& listed = of_job[j];
    std::size_t at = 0;
    const std::size_t end = blocks[first_block[j + 1] - 1].end;
    for (std::size_t place = blocks[first_block[j]].begin; place < end; ++place) {
      const std::size_t row = pred_row[place];
      const auto n = static_cast<std::size_t>(found.begin[row + 1] - found.begin[row]);
      std::copy_n(listed.truth.data() + at, n, found.truth.data() + found.begin[row]);
      std::copy_n(listed.similarity.data() + at, n, found.similarity.data() + found.begin[row]);
      at += n;
    }
  });
  return found;
}

// Lists pairs as they are measured; `Measure` says how alike two objects are:
//
//   void enter(const PairedCell&);
//   template <class Found> void visit(std::size_t d, double bar, Found found);
//     Calls found(g, similarity) for each truth of the cell, ascending from 0, whose similarity to
//     detection d of it reaches the bar.
template <class Measure>
struct MeasuringLister {
  Measure measure;
  double lowest;

  void list(const PairedCell& cell, Listed& listed, std::int64_t* count) {
    measure.enter(cell);
    for (std::size_t d = 0; d < cell.n_pred; ++d) {
      const std::size_t before = listed.truth.size();
      measure.visit(d, lowest, [&](std::size_t g, double similarity) {
        listed.truth.push_back(static_cast<std::int32_t>(cell.truth[g]));
        listed.similarity.push_back(similarity);
      });
      count[cell.pred[d]] = static_cast<std::int64_t>(listed.truth.size() - before);
    }
  }

  void finish(Listed&, std::int64_t*) {}
};

template <class MakeMeasure>
Candidates list_candidates(const PairedRows& rows, const CandidateRules& rules,
                           const MakeMeasure& make_measure) {
  return list_blocks(rows, rules, [&] {
    return MeasuringLister<decltype(make_measure())>{make_measure(), rules.lowest};
  });
}

}  // namespace snellen
