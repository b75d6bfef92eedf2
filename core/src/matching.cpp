#include "snellen/matching.hpp"

#include <algorithm>
#include <utility>

#include "snellen/grouping.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// Places in a block of work: large enough that handing it out costs nothing, small enough that the
// threads end together.
constexpr std::size_t kBlockRows = 8192;

// One label in one image: its rows.
struct Cell {
  std::size_t pred_begin, pred_end;
  std::size_t truth_begin, truth_end;
};

// A truth box that a detection may take.
struct Candidate {
  std::uint32_t truth;  // position in the cell
  double iou;
};

// Matches one cell after another; holds the scratch memory for it.
class CellMatcher {
 public:
  // Rows of truth and pred in (label, image) order.
  CellMatcher(const TruthBoxes& truth, const std::uint32_t* ignored, const PredBoxes& pred,
              const MatchRules& rules)
      : truth_(truth),
        ignored_(ignored),
        pred_(pred),
        rules_(rules),
        n_areas_(rules.area_ranges.size()),
        n_words_(outcome_words(rules.iou_thresholds.size())),
        true_positive_(n_areas_),
        took_ignored_(n_areas_) {
    for (std::size_t word = 0; word < n_words_; ++word) {
      const std::size_t n_bits =
          std::min(kThresholdsPerWord, rules.iou_thresholds.size() - word * kThresholdsPerWord);
      all_missed_.push_back(((1U << n_bits) - 1) << kThresholdsPerWord);
    }
    // The reference lets an IoU of 1 - 1e-10 pass a threshold of 1.
    for (const double threshold : rules.iou_thresholds) {
      bars_.push_back(std::min(threshold, 1 - 1e-10));
    }
  }

  // Writes one row for each kept detection: `score`, and `outcome` of n_areas * n_words words.
  void match(const Cell& cell, double* score, std::uint32_t* outcome) {
    rank_detections(cell);
    const std::size_t n_kept = std::min(ranked_.size(), rules_.max_detections);
    for (std::size_t d = 0; d < n_kept; ++d) {
      score[d] = ranked_[d].score;
      write_unmatched(area_of(ranked_[d].row), outcome + d * n_areas_ * n_words_);
    }
    if (cell.truth_begin == cell.truth_end) return;
    measure_overlaps(cell, n_kept);
    find_candidates(cell.truth_end - cell.truth_begin, n_kept);
    if (suitors_.empty()) return;
    for (std::size_t word = 0; word < n_words_; ++word) {
      find_reaches(word);
      for (std::size_t a = 0; a < n_areas_; ++a) match_in_area(cell, a);
      write_matched(word, outcome);
    }
  }

 private:
  struct Ranked {
    double score;
    std::size_t row;
  };

  double area_of(std::size_t row) const {
    return pred_.area != nullptr ? pred_.area[row]
                                 : pred_.xywh[4 * row + 2] * pred_.xywh[4 * row + 3];
  }

