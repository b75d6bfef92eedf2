#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "snellen/json_columns.hpp"

#if __has_include(<sys/stat.h>)
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "check.hpp"
#include "snellen/parallel.hpp"

namespace {

using namespace snellen;
using Kind = JsonFault::Kind;

// ---- Everything that a reader returns, as text -------------------------------------------------

void write(std::ostream& out, const IdColumn& ids) {
  out << (ids.is_text ? " text" : " number");
  for (const std::int64_t value : ids.value) out << ' ' << value;
  for (const std::string& text : ids.text) out << " '" << text << "'";
  out << ';';
}

template <class T>
void write(std::ostream& out, const Column<T>& column) {
  for (const T value : column) out << ' ' << +value;
  out << ';';
}

void write(std::ostream& out, const JsonFault& fault) {
  static constexpr const char* kNames[] = {"none", "unreadable", "syntax", "schema"};
  out << kNames[static_cast<int>(fault.kind)] << ": " << fault.message << " - at " << fault.path
      << " byte " << fault.byte << " line " << fault.line;
}

std::string text_of(const CocoResults& results) {
  std::ostringstream out;
  out.precision(17);
  write(out, results.image_id);
  write(out, results.category_id);
  write(out, results.xywh);
  write(out, results.score);
  out << (results.unusual ? " unusual;" : "");
  if (results.fault.kind != Kind::none) write(out, results.fault);
  return out.str();
}

std::string text_of(const CocoTruth& truth) {
  std::ostringstream out;
  out.precision(17);
  write(out, truth.image_id);
  write(out, truth.category_id);
  for (const std::string& name : truth.category_name) out << " '" << name << "'";
  out << ';';
  write(out, truth.box_id);
  write(out, truth.box_has_id);
  write(out, truth.box_image_id);
  write(out, truth.box_category_id);
  write(out, truth.xywh);
  write(out, truth.area);
  write(out, truth.crowd);
  write(out, truth.ignored);
  out << (truth.unusual ? " unusual;" : "");
  if (truth.fault.kind != Kind::none) write(out, truth.fault);
  return out.str();
}

// ---- Documents ---------------------------------------------------------------------------------

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// A results file of one record, in which a field is replaced: record("score", "null").
std::string record(std::string_view key = "", std::string_view value = "") {
  std::string text = "{";
  for (const auto& [name, usual] : {std::pair{"image_id", "7"},
                                    {"category_id", "3"},
                                    {"bbox", "[1, 2, 3, 4]"},
                                    {"score", "0.5"}}) {
    text += std::string(text.size() > 1 ? ", \"" : "\"") + name + "\": ";
    text += name == key ? value : usual;
  }
  return text + "}";
}

std::string list(const std::vector<std::string>& records) {
  std::string text = "[";
  for (const std::string& one : records) text += (text.size() > 1 ? ", " : "") + one;
  return text + "]";
}

std::string result(std::string_view key, std::string_view value) {
  return list({record(key, value)});
}

std::string truth(std::string_view annotation, std::string_view images = R"([{"id": 7}])",
                  std::string_view categories = R"([{"id": 3, "name": "cat"}])") {
  return "{\"info\": {\"year\": [2017]}, \"images\": " + std::string(images) +
         ", \"annotations\": [" + std::string(annotation) +
         "], \"categories\": " + std::string(categories) + "}";
}

const std::string kBox = R"("image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4])";

// ---- Faults ------------------------------------------------------------------------------------

struct Refusal {
  std::string document;
  Kind kind;
  std::string message;
  std::string path;
};

template <class Read>
void check_refusals(const std::vector<Refusal>& refusals, Read read) {
  for (const Refusal& refusal : refusals) {
    const JsonFault fault = read(refusal.document).fault;
    CHECK(fault.kind == refusal.kind);
    CHECK_EQUAL(fault.message, refusal.message);
    CHECK_EQUAL(fault.path, refusal.path);
    if (fault.kind == Kind::none) std::cerr << "  accepted: " << refusal.document << "\n";
  }
}

