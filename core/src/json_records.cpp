#include "json_records.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace snellen::json {
namespace {

// Values that a layout asks for and that are not plain; nullptr where there is no such value, or
// not one that can be kept.

bool number_at(Scanner& scanner, const char* p, NumberToken& token) {
  scanner.seek(p);
  return starts_number(*p) && scanner.number(token);
}

const char* any_number(Scanner& scanner, const char* p, double& value) {
  NumberToken token;
  if (!number_at(scanner, p, token)) return nullptr;
  value = to_double(token);
  return std::isfinite(value) ? token.last : nullptr;
}

const char* any_whole_number(Scanner& scanner, const char* p, std::int64_t& value, bool& as_int) {
  NumberToken token;
  if (!number_at(scanner, p, token)) return nullptr;
  as_int = token.whole;
  return to_whole_number(token, value) == WholeNumber::fits ? token.last : nullptr;
}

const char* any_id_text(Scanner& scanner, const char* p, std::string& text) {
  if (*p != '"') return nullptr;
  TextToken token;
  scanner.seek(p);
  if (!scanner.text(token) || token.escaped) return nullptr;
  if (static_cast<std::size_t>(token.last - token.first) > kMaxIdBytes) return nullptr;
  text.assign(token.first, token.last);
  return token.last + 1;
}

// Whether a number has neither a point nor an exponent, which its value nearly always tells.
bool is_int(const char* first, const char* last, double value) {
  return std::trunc(value) == value &&
         std::none_of(first, last, [](char c) { return c == '.' || is_exponent_mark(c); });
}

constexpr std::int64_t kMostCounted = std::numeric_limits<std::int32_t>::max();

bool is_zero(const NumberToken& token) {
  return std::none_of(token.first, token.last, [](char c) { return c >= '1' && c <= '9'; });
}

}  // namespace

// ---- Layout ------------------------------------------------------------------------------------

void Layout::forget() {
  refused_ = false;
  n_values_ = 0;
  n_steps_ = 0;
}

void Layout::note(const Value& value) {
  if (n_values_ + 1 < kMaxSteps) {
    value_[n_values_++] = value;
  } else {
    refused_ = true;
  }
}

bool Layout::set_step(std::size_t i, const char* first, const char* last) {
  const auto length = static_cast<std::size_t>(last - first);
  if (length > 8 * kMaxWords) return false;
  Step& step = step_[i];
  step.length = static_cast<std::uint8_t>(length);
  step.n_words = static_cast<std::uint8_t>((length + 7) / 8);
  std::array<char, 8 * kMaxWords> bytes{};
  std::copy(first, last, bytes.begin());
  for (std::size_t w = 0; w < step.n_words; ++w) {
    const std::size_t n_used = std::min<std::size_t>(length - 8 * w, 8);
    step.word[w] = load_word(bytes.data() + 8 * w);
    step.mask[w] = ~std::uint64_t{0} >> (64 - 8 * n_used);
  }
  return true;
}

void Layout::learn(const char* first, const char* last) {
  if (refused_) return;
  for (std::size_t i = 0; i < n_values_; ++i) {
    const Value& value = value_[i];
    if (!set_step(i, first, value.first)) return;
    step_[i].kind = value.kind;
    step_[i].cell = value.cell;
    step_[i].element = value.element;
    first = value.last;
  }
  if (!set_step(n_values_, first, last)) return;
  step_[n_values_].kind = Kind::none;
  step_[n_values_].cell = 0;
  n_steps_ = n_values_ + 1;
}

// ---- The short way -----------------------------------------------------------------------------

