#include "json_shapes.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "json_records.hpp"
#include "snellen/rle.hpp"

namespace snellen::json {
namespace {

// Further out no image has pixels, and the fifths of a pixel that vertices are rounded to have more
// than 32 bits.
constexpr double kFarthest = 2e8;
constexpr std::size_t kLeastNumbers = 6;

constexpr char kExpectedShape[] = "a list of polygons, or run lengths with size and counts";
constexpr char kExpectedPolygon[] = "a polygon (a list of x, y, x, y ...)";
constexpr char kExpectedCounts[] = "text or a list of whole numbers";
constexpr char kExpectedSize[] = "a list of height and width";
constexpr char kListGoesOn[] = "\",\" or \"]\"";

// 0, and behind each length the sum up to it.
Column<std::int64_t> begins(const Column<std::int64_t>& lengths) {
  Column<std::int64_t> begin;
  begin.resize_uninitialised(lengths.size() + 1);
  std::int64_t sum = 0;
  begin[0] = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) begin[i + 1] = sum += lengths[i];
  return begin;
}

}  // namespace

void Shape::clear() {
  form = ShapeForm::absent;
  left_out = 0;
  xy.clear();
  n_vertices.clear();
  runs.clear();
  size = {};
}

void ShapeColumns::clear() {
  form_.clear();
  left_out_.clear();
  xy_.clear();
  n_vertices_.clear();
  n_polygons_.clear();
  n_runs_.clear();
  runs_.clear();
  size_.clear();
}

void ShapeColumns::push(const Shape& shape) {
  form_.push_back(static_cast<std::uint8_t>(shape.form));
  left_out_.push_back(shape.left_out);
  append_roomily(xy_, shape.xy);
  append_roomily(n_vertices_, shape.n_vertices);
  n_polygons_.push_back(static_cast<std::int64_t>(shape.n_vertices.size()));
  append_roomily(runs_, shape.runs);
  n_runs_.push_back(static_cast<std::int64_t>(shape.runs.size()));
  for (const std::int32_t side : shape.size) size_.push_back(side);
}

void ShapeColumns::append(const ShapeColumns& more) {
  append_roomily(form_, more.form_);
  append_roomily(left_out_, more.left_out_);
  append_roomily(xy_, more.xy_);
  append_roomily(n_vertices_, more.n_vertices_);
  append_roomily(n_polygons_, more.n_polygons_);
  append_roomily(n_runs_, more.n_runs_);
  append_roomily(runs_, more.runs_);
  append_roomily(size_, more.size_);
}

CocoShapes ShapeColumns::finish() {
  return {std::move(form_),    std::move(left_out_), std::move(xy_),  begins(n_vertices_),
          begins(n_polygons_), std::move(runs_),     begins(n_runs_), std::move(size_)};
}

// ---- Reading one -------------------------------------------------------------------------------

bool RecordReader::read_shape(Place& at) {
  record_.shape.clear();
  switch (at.scanner.peek()) {
    case '[':
      return read_polygons(at);
    case '{':
      return read_run_lengths(at);
    case 'n':
      return read_null(at);
    default:
      return skip_wrong(at, kExpectedShape);
  }
}

bool RecordReader::read_polygons(Place& at) {
  Scanner& scanner = at.scanner;
  Shape& shape = record_.shape;
  shape.form = ShapeForm::empty;
  scanner.take('[');
  scanner.skip_space();
  if (scanner.take(']')) return true;
  shape.form = ShapeForm::polygons;
  Place polygon = at;
  ++polygon.depth;
  for (std::size_t k = 0;; ++k) {
    polygon.element = k;
    if (!read_polygon(polygon)) return false;
    scanner.skip_space();
    if (scanner.take(']')) return true;
    if (!scanner.take(',')) return scanner.fail(kListGoesOn);
    scanner.skip_space();
  }
}

bool RecordReader::read_polygon(Place& at) {
  Shape& shape = record_.shape;
  if (at.scanner.peek() != '[') return skip_wrong(at, kExpectedPolygon);
  const char* const first = at.scanner.position();
  const std::size_t before = shape.xy.size();
  std::size_t n = 0;
  if (!read_numbers(at, kFarthest, "a number between -2e8 and 2e8", shape.xy, n)) return false;
  if (n < kLeastNumbers) {
    shape.xy.resize_uninitialised(before);
    shape.left_out = *at.element == 0 ? 3 : static_cast<std::uint8_t>(shape.left_out | 1);
  } else if (n % 2 != 0) {
    wrong_length(at, first, "an even number of numbers (x, y, x, y ...)", n);
  } else {
    shape.n_vertices.push_back(static_cast<std::int64_t>(n / 2));
  }
  return true;
}

