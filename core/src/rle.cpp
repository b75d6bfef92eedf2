#include "snellen/rle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "printable.hpp"
#include "rle_spans.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr unsigned kFirstCharacter = '0', kMore = 0x20, kSign = 0x10, kGroup = 0x1f;
// More groups than any run or difference of runs needs; what is longer is refused.
constexpr unsigned kMostBits = 40;
constexpr std::size_t kRowsOfBlock = 64;

RleFault fault_at(std::string message, std::size_t position) {
  return {std::move(message), 0, position};
}

std::string of_pixels(std::uint64_t n_pixels) {
  return "runs of together " + std::to_string(n_pixels) + " pixels";
}

// Reads runs as long as each lies within eight characters and is as it should be; the rest is for
// the long way. Behind the third run. Returns where it stopped: where a run begins, or the end.
//
// The eight groups are put side by side, 40 bits in all; where each number ends is known from one
// bit of each character. So no branch depends on how many characters a number has, and what one
// run waits for of the one before is two additions.
const char* append_short_runs(const char* at, const char* end, std::uint32_t* found, std::size_t& n,
                              std::int64_t& left) {
  constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
  if constexpr (std::endian::native != std::endian::little) return at;
  while (end - at >= 8) {
    std::uint64_t text;
    std::memcpy(&text, at, sizeof(text));
    // The highest bit is set so that no byte borrows; it is then still set, and the next is not,
    // of the 64 characters that there are.
    std::uint64_t groups = (text | kHigh) - kFirstCharacter * kEach;
    std::uint64_t last = ~groups & (kMore * kEach);
    if (((text | ~groups | groups << 1) & kHigh) != 0 || last == 0) return at;
    // Pairs of 5 bits become 10, pairs of those 20, and the two of those 40.
    groups &= kGroup * kEach;
    groups = (groups & 0x001f001f001f001f) | (groups & 0x1f001f001f001f00) >> 3;
    groups = (groups & 0x000003ff000003ff) | (groups & 0x03ff000003ff0000) >> 6;
    groups = (groups & 0x00000000000fffff) | (groups & 0x000fffff00000000) >> 12;
    unsigned first = 0, behind = 0;  // characters of the number
    do {
      behind = static_cast<unsigned>(std::countr_zero(last)) / 8 + 1;
      const unsigned beyond = 64 - 5 * behind;
      // What stands behind it goes out at the top, its sign comes in again.
      const std::int64_t written =
          static_cast<std::int64_t>(groups << beyond) >> (beyond + 5 * first);
      const std::int64_t run = written + found[n - 2];
      if (run < 0 || run > left) return at + first;
      left -= run;
      found[n++] = static_cast<std::uint32_t>(run);
      first = behind;
      last &= last - 1;
    } while (last != 0);
    at += behind;
  }
  return at;
}

}  // namespace

RleFault append_rle(std::string_view text, std::uint64_t n_pixels, Column<std::uint32_t>& runs) {
  const std::size_t first = runs.size();
  const auto refuse = [&](std::string message, std::size_t position) {
    runs.resize_uninitialised(first);
    return fault_at(std::move(message), position);
  };
  if (n_pixels > std::numeric_limits<std::uint32_t>::max()) {
    return refuse("expected an image of less than 2^32 pixels, got " + std::to_string(n_pixels), 0);
  }
  // A run has at least one character.
  runs.reserve(first + text.size());
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  std::uint32_t* const found = runs.data() + first;
  std::size_t n = 0;
  auto left = static_cast<std::int64_t>(n_pixels);
  for (const char* at = begin; at != end; ++n) {
    if (n > 2) {
      at = append_short_runs(at, end, found, n, left);
      if (at == end) break;
    }
    const char* const start = at;
    std::int64_t value = 0;
    unsigned bits = 0, group;
    do {
      if (at == end) {
        return refuse("expected the rest of a number, the run lengths are cut off",
                      static_cast<std::size_t>(at - begin));
      }
      group = static_cast<unsigned char>(*at) - kFirstCharacter;
      if (group > (kMore | kGroup)) {
        return refuse("expected characters \"0\" … \"o\" of run lengths, got " + printable({at, 1}),
                      static_cast<std::size_t>(at - begin));
      }
      if (bits >= kMostBits) {
        return refuse("expected a run length, got a number of more than " +
                          std::to_string(kMostBits) + " bits",
                      static_cast<std::size_t>(start - begin));
      }
      value |= static_cast<std::int64_t>(group & kGroup) << bits;
      bits += 5;
      ++at;
    } while ((group & kMore) != 0);
    if ((group & kSign) != 0) value -= std::int64_t{1} << bits;
    if (n > 2) value += found[n - 2];
    if (value < 0 || value > left) {
      const auto position = static_cast<std::size_t>(start - begin);
      if (value < 0)
        return refuse("expected runs from 0 on, got " + std::to_string(value), position);
      return refuse("expected " + of_pixels(n_pixels) + ", got more", position);
    }
    left -= value;
    found[n] = static_cast<std::uint32_t>(value);
  }
  if (left != 0) {
    return refuse("expected " + of_pixels(n_pixels) + ", got " +
                      std::to_string(n_pixels - static_cast<std::uint64_t>(left)),
                  text.size());
  }
  runs.resize_uninitialised(first + n);
  return {};
}

