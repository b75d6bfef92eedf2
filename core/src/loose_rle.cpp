#include "snellen/loose_rle.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "rle_spans.hpp"
#include "run_end.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr unsigned kFirstCharacter = '0', kMore = 0x20, kSign = 0x10, kGroup = 0x1f;
constexpr std::size_t kPairsOfBlock = 4096;

// Character by character; the text ends with a byte of 0, as in C.
std::uint32_t read_number(const char*& at, const char* end) {
  std::uint32_t value = 0;
  unsigned shift = 0, group;
  do {
    const unsigned byte = at != end ? static_cast<unsigned char>(*at++) : 0;
    group = byte - kFirstCharacter;
    // What is shifted by 32 or more is shifted by what is beyond, as processors do it.
    value |= (group & kGroup) << (shift & 31U);
    shift += 5;
  } while ((group & kMore) != 0);
  if ((group & kSign) != 0) value |= ~std::uint32_t{0} << (shift & 31U);
  return value;
}

// Eight characters at once, without a branch that depends on how many the number has. False, and
// nothing is read, where that is more than six. Eight characters must be there.
bool read_short_number(const char*& at, std::uint32_t& value) {
  if constexpr (std::endian::native != std::endian::little) return false;
  constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
  std::uint64_t groups;
  std::memcpy(&groups, at, sizeof(groups));
  // Byte by byte less "0": the highest bit is set so that none borrows; it is of no interest.
  groups = (groups | kHigh) - kFirstCharacter * kEach;
  const std::uint64_t last = ~groups & (kMore * kEach);
  if (last == 0) return false;
  const auto n = static_cast<unsigned>(std::countr_zero(last)) / 8 + 1;
  if (n > 6) return false;
  // Pairs of 5 bits become 10, pairs of those 20, and the two of those 40.
  groups &= kGroup * kEach;
  groups = (groups & 0x001f001f001f001f) | (groups & 0x1f001f001f001f00) >> 3;
  groups = (groups & 0x000003ff000003ff) | (groups & 0x03ff000003ff0000) >> 6;
  groups = (groups & 0x00000000000fffff) | (groups & 0x000fffff00000000) >> 12;
  // What stands behind the number goes out at the top, its sign comes in again.
  const unsigned beyond = 64 - 5 * n;
  value = static_cast<std::uint32_t>(static_cast<std::int64_t>(groups << beyond) >> beyond);
  at += n;
  return true;
}

// The runs of a mask, taken piece by piece: `left` pixels of the run that `inside` tells of.
class RunReader {
 public:
  RunReader(const std::uint32_t* runs, std::size_t n)
      : next_(runs), end_(runs + n), left_(n > 0 ? *next_++ : 0) {}

  std::uint32_t left() const { return left_; }
  bool inside() const { return inside_; }
  // Takes pixels of the run; where it is used up, goes on to the next, if there is one.
  bool take(std::uint32_t n) {
    left_ -= n;
    if (left_ != 0 || next_ == end_) return false;
    left_ = *next_++;
    inside_ = !inside_;
    return true;
  }

 private:
  const std::uint32_t* next_;
  const std::uint32_t* end_;
  std::uint32_t left_;
  bool inside_ = false;
};

// Calls visit(n, a, b, more) for pieces of two masks that are in the same runs of each: their
// pixels, whether each is inside, and whether pieces follow. False where one ends before the other.
template <class Visit>
bool walk_pieces(RunReader& a, RunReader& b, const Visit& visit) {
  std::uint32_t left;
  do {
    const std::uint32_t n = std::min(a.left(), b.left());
    const bool in_a = a.inside(), in_b = b.inside();
    const bool next_a = a.take(n), next_b = b.take(n);
    left = a.left() + b.left();
    if (n == 0 && !next_a && !next_b && left != 0) return false;
    visit(n, in_a, in_b, left != 0);
  } while (left != 0);
  return true;
}