const std::string kRootOfResults =
    "expected a COCO results file (a list of objects with image_id, category_id, bbox and score), "
    "got ";
const std::string kRootOfTruth =
    "expected a COCO annotation file (an object with images, annotations and categories), got ";

void test_refused_results() {
  const std::string long_text = '"' + std::string(2000, 'x') + '"';
  const std::string long_number = std::string(60, '1') + ".5";
  check_refusals(
      {
          // The document.
          {"", Kind::syntax, "expected JSON, the file is empty", "$"},
          {" \n", Kind::syntax, "expected JSON, the file is empty", "$"},
          {"\xef\xbb\xbf", Kind::syntax, "expected JSON, the file is empty", "$"},
          {"nil", Kind::syntax, "expected a value, got nil", "$"},
          {"3.5", Kind::schema, kRootOfResults + "3.5", "$"},
          {"null", Kind::schema, kRootOfResults + "null", "$"},
          {"{}", Kind::schema, kRootOfResults + "an object", "$"},
          {"{\"annotations\": 3", Kind::schema,
           kRootOfResults +
               "an object; this looks like an annotation file: are the two files swapped?",
           "$"},
          {"[] x", Kind::syntax, "expected the end of the document, got x", "$"},
          {"[]]", Kind::syntax, "expected the end of the document, got \"]\"", "$"},
          {"[", Kind::syntax, "expected a value or \"]\", got the end of the document", "$"},
          // Records.
          {"[3]", Kind::schema, "expected an object, got 3", "$[0]"},
          {"[[]]", Kind::schema, "expected an object, got a list", "$[0]"},
          {list({record(), "null"}), Kind::schema, "expected an object, got null", "$[1]"},
          {"[" + record() + ",]", Kind::syntax, "expected a value, got \"]\"", "$[1]"},
          {"[" + record() + " " + record() + "]", Kind::syntax,
           "expected \",\" or \"]\", got \"{\"", "$[0]"},
          {list({record(), "{}"}), Kind::schema,
           "expected the key \"image_id\" in this record, it is missing", "$[1]"},
          {replaced(list({record()}), "bbox", "box"), Kind::schema,
           "expected the key \"bbox\" in this record, it is missing", "$[0]"},
          // Ids.
          {result("image_id", "null"), Kind::schema, "expected a whole number or text, got null",
           "$[0].image_id"},
          {result("image_id", "true"), Kind::schema, "expected a whole number or text, got true",
           "$[0].image_id"},
          {result("image_id", "1.5"), Kind::schema, "expected a whole number or text, got 1.5",
           "$[0].image_id"},
          {result("category_id", "{}"), Kind::schema,
           "expected a whole number or text, got an object", "$[0].category_id"},
          {result("category_id", "NaN"), Kind::schema, "expected a whole number or text, got NaN",
           "$[0].category_id"},
          {result("category_id", "9223372036854775808"), Kind::schema,
           "expected an id that fits 64 bits, got 9223372036854775808", "$[0].category_id"},
          {result("image_id", long_text), Kind::schema,
           "expected an id of at most 1024 bytes, got text of 2000 bytes", "$[0].image_id"},
          {result("image_id", R"("\ud800")"), Kind::schema,
           R"(expected an id without lone surrogates, got "\ud800")", "$[0].image_id"},
          {list({record(), record("image_id", "\"7\"")}), Kind::schema,
           "expected a whole number like the ids before it, got \"7\"", "$[1].image_id"},
          {list({record("image_id", "\"7\""), record()}), Kind::schema,
           "expected text like the ids before it, got 7", "$[1].image_id"},
          // Boxes and scores.
          {result("bbox", "null"), Kind::schema, "expected a list of 4 numbers, got null",
           "$[0].bbox"},
          {result("bbox", "[]"), Kind::schema, "expected a list of 4 numbers, got a list of 0",
           "$[0].bbox"},
          {result("bbox", "[1, \"x\", 3, 4, 5]"), Kind::schema,
           "expected a list of 4 numbers, got a list of 5", "$[0].bbox"},
          {result("bbox", "[1, 2, \"3\", null]"), Kind::schema, "expected a number, got \"3\"",
           "$[0].bbox[2]"},
          {result("bbox", "[1, true, 3, 4]"), Kind::schema, "expected a number, got true",
           "$[0].bbox[1]"},
          {result("bbox", "[-1, -2, -3.5, -4]"), Kind::schema,
           "expected a width of at least 0, got -3.5", "$[0].bbox[2]"},
          {result("bbox", "[1, 2, 3, -4e-5]"), Kind::schema,
           "expected a height of at least 0, got -4e-5", "$[0].bbox[3]"},
          {result("bbox", "[1, Infinity, 3, 4]"), Kind::schema,
           "expected a finite number, got Infinity", "$[0].bbox[1]"},
          {result("score", "\"0.9\""), Kind::schema, "expected a number, got \"0.9\"",
           "$[0].score"},
          {result("score", "NaN"), Kind::schema, "expected a finite number, got NaN", "$[0].score"},
          {result("score", "1e999"), Kind::schema, "expected a finite number, got 1e999",
           "$[0].score"},
          // What is shown of a value.
          {result("score", long_text), Kind::schema,
           "expected a number, got \"" + std::string(39, 'x') + "...\"", "$[0].score"},
          {result("bbox", long_number), Kind::schema,
           "expected a list of 4 numbers, got " + std::string(40, '1') + "...", "$[0].bbox"},
          {result("score", "\"" + replaced(long_text.substr(1, 30), "x", "\xc3\xa9") + "\""),
           Kind::schema,
           "expected a number, got \"" + replaced(std::string(19, 'x'), "x", "\xc3\xa9") + "...\"",
           "$[0].score"},
          {result("score", "\"\x7f\xc2\x85\\u001b\""), Kind::schema,
           "expected a number, got \"\\u007f\\u0085\\u001b\"", "$[0].score"},
          // Syntax.
          {result("score", "01"), Kind::syntax, "expected a number without leading zeros, got 01",
           "$[0].score"},
          {result("bbox", "[1, 2, 3, 4"), Kind::syntax, "expected \",\" or \"]\", got \":\"",
           "$[0].bbox"},
          {result("score", "\"\x01\""), Kind::syntax,
           "expected control characters in strings to be escaped, got the byte 0x01", "$[0].score"},
          {result("score", "\"\xff\""), Kind::syntax, "expected UTF-8, got the byte 0xff",
           "$[0].score"},
          {"[{\"image_id\": 7, \"a\": nul", Kind::syntax,
           "expected a value, got the end of the document", "$[0].a"},
          {"[{\"a key\": nil}]", Kind::syntax, "expected a value, got nil", "$[0][\"a key\"]"},
          {"[{\"a\" 3}]", Kind::syntax, "expected \":\" after a key, got 3", "$[0]"},
          {"[{'a': 3}]", Kind::syntax, "expected a key in double quotes, got \"'\"", "$[0]"},
          {"[" + std::string(2000, '['), Kind::syntax,
           "expected at most 1000 nested lists and objects, got \"[\"", "$[0]"},
      },
      [](const std::string& document) { return read_coco_results(document); });
}