  // Best first; of equal scores the one that came first.
  void rank_detections(const Cell& cell) {
    ranked_.clear();
    for (std::size_t row = cell.pred_begin; row < cell.pred_end; ++row) {
      ranked_.push_back({pred_.score[row], row});
    }
    if (ranked_.size() > kInsertionSort) {
      std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) {
        return a.score > b.score || (a.score == b.score && a.row < b.row);
      });
      return;
    }
    // Most cells hold a handful, and detectors write them nearly sorted.
    for (std::size_t i = 1; i < ranked_.size(); ++i) {
      const Ranked item = ranked_[i];
      std::size_t j = i;
      for (; j > 0 && item.score > ranked_[j - 1].score; --j) ranked_[j] = ranked_[j - 1];
      ranked_[j] = item;
    }
  }

  // iou_[g * n_kept + d], a truth box at a time against columns of detections: the compiler makes
  // vector instructions of it. Box by box it is box_iou of iou.hpp, operation for operation.
  void measure_overlaps(const Cell& cell, std::size_t n_kept) {
    for (Column<double>* side : {&left_, &top_, &right_, &bottom_, &size_}) {
      side->resize_uninitialised(n_kept);
    }
    for (std::size_t d = 0; d < n_kept; ++d) {
      const double* const box = pred_.xywh + 4 * ranked_[d].row;
      left_[d] = box[0];
      top_[d] = box[1];
      right_[d] = box[2] + box[0];
      bottom_[d] = box[3] + box[1];
      size_[d] = box[2] * box[3];
    }
    iou_.resize_uninitialised((cell.truth_end - cell.truth_begin) * n_kept);
    double* iou = iou_.data();
    for (std::size_t row = cell.truth_begin; row < cell.truth_end; ++row, iou += n_kept) {
      overlaps_with(truth_.xywh + 4 * row, truth_.crowd[row] != 0, n_kept, iou);
    }
  }

  // `__restrict` and the single `|` let the compiler know that nothing here waits for anything
  // else.
  void overlaps_with(const double* truth, bool crowd, std::size_t n_kept,
                     double* __restrict iou) const {
    const double truth_left = truth[0], truth_top = truth[1];
    const double truth_right = truth[2] + truth[0], truth_bottom = truth[3] + truth[1];
    const double truth_size = truth[2] * truth[3];
    const double* const __restrict left = left_.data();
    const double* const __restrict top = top_.data();
    const double* const __restrict right = right_.data();
    const double* const __restrict bottom = bottom_.data();
    const double* const __restrict size = size_.data();
    for (std::size_t d = 0; d < n_kept; ++d) {
      const double width = std::min(right[d], truth_right) - std::max(left[d], truth_left);
      const double height = std::min(bottom[d], truth_bottom) - std::max(top[d], truth_top);
      const double intersection = width * height;
      const double joint = size[d] + truth_size - intersection;
      const double ratio = intersection / (crowd ? size[d] : joint);
      iou[d] = (width <= 0) | (height <= 0) ? 0.0 : ratio;
    }
  }

  // For each detection that reaches the lowest threshold with any truth box, those truth boxes,
  // highest IoU first, of equal ones the later.
  void find_candidates(std::size_t n_truth, std::size_t n_kept) {
    candidates_.clear();
    suitors_.clear();
    first_candidate_.assign(1, 0);
    const double lowest_bar = bars_.front();
    for (std::size_t d = 0; d < n_kept; ++d) {
      for (std::size_t g = 0; g < n_truth; ++g) {
        const double iou = iou_[g * n_kept + d];
        if (!(iou >= lowest_bar)) continue;
        candidates_.push_back({static_cast<std::uint32_t>(g), iou});
        for (std::size_t c = candidates_.size() - 1;
             c > first_candidate_.back() && candidates_[c - 1].iou <= iou; --c) {
          std::swap(candidates_[c], candidates_[c - 1]);
        }
      }
      if (candidates_.size() > first_candidate_.back()) {
        suitors_.push_back(static_cast<std::uint32_t>(d));
        first_candidate_.push_back(candidates_.size());
      }
    }
  }

  // The thresholds of a word that each candidate reaches, as bits.
  void find_reaches(std::size_t word) {
    const std::size_t first = word * kThresholdsPerWord;
    const std::size_t last = std::min(first + kThresholdsPerWord, bars_.size());
    reach_.clear();
    for (const Candidate& candidate : candidates_) {
      std::size_t reached = first;
      while (reached < last && candidate.iou >= bars_[reached]) ++reached;
      reach_.push_back((1U << (reached - first)) - 1);
    }
  }

  // Fills true_positive_[a] and took_ignored_[a], a set of thresholds for each suitor.
  void match_in_area(const Cell& cell, std::size_t a) {
    const std::uint32_t* const ignored = ignored_ + cell.truth_begin;
    const std::size_t n_truth = cell.truth_end - cell.truth_begin;
    for (std::size_t earlier = 0; earlier < a; ++earlier) {
      const bool same = std::all_of(ignored, ignored + n_truth, [=](std::uint32_t bits) {
        return ((bits >> a ^ bits >> earlier) & 1) == 0;
      });
      if (same) {
        true_positive_[a] = true_positive_[earlier];
        took_ignored_[a] = took_ignored_[earlier];
        return;
      }
    }
    taken_.assign(n_truth, 0);
    true_positive_[a].assign(suitors_.size(), 0);
    took_ignored_[a].assign(suitors_.size(), 0);
    for (std::size_t s = 0; s < suitors_.size(); ++s) {
      std::uint32_t settled = 0;
      // Truth boxes that count come first, whatever their IoU.
      for (const std::uint32_t want_ignored : {0U, 1U}) {
        for (std::size_t c = first_candidate_[s]; c < first_candidate_[s + 1]; ++c) {
          const std::uint32_t g = candidates_[c].truth;
          if ((ignored[g] >> a & 1) != want_ignored) continue;
          const std::uint32_t now = reach_[c] & ~taken_[g] & ~settled;
          if (now == 0) continue;
          settled |= now;
          const std::size_t row = cell.truth_begin + g;
          if (truth_.crowd[row] == 0) taken_[g] |= now;
          if (want_ignored != 0) {
            took_ignored_[a][s] |= now;
          } else if (truth_.id[row] != 0 || !rules_.id_zero_is_no_match) {
            true_positive_[a][s] |= now;
          }
        }
      }
    }
  }

  // A false positive everywhere, but left out of the area ranges that its own area is outside of.
  void write_unmatched(double area, std::uint32_t* outcome) const {
    for (const auto& [low, high] : rules_.area_ranges) {
      const bool outside = area < low || area > high;
      for (const std::uint32_t missed : all_missed_) *outcome++ = outside ? 0U : missed;
    }
  }

  // A suitor is true, or left out, where it took a truth box, and as unmatched elsewhere.
  void write_matched(std::size_t word, std::uint32_t* outcome) const {
    for (std::size_t s = 0; s < suitors_.size(); ++s) {
      std::uint32_t* const row = outcome + suitors_[s] * n_areas_ * n_words_ + word;
      for (std::size_t a = 0; a < n_areas_; ++a) {
        const std::uint32_t hit = true_positive_[a][s];
        const std::uint32_t matched = hit | took_ignored_[a][s];
        std::uint32_t& unmatched = row[a * n_words_];
        unmatched = (unmatched & ~(matched << kThresholdsPerWord)) | hit;
      }
    }
  }

  static constexpr std::size_t kInsertionSort = 32;

  const TruthBoxes& truth_;
  const std::uint32_t* ignored_;  // of each truth row: bit a, left out of area range a
  const PredBoxes& pred_;
  const MatchRules& rules_;
  const std::size_t n_areas_;
  const std::size_t n_words_;
  std::vector<std::uint32_t> all_missed_;  // by word: "false positive" at all its thresholds
  std::vector<double> bars_;               // ascending

  std::vector<Ranked> ranked_;
  Column<double> left_, top_, right_, bottom_, size_;  // of the kept detections, by rank
  Column<double> iou_;                                 // [truth][detection]
  std::vector<std::uint32_t> suitors_;        // ranks of the detections that have candidates
  std::vector<std::size_t> first_candidate_;  // suitor s: first_candidate_[s] … [s + 1] - 1
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> reach_;  // of each candidate
  std::vector<std::uint32_t> taken_;  // of each truth box: at which thresholds
  std::vector<std::vector<std::uint32_t>> true_positive_, took_ignored_;  // [area][suitor]
};

