#include "snellen/rle_boundary.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "rle_spans.hpp"
#include "snellen/boundary.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// Masks in a block of work.
constexpr std::size_t kBlock = 64;

// The boundary of one mask after another; holds the memory for it.
class Boundaries {
 public:
  Boundaries(const RleView& masks, const std::int64_t* distance)
      : masks_(masks), distance_(distance) {}

  void append(std::size_t row, RleRows& rows) {
    spans_.clear();
    append_spans(masks_, row, spans_);
    const auto height = static_cast<std::uint32_t>(masks_.size[2 * row]);
    const auto n_pixels = static_cast<std::uint32_t>(masks_.n_pixels(row));
    boundary_.clear();
    if (spans_.size() > 0) {
      unfold(height);
      near_.resize_uninitialised(inside_.size());
      near_border(inside_.data(), n_columns_, n_rows_, static_cast<std::size_t>(distance_[row]),
                  near_.data());
      fold(height);
    }
    append_runs(boundary_.data(), boundary_.size(), n_pixels, rows);
  }

 private:
  // Fills inside_ with the smallest box around the mask, column by column.
  void unfold(std::uint32_t height) {
    left_ = spans_[0].begin / height;
    n_columns_ = (spans_[spans_.size() - 1].end - 1) / height - left_ + 1;
    std::uint32_t top = height, bottom = 0;
    for (const Span& span : spans_) {
      if (span.begin / height != (span.end - 1) / height) {
        top = 0;
        bottom = height - 1;
        break;
      }
      top = std::min(top, span.begin % height);
      bottom = std::max(bottom, (span.end - 1) % height);
    }
    top_ = top;
    n_rows_ = bottom - top + 1;
    inside_.resize_uninitialised(n_columns_ * n_rows_);
    std::memset(inside_.data(), 0, inside_.size());
    for (const Span& span : spans_) {
      for (std::uint32_t begin = span.begin; begin < span.end;) {
        const std::uint32_t column = begin / height;
        const std::uint32_t end = std::min(span.end, (column + 1) * height);
        std::memset(inside_.data() + (column - left_) * n_rows_ + begin % height - top_, 1,
                    end - begin);
        begin = end;
      }
    }
  }

  // Fills boundary_ with what is inside and near the edge.
  void fold(std::uint32_t height) {
    for (std::size_t column = 0; column < n_columns_; ++column) {
      const std::uint8_t* const inside = inside_.data() + column * n_rows_;
      const std::uint8_t* const near = near_.data() + column * n_rows_;
      const auto first = static_cast<std::uint32_t>((left_ + column) * height + top_);
      for (std::size_t y = 0; y < n_rows_;) {
        if ((inside[y] & near[y]) == 0) {
          ++y;
          continue;
        }
        const std::size_t begin = y;
        while (y < n_rows_ && (inside[y] & near[y]) != 0) ++y;
        append_span(first + static_cast<std::uint32_t>(begin),
                    first + static_cast<std::uint32_t>(y), 0, boundary_);
      }
    }
  }

  const RleView& masks_;
  const std::int64_t* distance_;
  Column<Span> spans_, boundary_;
  Column<std::uint8_t> inside_, near_;  // of the box, [column][row]
  std::size_t left_ = 0, top_ = 0, n_columns_ = 0, n_rows_ = 0;
};

}  // namespace

RleRows rle_boundaries(const RleView& masks, const std::int64_t* distance) {
  const std::size_t n_blocks = (masks.n + kBlock - 1) / kBlock;
  std::vector<RleRows> parts(n_blocks);
  parallel_for_workers(n_blocks, [&] {
    return [&, boundaries = Boundaries(masks, distance)](std::size_t block) mutable {
      parts[block].offset.push_back(0);
      const std::size_t end = std::min(masks.n, (block + 1) * kBlock);
      for (std::size_t row = block * kBlock; row < end; ++row) boundaries.append(row, parts[block]);
    };
  });
  return join_rows(parts);
}

}  // namespace snellen