// The cells still hold what the record before left there: those that the layout does not name are
// absent in both, those that it names are overwritten.
bool RecordReader::read_alike(Scanner& scanner, const Window& window) {
  const char* const start = scanner.position();
  const char* p = start;
  for (const Layout::Step& step : layout_) {
    if (scanner.end() - p < Layout::Step::kReach || !step.matches(p)) break;
    p += step.length;
    Cell& cell = record_.cell[step.cell];
    switch (step.kind) {
      case Layout::Kind::number:
      case Layout::Kind::size: {
        double& value = cell.number[step.element];
        const char* last = plain_number(p, value);
        p = last != nullptr ? last : any_number(scanner, p, value);
        if (step.kind == Layout::Kind::size && value < 0) p = nullptr;
        break;
      }
      case Layout::Kind::score: {
        const char* const first = p;
        double& value = cell.number[0];
        const char* last = plain_number(p, value);
        p = last != nullptr ? last : any_number(scanner, p, value);
        if (p != nullptr && is_int(first, p, value)) table_->note_unusual();
        break;
      }
      case Layout::Kind::whole_number: {
        bool as_int = true;
        const char* last = plain_whole_number(p, cell.id);
        p = last != nullptr ? last : any_whole_number(scanner, p, cell.id, as_int);
        if (!as_int) table_->note_unusual();
        break;
      }
      case Layout::Kind::count: {
        bool as_int = true;
        const char* last = plain_whole_number(p, cell.id);
        p = last != nullptr ? last : any_whole_number(scanner, p, cell.id, as_int);
        if (cell.id < 0 || cell.id > kMostCounted) p = nullptr;
        break;
      }
      case Layout::Kind::shape:
      case Layout::Kind::keypoints: {
        Place at{scanner, window, cell, step.cell, depth_ + 1};
        scanner.seek(p);
        cell.problem.kind = JsonFault::Kind::none;
        const bool read = step.kind == Layout::Kind::shape ? read_shape(at) : read_keypoints(at);
        p = read && !cell.problem ? scanner.position() : nullptr;
        break;
      }
      case Layout::Kind::text:
        p = any_id_text(scanner, p, cell.text);
        break;
      case Layout::Kind::crowd:
        cell.crowd = static_cast<std::uint8_t>(*p - '0');
        p = cell.crowd <= 1 ? p + 1 : nullptr;
        break;
      case Layout::Kind::skipped:
        scanner.seek(p);
        p = scanner.skip_value(depth_ + 1) ? scanner.position() : nullptr;
        break;
      case Layout::Kind::none:
        scanner.seek(p);
        table_->add(record_);
        return true;
    }
    if (p == nullptr) break;
  }
  scanner.seek(start);
  return false;
}

// ---- The long way ------------------------------------------------------------------------------

bool RecordReader::read_any(Scanner& scanner, const Window& window) {
  layout_.forget();
  at_field_ = {};
  at_key_ = kNowhere;
  const char* const start = scanner.position();
  record_.byte = window.offset_of(start);
  for (Cell& cell : record_.cell) cell.present = false;
  if (scanner.peek() != '{') {
    if (!scanner.skip_value(depth_)) return false;
    Problem problem;
    problem.kind = JsonFault::Kind::schema;
    problem.expected = "an object";
    problem.byte = record_.byte;
    table_->add_faulty(problem);
    return true;
  }
  if (!read_members(scanner, window)) return false;
  layout_.learn(start, scanner.position());
  table_->add_checked(record_);
  return true;
}

bool RecordReader::read_members(Scanner& scanner, const Window& window) {
  scanner.take('{');
  scanner.skip_space();
  if (scanner.take('}')) return true;
  for (;;) {
    const std::uint64_t key_byte = window.offset_of(scanner.position());
    TextToken key;
    if (!scanner.key(key)) return false;
    at_key_ = key_byte;
    const char* first = scanner.position();
    const std::size_t i = find_field(key);
    if (i < table_->schema().fields.size()) {
      if (!read_field(scanner, window, i)) return false;
    } else {
      if (!scanner.skip_value(depth_ + 1)) return false;
      layout_.note({Layout::Kind::skipped, 0, 0, first, scanner.position()});
    }
    at_field_ = {};
    at_key_ = kNowhere;
    scanner.skip_space();
    if (scanner.take('}')) return true;
    if (!scanner.take(',')) return scanner.fail("\",\" or \"}\"");
    scanner.skip_space();
  }
}

