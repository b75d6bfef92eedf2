// A list of records to a table, on several threads.
//
// Where a record starts is not known before everything ahead of it has been read, so it is
// guessed: the document is cut every so many bytes, and each piece starts at the "{" of the first
// "} , {" (with or without white space) whose "}" lies in it. Pieces are parsed at the same time,
// each until a record ends at or behind the next cut. A piece counts only if the one before it ends
// exactly where it starts: then it has read what a single reader would have read. If not (the guess
// fell into a string, say), that stretch is read again from the right place. So guesses decide on
// time, never on results.
//
// Pieces come in waves of a few, so that little is parsed in vain where the list ends and what was
// parsed is put together while the caches still have it.
#pragma once

#include <cstdint>
#include <deque>

#include "json_problem.hpp"
#include "json_records.hpp"
#include "json_source.hpp"
#include "json_table.hpp"
#include "snellen/json_columns.hpp"

namespace snellen::json {

enum class Ended {
  at_cut,      // the next record starts where the reader stands
  at_close,    // behind the "]"
  at_problem,  // in the table: there was no need to go on
  at_fault     // of syntax
};

// Reads records one after the other.
class Stretch {
 public:
  Stretch(Reader& reader, Table& table, bool stop_at_problem)
      : reader_(&reader), table_(&table), records_(table), stop_at_problem_(stop_at_problem) {}

  // From the start of a record until one ends at or behind `cut`.
  Ended run(std::uint64_t cut);
  // Where the last record ends (its last byte).
  std::uint64_t last() const { return last_; }
  const Problem& fault() const { return fault_; }
  // Notes the failure of the reader's last step, outside a record.
  void blame();
  // Goes on where a stretch ended whose records were appended to this one's table.
  void follow(const Stretch& other, std::uint64_t n_rows_before);
  void reset() { records_.reset(); }

 private:
  Reader* reader_;
  Table* table_;
  RecordReader records_;
  bool stop_at_problem_;
  std::uint64_t last_ = 0;
  Problem fault_;
};

struct ListRules {
  bool stop_at_problem;  // nothing that follows can change what is reported
  detail::ReadPlan plan;
};

class ListReader {
 public:
  ListReader(const Source& source, Reader& reader, Table& table, const ListRules& rules);

  // From behind the "[" to behind the "]".
  Ended read();
  const Problem& fault() const { return stretch_.fault(); }

 private:
  // What one thread works on.
  struct Piece {
    Piece(const Source& source, const Schema& schema, const ListRules& rules);
    // Parses from `offset` on; if that is not known to be the start of a record, from the first
    // that seems to be one.
    void parse(std::uint64_t offset, std::uint64_t cut, bool known);
    bool find_record(std::uint64_t cut);

    Reader reader;
    Table table;
    Stretch stretch;
    std::size_t reserve;  // bytes that a record may go beyond the cut
    bool usable = false;
    std::uint64_t start = 0;
    Ended ended = Ended::at_cut;
  };

  void expect_rows(std::uint64_t start);
  Ended read_wave(std::size_t n_pieces);
  // The records up to the next cut, by a piece if it fits.
  Ended take(const Piece& piece, std::uint64_t cut);

  const Source* source_;
  Reader* reader_;
  Table* table_;
  ListRules rules_;
  Stretch stretch_;
  std::uint64_t position_ = 0;
  std::deque<Piece> pieces_;
};

}  // namespace snellen::json
