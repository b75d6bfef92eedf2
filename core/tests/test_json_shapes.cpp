// Masks and keypoints of COCO files; what is common to all kinds is tested with boxes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/json_columns.hpp"
#include "snellen/parallel.hpp"

namespace {

using namespace snellen;
using Kind = JsonFault::Kind;

template <class T>
void write(std::ostream& out, const Column<T>& column) {
  for (const T value : column) out << ' ' << +value;
  out << ';';
}

void write(std::ostream& out, const CocoShapes& shapes) {
  write(out, shapes.form);
  write(out, shapes.left_out);
  write(out, shapes.xy);
  write(out, shapes.polygon_begin);
  write(out, shapes.begin);
  write(out, shapes.runs);
  write(out, shapes.run_offset);
  write(out, shapes.size);
}

void write(std::ostream& out, const CocoKeypoints& keypoints) {
  write(out, keypoints.number);
  write(out, keypoints.n);
  write(out, keypoints.count);
}

void write(std::ostream& out, const JsonFault& fault) {
  out << static_cast<int>(fault.kind) << fault.message << fault.path << ' ' << fault.byte;
}

std::string text_of(const CocoResults& results) {
  std::ostringstream out;
  out.precision(17);
  write(out, results.xywh);
  write(out, results.score);
  write(out, results.shapes);
  write(out, results.keypoints);
  write(out, results.fault);
  return out.str();
}

std::string text_of(const CocoTruth& truth) {
  std::ostringstream out;
  out.precision(17);
  write(out, truth.image_height);
  write(out, truth.image_width);
  write(out, truth.crowd_index);
  write(out, truth.xywh);
  write(out, truth.shapes);
  write(out, truth.keypoints);
  write(out, truth.fault);
  return out.str();
}

std::string result(std::string_view members) {
  return R"({"image_id": 7, "category_id": 3, "score": 0.5)" +
         (members.empty() ? std::string() : ", " + std::string(members)) + "}";
}

std::string mask(std::string_view value) {
  return result("\"segmentation\": " + std::string(value));
}

std::string list(const std::vector<std::string>& records) {
  std::string text = "[";
  for (const std::string& one : records) text += (text.size() > 1 ? ", " : "") + one;
  return text + "]";
}

// ---- What is read ------------------------------------------------------------------------------

void test_masks() {
  // 5 outside, 3 inside, 2 outside, 2 inside of 3 × 4 pixels; "532" is written as it is, the
  // fourth as its difference from the second: 2 - 3 = -1, which is "O".
  const CocoResults results = read_coco_results(
      list({mask(R"({"size": [3, 4], "counts": "532O"})"),
            mask(R"({"counts": [5, 3, 2, 2.0], "more": [{}], "size": [3, 4]})"),
            mask("[[0, 0, 2.5, 0, 2, 1e0], [1, 1], [ 0,\n0 , 1,0,1 , 1,0,1 ] ]"), mask("[]"),
            mask("null"), result(""), mask("[[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]"),
            mask("[[1, 2, 3, 4]]"), mask(R"({"size": [0, 0], "counts": ""})")}),
      CocoKind::mask);
  CHECK(results.fault.kind == Kind::none);
  std::ostringstream out;
  write(out, results.shapes);
  CHECK_EQUAL(out.str(),
              " 3 3 2 1 0 0 2 2 3; 0 0 1 0 0 0 3 3 0; 0 0 2.5 0 2 1 0 0 1 0 1 1 0 1 1 2 3 4 5 6;"
              " 0 3 7 10; 0 0 0 2 2 2 2 3 3 3; 5 3 2 2 5 3 2 2; 0 4 8 8 8 8 8 8 8 8;"
              " 3 4 3 4 0 0 0 0 0 0 0 0 0 0 0 0 0 0;");
}

void test_boxes_that_may_be_absent() {
  const CocoResults results = read_coco_results(
      list({result(R"("bbox": [1, 2, 3, 4])"), result(R"("bbox": [])"), result(R"("bbox": null)"),
            result(""), result(R"("bbox": [5, 6, 7, 8])")}),
      CocoKind::mask);
  CHECK(results.fault.kind == Kind::none);
  CHECK_EQUAL(results.xywh.size(), 20u);
  CHECK_EQUAL(results.xywh[3], 4.0);
  for (std::size_t k = 4; k < 16; ++k) CHECK(results.xywh[k] != results.xywh[k]);
  CHECK_EQUAL(results.xywh[16], 5.0);
  // Of boxes they may not.
  CHECK_EQUAL(read_coco_results(list({result(R"("bbox": [])")})).fault.message,
              "expected a list of 4 numbers, got a list of 0");
}

std::string truth_of(std::string_view annotation, std::string_view image = R"({"id": 7})") {
  return "{\"images\": [" + std::string(image) + "], \"annotations\": [" + std::string(annotation) +
         R"(], "categories": [{"id": 3}]})";
}

void test_truth() {
  const CocoTruth masks = read_coco_truth(
      truth_of(mask("[[0, 0, 1, 0, 1, 1]]"),
               R"({"id": 7, "height": 480, "width": 640.0}, {"id": 8}, {"id": 9, "height": null})"),
      CocoKind::mask);
  std::ostringstream out;
  write(out, masks.image_height);
  write(out, masks.image_width);
  CHECK_EQUAL(out.str(), " 480 -1 -1; 640 -1 -1;");
  const CocoTruth poses = read_coco_truth(
      truth_of(result(R"("keypoints": [1, 2, 2, 3.5, 4, 0], "num_keypoints": 1)") + "," +
               result(R"("keypoints": [])") + "," + result(R"("num_keypoints": 0)") + "," +
               result(R"("keypoints": null, "num_keypoints": null)")),
      CocoKind::keypoints);
  CHECK(poses.fault.kind == Kind::none);
  std::ostringstream poses_out;
  write(poses_out, poses.keypoints);
  CHECK_EQUAL(poses_out.str(), " 1 2 2 3.5 4 0; 2 0 -1 -1; 1 -1 0 -1;");
  const CocoTruth crowded = read_coco_truth(
      truth_of("", R"({"id": 7, "crowdIndex": 0.76}, {"id": 8})"), CocoKind::keypoints);
  CHECK_EQUAL(crowded.crowd_index.size(), 2u);
  CHECK_EQUAL(crowded.crowd_index[0], 0.76);
  CHECK(crowded.crowd_index[1] != crowded.crowd_index[1]);
  CHECK_EQUAL(
      read_coco_truth(truth_of("", R"({"id": 7, "crowdIndex": "high"})"), CocoKind::keypoints)
          .fault.path,
      "$.images[0].crowdIndex");
}

// Of equal keys the last counts, within a mask as well.
void test_equal_keys() {
  const std::string want = text_of(
      read_coco_results(list({mask(R"({"size": [3, 4], "counts": "532O"})")}), CocoKind::mask));
  for (const char* value : {R"({"size": [3], "counts": [-1], "size": [3, 4], "counts": "532O"})",
                            R"({"counts": "zzz", "size": 3, "size": [3, 4], "counts": "532O"})",
                            R"([[1, "a"]], "segmentation": {"size": [3, 4], "counts": "532O"})"}) {
    CHECK_EQUAL(text_of(read_coco_results(list({mask(value)}), CocoKind::mask)), want);
  }
}

// ---- Faults ------------------------------------------------------------------------------------

void check_fault(const JsonFault& fault, std::string_view message, std::string_view path) {
  CHECK(fault.kind == Kind::schema);
  CHECK_EQUAL(fault.message, message);
  CHECK_EQUAL(fault.path, path);
}

void test_refused_masks() {
  const std::pair<const char*, std::pair<const char*, const char*>> refusals[] = {
      {"3",
       {"expected a list of polygons, or run lengths with size and counts, got 3",
        "$[1].segmentation"}},
      {"[1, 2, 3, 4, 5, 6]",
       {"expected a polygon (a list of x, y, x, y ...), got 1", "$[1].segmentation[0]"}},
      {"[[[1, 2], [3, 4], [5, 6]]]",
       {"expected a number between -2e8 and 2e8, got a list", "$[1].segmentation[0][0]"}},
      {"[[1, 2, 3, 4, 5, 6], [1, NaN, 3, 4, 5, 6]]",
       {"expected a number between -2e8 and 2e8, got NaN", "$[1].segmentation[1][1]"}},
      {"[[1, 2, 3, 4, 5, -3e8]]",
       {"expected a number between -2e8 and 2e8, got -3e8", "$[1].segmentation[0][5]"}},
      {"[[1, 2, 3, 4, 5, null]]",
       {"expected a number between -2e8 and 2e8, got null", "$[1].segmentation[0][5]"}},
      {"[[1, 2, 3, 4, 5, 6, 7]]",
       {"expected an even number of numbers (x, y, x, y ...), got a list of 7",
        "$[1].segmentation[0]"}},
      {"{}", {"expected run lengths with size and counts, got an object", "$[1].segmentation"}},
      {R"({"size": [3, 4]})",
       {"expected run lengths with size and counts, got an object", "$[1].segmentation"}},
      {R"({"size": [3, 4], "counts": null})",
       {"expected text or a list of whole numbers, got null", "$[1].segmentation.counts"}},
      {R"({"size": "3x4", "counts": "532O"})",
       {"expected a list of height and width, got \"3x4\"", "$[1].segmentation.size"}},
      {R"({"size": [3, 4, 1], "counts": "532O"})",
       {"expected a list of height and width, got a list of 3", "$[1].segmentation.size"}},
      {R"({"size": [3, -4], "counts": "532O"})",
       {"expected a whole number from 0 on, got -4", "$[1].segmentation.size[1]"}},
      {R"({"size": [3, 4.5], "counts": "532O"})",
       {"expected a whole number from 0 on, got 4.5", "$[1].segmentation.size[1]"}},
      {R"({"size": [3, 5], "counts": "532O"})",
       {"expected runs of together 15 pixels, got 12, at character 5", "$[1].segmentation.counts"}},
      {R"({"size": [3, 3], "counts": "532O"})",
       {"expected runs of together 9 pixels, got more, at character 3",
        "$[1].segmentation.counts"}},
      {R"({"size": [3, 4], "counts": "53~O"})",
       {"expected characters \"0\" … \"o\" of run lengths, got \"~\", at character 3",
        "$[1].segmentation.counts"}},
      {R"({"size": [3, 4], "counts": "53o"})",
       {"expected the rest of a number, the run lengths are cut off, at character 4",
        "$[1].segmentation.counts"}},
      {R"({"size": [3, 4], "counts": "5O2"})",
       {"expected runs from 0 on, got -1, at character 2", "$[1].segmentation.counts"}},
      {R"({"size": [65536, 65536], "counts": "532O"})",
       {"expected an image of less than 2^32 pixels, got 4294967296, at character 1",
        "$[1].segmentation.counts"}},
      {R"({"size": [3, 4], "counts": [5, 3, 2]})",
       {"expected runs of together 12 pixels, got 10", "$[1].segmentation.counts"}},
      {R"({"size": [3, 4], "counts": [5, -3, 10]})",
       {"expected a run from 0 on, below 2^32, got -3", "$[1].segmentation.counts[1]"}},
      {R"({"size": [3, 4], "counts": [5, 3.5, 3.5]})",
       {"expected a run from 0 on, below 2^32, got 3.5", "$[1].segmentation.counts[1]"}},
      {R"({"size": [3, 4], "counts": [5, 4294967296]})",
       {"expected a run from 0 on, below 2^32, got 4294967296", "$[1].segmentation.counts[1]"}},
  };
  for (const auto& [value, fault] : refusals) {
    // The record before it has a layout that it fits.
    const std::string good = mask(R"({"size": [3, 4], "counts": "532O"})");
    check_fault(read_coco_results(list({good, mask(value)}), CocoKind::mask).fault, fault.first,
                fault.second);
    // A later equal key overrides it; of boxes nobody looks.
    CHECK(read_coco_results(list({mask(std::string(value) + R"(, "segmentation": [])")}),
                            CocoKind::mask)
              .fault.kind == Kind::none);
  }
  const JsonFault syntax =
      read_coco_results(list({mask(R"({"size": [3, 4], "counts": [5, 03]})")}), CocoKind::mask)
          .fault;
  CHECK(syntax.kind == Kind::syntax);
  CHECK_EQUAL(syntax.path, "$[0].segmentation");
  CHECK_EQUAL(read_coco_results("{}", CocoKind::mask).fault.message,
              "expected a COCO results file (a list of objects with image_id, category_id, "
              "segmentation and score), got an object");
}

void test_refused_keypoints() {
  const auto fault = [](std::string_view members) {
    return read_coco_truth(truth_of(result(members)), CocoKind::keypoints).fault;
  };
  check_fault(fault(R"("keypoints": [1, 2, 0, 4])"),
              "expected a list of x, y and visibility of each keypoint, got a list of 4",
              "$.annotations[0].keypoints");
  check_fault(fault(R"("keypoints": [1, 2, NaN])"), "expected a finite number, got NaN",
              "$.annotations[0].keypoints[2]");
  check_fault(fault(R"("keypoints": [1, "2", 0])"), "expected a finite number, got \"2\"",
              "$.annotations[0].keypoints[1]");
  check_fault(fault(R"("keypoints": 17)"),
              "expected a list of x, y and visibility of each keypoint, got 17",
              "$.annotations[0].keypoints");
  check_fault(fault(R"("num_keypoints": -1)"), "expected a whole number from 0 on, got -1",
              "$.annotations[0].num_keypoints");
  check_fault(fault(R"("num_keypoints": 1.5)"), "expected a whole number from 0 on, got 1.5",
              "$.annotations[0].num_keypoints");
}

// ---- However it is cut -------------------------------------------------------------------------

template <class Read>
void check_cuts(const std::string& document, Read read) {
  const std::string want = text_of(read(document, detail::ReadPlan{std::size_t{1} << 20, 1}));
  for (const std::size_t piece_bytes : {1u, 3u, 61u, 128u, 250u, 1000u, 5000u}) {
    for (const std::size_t n_pieces : {1u, 2u, 3u}) {
      CHECK_EQUAL(text_of(read(document, detail::ReadPlan{piece_bytes, n_pieces})), want);
    }
  }
}

void test_cuts() {
  const char* const values[] = {R"({"size": [3, 4], "counts": "532O"})",
                                R"({"size": [3, 4], "counts": [5, 3, 2, 2]})",
                                "[[0, 0, 2.5, 0, 2, 1], [1, 1], [0, 0, 1, 0, 1, 1, 0, 1.25]]", "[]",
                                R"({"size": [3, 4], "counts": "\u0035\u00332O", "a": "},{"})"};
  for (const char* late :
       {"[]", R"({"size": [3, 4], "counts": "53"})", "[[1, 2, 3, NaN]]", "nil"}) {
    std::vector<std::string> records;
    for (std::size_t i = 0; i < 60; ++i) {
      std::string text = mask(i == 47 ? late : values[i / 3 % 5]);
      if (i % 4 == 0) text.insert(1, "\"bbox\": [1, 2, 3, 4], \"num_keypoints\": 3, ");
      text.insert(1, i % 2 ? R"("keypoints": [1, 2, 0, 4, 5.25, 2], )" : R"("keypoints": [], )");
      records.push_back(text);
    }
    for (const CocoKind kind : {CocoKind::box, CocoKind::mask, CocoKind::keypoints}) {
      check_cuts(list(records), [&](std::string_view text, const detail::ReadPlan& plan) {
        return detail::read_coco_results(text, plan, kind);
      });
      const std::string all = list(records);
      const std::string document = truth_of(
          all.substr(1, all.size() - 2),
          R"({"id": 7, "height": 3, "width": 4}, {"id": 8, "height": 3, "width": 5}, {"id": 9})");
      check_cuts(document, [&](std::string_view text, const detail::ReadPlan& plan) {
        return detail::read_coco_truth(text, plan, kind);
      });
    }
  }
}

}  // namespace

int main() {
  test_masks();
  test_boxes_that_may_be_absent();
  test_truth();
  test_equal_keys();
  test_refused_masks();
  test_refused_keypoints();
  test_cuts();
  return snellen::testing::report();
}