void test_refused_truth() {
  const std::string box = "{" + kBox;
  check_refusals(
      {
          {"[]", Kind::schema,
           kRootOfTruth + "a list; this looks like a results file: are the two files swapped?",
           "$"},
          {"\"x\"", Kind::schema, kRootOfTruth + "\"x\"", "$"},
          {"{}", Kind::schema, "expected the key \"images\" in this document, it is missing", "$"},
          {R"({"images": [], "annotations": []})", Kind::schema,
           "expected the key \"categories\" in this document, it is missing", "$"},
          {truth("", "{}"), Kind::schema, "expected a list, got an object", "$.images"},
          {truth("", "[{}]"), Kind::schema, "expected the key \"id\" in this record, it is missing",
           "$.images[0]"},
          {truth("", "[{\"id\": 1}, {\"id\": \"a\"}]"), Kind::schema,
           "expected a whole number like the ids before it, got \"a\"", "$.images[1].id"},
          {truth("", "[]", R"([{"id": 1, "name": 5}])"), Kind::schema, "expected text, got 5",
           "$.categories[0].name"},
          {truth("", "[]", R"([{"id": 1, "name": "\udc00"}])"), Kind::schema,
           R"(expected text without lone surrogates, got "\udc00")", "$.categories[0].name"},
          {truth(box + ", \"id\": null}"), Kind::schema,
           "expected a whole number or text, got null", "$.annotations[0].id"},
          {truth(box + ", \"area\": -1}"), Kind::schema, "expected an area of at least 0, got -1",
           "$.annotations[0].area"},
          {truth(box + ", \"area\": null}"), Kind::schema, "expected a number, got null",
           "$.annotations[0].area"},
          {truth(box + ", \"iscrowd\": 0.5}"), Kind::schema, "expected 0 or 1, got 0.5",
           "$.annotations[0].iscrowd"},
          {truth(box + ", \"iscrowd\": \"0\"}"), Kind::schema, "expected 0 or 1, got \"0\"",
           "$.annotations[0].iscrowd"},
          // The first by its place, wherever its section stands; syntax before schema.
          {truth(box + ", \"area\": -1}", "[{\"id\": 1.5}]"), Kind::schema,
           "expected a whole number or text, got 1.5", "$.images[0].id"},
          {truth(box + ", \"area\": -1}", "[]", "[}"), Kind::syntax, "expected a value, got \"}\"",
           "$.categories[0]"},
          {truth("", "[]", "nil"), Kind::syntax, "expected a value, got nil", "$.categories"},
          {R"({"info": [1 2]})", Kind::syntax, "expected \",\" or \"]\", got 2", "$.info"},
          {R"({"info": 1 "x")", Kind::syntax, "expected \",\" or \"}\", got '\"'", "$"},
          {truth("") + "}", Kind::syntax, "expected the end of the document, got \"}\"", "$"},
      },
      [](const std::string& document) { return read_coco_truth(document); });
}