// Whether runs are as masks have them when they are made: none of 0 but the first, and together
// the pixels of an image that rle.hpp can hold.
bool is_plain(const LooseRle& masks, std::size_t row) {
  constexpr std::uint64_t kLongest = std::numeric_limits<std::int32_t>::max();
  if (masks.height(row) > kLongest || masks.width(row) > kLongest) return false;
  const std::uint64_t n_pixels = masks.height(row) * masks.width(row);
  if (n_pixels > std::numeric_limits<std::uint32_t>::max()) return false;
  const std::uint32_t* const runs = masks.runs + masks.offset[row];
  const std::size_t n = masks.n_runs(row);
  if (n == 0) return n_pixels == 0;
  std::uint64_t sum = runs[0];
  bool zero = false;
  for (std::size_t k = 1; k < n; ++k) {
    sum += runs[k];
    zero |= runs[k] == 0;
  }
  return !zero && sum == n_pixels;
}

bool all_plain(const LooseRle& masks, const std::int64_t* size) {
  for (std::size_t i = 0; i < masks.n; ++i) {
    if (masks.size[2 * i] != size[0] || masks.size[2 * i + 1] != size[1]) return false;
    if (!is_plain(masks, i)) return false;
  }
  return true;
}

// std::min and std::max, but that a number wins against what is none.
double lower(double a, double b) { return a != a || b < a ? b : a; }
double higher(double a, double b) { return a != a || b > a ? b : a; }

}  // namespace

void append_loose_rle(std::string_view text, Column<std::uint32_t>& runs) {
  const std::size_t first = runs.size();
  // A run has at least one character. Room for one text after the other is made ahead.
  const std::size_t most = first + text.size();
  if (most > runs.capacity()) runs.reserve(std::max(most, 2 * runs.capacity()));
  std::uint32_t* const found = runs.data() + first;
  std::size_t n = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end && *at != '\0') {
    std::uint32_t value;
    const unsigned group = static_cast<unsigned char>(*at) - kFirstCharacter;
    if ((group & kMore) == 0) {  // most have one character
      value = (group & kGroup) - ((group & kSign) << 1);
      ++at;
    } else if (end - at < 8 || !read_short_number(at, value)) {
      value = read_number(at, end);
    }
    if (n > 2) value += found[n - 2];
    found[n++] = value;
  }
  runs.resize_uninitialised(first + n);
}

RleRows encode_changes(const std::uint8_t* pixels, std::size_t n, std::size_t n_pixels) {
  std::vector<RleRows> parts(n);
  parallel_for(n, [&](std::size_t i) {
    const std::uint8_t* const image = pixels + i * n_pixels;
    RleRows& part = parts[i];
    part.offset.push_back(0);
    // The run before the first pixel is one of value 0.
    if (n_pixels == 0 || image[0] != 0) part.runs.push_back(0);
    for (std::size_t at = 0; at < n_pixels;) {
      const std::size_t end = end_of_run(image, at, n_pixels);
      part.runs.push_back(static_cast<std::uint32_t>(end - at));
      at = end;
    }
    part.offset.push_back(static_cast<std::int64_t>(part.runs.size()));
  });
  return join_rows(parts);
}

bool paint_loose_rle(const LooseRle& masks, std::uint8_t* pixels, std::size_t n_pixels) {
  std::vector<std::uint64_t> begin(masks.n + 1, 0);
  for (std::size_t i = 0; i < masks.n; ++i) {
    begin[i + 1] = begin[i];
    for (std::int64_t k = masks.offset[i]; k < masks.offset[i + 1]; ++k) {
      begin[i + 1] += masks.runs[k];
    }
    if (begin[i + 1] > n_pixels) return false;
  }
  if (n_pixels == 0) return true;  // there may be no memory at all
  parallel_for(masks.n, [&](std::size_t i) {
    std::uint8_t* at = pixels + begin[i];
    std::uint8_t value = 0;
    for (std::int64_t k = masks.offset[i]; k < masks.offset[i + 1]; ++k) {
      std::memset(at, value, masks.runs[k]);
      at += masks.runs[k];
      value ^= 1;
    }
  });
  std::memset(pixels + begin[masks.n], 0, n_pixels - begin[masks.n]);
  return true;
}

