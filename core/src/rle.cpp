#include "snellen/rle.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "rle_spans.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

RleFault check_row(const RleView& masks, std::size_t i) {
  const std::uint64_t n_pixels = masks.n_pixels(i);
  if (n_pixels > std::numeric_limits<std::uint32_t>::max()) {
    return {"expected an image of less than 2^32 pixels, got " + std::to_string(n_pixels), i, 0};
  }
  std::uint64_t sum = 0;
  const std::uint32_t* const runs = masks.runs + masks.offset[i];
  for (std::size_t k = 0; k < masks.n_runs(i); ++k) sum += runs[k];
  if (sum == n_pixels) return {};
  return {"expected " + of_pixels(n_pixels) + ", got " + std::to_string(sum), i, masks.n_runs(i)};
}

// The number of pixels of a row; its box goes to `box`.
std::uint32_t measure_row(const RleView& masks, std::size_t i, std::int32_t* box) {
  const auto height = static_cast<std::uint32_t>(masks.size[2 * i]);
  const std::uint32_t* const runs = masks.runs + masks.offset[i];
  std::uint32_t top = height, bottom = 0, area = 0, first = 0, behind = 0;
  // Of the column that a span begins in; most begin in the one of the span before or the next.
  std::uint32_t column_begin = 0;
  visit_insides(runs, masks.n_runs(i), [&](std::uint32_t begin, std::uint32_t end) {
    if (area == 0) first = begin;
    std::uint32_t row = begin - column_begin;
    if (row >= height) {
      row -= height;
      column_begin += height;
      if (row >= height) {
        const std::uint32_t beyond = row - row % height;
        row -= beyond;
        column_begin += beyond;
      }
    }
    top = std::min(top, row);
    // Below the image where it goes on in another column.
    bottom = std::max(bottom, end - column_begin);
    area += end - begin;
    behind = end;
  });
  if (area == 0) {
    std::fill(box, box + 4, 0);
    return 0;
  }
  if (bottom > height) {
    top = 0;
    bottom = height;
  }
  const std::uint32_t left = first / height, right = (behind - 1) / height;
  box[0] = static_cast<std::int32_t>(left);
  box[1] = static_cast<std::int32_t>(top);
  box[2] = static_cast<std::int32_t>(right + 1 - left);
  box[3] = static_cast<std::int32_t>(bottom - top);
  return area;
}

// Looks at all rows, on threads; returns the fault of the first that has one.
template <class Look>
RleFault first_fault(std::size_t n_rows, const Look& look) {
  constexpr std::size_t kRows = 1024;
  std::mutex mutex;
  RleFault first;
  parallel_for((n_rows + kRows - 1) / kRows, [&](std::size_t block) {
    const std::size_t end = std::min(n_rows, (block + 1) * kRows);
    for (std::size_t i = block * kRows; i < end; ++i) {
      RleFault fault = look(i);
      if (!fault) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!first || i < first.row) first = std::move(fault);
      return;
    }
  });
  return first;
}

}  // namespace

RleFault check_rle(const RleView& masks) {
  return first_fault(masks.n, [&](std::size_t i) { return check_row(masks, i); });
}

void rle_areas(const RleView& masks, std::int64_t* area) {
  for (std::size_t i = 0; i < masks.n; ++i) {
    std::int64_t sum = 0;
    for (std::int64_t k = masks.offset[i] + 1; k < masks.offset[i + 1]; k += 2) {
      sum += masks.runs[k];
    }
    area[i] = sum;
  }
}

void rle_boxes(const RleView& masks, std::int32_t* xywh) {
  for (std::size_t i = 0; i < masks.n; ++i) measure_row(masks, i, xywh + 4 * i);
}

RleFault rle_extents(const RleView& masks, RleExtents& found) {
  found.area.resize_uninitialised(masks.n);
  found.box.resize_uninitialised(4 * masks.n);
  return first_fault(masks.n, [&](std::size_t i) {
    RleFault fault = check_row(masks, i);
    if (!fault) found.area[i] = measure_row(masks, i, found.box.data() + 4 * i);
    return fault;
  });
}

RleRows take_rle(const RleView& masks, const std::int64_t* rows, std::size_t n_rows) {
  RleRows taken;
  taken.offset.resize_uninitialised(n_rows + 1);
  taken.offset[0] = 0;
  for (std::size_t i = 0; i < n_rows; ++i) {
    const auto row = static_cast<std::size_t>(rows[i]);
    taken.offset[i + 1] = taken.offset[i] + masks.offset[row + 1] - masks.offset[row];
  }
  taken.runs.resize_uninitialised(static_cast<std::size_t>(taken.offset[n_rows]));
  for (std::size_t i = 0; i < n_rows; ++i) {
    const auto row = static_cast<std::size_t>(rows[i]);
    if (masks.n_runs(row) == 0) continue;
    std::memcpy(taken.runs.data() + taken.offset[i], masks.runs + masks.offset[row],
                masks.n_runs(row) * sizeof(*masks.runs));
  }
  return taken;
}