void test_place() {
  const std::string document = list({record(), record(), record("score", "null")});
  const JsonFault fault = read_coco_results(replaced(document, "}, ", "},\r\n")).fault;
  CHECK_EQUAL(fault.path, "$[2].score");
  CHECK_EQUAL(fault.line, 3u);
  CHECK_EQUAL(fault.byte, document.find("null") + 2);
  const JsonFault missing = read_coco_results("\n[" + record() + ",\n {}]").fault;
  CHECK_EQUAL(missing.line, 3u);
  CHECK_EQUAL(missing.byte, 2 + record().size() + 3);
  // A schema fault in a complete record cannot be overridden, so that a fault of syntax behind it
  // comes too late; in the same record it comes in time.
  CHECK(read_coco_results("[{}, nil").fault.kind == Kind::schema);
  CHECK(read_coco_results("[{\"score\": null, nil").fault.kind == Kind::syntax);
}

// ---- What is accepted --------------------------------------------------------------------------

void test_results() {
  const CocoResults results = read_coco_results(list({
      R"({"image_id": 1, "category_id": 2, "bbox": [0.1, 2.5, 3, 4e1], )"
      R"("score": 0.123456789012345678})",
      R"({"score": -1, "bbox": [-1.5, -0.0, -0, 0], "extra": [{}, {"a": "},{"}], )"
      R"("category_id": 2.0, "image_id": 1152921504606846977})",
  }));
  CHECK(results.fault.kind == Kind::none);
  CHECK_EQUAL(text_of(results),
              " number 1 1152921504606846977; number 2 2; 0.10000000000000001 2.5 3 40 -1.5 -0 -0 "
              "0; 0.12345678901234568 -1; unusual;");
  CHECK_EQUAL(text_of(read_coco_results("[]")), " number; number;;;");
  CHECK_EQUAL(
      text_of(read_coco_results(list({record("image_id", "\"b\""), record("image_id", "\"a\""),
                                      record("image_id", "\"\\u0062\"")}))),
      " text 0 1 0 'b' 'a'; number 3 3 3; 1 2 3 4 1 2 3 4 1 2 3 4; 0.5 0.5 0.5;");
}