std::size_t RecordReader::find_field(const TextToken& key) {
  const std::string_view name = spelling(key, decoded_key_);
  const auto fields = table_->schema().fields;
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return field.key == name; });
  return static_cast<std::size_t>(found - fields.begin());
}

bool RecordReader::read_field(Scanner& scanner, const Window& window, std::size_t i) {
  const Field& field = table_->schema().fields[i];
  Cell& cell = record_.cell[i];
  if (cell.present) layout_.refuse();
  at_field_ = field.key;
  cell.present = true;
  cell.is_text = false;
  cell.problem.kind = JsonFault::Kind::none;
  cell.byte = window.offset_of(scanner.position());
  Place at{scanner, window, cell, i, depth_ + 1};
  switch (field.kind) {
    case FieldKind::id:
      return read_id(at);
    case FieldKind::box:
      return read_box(at);
    case FieldKind::score:
      return read_number(at, nullptr);
    case FieldKind::area:
      return read_number(at, "an area of at least 0");
    case FieldKind::crowd:
      return read_crowd(at);
    case FieldKind::mark:
      return read_mark(at);
    case FieldKind::name:
      return read_name(at);
    case FieldKind::count:
      return read_count(at);
    case FieldKind::shape:
    case FieldKind::keypoints: {
      const bool is_shape = field.kind == FieldKind::shape;
      const char* const first = scanner.position();
      if (!(is_shape ? read_shape(at) : read_keypoints(at))) return false;
      note(at, is_shape ? Layout::Kind::shape : Layout::Kind::keypoints, first);
      return true;
    }
  }
  return false;
}

bool RecordReader::read_id(Place& at) {
  const char* const first = at.scanner.position();
  if (at.scanner.peek() == '"') {
    TextToken token;
    if (!at.scanner.text(token)) return false;
    at.cell.is_text = true;
    if (!decode_text(token, at.cell.text)) {
      wrong(at, first, "an id without lone surrogates");
    } else if (at.cell.text.size() > kMaxIdBytes) {
      Problem& problem = wrong(at, first, "an id of at most 1024 bytes");
      problem.got = Problem::Got::text_of;
      problem.amount = at.cell.text.size();
    }
    note(at, Layout::Kind::text, first);
    return true;
  }
  if (!starts_number(at.scanner.peek())) return skip_wrong(at, "a whole number or text");
  NumberToken token;
  if (!at.scanner.number(token)) return false;
  if (!token.whole) table_->note_unusual();
  switch (to_whole_number(token, at.cell.id)) {
    case WholeNumber::fits:
      break;
    case WholeNumber::too_wide:
      wrong(at, first, "an id that fits 64 bits");
      break;
    case WholeNumber::not_whole:
      wrong(at, first, "a whole number or text");
      break;
  }
  note(at, Layout::Kind::whole_number, first);
  return true;
}

bool RecordReader::read_box(Place& at) {
  static constexpr std::array<const char*, 4> kAtLeastZero = {
      nullptr, nullptr, "a width of at least 0", "a height of at least 0"};
  static constexpr char kExpected[] = "a list of 4 numbers";
  Scanner& scanner = at.scanner;
  const bool required = table_->schema().fields[at.index].required;
  if (!required && scanner.peek() == 'n') return read_null(at);
  if (scanner.peek() != '[') return skip_wrong(at, kExpected);
  const std::uint64_t byte = at.cell.byte;
  std::size_t n = 0;
  scanner.take('[');
  scanner.skip_space();
  if (!scanner.take(']')) {
    Place side{scanner, at.window, at.cell, at.index, at.depth + 1};
    for (;;) {
      side.element = n;
      const bool read = n < 4 ? read_number(side, kAtLeastZero[n]) : scanner.skip_value(side.depth);
      if (!read) return false;
      ++n;
      scanner.skip_space();
      if (scanner.take(']')) break;
      if (!scanner.take(',')) return scanner.fail("\",\" or \"]\"");
      scanner.skip_space();
    }
  }
  if (n == 0 && !required) {
    layout_.refuse();
    at.cell.present = false;
  } else if (n != 4) {
    at.cell.problem = {};
    Problem& problem = wrong(at, scanner.position(), kExpected);
    problem.byte = byte;
    problem.got = Problem::Got::list_of;
    problem.amount = n;
  }
  return true;
}

