#include "snellen/json_columns.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "json_list.hpp"
#include "json_problem.hpp"
#include "json_source.hpp"
#include "json_table.hpp"

namespace snellen {
namespace json {
namespace {

// ---- What is kept ------------------------------------------------------------------------------

constexpr std::array<Field, 4> kResultFields = {{{"image_id", FieldKind::id, true},
                                                 {"category_id", FieldKind::id, true},
                                                 {"bbox", FieldKind::box, true},
                                                 {"score", FieldKind::score, true}}};
constexpr std::array<Field, 1> kImageFields = {{{"id", FieldKind::id, true}}};
constexpr std::array<Field, 7> kAnnotationFields = {{{"id", FieldKind::id, false},
                                                     {"image_id", FieldKind::id, true},
                                                     {"category_id", FieldKind::id, true},
                                                     {"bbox", FieldKind::box, true},
                                                     {"area", FieldKind::area, false},
                                                     {"iscrowd", FieldKind::crowd, false},
                                                     {"ignore", FieldKind::mark, false}}};
constexpr std::array<Field, 5> kMaskResultFields = {{kResultFields[0],
                                                     kResultFields[1],
                                                     {"bbox", FieldKind::box, false},
                                                     kResultFields[3],
                                                     {"segmentation", FieldKind::shape, false}}};
constexpr std::array<Field, 5> kPoseResultFields = {{kResultFields[0],
                                                     kResultFields[1],
                                                     {"bbox", FieldKind::box, false},
                                                     kResultFields[3],
                                                     {"keypoints", FieldKind::keypoints, false}}};
constexpr std::array<Field, 3> kSizedImageFields = {
    {kImageFields[0], {"height", FieldKind::count, false}, {"width", FieldKind::count, false}}};
constexpr std::array<Field, 2> kCrowdedImageFields = {
    {kImageFields[0], {"crowdIndex", FieldKind::area, false}}};
constexpr std::array<Field, 8> kMaskFields = {{kAnnotationFields[0],
                                               kAnnotationFields[1],
                                               kAnnotationFields[2],
                                               {"bbox", FieldKind::box, false},
                                               kAnnotationFields[4],
                                               kAnnotationFields[5],
                                               {"segmentation", FieldKind::shape, false},
                                               kAnnotationFields[6]}};
constexpr std::array<Field, 8> kPoseFields = {{kAnnotationFields[0],
                                               kAnnotationFields[1],
                                               kAnnotationFields[2],
                                               {"bbox", FieldKind::box, false},
                                               kAnnotationFields[4],
                                               kAnnotationFields[5],
                                               {"keypoints", FieldKind::keypoints, false},
                                               {"num_keypoints", FieldKind::count, false}}};
constexpr std::array<Field, 2> kCategoryFields = {
    {{"id", FieldKind::id, true}, {"name", FieldKind::name, false}}};

constexpr std::string_view kRoot = "$";
// By kind.
constexpr std::array<Schema, 3> kResults = {
    {{kRoot, 1, kResultFields}, {kRoot, 1, kMaskResultFields}, {kRoot, 1, kPoseResultFields}}};
constexpr std::array<Schema, 3> kImages = {{{"$.images", 2, kImageFields},
                                            {"$.images", 2, kSizedImageFields},
                                            {"$.images", 2, kCrowdedImageFields}}};
constexpr std::array<Schema, 3> kAnnotations = {{{"$.annotations", 2, kAnnotationFields},
                                                 {"$.annotations", 2, kMaskFields},
                                                 {"$.annotations", 2, kPoseFields}}};
constexpr Schema kCategories{"$.categories", 2, kCategoryFields};
constexpr std::array<const char*, 3> kResultsFile = {
    "a COCO results file (a list of objects with image_id, category_id, bbox and score)",
    "a COCO results file (a list of objects with image_id, category_id, segmentation and score)",
    "a COCO results file (a list of objects with image_id, category_id, keypoints and score)"};

constexpr std::size_t index_of(CocoKind kind) { return static_cast<std::size_t>(kind); }

// ---- The document around the lists -------------------------------------------------------------
//
// A function that returns a Problem returns none (false) when all went well.

Problem schema_problem(std::uint64_t byte, const char* expected) {
  Problem problem;
  problem.kind = JsonFault::Kind::schema;
  problem.expected = expected;
  problem.byte = byte;
  problem.section = kRoot;
  return problem;
}

Problem root_fault(const Reader& reader) {
  Problem problem = syntax_fault(reader);
  problem.section = kRoot;
  return problem;
}

// To the first byte of the root, past a byte order mark.
Problem find_root(Reader& reader) {
  const bool found = reader.step([](Scanner& scanner) {
    if (scanner.at_end()) return scanner.fail("JSON");
    if (!scanner.take('\xef')) return true;
    return (scanner.take('\xbb') && scanner.take('\xbf')) || scanner.fail("JSON");
  }) && reader.step([](Scanner& scanner) {
    scanner.skip_space();
    return !scanner.at_end() || scanner.fail("JSON");
  });
  if (found) return {};
  Problem problem = root_fault(reader);
  if (reader.scanner().at_end()) problem.got = Problem::Got::nothing;
  return problem;
}

// Nothing but white space may follow the root.
Problem find_end(Reader& reader) {
  const bool found = reader.step([](Scanner& scanner) {
    scanner.skip_space();
    return (scanner.at_end() && scanner.closed()) || scanner.fail("the end of the document");
  });
  return found ? Problem{} : root_fault(reader);
}

// The root is not what it should be.
Problem refuse_root(Reader& reader, const char* expected, const char* hint) {
  const std::uint64_t byte = reader.offset();
  const char opening = reader.scanner().peek();
  const bool container = opening == '[' || opening == '{';
  if (!container && !reader.step([](Scanner& scanner) { return scanner.skip_value(0); })) {
    return root_fault(reader);
  }
  Problem problem = schema_problem(byte, expected);
  problem.hint = hint;
  return problem;
}

// The members of the root, one after the other.
class Members {
 public:
  explicit Members(Reader& reader) : reader_(&reader) {}

