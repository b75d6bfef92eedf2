#include "json_table.hpp"

#include <limits>
#include <new>
#include <utility>

namespace snellen::json {
namespace {

// Texts are numbered anew; rows without an id (`flags` 0) stay 0.
void append_texts(FieldColumns& columns, const FieldColumns& more) {
  std::vector<std::int64_t> number;
  for (const std::string& text : more.ids.texts.in_order()) {
    number.push_back(columns.ids.texts.number_of(text));
  }
  for (std::size_t i = 0; i < more.ids.value.size(); ++i) {
    const bool present = more.flags.empty() || more.flags[i] != 0;
    const auto local = static_cast<std::size_t>(more.ids.value[i]);
    columns.ids.value.push_back(present ? number[local] : 0);
  }
}

void append(FieldColumns& columns, const FieldColumns& more) {
  if (more.ids.kind == IdBuilder::Kind::text) {
    append_texts(columns, more);
  } else {
    append_roomily(columns.ids.value, more.ids.value);
  }
  if (more.ids.kind != IdBuilder::Kind::unknown) columns.ids.kind = more.ids.kind;
  append_roomily(columns.flags, more.flags);
  append_roomily(columns.numbers, more.numbers);
  append_roomily(columns.counts, more.counts);
  columns.shapes.append(more.shapes);
  columns.names.insert(columns.names.end(), more.names.begin(), more.names.end());
}

std::size_t cache_place(const std::string& text) {
  // Ids that are near each other differ at their ends.
  std::size_t hash = text.size();
  const std::size_t first = text.size() > 8 ? text.size() - 8 : 0;
  for (std::size_t i = first; i < text.size(); ++i) {
    hash = hash * 31 + static_cast<unsigned char>(text[i]);
  }
  return hash;
}

Problem problem_of(const Field& field, std::uint64_t byte) {
  Problem problem;
  problem.kind = JsonFault::Kind::schema;
  problem.byte = byte;
  problem.field = field.key;
  return problem;
}

void push(const Field& field, FieldColumns& columns, const Cell& cell, const Record& record) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  static const Shape kNoShape;
  switch (field.kind) {
    case FieldKind::id:
      if (!field.required) columns.flags.push_back(cell.present);
      if (!cell.present) {
        columns.ids.value.push_back(0);
      } else if (cell.is_text) {
        columns.ids.kind = IdBuilder::Kind::text;
        columns.ids.value.push_back(columns.ids.texts.number_of(cell.text));
      } else {
        columns.ids.kind = IdBuilder::Kind::number;
        columns.ids.value.push_back(cell.id);
      }
      break;
    case FieldKind::box:
      for (const double side : cell.number) columns.numbers.push_back(cell.present ? side : kNone);
      break;
    case FieldKind::score:
      columns.numbers.push_back(cell.number[0]);
      break;
    case FieldKind::area:
      columns.numbers.push_back(cell.present ? cell.number[0] : kNone);
      break;
    case FieldKind::crowd:
    case FieldKind::mark:
      columns.flags.push_back(cell.present ? cell.crowd : 2);
      break;
    case FieldKind::name:
      columns.names.push_back(cell.present ? cell.text : std::string());
      break;
    case FieldKind::count:
      columns.counts.push_back(cell.present ? cell.id : -1);
      break;
    case FieldKind::shape:
      columns.shapes.push(cell.present ? record.shape : kNoShape);
      break;
    case FieldKind::keypoints:
      if (cell.present) append_roomily(columns.numbers, record.keypoint_numbers);
      columns.counts.push_back(
          cell.present ? static_cast<std::int64_t>(record.keypoint_numbers.size() / 3) : -1);
      break;
  }
}

}  // namespace

std::int64_t TextNumbers::number_of(const std::string& text) {
  const Map::value_type*& recent = recent_[cache_place(text) % recent_.size()];
  if (recent == nullptr || recent->first != text) {
    recent = &*numbers_.try_emplace(text, static_cast<std::int64_t>(numbers_.size())).first;
  }
  return recent->second;
}