void test_truth() {
  CHECK_EQUAL(
      text_of(read_coco_truth(truth(
          "{" + kBox + "}, {" + kBox + R"(, "id": 5, "area": 2.5, "iscrowd": 1}, )" + "{" + kBox +
              R"(, "iscrowd": true, "id": -1}, {)" + kBox + R"(, "iscrowd": 0.0, "area": 0})",
          R"([{"id": 1, "file_name": "a"}, {"file_name": "b", "id": 2}])",
          R"([{"id": "x", "name": "caf\u00e9"}, {"name": "é", "id": "y"}, )"
          R"({"id": "z"}])"))),
      " number 1 2; text 0 1 2 'x' 'y' 'z'; 'café' 'é' ''; number 0 5 -1 0; 0 1 1 0; number 7 7 7 "
      "7; number 3 3 3 3; 1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4; nan 2.5 nan 0; 2 1 1 0; 2 2 2 2; "
      "unusual;");
  for (const char* crowd : {"2", "-1", "1e30", "1.0", "true", "123456789012345678901234567890"}) {
    const CocoTruth one = read_coco_truth(truth("{" + kBox + ", \"iscrowd\": " + crowd + "}"));
    CHECK(one.crowd.size() == 1 && one.crowd[0] == 1);
  }
  // Of "ignore" nothing is wrong.
  struct Mark {
    const char* text;
    int expected;
  };
  for (const auto& [text, expected] :
       {Mark{"0", 0}, Mark{"7", 1}, Mark{"true", 1}, Mark{"false", 0}, Mark{"0.5", 3},
        Mark{"null", 3}, Mark{"\"1\"", 3}, Mark{"[1, {}]", 3}}) {
    const std::string other = "{" + kBox + "}, {" + kBox + ", \"ignore\": 1}, ";
    const CocoTruth three =
        read_coco_truth(truth(other + "{" + kBox + ", \"ignore\": " + text + "}"));
    CHECK(three.fault.kind == Kind::none && three.ignored.size() == 3);
    CHECK(three.ignored[0] == 2 && three.ignored[1] == 1 && three.ignored[2] == expected);
  }
  // Where the annotations stand, the last ones if there are several.
  const std::string list_of_many = "[ {" + kBox + "} , {" + kBox + "}, {" + kBox + "}\n]";
  for (const std::string& annotations : {std::string("[]"), std::string("[ ]"), list_of_many}) {
    const std::string document = R"({"annotations": [{)" + kBox + R"(}], "images": [{"id": 7}], )" +
                                 R"( "annotations" : )" + annotations +
                                 R"( , "categories": [{"id": 3}], "more": []})";
    for (const std::size_t piece_bytes : {std::size_t{40}, std::size_t{1} << 19}) {
      detail::ReadPlan plan;
      plan.piece_bytes = piece_bytes;
      plan.n_pieces = 2;
      const CocoTruth found = detail::read_coco_truth(document, plan);
      CHECK(found.fault.kind == Kind::none);
      CHECK_EQUAL(
          document.substr(found.annotations_begin, found.annotations_end - found.annotations_begin),
          annotations);
    }
  }
}