bool RecordReader::read_number(Place& at, const char* at_least_zero) {
  const char* const first = at.scanner.position();
  if (!starts_number(at.scanner.peek())) return skip_wrong(at, "a number");
  NumberToken token;
  if (!at.scanner.number(token)) return false;
  const double value = to_double(token);
  if (!std::isfinite(value)) {
    wrong(at, first, "a finite number");
  } else if (at_least_zero != nullptr && value < 0) {
    wrong(at, first, at_least_zero);
  }
  at.cell.number[at.element.value_or(0)] = value;
  const bool is_score = table_->schema().fields[at.index].kind == FieldKind::score;
  if (is_score && token.whole) table_->note_unusual();
  note(at,
       is_score                   ? Layout::Kind::score
       : at_least_zero != nullptr ? Layout::Kind::size
                                  : Layout::Kind::number,
       first);
  return true;
}

// Crowds are marked by 1, by true, and by any other whole number than 0.
bool RecordReader::read_crowd(Place& at) {
  static constexpr char kExpected[] = "0 or 1";
  const char* const first = at.scanner.position();
  const char opening = at.scanner.peek();
  if (opening == 't' || opening == 'f') {
    layout_.refuse();
    at.cell.crowd = opening == 't';
    return at.scanner.skip_value(at.depth);
  }
  if (!starts_number(opening)) return skip_wrong(at, kExpected);
  NumberToken token;
  if (!at.scanner.number(token)) return false;
  const bool is_plain = token.last - token.first == 1 && *first <= '1';
  const bool is_crowd = table_->schema().fields[at.index].kind == FieldKind::crowd;
  if (is_crowd && !is_plain) table_->note_unusual();
  if (token.whole) {
    at.cell.crowd = !is_zero(token);
  } else {
    const double value = to_double(token);
    if (!std::isfinite(value) || std::trunc(value) != value) wrong(at, first, kExpected);
    at.cell.crowd = value != 0;
  }
  note(at, Layout::Kind::crowd, first);
  return true;
}

// As a crowd's; but what is none of them is nobody's fault, and told apart.
bool RecordReader::read_mark(Place& at) {
  constexpr std::uint8_t kNeither = 3;
  const char opening = at.scanner.peek();
  if (opening != 't' && opening != 'f' && !starts_number(opening)) {
    layout_.refuse();
    at.cell.crowd = kNeither;
    return at.scanner.skip_value(at.depth);
  }
  if (!read_crowd(at)) return false;
  if (at.cell.problem) {
    layout_.refuse();
    at.cell.problem = {};
    at.cell.crowd = kNeither;
  }
  return true;
}

bool RecordReader::read_name(Place& at) {
  layout_.refuse();
  if (at.scanner.peek() != '"') return skip_wrong(at, "text");
  const char* const first = at.scanner.position();
  TextToken token;
  if (!at.scanner.text(token)) return false;
  if (!decode_text(token, at.cell.text)) wrong(at, first, "text without lone surrogates");
  return true;
}

bool RecordReader::read_count(Place& at) {
  const char* const first = at.scanner.position();
  if (at.scanner.peek() == 'n') return read_null(at);
  if (!read_whole_number(at, at.cell.id, kMostCounted, "a whole number from 0 on")) return false;
  note(at, Layout::Kind::count, first);
  return true;
}

