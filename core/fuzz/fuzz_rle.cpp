// Any text at all: what is read sums up to its image, and is what its own text says again. Taken at
// its word (loose_rle.hpp) it is read the same; what does not sum up harms nothing.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

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

void check_text(std::string_view text, std::int32_t height, std::int32_t width) {
  const std::int32_t size[] = {height, width};
  const std::int64_t offset[] = {0, static_cast<std::int64_t>(text.size())};
  RleRows rows;
  if (decode_rle({text.data(), offset, 1}, size, rows)) return;
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  check_text(text, data[0], data[1]);
  check_loose(text, data[0], data[1]);
  const MotsRows whole = read_mots(text), pieces = read_mots(text, 1);
  check(whole.fault.message == pieces.fault.message && whole.fault.line == pieces.fault.line);
  if (whole.fault) return 0;
  check(same(whole.frame, pieces.frame) && same(whole.id, pieces.id) &&
        same(whole.size, pieces.size) && same(whole.line, pieces.line) &&
        same(whole.masks.runs, pieces.masks.runs) && same(whole.masks.offset, pieces.masks.offset));
  return 0;
}