// Ids, scores and marks that are read alike and written otherwise: in the first record, and in one
// that has the keys of the one before.
void test_unusual() {
  for (const auto& [key, value, expected] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"score", "0.5", false},
           {"score", "1.0", false},
           {"score", "-2.0", false},
           {"score", "1e0", false},
           {"score", "100000000.0", false},
           {"score", "20000000000000000000E-1", false},
           {"score", "1", true},
           {"score", "0", true},
           {"score", "-0", true},
           {"score", "12345678901234567890", true},
           {"image_id", "8", false},
           {"image_id", "-8", false},
           {"image_id", "123456789012", false},
           {"image_id", "8.0", true},
           {"category_id", "8e0", true},
           {"bbox", "[1, 2.0, 3e0, 4]", false}}) {
    const std::string odd = record(key, value);
    for (const std::string& document :
         {list({odd}), list({record(), odd}), list({record(), odd, record()}), list({odd, odd})}) {
      const CocoResults found = read_coco_results(document);
      CHECK(found.fault.kind == Kind::none);
      CHECK(found.unusual == expected);
    }
  }
  for (const auto& [field, expected] :
       std::vector<std::pair<const char*, bool>>{{R"("id": 5)", false},
                                                 {R"("id": "a")", false},
                                                 {R"("id": 5.0)", true},
                                                 {R"("iscrowd": 0)", false},
                                                 {R"("iscrowd": 1)", false},
                                                 {R"("iscrowd": true)", false},
                                                 {R"("iscrowd": 2)", true},
                                                 {R"("iscrowd": 1.0)", true},
                                                 {R"("iscrowd": -0)", true},
                                                 {R"("iscrowd": 10)", true},
                                                 {R"("area": 5)", false},
                                                 {R"("ignore": 2)", false}}) {
    const std::string annotation = std::string("{") + kBox + ", " + field + "}";
    const CocoTruth one = read_coco_truth(truth(annotation));
    const CocoTruth two = read_coco_truth(truth(annotation + ", " + annotation));
    CHECK(one.fault.kind == Kind::none && two.fault.kind == Kind::none);
    CHECK(one.unusual == expected && two.unusual == expected);
  }
}

// Spelling differs, meaning does not.
void test_forms() {
  const std::string usual = list({record(), record("score", "0.25"), record("image_id", "8")});
  const std::string want = text_of(read_coco_results(usual));
  for (const std::string& document :
       {replaced(usual, ", ", ","), replaced(usual, ", ", " ,\r\n\t "), replaced(usual, ": ", ":"),
        replaced(usual, "image_id", "image\\u005fid"), "\xef\xbb\xbf" + usual,
        "\n " + usual + "\r\n",
        replaced(usual, "{\"image_id\"", "{\"caption\": \"}, {\\\"\xe2\x82\xac\", \"image_id\""),
        replaced(usual, "}", ", \"segmentation\": {\"counts\": \"a\\\\\", \"size\": [1, 2]}}"),
        replaced(usual, "0.5", "5e-1")}) {
    CHECK_EQUAL(text_of(read_coco_results(document)), want);
  }
  CHECK_EQUAL(text_of(read_coco_results(replaced(usual, "7", "7.0"))), want + " unusual;");
}

// Of equal keys the last counts, at every level, and what the others held cannot be wrong.
void test_equal_keys() {
  CHECK_EQUAL(text_of(read_coco_results(list({replaced(
                  record(), "{", R"({"score": "x", "bbox": [1], "image\u005fid": null, )")}))),
              text_of(read_coco_results(list({record()}))));
  const JsonFault fault =
      read_coco_results(list({replaced(record(), "}", ", \"score\": null}")})).fault;
  CHECK_EQUAL(fault.message, "expected a number, got null");
  const std::string good = truth("{" + kBox + "}");
  const std::string want = text_of(read_coco_truth(good));
  for (const char* earlier :
       {"null", "[3]", "[{\"id\": \"text\"}]", "[{}, {\"image_id\": []}]", "{\"a\": [1]}"}) {
    for (const char* section : {"images", "annotations", "categories"}) {
      const std::string start = std::string("{\"") + section + "\": " + earlier + ", ";
      CHECK_EQUAL(text_of(read_coco_truth(start + good.substr(1))), want);
    }
  }
  const std::string ends = good.substr(0, good.size() - 1);
  CHECK_EQUAL(read_coco_truth(ends + ", \"annotations\": []}").area.size(), 0u);
  CHECK_EQUAL(read_coco_truth(ends + ", \"annotations\": 3}").fault.path, "$.annotations");
}