bool RecordReader::read_run_lengths(Place& at) {
  Scanner& scanner = at.scanner;
  Shape& shape = record_.shape;
  const char* const first = scanner.position();
  shape.form = ShapeForm::runs;
  TextToken text{};
  const char* counts = nullptr;  // where they stand
  bool written = false;          // as text
  bool sized = false;
  Place member = at;
  ++member.depth;
  const auto enter = [&](std::string_view name) {
    member.member = name;
    // What was wrong with an equal key is overridden.
    if (at.cell.problem.member == name) at.cell.problem = {};
  };
  scanner.take('{');
  scanner.skip_space();
  for (bool more = !scanner.take('}'); more;) {
    TextToken key;
    if (!scanner.key(key)) return false;
    std::string buffer;
    const std::string_view name = spelling(key, buffer);
    if (name == "counts") {
      enter(".counts");
      counts = scanner.position();
      written = scanner.peek() == '"';
      shape.runs.clear();
      const bool read = written                 ? scanner.text(text)
                        : scanner.peek() == '[' ? read_run_list(member)
                                                : skip_wrong(member, kExpectedCounts);
      if (!read) return false;
    } else if (name == "size") {
      enter(".size");
      sized = true;
      if (!read_mask_size(member)) return false;
    } else if (!scanner.skip_value(member.depth)) {
      return false;
    }
    scanner.skip_space();
    more = !scanner.take('}');
    if (more && !scanner.take(',')) return scanner.fail("\",\" or \"}\"");
    scanner.skip_space();
  }
  if (at.cell.problem) return true;
  if (counts == nullptr || !sized) {
    wrong(at, first, "run lengths with size and counts");
    return true;
  }
  RleFault fault;
  if (written) {
    const auto height = static_cast<std::uint64_t>(shape.size[0]);
    const auto width = static_cast<std::uint64_t>(shape.size[1]);
    const std::string_view plain = spelling(text, shape.text);
    fault = append_rle(plain, height * width, shape.runs);
    if (fault) fault.message += ", at character " + std::to_string(fault.position + 1);
  } else {
    const std::array<std::int64_t, 2> offset{0, static_cast<std::int64_t>(shape.runs.size())};
    fault = check_rle({shape.runs.data(), offset.data(), shape.size.data(), 1});
  }
  if (fault) {
    member.member = ".counts";
    Problem& problem = wrong(member, counts, nullptr);
    problem.got = Problem::Got::told;
    problem.message = std::move(fault.message);
  }
  return true;
}

bool RecordReader::read_run_list(Place& at) {
  Scanner& scanner = at.scanner;
  Column<std::uint32_t>& runs = record_.shape.runs;
  scanner.take('[');
  scanner.skip_space();
  if (scanner.take(']')) return true;
  Place run = at;
  ++run.depth;
  for (std::size_t k = 0;; ++k) {
    const char* const first = scanner.position();
    std::int64_t value = 0;
    const bool near = static_cast<std::size_t>(scanner.end() - first) >= kPlainReach;
    const char* const plain = near ? plain_whole_magnitude(first, value) : nullptr;
    if (plain != nullptr) {
      scanner.seek(plain);
      // It may go on, as one that is not whole.
      if (scanner.peek() == '.' || is_exponent_mark(scanner.peek())) scanner.seek(first);
    }
    if (scanner.position() == first) {
      run.element = k;
      if (!read_whole_number(run, value, std::numeric_limits<std::uint32_t>::max(),
                             "a run from 0 on, below 2^32")) {
        return false;
      }
    }
    runs.push_back(static_cast<std::uint32_t>(value));
    scanner.skip_space();
    if (scanner.take(']')) return true;
    if (!scanner.take(',')) return scanner.fail(kListGoesOn);
    scanner.skip_space();
  }
}

bool RecordReader::read_mask_size(Place& at) {
  Scanner& scanner = at.scanner;
  if (scanner.peek() != '[') return skip_wrong(at, kExpectedSize);
  const char* const first = scanner.position();
  std::size_t n = 0;
  scanner.take('[');
  scanner.skip_space();
  if (!scanner.take(']')) {
    Place side = at;
    ++side.depth;
    for (;;) {
      side.element = n;
      std::int64_t value = 0;
      const bool read =
          n < 2 ? read_whole_number(side, value, std::numeric_limits<std::int32_t>::max(),
                                    "a whole number from 0 on")
                : scanner.skip_value(side.depth);
      if (!read) return false;
      if (n < 2) record_.shape.size[n] = static_cast<std::int32_t>(value);
      ++n;
      scanner.skip_space();
      if (scanner.take(']')) break;
      if (!scanner.take(',')) return scanner.fail(kListGoesOn);
      scanner.skip_space();
    }
  }
  if (n != 2) wrong_length(at, first, kExpectedSize, n);
  return true;
}

}  // namespace snellen::json
