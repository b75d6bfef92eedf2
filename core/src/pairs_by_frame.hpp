// Runs a measure of similarity over frames, and joins what it finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "snellen/column.hpp"
#include "snellen/frame_pairs.hpp"
#include "snellen/parallel.hpp"

namespace snellen {

// The rows of one frame.
struct FrameSpan {
  std::size_t truth_first, truth_last;
  std::size_t pred_first, pred_last;
};

inline FrameSpan span_of(const FrameRows& frames, std::size_t frame) {
  return {static_cast<std::size_t>(frames.truth_begin[frame]),
          static_cast<std::size_t>(frames.truth_begin[frame + 1]),
          static_cast<std::size_t>(frames.pred_begin[frame]),
          static_cast<std::size_t>(frames.pred_begin[frame + 1])};
}

// Takes the pairs of truth rows that follow each other.
class PairWriter {
 public:
  PairWriter() = default;
  // row_size[i] becomes the number of pairs of the i-th row.
  explicit PairWriter(std::int64_t* row_size) : row_size_(row_size) {}

  // The next truth row has at most so many pairs.
  void open_row(std::size_t most) {
    if (size_ + most > pred_.capacity()) {
      // Columns keep what is inside their size.
      pred_.resize_uninitialised(size_);
      similarity_.resize_uninitialised(size_);
      pred_.reserve(2 * (size_ + most));
      similarity_.reserve(2 * (size_ + most));
    }
    row_first_ = size_;
  }
  // Adds a pair if its similarity is above 0; not a number is not.
  void add(std::size_t pred, double similarity) {
    pred_.data()[size_] = static_cast<std::int32_t>(pred);
    similarity_.data()[size_] = similarity;
    size_ += similarity > 0;
  }
  void close_row() { *row_size_++ = static_cast<std::int64_t>(size_ - row_first_); }

  std::size_t size() const { return size_; }
  const std::int32_t* pred() const { return pred_.data(); }
  const double* similarity() const { return similarity_.data(); }

 private:
  std::int64_t* row_size_ = nullptr;
  std::size_t row_first_ = 0, size_ = 0;
  Column<std::int32_t> pred_;
  Column<double> similarity_;
};

// The frames at which blocks of work begin, and the end.
inline std::vector<std::size_t> frame_blocks(const FrameRows& frames) {
  // Enough rows that handing a block out costs nothing; few enough that the threads end together.
  constexpr std::int64_t kBlockRows = 4096;
  std::vector<std::size_t> blocks = {0};
  std::int64_t n_before = 0;
  for (std::size_t t = 1; t < frames.n_frames; ++t) {
    const std::int64_t n_rows = frames.truth_begin[t] + frames.pred_begin[t];
    if (n_rows - n_before < kBlockRows) continue;
    blocks.push_back(t);
    n_before = n_rows;
  }
  if (frames.n_frames > 0) blocks.push_back(frames.n_frames);
  return blocks;
}

// sums[i + 1] holds a size on entry; afterwards sums[i] is where row i starts.
inline void sum_up(Column<std::int64_t>& sums) {
  sums[0] = 0;
  for (std::size_t i = 1; i < sums.size(); ++i) sums[i] += sums[i - 1];
}

// Each thread calls make_measure once, and what it returns with (FrameSpan, PairWriter&) for each
// of its frames; a measure opens and closes every truth row of the frame.
template <class MakeMeasure>
FramePairs pairs_by_frame(const FrameRows& frames, const MakeMeasure& make_measure) {
  const std::vector<std::size_t> blocks = frame_blocks(frames);
  const std::size_t n_blocks = blocks.size() - 1;
  const auto n_truth = static_cast<std::size_t>(frames.truth_begin[frames.n_frames]);
  FramePairs found;
  found.begin.resize_uninitialised(n_truth + 1);
  std::vector<PairWriter> parts(n_blocks);
  parallel_for_workers(n_blocks, [&] {
    return [&, measure = make_measure()](std::size_t b) mutable {
      // Not parts[b] itself: its neighbours, which other threads write, share its cache lines.
      PairWriter part(found.begin.data() + 1 + frames.truth_begin[blocks[b]]);
      for (std::size_t t = blocks[b]; t < blocks[b + 1]; ++t) measure(span_of(frames, t), part);
      parts[b] = std::move(part);
    };
  });
  sum_up(found.begin);
  const auto n_pairs = static_cast<std::size_t>(found.begin[n_truth]);
  found.pred.resize_uninitialised(n_pairs);
  found.similarity.resize_uninitialised(n_pairs);
  parallel_for(n_blocks, [&](std::size_t b) {
    if (parts[b].size() == 0) return;
    const std::int64_t at = found.begin[static_cast<std::size_t>(frames.truth_begin[blocks[b]])];
    std::memcpy(found.pred.data() + at, parts[b].pred(), parts[b].size() * sizeof(std::int32_t));
    std::memcpy(found.similarity.data() + at, parts[b].similarity(),
                parts[b].size() * sizeof(double));
  });
  return found;
}

}  // namespace snellen