// The columns of a table in (label, image) order.
struct OrderedTruth {
  Grouping grouping;
  Column<double> xywh, area;
  Column<std::uint8_t> crowd;
  Column<std::int64_t> id;

  OrderedTruth(const TruthBoxes& truth, std::size_t n_images, std::size_t n_labels)
      : grouping(group_rows(truth.image, truth.label, truth.n_rows, n_images, n_labels)),
        xywh(grouping.ordered<4>(truth.xywh)),
        area(grouping.ordered<1>(truth.area)),
        crowd(grouping.ordered<1>(truth.crowd)),
        id(grouping.ordered<1>(truth.id)) {}

  TruthBoxes boxes() const {
    return {grouping.image.data(), nullptr,   xywh.data(),          area.data(),
            crowd.data(),          id.data(), grouping.image.size()};
  }
};

struct OrderedPred {
  Grouping grouping;
  Column<double> xywh, area, score;

  OrderedPred(const PredBoxes& pred, std::size_t n_images, std::size_t n_labels)
      : grouping(group_rows(pred.image, pred.label, pred.n_rows, n_images, n_labels)),
        xywh(grouping.ordered<4>(pred.xywh)),
        score(grouping.ordered<1>(pred.score)) {
    if (pred.area != nullptr) area = grouping.ordered<1>(pred.area);
  }

  PredBoxes boxes() const {
    return {grouping.image.data(), nullptr,      xywh.data(),
            area.data(),           score.data(), grouping.image.size()};
  }
};

// A stretch of whole cells of one label.
struct Block {
  std::size_t begin, end;  // rows of pred
  std::size_t label;
  std::size_t output_begin;  // first row that it writes
};

class BlockMatcher {
 public:
  BlockMatcher(const TruthBoxes& truth, const PredBoxes& pred, std::size_t n_images,
               std::size_t n_labels, const MatchRules& rules)
      : rules_(rules),
        ordered_truth_(truth, n_images, n_labels),
        ordered_pred_(pred, n_images, n_labels),
        truth_(ordered_truth_.boxes()),
        pred_(ordered_pred_.boxes()),
        words_per_row_(rules.area_ranges.size() * outcome_words(rules.iou_thresholds.size())) {}