std::vector<std::string> TextNumbers::in_order() const {
  std::vector<std::string> texts(numbers_.size());
  for (const auto& [text, number] : numbers_) texts[static_cast<std::size_t>(number)] = text;
  return texts;
}

void TextNumbers::clear() {
  numbers_.clear();
  recent_.fill(nullptr);
}

IdColumn IdBuilder::finish() { return {std::move(value), texts.in_order(), kind == Kind::text}; }

void Table::clear() {
  n_rows_ = 0;
  unusual_ = false;
  problem_ = {};
  for (FieldColumns& columns : columns_) {
    columns.ids.kind = IdBuilder::Kind::unknown;
    columns.ids.value.clear();
    columns.ids.texts.clear();
    columns.flags.clear();
    columns.numbers.clear();
    columns.counts.clear();
    columns.names.clear();
    columns.shapes.clear();
  }
}

void Table::expect(std::uint64_t n_rows) try {
  const auto n = static_cast<std::size_t>(n_rows);
  for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
    const Field& field = schema_->fields[i];
    switch (field.kind) {
      case FieldKind::id:
        columns_[i].ids.value.reserve(n);
        if (!field.required) columns_[i].flags.reserve(n);
        break;
      case FieldKind::box:
        columns_[i].numbers.reserve(4 * n);
        break;
      case FieldKind::score:
      case FieldKind::area:
        columns_[i].numbers.reserve(n);
        break;
      case FieldKind::crowd:
      case FieldKind::mark:
        columns_[i].flags.reserve(n);
        break;
      case FieldKind::count:
        columns_[i].counts.reserve(n);
        break;
      case FieldKind::shape:
        columns_[i].shapes.expect(n);
        break;
      case FieldKind::keypoints:
        columns_[i].counts.reserve(n);
        if (n_rows_ > 0) columns_[i].numbers.reserve(columns_[i].numbers.size() / n_rows_ * n);
        break;
      case FieldKind::name:
        break;
    }
  }
} catch (const std::bad_alloc&) {
  // A guess that was too high. Columns grow as they must.
}

// The first problem of a complete record, by its place.
Problem Table::check(const Record& record) const {
  Problem first;
  for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
    const Field& field = schema_->fields[i];
    const Cell& cell = record.cell[i];
    Problem problem;
    if (!cell.present) {
      if (!field.required) continue;
      problem = problem_of(field, record.byte);
      problem.got = Problem::Got::missing;
    } else if (cell.problem) {
      problem = cell.problem;
      problem.field = field.key;
    } else if (field.kind == FieldKind::id && !columns_[i].ids.accepts(IdBuilder::kind_of(cell))) {
      problem = problem_of(field, cell.byte);
      problem.expected =
          cell.is_text ? "a whole number like the ids before it" : "text like the ids before it";
    }
    if (problem && (!first || problem.byte < first.byte)) first = problem;
  }
  return first;
}

void Table::add(const Record& record) {
  if (!problem_) {
    for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
      push(schema_->fields[i], columns_[i], record.cell[i], record);
    }
  }
  ++n_rows_;
}

void Table::add_checked(const Record& record) {
  if (problem_) {
    ++n_rows_;
  } else if (const Problem problem = check(record)) {
    add_faulty(problem);
  } else {
    add(record);
  }
}

void Table::add_faulty(Problem problem) {
  if (!problem_) {
    problem_ = problem;
    problem_.section = schema_->path;
    problem_.record = n_rows_;
  }
  ++n_rows_;
}

bool Table::accepts(const Table& other) const {
  if (problem_) return true;
  if (other.problem_) return false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].ids.accepts(other.columns_[i].ids.kind)) return false;
  }
  return true;
}

void Table::append(const Table& other) {
  if (!problem_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      json::append(columns_[i], other.columns_[i]);
    }
  }
  n_rows_ += other.n_rows_;
  unusual_ |= other.unusual_;
}

}  // namespace snellen::json
