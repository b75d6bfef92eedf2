#include "json_list.hpp"

#include <algorithm>
#include <cstring>

#include "snellen/parallel.hpp"

namespace snellen::json {
namespace {

constexpr char kListStart[] = "a value or \"]\"";
constexpr char kListGoesOn[] = "\",\" or \"]\"";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Two threads that work on halves of unequal weight wait for each other; on quarters less so. Many
// threads even out without that, and pieces take memory.
std::size_t pieces_at_a_time(const detail::ReadPlan& plan) {
  if (plan.n_pieces != 0) return plan.n_pieces;
  const auto n_threads = static_cast<std::size_t>(thread_count());
  return n_threads == 1 || n_threads > 8 ? n_threads : 2 * n_threads;
}

// What a piece has in memory: some records more than it owns, to see where the last one ends.
std::size_t window_bytes(const detail::ReadPlan& plan) {
  constexpr std::size_t kBeyondCut = std::size_t{1} << 14;
  return plan.piece_bytes + std::min(plan.piece_bytes, kBeyondCut);
}

}  // namespace

// ---- Stretch -----------------------------------------------------------------------------------

Ended Stretch::run(std::uint64_t cut) {
  for (;;) {
    const bool read = reader_->step(
        [this](Scanner& scanner) { return records_.read(scanner, reader_->window()); });
    if (!read) {
      blame();
      records_.blame(fault_);
      return Ended::at_fault;
    }
    last_ = reader_->offset() - 1;
    if (stop_at_problem_ && table_->problem()) return Ended::at_problem;
    bool closes = false;
    const bool separated = reader_->step([&closes](Scanner& scanner) {
      scanner.skip_space();
      closes = scanner.take(']');
      if (closes) return true;
      if (!scanner.take(',')) return scanner.fail(kListGoesOn);
      scanner.skip_space();
      // The next record's start must be known, even where the window ends.
      return scanner.at_end() ? scanner.fail("a value") : true;
    });
    if (!separated) {
      blame();
      fault_.record = table_->n_rows() - 1;
      return Ended::at_fault;
    }
    if (closes) return Ended::at_close;
    if (last_ >= cut) return Ended::at_cut;
  }
}

void Stretch::blame() {
  fault_ = syntax_fault(*reader_);
  fault_.section = table_->schema().path;
}

void Stretch::follow(const Stretch& other, std::uint64_t n_rows_before) {
  last_ = other.last_;
  fault_ = other.fault_;
  if (fault_.record) *fault_.record += n_rows_before;
}

// ---- Piece -------------------------------------------------------------------------------------

ListReader::Piece::Piece(const Source& source, const Schema& schema, const ListRules& rules)
    : reader(source, window_bytes(rules.plan)),
      table(schema),
      stretch(reader, table, rules.stop_at_problem),
      reserve(rules.plan.piece_bytes) {}

void ListReader::Piece::parse(std::uint64_t offset, std::uint64_t cut, bool known) {
  table.clear();
  stretch.reset();
  // A piece that starts at a wrong place may see one endless string: it gives up early, or many
  // such pieces would each read all of the document.
  reader.seek_within(offset, known ? kNoLimit : cut + reserve);
  usable = known || find_record(cut);
  if (!usable) return;
  start = reader.offset();
  ended = stretch.run(cut);
  usable = ended != Ended::at_fault || !reader.scanner().ran_out();
}

bool ListReader::Piece::find_record(std::uint64_t cut) {
  reader.fill();
  const Window& window = reader.window();
  const char* const end = window.end();
  const auto size = static_cast<std::uint64_t>(end - window.begin());
  const char* const stop = window.begin() + std::min(size, cut - window.offset_of(window.begin()));
  for (const char* p = window.begin(); p != stop; ++p) {
    p = static_cast<const char*>(std::memchr(p, '}', static_cast<std::size_t>(stop - p)));
    if (p == nullptr) return false;
    const char* comma = std::find_if_not(p + 1, end, is_space);
    if (comma == end || *comma != ',') continue;
    const char* record = std::find_if_not(comma + 1, end, is_space);
    if (record == end || *record != '{') continue;
    reader.seek(window.offset_of(record));
    return true;
  }
  return false;
}

// ---- ListReader --------------------------------------------------------------------------------

ListReader::ListReader(const Source& source, Reader& reader, Table& table, const ListRules& rules)
    : source_(&source),
      reader_(&reader),
      table_(&table),
      rules_(rules),
      stretch_(reader, table, rules.stop_at_problem) {}

Ended ListReader::read() {
  bool empty = false;
  const bool begun = reader_->step([&empty](Scanner& scanner) {
    scanner.skip_space();
    empty = scanner.take(']');
    return empty || !scanner.at_end() ? true : scanner.fail(kListStart);
  });
  if (!begun) {
    stretch_.blame();
    return Ended::at_fault;
  }
  if (empty) return Ended::at_close;
  // Most lists of a document are short: the first stretch is read without help.
  const std::uint64_t start = reader_->offset();
  Ended ended = stretch_.run(start + rules_.plan.piece_bytes);
  if (ended != Ended::at_cut) return ended;
  expect_rows(start);
  while (ended == Ended::at_cut) {
    // There may be more threads by now, or less.
    const std::size_t n_pieces = pieces_at_a_time(rules_.plan);
    ended = n_pieces == 1 ? stretch_.run(reader_->offset() + rules_.plan.piece_bytes)
                          : read_wave(n_pieces);
  }
  return ended;
}

// Records of one list tend to be of one length; room that is not needed is never touched.
void ListReader::expect_rows(std::uint64_t start) {
  const std::uint64_t size = source_->likely_size();
  const std::uint64_t now = reader_->offset();
  if (size <= now) return;
  const double per_byte = static_cast<double>(table_->n_rows()) / static_cast<double>(now - start);
  const double left = per_byte * static_cast<double>(size - now);
  table_->expect(table_->n_rows() + static_cast<std::uint64_t>(1.05 * left));
}

Ended ListReader::read_wave(std::size_t n_pieces) {
  const std::uint64_t size = rules_.plan.piece_bytes;
  while (pieces_.size() < n_pieces) pieces_.emplace_back(*source_, table_->schema(), rules_);
  const std::uint64_t base = position_ = reader_->offset();
  parallel_for(n_pieces, [&](std::size_t i) {
    const std::uint64_t offset = base + i * size;
    pieces_[i].parse(offset, offset + size, i == 0);
  });
  Ended ended = Ended::at_cut;
  for (std::size_t i = 0; i < n_pieces && ended == Ended::at_cut; ++i) {
    ended = take(pieces_[i], base + (i + 1) * size);
  }
  reader_->seek(position_);
  return ended;
}

Ended ListReader::take(const Piece& piece, std::uint64_t cut) {
  if (stretch_.last() >= cut) return Ended::at_cut;
  if (piece.usable && piece.start == position_ && table_->accepts(piece.table)) {
    const std::uint64_t n_rows = table_->n_rows();
    table_->append(piece.table);
    stretch_.follow(piece.stretch, n_rows);
    position_ = piece.reader.offset();
    return piece.ended;
  }
  reader_->seek(position_);
  const Ended ended = stretch_.run(cut);
  position_ = reader_->offset();
  return ended;
}

}  // namespace snellen::json