  Matching run() {
    write_truth();
    cut_into_blocks();
    out_.pred_image.resize_uninitialised(n_output_);
    out_.pred_label.resize_uninitialised(n_output_);
    out_.pred_score.resize_uninitialised(n_output_);
    out_.pred_outcome.resize_uninitialised(n_output_ * words_per_row_);
    parallel_for_workers(blocks_.size(), [&] {
      return [&, matcher = CellMatcher(truth_, out_.truth_ignored.data(), pred_, rules_)](
                 std::size_t b) mutable { match_block(blocks_[b], matcher); };
    });
    out_.truth_image = std::move(ordered_truth_.grouping.image);
    return std::move(out_);
  }

 private:
  std::uint32_t ranges_without(double area) const {
    std::uint32_t bits = 0;
    for (std::size_t a = 0; a < rules_.area_ranges.size(); ++a) {
      const auto& [low, high] = rules_.area_ranges[a];
      bits |= static_cast<std::uint32_t>(area < low || area > high) << a;
    }
    return bits;
  }

  void write_truth() {
    out_.truth_label.resize_uninitialised(truth_.n_rows);
    out_.truth_ignored.resize_uninitialised(truth_.n_rows);
    const std::uint32_t every_range =
        static_cast<std::uint32_t>((std::uint64_t{1} << rules_.area_ranges.size()) - 1);
    const auto& label_start = ordered_truth_.grouping.label_start;
    for (std::size_t label = 0; label + 1 < label_start.size(); ++label) {
      for (std::size_t row = label_start[label]; row < label_start[label + 1]; ++row) {
        out_.truth_label[row] = static_cast<std::int32_t>(label);
        out_.truth_ignored[row] =
            truth_.crowd[row] != 0 ? every_range : ranges_without(truth_.area[row]);
      }
    }
  }

  std::size_t end_of_cell(std::size_t begin, std::size_t label_end) const {
    std::size_t end = begin + 1;
    while (end < label_end && pred_.image[end] == pred_.image[begin]) ++end;
    return end;
  }

  // Where a block writes depends on how many detections the blocks before it keep.
  void cut_into_blocks() {
    const auto& label_start = ordered_pred_.grouping.label_start;
    for (std::size_t label = 0; label + 1 < label_start.size(); ++label) {
      const std::size_t label_end = label_start[label + 1];
      for (std::size_t begin = label_start[label]; begin < label_end;) {
        Block block{begin, begin, label, n_output_};
        while (block.end < label_end && block.end - begin < kBlockRows) {
          const std::size_t end = end_of_cell(block.end, label_end);
          n_output_ += std::min(end - block.end, rules_.max_detections);
          block.end = end;
        }
        begin = block.end;
        blocks_.push_back(block);
      }
    }
  }

  void match_block(const Block& block, CellMatcher& matcher) {
    const auto& truth_start = ordered_truth_.grouping.label_start;
    const std::size_t truth_label_end = truth_start[block.label + 1];
    std::size_t truth_row = static_cast<std::size_t>(
        std::lower_bound(truth_.image + truth_start[block.label], truth_.image + truth_label_end,
                         pred_.image[block.begin]) -
        truth_.image);
    std::size_t at = block.output_begin;
    for (std::size_t begin = block.begin; begin < block.end;) {
      const std::int32_t image = pred_.image[begin];
      const std::size_t end = end_of_cell(begin, block.end);
      while (truth_row < truth_label_end && truth_.image[truth_row] < image) ++truth_row;
      std::size_t truth_end = truth_row;
      while (truth_end < truth_label_end && truth_.image[truth_end] == image) ++truth_end;
      const std::size_t n_kept = std::min(end - begin, rules_.max_detections);
      std::fill_n(out_.pred_image.data() + at, n_kept, image);
      std::fill_n(out_.pred_label.data() + at, n_kept, static_cast<std::int32_t>(block.label));
      matcher.match({begin, end, truth_row, truth_end}, out_.pred_score.data() + at,
                    out_.pred_outcome.data() + at * words_per_row_);
      truth_row = truth_end;
      begin = end;
      at += n_kept;
    }
  }

  const MatchRules& rules_;
  OrderedTruth ordered_truth_;
  const OrderedPred ordered_pred_;
  const TruthBoxes truth_;  // views of the ordered tables
  const PredBoxes pred_;
  const std::size_t words_per_row_;
  std::vector<Block> blocks_;
  std::size_t n_output_ = 0;
  Matching out_;
};

}  // namespace

Matching match_boxes(const TruthBoxes& truth, const PredBoxes& pred, std::size_t n_images,
                     std::size_t n_labels, const MatchRules& rules) {
  return BlockMatcher(truth, pred, n_images, n_labels, rules).run();
}

}  // namespace snellen