  // To the next value, which the caller then reads. False behind the last, or on a fault.
  bool next();
  const std::string& key() const { return key_; }
  bool failed() const { return failed_; }
  bool skip_value();
  Problem fault() const;

 private:
  Reader* reader_;
  bool first_ = true;
  bool failed_ = false;
  std::uint64_t key_byte_ = kNowhere;
  std::string key_;
};

bool Members::next() {
  key_byte_ = kNowhere;
  bool ends = false;
  std::uint64_t key_byte = kNowhere;
  failed_ = !reader_->step([&](Scanner& scanner) {
    scanner.skip_space();
    if (first_) {
      scanner.take('{');
      scanner.skip_space();
    }
    ends = scanner.take('}');
    if (ends) return true;
    if (!first_) {
      if (!scanner.take(',')) return scanner.fail("\",\" or \"}\"");
      scanner.skip_space();
    }
    key_byte = reader_->window().offset_of(scanner.position());
    TextToken key;
    if (!scanner.key(key)) return false;
    std::string decoded;
    key_ = spelling(key, decoded);
    return !scanner.at_end() || scanner.fail("a value");
  });
  first_ = false;
  if (failed_ || ends) return false;
  key_byte_ = key_byte;
  return true;
}

bool Members::skip_value() {
  failed_ = !reader_->step([](Scanner& scanner) { return scanner.skip_value(1); });
  return !failed_;
}

Problem Members::fault() const {
  Problem problem = root_fault(*reader_);
  problem.key_byte = key_byte_;
  return problem;
}

// ---- Annotation files --------------------------------------------------------------------------

struct Section {
  Section(std::string_view name, const Schema& schema) : key(name), table(schema) {}

  std::string_view key;
  bool present = false;
  Table table;
  Problem not_a_list;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  const Problem& problem() const { return not_a_list ? not_a_list : table.problem(); }
};

class TruthReader {
 public:
  TruthReader(const Source& source, const detail::ReadPlan& plan, CocoKind kind)
      : source_(&source),
        plan_(plan),
        reader_(source, plan.piece_bytes),
        sections_{Section("images", kImages[index_of(kind)]),
                  Section("annotations", kAnnotations[index_of(kind)]),
                  Section("categories", kCategories)} {}