void loose_areas(const LooseRle& masks, std::uint32_t* area) {
  for (std::size_t i = 0; i < masks.n; ++i) {
    std::uint32_t sum = 0;
    for (std::int64_t k = masks.offset[i] + 1; k < masks.offset[i + 1]; k += 2) {
      sum += masks.runs[k];
    }
    area[i] = sum;
  }
}

void loose_boxes(const LooseRle& masks, double* xywh) {
  for (std::size_t i = 0; i < masks.n; ++i) {
    double* const box = xywh + 4 * i;
    const auto height = static_cast<std::uint32_t>(masks.height(i));
    const std::uint32_t* const runs = masks.runs + masks.offset[i];
    const std::size_t n = masks.n_runs(i);
    if (n < 2 || height == 0) {
      std::fill(box, box + 4, 0.0);
      continue;
    }
    std::uint32_t left = static_cast<std::uint32_t>(masks.width(i)), top = height;
    std::uint32_t right = 0, bottom = 0;  // the last column and row
    std::uint32_t at = 0, column = 0, column_begin = 0;
    // The row of a pixel; most lie in the column of the one before or in the next. What is counted
    // modulo 2³² may go back.
    const auto go_to = [&](std::uint32_t pixel) {
      if (pixel < column_begin || pixel - column_begin >= height) {
        column = pixel / height;
        column_begin = column * height;
      }
      return pixel - column_begin;
    };
    for (std::size_t k = 1; k < n; k += 2) {
      at += runs[k - 1];
      if (runs[k] == 0) continue;
      const std::uint32_t first_row = go_to(at), first_column = column;
      at += runs[k];
      const std::uint32_t last_row = go_to(at - 1), last_column = column;
      left = std::min(left, first_column);
      right = std::max(right, last_column);
      if (first_column < last_column) {
        top = 0;
        bottom = height - 1;
      } else {
        top = std::min(top, first_row);
        bottom = std::max(bottom, last_row);
      }
    }
    box[0] = left;
    box[1] = top;
    box[2] = right - left + 1;
    box[3] = bottom - top + 1;
  }
}

std::optional<Column<std::uint32_t>> merge_loose_rle(const LooseRle& masks, RleMerge how) {
  Column<std::uint32_t> merged, next;
  for (std::int64_t k = masks.offset[0]; k < masks.offset[1]; ++k) merged.push_back(masks.runs[k]);
  for (std::size_t i = 1; i < masks.n; ++i) {
    next.clear();
    RunReader a(merged.data(), merged.size());
    RunReader b(masks.runs + masks.offset[i], masks.n_runs(i));
    // A run ends where the piece behind it is on the other side.
    std::uint32_t run = 0;
    bool side = false;
    const bool ended = walk_pieces(a, b, [&](std::uint32_t n, bool, bool, bool more) {
      run += n;
      const bool inside =
          how == RleMerge::kIntersection ? a.inside() && b.inside() : a.inside() || b.inside();
      if (inside != side || !more) {
        next.push_back(run);
        run = 0;
      }
      side = inside;
    });
    if (!ended) return std::nullopt;
    std::swap(merged, next);
  }
  return merged;
}