bool RecordReader::read_keypoints(Place& at) {
  static constexpr char kExpected[] = "a list of x, y and visibility of each keypoint";
  record_.keypoint_numbers.clear();
  at.cell.present = true;
  if (at.scanner.peek() == 'n') return read_null(at);
  if (at.scanner.peek() != '[') return skip_wrong(at, kExpected);
  const char* const first = at.scanner.position();
  std::size_t n = 0;
  constexpr double kNoBound = std::numeric_limits<double>::infinity();
  if (!read_numbers(at, kNoBound, "a finite number", record_.keypoint_numbers, n)) return false;
  if (n % 3 != 0) wrong_length(at, first, kExpected, n);
  return true;
}

bool RecordReader::read_null(Place& at) {
  layout_.refuse();
  at.cell.present = false;
  return at.scanner.skip_value(at.depth);
}

bool RecordReader::read_numbers(Place at, double bound, const char* expected,
                                Column<double>& numbers, std::size_t& n) {
  Scanner& scanner = at.scanner;
  auto& index = at.element ? at.part : at.element;
  ++at.depth;
  scanner.take('[');
  scanner.skip_space();
  for (n = 0; n != 0 || !scanner.take(']');) {
    const char* const first = scanner.position();
    double value = 0;
    const bool near = static_cast<std::size_t>(scanner.end() - first) >= kPlainReach;
    // Of at most eight digits before the point.
    const char* const plain = near ? plain_number(first, value) : nullptr;
    if (plain != nullptr) {
      scanner.seek(plain);
    } else {
      index = n;
      NumberToken token;
      if (!starts_number(scanner.peek())) {
        if (!skip_wrong(at, expected)) return false;
      } else if (!scanner.number(token)) {
        return false;
      } else {
        value = to_double(token);
        // Written so that what is no number fails.
        if (!(std::abs(value) < bound)) wrong(at, first, expected);
      }
    }
    numbers.push_back(value);
    ++n;
    scanner.skip_space();
    if (scanner.take(']')) break;
    if (!scanner.take(',')) return scanner.fail("\",\" or \"]\"");
    scanner.skip_space();
  }
  return true;
}

bool RecordReader::read_whole_number(Place& at, std::int64_t& value, std::int64_t most,
                                     const char* expected) {
  const char* const first = at.scanner.position();
  value = 0;
  if (!starts_number(at.scanner.peek())) return skip_wrong(at, expected);
  NumberToken token;
  if (!at.scanner.number(token)) return false;
  if (to_whole_number(token, value) != WholeNumber::fits || value < 0 || value > most) {
    value = 0;
    wrong(at, first, expected);
  }
  return true;
}

// Of the problems of one value the first is kept.
Problem& RecordReader::wrong(Place& at, const char* where, const char* expected) {
  layout_.refuse();
  Problem& problem = at.cell.problem;
  if (problem) return problem;
  problem = {};
  problem.kind = JsonFault::Kind::schema;
  problem.expected = expected;
  problem.byte = at.window.offset_of(where);
  problem.member = at.member;
  problem.element = at.element;
  problem.part = at.part;
  return problem;
}

void RecordReader::wrong_length(Place& at, const char* where, const char* expected, std::size_t n) {
  if (at.cell.problem) return;
  Problem& problem = wrong(at, where, expected);
  problem.got = Problem::Got::list_of;
  problem.amount = n;
}

bool RecordReader::skip_wrong(Place& at, const char* expected) {
  wrong(at, at.scanner.position(), expected);
  return at.scanner.skip_value(at.depth);
}

void RecordReader::note(const Place& at, Layout::Kind kind, const char* first) {
  layout_.note({kind, static_cast<std::uint8_t>(at.index),
                static_cast<std::uint8_t>(at.element.value_or(0)), first, at.scanner.position()});
}

void RecordReader::blame(Problem& problem) const {
  problem.section = table_->schema().path;
  problem.record = table_->n_rows();
  problem.field = at_field_;
  problem.key_byte = at_key_;
}

}  // namespace snellen::json