// ---- However it is cut -------------------------------------------------------------------------

std::string temporary(const std::string& name) {
  const auto directory = std::filesystem::temp_directory_path();
  return (directory / ("snellen_test_json_columns_" + std::to_string(std::rand()) + name)).string();
}

struct TemporaryFile {
  explicit TemporaryFile(std::string_view content) : path(temporary(".json")) {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::string path;
};

// A document in which every record invites a wrong guess.
std::string misleading_results() {
  std::vector<std::string> records;
  for (int i = 0; i < 60; ++i) {
    records.push_back(record("image_id", std::to_string(i)));
    const char* extras[] = {R"(, "caption": "},{\"image_id\": 3}, {"})",
                            R"(, "parts": [{"image_id": 1}, {"image_id": 2}, {"image_id": "x"}]})",
                            R"(, "parts": [[{"bbox": [1, 2, 3, 4]} , {"score": 1}], {}]})",
                            R"(, "caption": "}\n,\r{", "b": {}, "c": [{},{}]})", "}"};
    records.back().pop_back();
    records.back() += replaced(extras[i % 5], "\\n", i % 2 ? " " : "\\n");
  }
  return list(records);
}

template <class Read, class ReadFile>
void check_cuts(const std::string& document, Read read, ReadFile read_file) {
  const TemporaryFile file(document);
  const std::string want = text_of(read(document, detail::ReadPlan{std::size_t{1} << 20, 1}));
  for (const std::size_t piece_bytes :
       {1u, 2u, 3u, 16u, 61u, 100u, 128u, 250u, 512u, 1000u, 5000u}) {
    for (const std::size_t n_pieces : {1u, 2u, 3u, 8u}) {
      for (const int n_threads : {1, 2}) {
        set_thread_count(n_threads);
        const detail::ReadPlan plan{piece_bytes, n_pieces};
        CHECK_EQUAL(text_of(read(document, plan)), want);
        CHECK_EQUAL(text_of(read_file(file.path, plan)), want);
      }
    }
  }
  set_thread_count(0);
}

void check_results_cuts(const std::string& document) {
  check_cuts(
      document,
      [](std::string_view text, const detail::ReadPlan& plan) {
        return detail::read_coco_results(text, plan);
      },
      [](const std::string& path, const detail::ReadPlan& plan) {
        return detail::read_coco_results_file(path, plan);
      });
}

void check_truth_cuts(const std::string& document) {
  check_cuts(
      document,
      [](std::string_view text, const detail::ReadPlan& plan) {
        return detail::read_coco_truth(text, plan);
      },
      [](const std::string& path, const detail::ReadPlan& plan) {
        return detail::read_coco_truth_file(path, plan);
      });
}

void test_cuts() {
  const std::string results = misleading_results();
  CHECK(read_coco_results(results).fault.kind == Kind::none);
  check_results_cuts(results);
  // Faults far from the start, of both kinds, and ids of two kinds.
  const std::size_t late = results.find("\"image_id\": 47");
  check_results_cuts(std::string(results).insert(late, "nil, "));
  check_results_cuts(std::string(results).insert(late + 12, "\"x\", \"a\": "));
  check_results_cuts(std::string(results).replace(late, 14, "\"score\": null"));
  check_results_cuts(results.substr(0, late + 30));
  check_results_cuts(results + ",");
  check_results_cuts(replaced(results, "\"image_id\": ", "\"image_id\": \"img\", \"i\": "));

  std::string annotations;
  for (int i = 0; i < 50; ++i) {
    annotations += (i ? ", {" : "{") + kBox + R"(, "segmentation": [[1.5, 2, 3], [{}, {}]])";
    if (i % 3) annotations += ", \"id\": \"n" + std::to_string(i % 7) + "\"";
    annotations += ", \"area\": " + std::to_string(i) + ".25, \"iscrowd\": 0}";
  }
  const std::string images =
      R"([{"id": 1}, {"id": 2, "a": "},{"}, {"id": 3} , {"id": 4}, {"id": 5}, {"id": 6}])";
  const std::string document = truth(annotations, images);
  CHECK(read_coco_truth(document).fault.kind == Kind::none);
  check_truth_cuts(document);
  check_truth_cuts(replaced(document, "\"area\": 31.25", "\"area\": -31.25"));
  check_truth_cuts(replaced(document, "\"area\": 31.25", "\"area\": 031.25"));
  check_truth_cuts(replaced(document, "\"id\": \"n1\"", "\"id\": 1"));
}