RleRows replace_rle(const RleView& masks, const RleView& others, const std::uint8_t* marked) {
  RleRows rows;
  rows.offset.resize_uninitialised(masks.n + 1);
  rows.offset[0] = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < masks.n; ++i) {
    const std::size_t n = marked[i] != 0 ? others.n_runs(next++) : masks.n_runs(i);
    rows.offset[i + 1] = rows.offset[i] + static_cast<std::int64_t>(n);
  }
  rows.runs.resize_uninitialised(static_cast<std::size_t>(rows.offset[masks.n]));
  // Rows of one table that follow each other go together.
  next = 0;
  for (std::size_t i = 0; i < masks.n;) {
    const bool other = marked[i] != 0;
    std::size_t end = i + 1;
    while (end < masks.n && (marked[end] != 0) == other) ++end;
    const RleView& from = other ? others : masks;
    const std::size_t first = other ? next : i;
    const auto n = static_cast<std::size_t>(rows.offset[end] - rows.offset[i]);
    if (n > 0) {
      std::memcpy(rows.runs.data() + rows.offset[i], from.runs + from.offset[first],
                  n * sizeof(*from.runs));
    }
    if (other) next += end - i;
    i = end;
  }
  return rows;
}

namespace {

// Puts the spans of pixels that lie in at least `depth` of the masks in the place of `merged`.
void merge_spans(const RleView& masks, std::size_t begin, std::size_t end, std::size_t depth,
                 Column<std::uint32_t>& starts, Column<std::uint32_t>& ends, Column<Span>& merged) {
  starts.clear();
  ends.clear();
  merged.clear();
  for (std::size_t row = begin; row < end; ++row) {
    visit_insides(masks.runs + masks.offset[row], masks.n_runs(row),
                  [&](std::uint32_t from, std::uint32_t to) {
                    starts.push_back(from);
                    ends.push_back(to);
                  });
  }
  std::sort(starts.begin(), starts.end());
  std::sort(ends.begin(), ends.end());
  // Where a span ends and another begins, the first is left before the other is entered; pieces
  // that touch are joined when they become runs.
  std::size_t n_open = 0, next_end = 0;
  std::uint32_t from = 0;
  for (std::size_t next_start = 0; next_end < ends.size();) {
    if (next_start < starts.size() && starts[next_start] < ends[next_end]) {
      if (++n_open == depth) from = starts[next_start];
      ++next_start;
    } else {
      if (n_open-- == depth) append_span(from, ends[next_end], 0, merged);
      ++next_end;
    }
  }
}

}  // namespace

RleRows merge_rle(const RleView& masks, const std::int64_t* begin, std::size_t n_groups,
                  RleMerge how) {
  std::vector<RleRows> parts(n_groups);
  parallel_for_workers(n_groups, [&] {
    return [&, starts = Column<std::uint32_t>(), ends = Column<std::uint32_t>(),
            merged = Column<Span>()](std::size_t group) mutable {
      const auto first = static_cast<std::size_t>(begin[group]);
      const auto last = static_cast<std::size_t>(begin[group + 1]);
      RleRows& part = parts[group];
      part.offset.push_back(0);
      if (first == last) {
        part.offset.push_back(0);
        return;
      }
      merge_spans(masks, first, last, how == RleMerge::kUnion ? 1 : last - first, starts, ends,
                  merged);
      append_runs(merged.data(), merged.size(), static_cast<std::uint32_t>(masks.n_pixels(first)),
                  part);
    };
  });
  return join_rows(parts);
}

RleRows subtract_rle(const RleView& masks, const RleView& others) {
  RleRows rows;
  rows.offset.push_back(0);
  Column<Span> mine, theirs, left;
  for (std::size_t i = 0; i < masks.n; ++i) {
    mine.clear();
    theirs.clear();
    left.clear();
    append_spans(masks, i, mine);
    append_spans(others, i, theirs);
    std::size_t next = 0;
    for (const Span& span : mine) {
      std::uint32_t at = span.begin;
      while (next < theirs.size() && theirs[next].end <= at) ++next;
      // A span of theirs may reach into the next one of mine.
      for (std::size_t k = next; k < theirs.size() && theirs[k].begin < span.end; ++k) {
        if (theirs[k].begin > at) left.push_back({at, theirs[k].begin});
        at = theirs[k].end;
      }
      if (at < span.end) left.push_back({at, span.end});
    }
    append_runs(left.data(), left.size(), static_cast<std::uint32_t>(masks.n_pixels(i)), rows);
  }
  return rows;
}

}  // namespace snellen
