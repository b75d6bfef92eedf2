// Any text at all: it is read or refused as character by character, what is read is what its own
// text says again, and what stands beside it changes nothing. Taken at its word (loose_rle.hpp) it
// is read the same; what does not sum up harms nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "snellen/loose_rle.hpp"
#include "snellen/mots_text.hpp"
#include "snellen/rle.hpp"

namespace {

using namespace snellen;

void check(bool holds) {
  if (!holds) std::abort();
}

template <class T>
bool same(const Column<T>& a, const Column<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void check_loose(std::string_view text, std::int32_t height, std::int32_t width) {
  const std::size_t half = text.size() / 2;
  Column<std::uint32_t> runs;
  std::int64_t offset[] = {0, 0, 0};
  append_loose_rle(text.substr(0, half), runs);
  offset[1] = static_cast<std::int64_t>(runs.size());
  append_loose_rle(text.substr(half), runs);
  offset[2] = static_cast<std::int64_t>(runs.size());
  const std::int64_t size[] = {height, width, height, width};
  const LooseRle masks{runs.data(), offset, size, 2};
  std::uint32_t area[2];
  double box[8], iou[4];
  loose_areas(masks, area);
  loose_boxes(masks, box);
  const std::uint8_t crowd[] = {0, 1};
  (void)loose_iou_matrix(masks, masks, crowd, iou);
  for (const RleMerge how : {RleMerge::kUnion, RleMerge::kIntersection}) {
    (void)merge_loose_rle(masks, how);
  }
  Column<std::uint8_t> pixels;
  pixels.resize_uninitialised(2 * static_cast<std::size_t>(height) *
                              static_cast<std::size_t>(width));
  (void)paint_loose_rle(masks, pixels.data(), pixels.size());
}

// What a text says, one character after the other, also of runs below 0; false where it is cut off
// or has other characters or too many of a number.
bool read_plainly(std::string_view text, std::vector<std::int64_t>& runs) {
  // They wrap round where they are added up for long enough.
  std::uint64_t value = 0;
  unsigned bits = 0;
  for (const char character : text) {
    const int group = character - '0';
    if (group < 0 || group > 63 || bits == 40) return false;
    value += static_cast<std::uint64_t>(group % 32) << bits;
    bits += 5;
    if (group >= 32) continue;
    if (group >= 16) value -= std::uint64_t{1} << bits;
    if (runs.size() > 2) value += static_cast<std::uint64_t>(runs[runs.size() - 2]);
    runs.push_back(static_cast<std::int64_t>(value));
    value = bits = 0;
  }
  return bits == 0;
}

bool sum_up_to(const std::vector<std::int64_t>& runs, std::int64_t n_pixels) {
  for (const std::int64_t run : runs) {
    if (run < 0 || run > n_pixels) return false;
    n_pixels -= run;
  }
  return n_pixels == 0;
}

// Behind and before another text, in one go.
void check_beside(std::string_view text, std::int32_t height, std::int32_t width,
                  const RleRows& alone) {
  const std::int32_t size[] = {height, width, height, width, height, width};
  const RleView own{alone.runs.data(), alone.offset.data(), size, 1};
  const TextPool again = encode_rle(own);
  std::string all(again.bytes.data(), again.bytes.size());
  std::int64_t offset[] = {0, static_cast<std::int64_t>(all.size()), 0, 0};
  all += text;
  offset[2] = static_cast<std::int64_t>(all.size());
  all.append(again.bytes.data(), again.bytes.size());
  offset[3] = static_cast<std::int64_t>(all.size());
  RleRows rows;
  check(!decode_rle({all.data(), offset, 3}, size, rows));
  check(rows.offset.size() == 4 && rows.runs.size() == 3 * alone.runs.size());
  for (std::size_t i = 0; i < 3 && !alone.runs.empty(); ++i) {
    check(std::memcmp(rows.runs.data() + i * alone.runs.size(), alone.runs.data(),
                      alone.runs.size() * sizeof(std::uint32_t)) == 0);
  }
}

void check_text(std::string_view text, std::int32_t height, std::int32_t width) {
  const std::int32_t size[] = {height, width};
  const std::int64_t offset[] = {0, static_cast<std::int64_t>(text.size())};
  std::vector<std::int64_t> plain;
  const bool good = read_plainly(text, plain) && sum_up_to(plain, std::int64_t{height} * width);
  RleRows rows;
  check(good == !decode_rle({text.data(), offset, 1}, size, rows));
  if (!good) return;
  check(std::equal(plain.begin(), plain.end(), rows.runs.begin(), rows.runs.end()));
  check_beside(text, height, width, rows);
  const RleView masks{rows.runs.data(), rows.offset.data(), size, 1};
  check(!check_rle(masks));
  Column<std::uint32_t> loose;
  append_loose_rle(text, loose);
  check(same(rows.runs, loose));
  const TextPool again = encode_rle(masks);
  RleRows twice;
  check(!decode_rle({again.bytes.data(), again.offset.data(), 1}, size, twice));
  check(same(rows.runs, twice.runs));
  std::int64_t area = 0;
  std::int32_t box[4];
  rle_areas(masks, &area);
  rle_boxes(masks, box);
  check(box[0] >= 0 && box[1] >= 0 && box[0] + box[2] <= width && box[1] + box[3] <= height);
  check(area <= static_cast<std::int64_t>(box[2]) * box[3]);
}

// Of an image of one row that a text fills, if any does: also of runs that are refused.
std::int32_t fitting_width(std::string_view text) {
  std::vector<std::int64_t> runs;
  if (!read_plainly(text, runs)) return 1;
  std::uint64_t sum = 0;
  for (const std::int64_t run : runs) sum += static_cast<std::uint64_t>(run);
  return static_cast<std::int32_t>(sum % (std::uint64_t{1} << 31));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  check_text(text, data[0], data[1]);
  check_text(text, 1, fitting_width(text));
  check_loose(text, data[0], data[1]);
  const MotsRows whole = read_mots(text), pieces = read_mots(text, 1);
  check(whole.fault.message == pieces.fault.message && whole.fault.line == pieces.fault.line);
  if (whole.fault) return 0;
  check(same(whole.frame, pieces.frame) && same(whole.id, pieces.id) &&
        same(whole.size, pieces.size) && same(whole.line, pieces.line) &&
        same(whole.masks.runs, pieces.masks.runs) && same(whole.masks.offset, pieces.masks.offset));
  return 0;
}