// ---- Sizes -------------------------------------------------------------------------------------

void test_extremes() {
  // A million open lists, in a place that is skipped: no recursion.
  const std::string deep(1'000'000, '[');
  CHECK(read_coco_results("[{\"a\": " + deep).fault.kind == Kind::syntax);
  CHECK(read_coco_truth("{\"info\": " + deep).fault.kind == Kind::syntax);
  CHECK(read_coco_results(deep).fault.kind == Kind::syntax);
  // As deep as allowed: the list and the record count.
  const std::string fits = std::string(998, '[') + std::string(998, ']');
  const std::string too_deep = "[" + fits + "]";
  CHECK(read_coco_results(result("score", "1, \"a\": " + fits)).fault.kind == Kind::none);
  CHECK(read_coco_results(result("score", "1, \"a\": " + too_deep)).fault.kind == Kind::syntax);
  // One record that is longer than any piece, among short ones.
  const std::string wide = record("score", "1, \"a\": \"" + std::string(300'000, 'x') + "\"");
  for (const std::size_t n_pieces : {1u, 4u}) {
    const CocoResults results = detail::read_coco_results(
        list({record(), wide, record(), wide, record()}), {1000, n_pieces});
    CHECK_EQUAL(results.score.size(), 5u);
  }
  // More keys than a layout holds, and keys longer than it holds.
  std::string keys;
  for (int i = 0; i < 40; ++i) keys += "\"k" + std::to_string(i) + "\": 1, ";
  const std::string many = replaced(record(), "{", "{" + keys);
  const std::string long_key = replaced(record(), "{", "{\"" + std::string(100, 'k') + "\": 1, ");
  CHECK_EQUAL(read_coco_results(list({many, many, long_key, long_key})).score.size(), 4u);
}

// ---- Files -------------------------------------------------------------------------------------

void test_files() {
  const std::string missing = temporary("/none.json");
  CHECK(read_coco_truth_file(missing).fault.kind == Kind::unreadable);
  CHECK_EQUAL(read_coco_results_file(missing).fault.message, "no such file");
  CHECK_EQUAL(read_coco_results_file(missing).fault.path, "");
  const std::string directory = std::filesystem::temp_directory_path().string();
  CHECK(read_coco_results_file(directory).fault.kind == Kind::unreadable);
  const std::string document = misleading_results();
  const std::string want = text_of(read_coco_results(document));
  const TemporaryFile file(document);
  CHECK_EQUAL(text_of(read_coco_results_file(file.path)), want);
  const TemporaryFile empty("");
  CHECK_EQUAL(read_coco_results_file(empty.path).fault.message, "expected JSON, the file is empty");
#if __has_include(<sys/stat.h>)
  CHECK_EQUAL(read_coco_results_file(directory).fault.message,
              "it is a directory, expected a file");
  const std::string pipe = temporary(".fifo");
  CHECK_EQUAL(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << document; });
  CHECK_EQUAL(text_of(read_coco_results_file(pipe)), want);
  writer.join();
  std::remove(pipe.c_str());
#endif
}

}  // namespace

int main() {
  test_refused_results();
  test_refused_truth();
  test_place();
  test_results();
  test_truth();
  test_unusual();
  test_forms();
  test_equal_keys();
  test_cuts();
  test_extremes();
  test_files();
  return snellen::testing::report();
}
