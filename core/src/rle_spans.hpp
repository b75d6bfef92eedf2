// The inside of a mask as spans of pixels, ascending, none empty, none touching the next.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "snellen/column.hpp"
#include "snellen/rle.hpp"

namespace snellen {

struct Span {
  std::uint32_t begin, end;
};

// As faults say it.
inline std::string of_pixels(std::uint64_t n_pixels) {
  return "runs of together " + std::to_string(n_pixels) + " pixels";
}

// Calls visit(begin, end) for each run inside the mask that has pixels; two may touch.
template <class Visit>
void visit_insides(const std::uint32_t* runs, std::size_t n_runs, const Visit& visit) {
  std::uint32_t at = 0;
  for (std::size_t k = 1; k < n_runs; k += 2) {
    const std::uint32_t begin = at + runs[k - 1];
    at = begin + runs[k];
    if (begin != at) visit(begin, at);
  }
}

// Adds a span behind the others; one that touches the last, at or behind `first`, becomes part of
// it.
inline void append_span(std::uint32_t begin, std::uint32_t end, std::size_t first,
                        Column<Span>& spans) {
  if (spans.size() > first && spans[spans.size() - 1].end >= begin) {
    Span& last = spans[spans.size() - 1];
    last.end = std::max(last.end, end);
  } else {
    spans.push_back({begin, end});
  }
}

// Adds the spans of a row.
inline void append_spans(const RleView& masks, std::size_t row, Column<Span>& spans) {
  const std::size_t first = spans.size(), most = first + masks.n_runs(row) / 2;
  if (most > spans.capacity()) spans.reserve(std::max(most, 2 * spans.capacity()));
  spans.resize_uninitialised(most);
  Span* const begin_of_row = spans.data() + first;
  Span* next = begin_of_row;
  visit_insides(masks.runs + masks.offset[row], masks.n_runs(row),
                [&](std::uint32_t begin, std::uint32_t end) {
                  if (next != begin_of_row && next[-1].end == begin) --next, begin = next->begin;
                  *next++ = {begin, end};
                });
  spans.resize_uninitialised(static_cast<std::size_t>(next - spans.data()));
}

// The spans of a mask.
struct SpanRange {
  const Span* begin;
  const Span* end;
};

// Two masks, or parts of them, walked side by side.
class SharedPixels {
 public:
  // What lies before the other's first span and behind its last can share nothing; neither is
  // empty.
  SharedPixels(SpanRange a, SpanRange b) {
    const std::uint32_t from = std::max(a.begin->begin, b.begin->begin);
    const std::uint32_t to = std::min(a.end[-1].end, b.end[-1].end);
    a_ = within(a, from, to);
    b_ = within(b, from, to);
  }

  bool more() const { return a_.begin != a_.end && b_.begin != b_.end; }
  std::int64_t n() const { return n_; }
  std::size_t n_left() const { return static_cast<std::size_t>(a_.end - a_.begin); }
  // Without a branch: which of two spans ends first is anyone's guess.
  void step() {
    const Span a = *a_.begin, b = *b_.begin;
    const std::int64_t begin = std::max(a.begin, b.begin);
    const std::int64_t end = std::min(a.end, b.end);
    n_ += std::max<std::int64_t>(0, end - begin);
    a_.begin += a.end <= b.end;
    b_.begin += b.end <= a.end;
  }
  // Leaves the first half of its spans, and returns the second.
  SharedPixels split() {
    const Span* const middle = a_.begin + (a_.end - a_.begin) / 2;
    SharedPixels second(SpanRange{middle, a_.end}, b_);
    *this = SharedPixels(SpanRange{a_.begin, middle}, b_);
    return second;
  }

 private:
  static SpanRange within(const SpanRange& spans, std::uint32_t from, std::uint32_t to) {
    const auto ends_before = [](const Span& span, std::uint32_t at) { return span.end <= at; };
    const auto begins_before = [](const Span& span, std::uint32_t at) { return span.begin < at; };
    const Span* const first = std::lower_bound(spans.begin, spans.end, from, ends_before);
    return {first, std::lower_bound(first, spans.end, to, begins_before)};
  }

  SpanRange a_{}, b_{};
  std::int64_t n_ = 0;
};

// The number of pixels that two masks share; with `any`, whether there are some.
template <bool any = false>
std::int64_t shared_pixels(const SpanRange& mine, const SpanRange& theirs) {
  constexpr std::size_t kWorthHalving = 16;
  if (mine.begin == mine.end || theirs.begin == theirs.end) return 0;
  SharedPixels walk(mine, theirs);
  if constexpr (any) {
    while (walk.more() && walk.n() == 0) walk.step();
    return walk.n();
  }
  if (!walk.more() || walk.n_left() < kWorthHalving) {
    while (walk.more()) walk.step();
    return walk.n();
  }
  // A step waits for the one before it: two walks at a time take hardly longer than one.
  SharedPixels other = walk.split();
  while (walk.more() && other.more()) {
    walk.step();
    other.step();
  }
  while (walk.more()) walk.step();
  while (other.more()) other.step();
  return walk.n() + other.n();
}

// Adds the runs of a mask of these spans, which may touch, and goes on to the next row.
inline void append_runs(const Span* spans, std::size_t n_spans, std::uint32_t n_pixels,
                        RleRows& rows) {
  std::uint32_t at = 0;
  for (std::size_t i = 0; i < n_spans;) {
    const std::uint32_t begin = spans[i].begin;
    std::uint32_t end = spans[i].end;
    for (++i; i < n_spans && spans[i].begin == end; ++i) end = spans[i].end;
    rows.runs.push_back(begin - at);
    rows.runs.push_back(end - begin);
    at = end;
  }
  if (at < n_pixels || n_spans == 0) rows.runs.push_back(n_pixels - at);
  rows.offset.push_back(static_cast<std::int64_t>(rows.runs.size()));
}

// The rows of all parts, one after the other.
template <class Parts>
RleRows join_rows(const Parts& parts) {
  RleRows joined;
  std::size_t n_runs = 0, n_rows = 0;
  for (const RleRows& part : parts) {
    n_runs += part.runs.size();
    n_rows += part.offset.size() - 1;
  }
  joined.runs.reserve(n_runs);
  joined.offset.reserve(n_rows + 1);
  joined.offset.push_back(0);
  for (const RleRows& part : parts) {
    const auto before = static_cast<std::int64_t>(joined.runs.size());
    joined.runs.append(part.runs);
    for (std::size_t i = 1; i < part.offset.size(); ++i) {
      joined.offset.push_back(before + part.offset[i]);
    }
  }
  return joined;
}

}  // namespace snellen
