#include <algorithm>
#include <cstring>
#include <vector>

#include "rle_spans.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle.hpp"

namespace snellen {
namespace {

constexpr std::size_t kPairsOfBlock = 4096;

// Some rows of masks as spans, with what tells quickly that two share nothing.
class SpanTable {
 public:
  void fill(const RleView& masks, std::size_t begin, std::size_t end) {
    spans_.clear();
    first_.clear();
    first_.push_back(0);
    box_.resize_uninitialised(4 * (end - begin));
    area_.resize_uninitialised(end - begin);
    const RleView part{masks.runs, masks.offset + begin, masks.size + 2 * begin, end - begin};
    rle_boxes(part, box_.data());
    rle_areas(part, area_.data());
    for (std::size_t row = 0; row < part.n; ++row) {
      append_spans(part, row, spans_);
      first_.push_back(spans_.size());
    }
  }

  std::size_t size() const { return area_.size(); }
  std::int64_t area(std::size_t row) const { return area_[row]; }

  bool may_share(std::size_t row, const SpanTable& other, std::size_t other_row) const {
    const std::int32_t* const a = box_.data() + 4 * row;
    const std::int32_t* const b = other.box_.data() + 4 * other_row;
    return a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
  }

  // The number of pixels that two rows share; with `any`, whether there are some.
  template <bool any = false>
  std::int64_t shared(std::size_t row, const SpanTable& other, std::size_t other_row) const {
    return shared_pixels<any>(spans(row), other.spans(other_row));
  }

 private:
  SpanRange spans(std::size_t row) const {
    return {spans_.data() + first_[row], spans_.data() + first_[row + 1]};
  }

  Column<Span> spans_;
  Column<std::size_t> first_;
  Column<std::int32_t> box_;
  Column<std::int64_t> area_;
};

struct Pair {
  std::int32_t truth, pred;
  double similarity;
};

double ratio(std::int64_t shared, std::int64_t whole) {
  return static_cast<double>(shared) / static_cast<double>(whole);
}

}  // namespace

MaskPairs mask_pairs(const std::int64_t* truth_begin, const std::int64_t* pred_begin,
                     std::size_t n_frames, const RleView& truth, const RleView& pred,
                     MaskOverlap kind) {
  std::vector<std::vector<Pair>> of_frame(n_frames);
  parallel_for_workers(n_frames, [&] {
    return [&, mine = SpanTable(), theirs = SpanTable()](std::size_t frame) mutable {
      const auto truth_first = static_cast<std::size_t>(truth_begin[frame]);
      const auto pred_first = static_cast<std::size_t>(pred_begin[frame]);
      const auto truth_last = static_cast<std::size_t>(truth_begin[frame + 1]);
      const auto pred_last = static_cast<std::size_t>(pred_begin[frame + 1]);
      if (truth_first == truth_last || pred_first == pred_last) return;
      mine.fill(truth, truth_first, truth_last);
      theirs.fill(pred, pred_first, pred_last);
      for (std::size_t i = 0; i < mine.size(); ++i) {
        for (std::size_t j = 0; j < theirs.size(); ++j) {
          if (!mine.may_share(i, theirs, j)) continue;
          const std::int64_t shared = mine.shared(i, theirs, j);
          if (shared == 0) continue;
          std::int64_t whole = mine.area(i);
          if (kind == MaskOverlap::kOverPred) whole = theirs.area(j);
          if (kind == MaskOverlap::kIou) whole += theirs.area(j) - shared;
          of_frame[frame].push_back({static_cast<std::int32_t>(truth_first + i),
                                     static_cast<std::int32_t>(pred_first + j),
                                     ratio(shared, whole)});
        }
      }
    };
  });
  std::size_t n_pairs = 0;
  for (const auto& pairs : of_frame) n_pairs += pairs.size();
  MaskPairs found;
  found.begin.resize_uninitialised(truth.n + 1);
  std::fill(found.begin.begin(), found.begin.end(), 0);
  found.pred.reserve(n_pairs);
  found.similarity.reserve(n_pairs);
  for (const auto& pairs : of_frame) {
    for (const Pair& pair : pairs) {
      ++found.begin[static_cast<std::size_t>(pair.truth) + 1];
      found.pred.push_back(pair.pred);
      found.similarity.push_back(pair.similarity);
    }
  }
  for (std::size_t i = 0; i < truth.n; ++i) found.begin[i + 1] += found.begin[i];
  return found;
}

void mask_iou_matrix(const RleView& pred, const RleView& truth, const std::uint8_t* crowd,
                     double* iou) {
  SpanTable mine, theirs;
  mine.fill(pred, 0, pred.n);
  theirs.fill(truth, 0, truth.n);
  // A thread costs as much as some thousand pairs.
  const std::size_t rows_of_block = std::max<std::size_t>(1, kPairsOfBlock / (pred.n + 1));
  const std::size_t n_blocks = (truth.n + rows_of_block - 1) / rows_of_block;
  parallel_for(n_blocks, [&](std::size_t block) {
    const std::size_t end = std::min(truth.n, (block + 1) * rows_of_block);
    for (std::size_t j = block * rows_of_block; j < end; ++j) {
      for (std::size_t i = 0; i < pred.n; ++i) {
        const std::int64_t shared = mine.may_share(i, theirs, j) ? mine.shared(i, theirs, j) : 0;
        const std::int64_t whole =
            crowd[j] != 0 ? mine.area(i) : mine.area(i) + theirs.area(j) - shared;
        iou[j * pred.n + i] = shared == 0 ? 0 : ratio(shared, whole);
      }
    }
  });
}

Column<MaskOverlapPair> find_overlaps(const RleView& masks, const std::int64_t* begin,
                                      std::size_t n_frames, const std::uint8_t* marked) {
  std::vector<MaskOverlapPair> of_frame(n_frames, {-1, -1, -1});
  parallel_for_workers(n_frames, [&] {
    return [&, table = SpanTable()](std::size_t frame) mutable {
      const auto first = static_cast<std::size_t>(begin[frame]);
      const auto last = static_cast<std::size_t>(begin[frame + 1]);
      if (last - first < 2) return;
      table.fill(masks, first, last);
      for (std::size_t j = 1; j < table.size(); ++j) {
        for (std::size_t i = 0; i < j; ++i) {
          if (marked != nullptr && marked[first + i] != 0 && marked[first + j] != 0) continue;
          if (!table.may_share(i, table, j) || table.shared<true>(i, table, j) == 0) continue;
          of_frame[frame] = {static_cast<std::int64_t>(frame), static_cast<std::int64_t>(first + i),
                             static_cast<std::int64_t>(first + j)};
          return;
        }
      }
    };
  });
  Column<MaskOverlapPair> found;
  for (const MaskOverlapPair& pair : of_frame) {
    if (pair.frame >= 0) found.push_back(pair);
  }
  return found;
}

}  // namespace snellen
