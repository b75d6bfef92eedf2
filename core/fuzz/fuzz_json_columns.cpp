// Any bytes at all, to both readers and of every kind: no crash, no hang, and the same answer
// however the document is cut up. Cutting after a byte or two makes nearly every guess at a
// record's start a wrong one.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "snellen/json_columns.hpp"

namespace {

using namespace snellen;

template <class T>
bool same(const Column<T>& a, const Column<T>& b) {
  // Bytes, not values: NaN marks what is absent.
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same(const IdColumn& a, const IdColumn& b) {
  return same(a.value, b.value) && a.text == b.text && a.is_text == b.is_text;
}

bool same(const JsonFault& a, const JsonFault& b) {
  return a.kind == b.kind && a.message == b.message && a.path == b.path && a.byte == b.byte &&
         a.line == b.line;
}

bool same(const CocoShapes& a, const CocoShapes& b) {
  return same(a.form, b.form) && same(a.left_out, b.left_out) && same(a.xy, b.xy) &&
         same(a.polygon_begin, b.polygon_begin) && same(a.begin, b.begin) && same(a.runs, b.runs) &&
         same(a.run_offset, b.run_offset) && same(a.size, b.size);
}

bool same(const CocoKeypoints& a, const CocoKeypoints& b) {
  return same(a.number, b.number) && same(a.n, b.n) && same(a.count, b.count);
}

bool same(const CocoTruth& a, const CocoTruth& b) {
  return same(a.fault, b.fault) && same(a.image_id, b.image_id) &&
         same(a.category_id, b.category_id) && a.category_name == b.category_name &&
         same(a.box_id, b.box_id) && same(a.box_has_id, b.box_has_id) &&
         same(a.box_image_id, b.box_image_id) && same(a.box_category_id, b.box_category_id) &&
         same(a.xywh, b.xywh) && same(a.area, b.area) && same(a.crowd, b.crowd) &&
         same(a.image_height, b.image_height) && same(a.image_width, b.image_width) &&
         same(a.shapes, b.shapes) && same(a.keypoints, b.keypoints);
}

bool same(const CocoResults& a, const CocoResults& b) {
  return same(a.fault, b.fault) && same(a.image_id, b.image_id) &&
         same(a.category_id, b.category_id) && same(a.xywh, b.xywh) && same(a.score, b.score) &&
         same(a.shapes, b.shapes) && same(a.keypoints, b.keypoints);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  const detail::ReadPlan whole{std::size_t{1} << 20, 1};
  for (const CocoKind kind : {CocoKind::box, CocoKind::mask, CocoKind::keypoints}) {
    const CocoTruth truth = detail::read_coco_truth(document, whole, kind);
    const CocoResults results = detail::read_coco_results(document, whole, kind);
    for (const detail::ReadPlan& plan : {detail::ReadPlan{2, 3}, detail::ReadPlan{150, 2}}) {
      if (!same(truth, detail::read_coco_truth(document, plan, kind))) std::abort();
      if (!same(results, detail::read_coco_results(document, plan, kind))) std::abort();
    }
  }
  return 0;
}