bool loose_iou_matrix(const LooseRle& pred, const LooseRle& truth, const std::uint8_t* crowd,
                      double* iou) {
  if (pred.n == 0 || truth.n == 0) return true;
  if (all_plain(pred, pred.size) && all_plain(truth, pred.size)) {
    Column<std::int32_t> size;
    size.resize_uninitialised(2 * std::max(pred.n, truth.n));
    for (std::size_t k = 0; k < size.size(); ++k) {
      size[k] = static_cast<std::int32_t>(pred.size[k % 2]);
    }
    mask_iou_matrix({pred.runs, pred.offset, size.data(), pred.n},
                    {truth.runs, truth.offset, size.data(), truth.n}, crowd, iou);
    return true;
  }
  Column<double> pred_box, truth_box;
  pred_box.resize_uninitialised(4 * pred.n);
  truth_box.resize_uninitialised(4 * truth.n);
  loose_boxes(pred, pred_box.data());
  loose_boxes(truth, truth_box.data());
  loose_box_iou_matrix(pred_box.data(), pred.n, truth_box.data(), crowd, truth.n, iou);
  Column<std::uint32_t> area;
  area.resize_uninitialised(pred.n);
  loose_areas(pred, area.data());
  const std::size_t rows_of_block = std::max<std::size_t>(1, kPairsOfBlock / pred.n);
  const std::size_t n_blocks = (truth.n + rows_of_block - 1) / rows_of_block;
  std::atomic<bool> all_ended{true};
  parallel_for(n_blocks, [&](std::size_t block) {
    const std::size_t end = std::min(truth.n, (block + 1) * rows_of_block);
    for (std::size_t j = block * rows_of_block; j < end; ++j) {
      for (std::size_t i = 0; i < pred.n; ++i) {
        double& cell = iou[j * pred.n + i];
        if (!(cell > 0)) continue;
        if (pred.height(i) != truth.height(j) || pred.width(i) != truth.width(j)) {
          cell = -1;
          continue;
        }
        RunReader a(pred.runs + pred.offset[i], pred.n_runs(i));
        RunReader b(truth.runs + truth.offset[j], truth.n_runs(j));
        std::uint32_t both = 0, either = 0;
        const bool ended = walk_pieces(a, b, [&](std::uint32_t n, bool in_a, bool in_b, bool) {
          either += in_a || in_b ? n : 0;
          both += in_a && in_b ? n : 0;
        });
        if (!ended) all_ended = false;
        if (both == 0) {
          either = 1;
        } else if (crowd[j] != 0) {
          either = area[i];
        }
        cell = static_cast<double>(both) / static_cast<double>(either);
      }
    }
  });
  return all_ended;
}

void loose_box_iou_matrix(const double* pred, std::size_t n_pred, const double* truth,
                          const std::uint8_t* crowd, std::size_t n_truth, double* iou) {
  // Columns, so that several boxes are compared at a time.
  std::vector<double> columns(5 * n_pred);
  double* const left = columns.data();
  double* const top = left + n_pred;
  double* const right = top + n_pred;
  double* const bottom = right + n_pred;
  double* const area = bottom + n_pred;
  for (std::size_t i = 0; i < n_pred; ++i) {
    const double* const box = pred + 4 * i;
    left[i] = box[0];
    top[i] = box[1];
    right[i] = box[2] + box[0];
    bottom[i] = box[3] + box[1];
    area[i] = box[2] * box[3];
  }
  for (std::size_t j = 0; j < n_truth; ++j) {
    const double* const box = truth + 4 * j;
    const double truth_left = box[0], truth_top = box[1];
    const double truth_right = box[2] + box[0], truth_bottom = box[3] + box[1];
    const double truth_area = box[2] * box[3];
    const bool is_crowd = crowd[j] != 0;
    double* const row = iou + j * n_pred;
    for (std::size_t i = 0; i < n_pred; ++i) {
      const double width = lower(right[i], truth_right) - higher(left[i], truth_left);
      const double height = lower(bottom[i], truth_bottom) - higher(top[i], truth_top);
      const double shared = width * height;
      const double whole = is_crowd ? area[i] : area[i] + truth_area - shared;
      // What is no number is not too small.
      row[i] = width <= 0 || height <= 0 ? 0 : shared / whole;
    }
  }
}

}  // namespace snellen