RleFault decode_rle(const TextRows& texts, const std::int32_t* size, RleRows& rows) {
  const std::size_t n_blocks = (texts.n + kRowsOfBlock - 1) / kRowsOfBlock;
  std::vector<RleRows> parts(n_blocks);
  std::vector<RleFault> faults(n_blocks);
  parallel_for(n_blocks, [&](std::size_t block) {
    RleRows& part = parts[block];
    const std::size_t begin = block * kRowsOfBlock;
    const std::size_t end = std::min(texts.n, begin + kRowsOfBlock);
    part.runs.reserve(static_cast<std::size_t>(texts.offset[end] - texts.offset[begin]));
    part.offset.push_back(0);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t n_pixels =
          static_cast<std::uint64_t>(size[2 * i]) * static_cast<std::uint64_t>(size[2 * i + 1]);
      faults[block] = append_rle(texts[i], n_pixels, part.runs);
      if (faults[block]) {
        faults[block].row = i;
        return;
      }
      part.offset.push_back(static_cast<std::int64_t>(part.runs.size()));
    }
  });
  for (RleFault& fault : faults) {
    if (fault) return std::move(fault);
  }
  rows = join_rows(parts);
  return {};
}

TextPool encode_rle(const RleView& masks) {
  // A difference of runs has 33 bits and so up to 7 characters, a run of a mask mostly one or two.
  constexpr std::size_t kLongest = 7;
  TextPool texts;
  texts.offset.reserve(masks.n + 1);
  texts.offset.push_back(0);
  for (std::size_t i = 0; i < masks.n; ++i) {
    const std::uint32_t* const runs = masks.runs + masks.offset[i];
    const std::size_t n = masks.n_runs(i), begin = texts.bytes.size();
    const std::size_t most = begin + kLongest * n;
    if (most > texts.bytes.capacity()) {
      texts.bytes.reserve(std::max(most, 2 * texts.bytes.capacity()));
    }
    char* const text = texts.bytes.data();
    std::size_t at = begin;
    for (std::size_t k = 0; k < n; ++k) {
      std::int64_t value = runs[k];
      if (k > 2) value -= runs[k - 2];
      while (true) {
        const auto group = static_cast<unsigned>(value) & kGroup;
        value >>= 5;
        // The rest is nothing but the sign that this group shows.
        const bool last = value == ((group & kSign) != 0 ? -1 : 0);
        text[at++] = static_cast<char>(kFirstCharacter + group + (last ? 0 : kMore));
        if (last) break;
      }
    }
    texts.bytes.resize_uninitialised(at);
    texts.offset.push_back(static_cast<std::int64_t>(at));
  }
  return texts;
}

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
  std::uint32_t left = 0, right = 0, top = height, bottom = 0, area = 0;
  // The column that a span begins in; most begin in the one of the span before or the next.
  std::uint32_t column = 0, column_begin = 0;
  const auto go_to = [&](std::uint32_t pixel) {
    std::uint32_t row = pixel - column_begin;
    if (row < height) return row;
    row -= height;
    if (row < height) {  // without a division
      ++column;
      column_begin += height;
      return row;
    }
    column = pixel / height;
    column_begin = column * height;
    return pixel - column_begin;
  };
  visit_insides(masks.runs + masks.offset[i], masks.n_runs(i),
                [&](std::uint32_t begin, std::uint32_t end) {
                  const std::uint32_t first_row = go_to(begin);
                  if (area == 0) left = column;
                  const std::uint32_t first_column = column;
                  const std::uint32_t last_row = go_to(end - 1);
                  const bool within = column == first_column;
                  top = std::min(top, within ? first_row : 0);
                  bottom = std::max(bottom, within ? last_row + 1 : height);
                  right = column + 1;
                  area += end - begin;
                });
  if (area == 0) {
    std::fill(box, box + 4, 0);
    return 0;
  }
  box[0] = static_cast<std::int32_t>(left);
  box[1] = static_cast<std::int32_t>(top);
  box[2] = static_cast<std::int32_t>(right - left);
  box[3] = static_cast<std::int32_t>(bottom - top);
  return area;
}

// Calls work(begin, end) for blocks of rows, each on one thread.
template <class Work>
void in_blocks(std::size_t n_rows, const Work& work) {
  constexpr std::size_t kRows = 1024;
  parallel_for((n_rows + kRows - 1) / kRows, [&](std::size_t block) {
    work(block * kRows, std::min(n_rows, (block + 1) * kRows));
  });
}

}  // namespace

RleFault check_rle(const RleView& masks) {
  std::mutex mutex;
  RleFault first;
  in_blocks(masks.n, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      RleFault fault = check_row(masks, i);
      if (!fault) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!first || i < first.row) first = std::move(fault);
      return;
    }
  });
  return first;
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

RleExtents rle_extents(const RleView& masks) {
  RleExtents found;
  found.area.resize_uninitialised(masks.n);
  found.box.resize_uninitialised(4 * masks.n);
  in_blocks(masks.n, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      found.area[i] = measure_row(masks, i, found.box.data() + 4 * i);
    }
  });
  return found;
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