  Problem read();
  Table& images() { return sections_[0].table; }
  Table& annotations() { return sections_[1].table; }
  Table& categories() { return sections_[2].table; }
  const Section& section_of_annotations() const { return sections_[1]; }

 private:
  Problem read_section(Section& section, Members& members);
  Problem first_problem(std::uint64_t root) const;

  const Source* source_;
  detail::ReadPlan plan_;
  Reader reader_;
  std::array<Section, 3> sections_;
};

Problem TruthReader::read() {
  if (const Problem fault = find_root(reader_)) return fault;
  const std::uint64_t root = reader_.offset();
  const char opening = reader_.scanner().peek();
  if (opening != '{') {
    return refuse_root(
        reader_, "a COCO annotation file (an object with images, annotations and categories)",
        opening == '[' ? "; this looks like a results file: are the two files swapped?" : "");
  }
  Members members(reader_);
  while (members.next()) {
    const auto section = std::find_if(
        sections_.begin(), sections_.end(),
        [&members](const Section& candidate) { return candidate.key == members.key(); });
    if (section != sections_.end()) {
      if (const Problem fault = read_section(*section, members)) return fault;
    } else if (!members.skip_value()) {
      break;
    }
  }
  if (members.failed()) return members.fault();
  if (const Problem fault = find_end(reader_)) return fault;
  return first_problem(root);
}

// A section that comes again replaces the one before, problems included.
Problem TruthReader::read_section(Section& section, Members& members) {
  section.present = true;
  section.not_a_list = {};
  section.table.clear();
  section.begin = reader_.offset();
  if (reader_.scanner().peek() != '[') {
    section.not_a_list = schema_problem(reader_.offset(), "a list");
    section.not_a_list.section = section.table.schema().path;
    return members.skip_value() ? Problem{} : members.fault();
  }
  reader_.step([](Scanner& scanner) { return scanner.take('['); });
  ListReader list(*source_, reader_, section.table, {false, plan_});
  if (list.read() == Ended::at_fault) return list.fault();
  section.end = reader_.offset();
  return {};
}

Problem TruthReader::first_problem(std::uint64_t root) const {
  Problem first;
  for (const Section& section : sections_) {
    Problem problem = section.problem();
    if (!section.present) {
      problem = schema_problem(root, nullptr);
      problem.got = Problem::Got::missing;
      problem.field = section.key;
    }
    if (problem && (!first || problem.byte < first.byte)) first = problem;
  }
  return first;
}

// ---- Results files -----------------------------------------------------------------------------

// How an annotation file begins; what is wrong with it is another matter.
bool has_annotations(Reader& reader) {
  Members members(reader);
  while (members.next()) {
    if (members.key() == "annotations") return true;
    if (!members.skip_value()) break;
  }
  return false;
}

Problem read_results(const Source& source, const detail::ReadPlan& plan, CocoKind kind,
                     Table& table) {
  Reader reader(source, plan.piece_bytes);
  if (const Problem fault = find_root(reader)) return fault;
  if (!reader.step([](Scanner& scanner) { return scanner.take('[') || scanner.fail("a list"); })) {
    Problem problem = refuse_root(reader, kResultsFile[index_of(kind)], "");
    if (problem.kind == JsonFault::Kind::schema && has_annotations(reader)) {
      problem.hint = "; this looks like an annotation file: are the two files swapped?";
    }
    return problem;
  }
  ListReader list(source, reader, table, {true, plan});
  switch (list.read()) {
    case Ended::at_fault:
      return list.fault();
    case Ended::at_problem:
      return table.problem();
    default:
      return find_end(reader);
  }
}

// ---- Results of the whole ----------------------------------------------------------------------

JsonFault fault_of(const Problem& problem, const Source& source) {
  // A document that could not be read to its end looks cut off: that is not its fault.
  const std::string error = source.error();
  if (error.empty()) return problem ? describe(problem, source) : JsonFault{};
  JsonFault fault;
  fault.kind = JsonFault::Kind::unreadable;
  fault.message = error;
  return fault;
}

CocoTruth truth_columns(const Source& source, const detail::ReadPlan& plan, CocoKind kind) {
  CocoTruth truth;
  TruthReader reader(source, plan, kind);
  truth.fault = fault_of(reader.read(), source);
  if (truth.fault.kind != JsonFault::Kind::none) return truth;
  truth.image_id = reader.images().field(0).ids.finish();
  truth.category_id = reader.categories().field(0).ids.finish();
  truth.category_name = std::move(reader.categories().field(1).names);
  Table& boxes = reader.annotations();
  truth.box_id = boxes.field(0).ids.finish();
  truth.box_has_id = std::move(boxes.field(0).flags);
  truth.box_image_id = boxes.field(1).ids.finish();
  truth.box_category_id = boxes.field(2).ids.finish();
  truth.xywh = std::move(boxes.field(3).numbers);
  truth.area = std::move(boxes.field(4).numbers);
  truth.crowd = std::move(boxes.field(5).flags);
  truth.unusual = boxes.unusual();
  truth.annotations_begin = reader.section_of_annotations().begin;
  truth.annotations_end = reader.section_of_annotations().end;
  if (kind == CocoKind::mask) {
    truth.image_height = std::move(reader.images().field(1).counts);
    truth.image_width = std::move(reader.images().field(2).counts);
    truth.shapes = boxes.field(6).shapes.finish();
    truth.ignored = std::move(boxes.field(7).flags);
  } else if (kind == CocoKind::box) {
    truth.ignored = std::move(boxes.field(6).flags);
  } else if (kind == CocoKind::keypoints) {
    truth.crowd_index = std::move(reader.images().field(1).numbers);
    truth.keypoints = {std::move(boxes.field(6).numbers), std::move(boxes.field(6).counts),
                       std::move(boxes.field(7).counts)};
  }
  return truth;
}

CocoResults results_columns(const Source& source, const detail::ReadPlan& plan, CocoKind kind) {
  CocoResults results;
  Table table(kResults[index_of(kind)]);
  results.fault = fault_of(read_results(source, plan, kind, table), source);
  if (results.fault.kind != JsonFault::Kind::none) return results;
  results.image_id = table.field(0).ids.finish();
  results.category_id = table.field(1).ids.finish();
  results.xywh = std::move(table.field(2).numbers);
  results.score = std::move(table.field(3).numbers);
  results.unusual = table.unusual();
  if (kind == CocoKind::mask) {
    results.shapes = table.field(4).shapes.finish();
  } else if (kind == CocoKind::keypoints) {
    results.keypoints = {std::move(table.field(4).numbers), std::move(table.field(4).counts), {}};
  }
  return results;
}

}  // namespace
}  // namespace json

namespace detail {

CocoTruth read_coco_truth(std::string_view document, const ReadPlan& plan, CocoKind kind) {
  return json::truth_columns(json::Source(document), plan, kind);
}

CocoResults read_coco_results(std::string_view document, const ReadPlan& plan, CocoKind kind) {
  return json::results_columns(json::Source(document), plan, kind);
}

CocoTruth read_coco_truth_file(const std::string& path, const ReadPlan& plan, CocoKind kind) {
  return json::truth_columns(json::Source(json::Source::File{path}), plan, kind);
}

CocoResults read_coco_results_file(const std::string& path, const ReadPlan& plan, CocoKind kind) {
  return json::results_columns(json::Source(json::Source::File{path}), plan, kind);
}

}  // namespace detail

CocoTruth read_coco_truth(std::string_view document, CocoKind kind) {
  return detail::read_coco_truth(document, {}, kind);
}

CocoResults read_coco_results(std::string_view document, CocoKind kind) {
  return detail::read_coco_results(document, {}, kind);
}

CocoTruth read_coco_truth_file(const std::string& path, CocoKind kind) {
  return detail::read_coco_truth_file(path, {}, kind);
}

CocoResults read_coco_results_file(const std::string& path, CocoKind kind) {
  return detail::read_coco_results_file(path, {}, kind);
}

}  // namespace snellen
