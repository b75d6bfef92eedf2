// COCO annotation and results files to columns, in one pass and without a tree in between.
//
// What is read, and what makes a document unfit:
//   annotations  {"images": [{id}], "annotations": [{id?, image_id, category_id, bbox, area?,
//                iscrowd?}], "categories": [{id, name?}]}; "?" may be absent, but not null
//   results      [{image_id, category_id, bbox, score}]
// and of masks and keypoints, where "~" may also be null, and bbox an empty list:
//   masks        images {id, height~, width~}, objects {…, bbox~, segmentation~}
//   keypoints    objects {…, bbox~, keypoints~}, annotations also {num_keypoints~}, images
//                {id, crowdIndex?}
// Of boxes and masks annotations may have "ignore", as LVIS' have: whatever it is, it makes no
// document unfit.
// Everything else is skipped, but has to be JSON. Of equal keys the last counts, as in Python, and
// what an overridden one held cannot be wrong.
//
// The first thing wrong, by its place in the document, is reported; a breach of JSON's grammar ends
// the search. A schema fault counts as soon as no later key can override it: in a results list when
// its record is complete, in an annotation file at the end of the document. Columns and fault
// depend on the bytes alone, not on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "snellen/column.hpp"

namespace snellen {

// Why a document was refused.
struct JsonFault {
  enum class Kind { none, unreadable, syntax, schema };
  Kind kind = Kind::none;
  std::string message;     // what was expected and what came: expected a number, got "0.9"
  std::string path;        // the datum: $[481].score   $.annotations[12].bbox[2]
  std::uint64_t byte = 0;  // 0-based offset in the document
  std::uint64_t line = 0;  // 1-based; 0 where nothing could be read
};

// Ids are whole numbers or text, one kind in a column.
struct IdColumn {
  Column<std::int64_t> value;     // the number itself, or the position in `text`
  std::vector<std::string> text;  // distinct texts in order of first appearance
  bool is_text = false;
};

// What is read of objects beside their ids, classes and scores.
enum class CocoKind : std::uint8_t { box, mask, keypoints };

enum class ShapeForm : std::uint8_t {
  absent,    // or null
  empty,     // a list of nothing
  polygons,  // whose runs depend on the size of the image
  runs       // as text or as a list, with a size of their own, to which they sum up
};

// The values of "segmentation", a row an object.
struct CocoShapes {
  Column<std::uint8_t> form;  // a ShapeForm
  // Polygons of less than three vertices have no pixels and are left out: 0 there was none, 1 one
  // or more, 3 the first of the object among them.
  Column<std::uint8_t> left_out;
  Column<double> xy;                   // of vertices, all within ±2e8
  Column<std::int64_t> polygon_begin;  // polygon k has the vertices begin[k] … begin[k + 1] − 1
  Column<std::int64_t> begin;          // object i has the polygons begin[i] … begin[i + 1] − 1
  Column<std::uint32_t> runs;          // see rle.hpp
  Column<std::int64_t> run_offset;     // object i has the runs offset[i] … offset[i + 1] − 1
  Column<std::int32_t> size;           // 2 an object: height, width of the runs; 0 where none are
};

// The values of "keypoints": x, y and visibility, finite numbers.
struct CocoKeypoints {
  Column<double> number;       // of all objects, one behind the other
  Column<std::int64_t> n;      // keypoints of each object; −1 where absent or null
  Column<std::int64_t> count;  // num_keypoints of each; −1 where absent or null
};

// Empty but for `fault` where that has a kind.
struct CocoTruth {
  IdColumn image_id;                       // images[].id
  Column<std::int64_t> image_height;       // of masks: −1 where absent
  Column<std::int64_t> image_width;        // the same
  Column<double> crowd_index;              // of keypoints: images[].crowdIndex, NaN where absent
  IdColumn category_id;                    // categories[].id
  std::vector<std::string> category_name;  // categories[].name, "" where absent
  IdColumn box_id;                         // annotations[].id, 0 where absent
  Column<std::uint8_t> box_has_id;
  IdColumn box_image_id;
  IdColumn box_category_id;
  Column<double> xywh;         // 4 a box, NaN where absent
  Column<double> area;         // NaN where absent
  Column<std::uint8_t> crowd;  // iscrowd: 0, 1; 2 where absent
  // Of boxes and masks, ignore: 0, 1; 2 where absent, 3 what is neither a truth value nor whole.
  Column<std::uint8_t> ignored;
  // Where the list of annotations stands: its first byte, and the one behind it.
  std::uint64_t annotations_begin = 0;
  std::uint64_t annotations_end = 0;
  // Whether an annotation's id is written as 1.0, or its iscrowd is a number that is neither 0 nor
  // 1: read by the letter they are something else. What a later key overrides may count, too.
  bool unusual = false;
  CocoShapes shapes;        // of masks
  CocoKeypoints keypoints;  // of keypoints
  JsonFault fault;
};

struct CocoResults {
  IdColumn image_id;
  IdColumn category_id;
  Column<double> xywh;  // 4 a box, NaN where absent
  Column<double> score;
  bool unusual = false;  // whether an id is written as 1.0, or a score as 1
  CocoShapes shapes;
  CocoKeypoints keypoints;  // without counts
  JsonFault fault;
};

CocoTruth read_coco_truth(std::string_view document, CocoKind kind = CocoKind::box);
CocoResults read_coco_results(std::string_view document, CocoKind kind = CocoKind::box);
// Regular files are read in pieces while they are parsed, pipes whole.
CocoTruth read_coco_truth_file(const std::string& path, CocoKind kind = CocoKind::box);
CocoResults read_coco_results_file(const std::string& path, CocoKind kind = CocoKind::box);

namespace detail {

// How a document is cut up. No plan changes what is returned; tests use small ones.
struct ReadPlan {
  std::size_t piece_bytes = std::size_t{1} << 19;  // half a core's cache: text and columns stay in
  std::size_t n_pieces = 0;                        // parsed at a time; 0: by the number of threads
};

CocoTruth read_coco_truth(std::string_view document, const ReadPlan& plan,
                          CocoKind kind = CocoKind::box);
CocoResults read_coco_results(std::string_view document, const ReadPlan& plan,
                              CocoKind kind = CocoKind::box);
CocoTruth read_coco_truth_file(const std::string& path, const ReadPlan& plan,
                               CocoKind kind = CocoKind::box);
CocoResults read_coco_results_file(const std::string& path, const ReadPlan& plan,
                                   CocoKind kind = CocoKind::box);

}  // namespace detail
}  // namespace snellen
