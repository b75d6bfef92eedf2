// Where the bytes of a document come from: memory, or a file that is read piece by piece.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "snellen/column.hpp"
#include "snellen/json_scanner.hpp"

namespace snellen::json {

// A document that any number of threads may read from at once.
//
// Files are read, not mapped: another process that shortens a mapped file kills its reader. A file
// that changes meanwhile can give a mixture of its versions, as with any reader.
class Source {
 public:
  struct File {
    const std::string& path;
  };
  explicit Source(std::string_view document) : in_memory_(true), document_(document) {}
  explicit Source(File file);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  bool in_memory() const { return in_memory_; }
  std::string_view document() const { return document_; }
  // Up to n bytes from `offset`; fewer only at the end of the document, or on an error.
  std::size_t read(std::uint64_t offset, char* to, std::size_t n) const;
  // Where the document probably ends, for estimates; 0 when nothing is known.
  std::uint64_t likely_size() const { return in_memory_ ? document_.size() : file_size_; }
  // "" while all went well.
  std::string error() const;

 private:
  void read_whole();

  bool in_memory_ = false;
  std::string_view document_;
  Column<char> whole_;  // what a pipe held
  int file_ = -1;
  std::uint64_t file_size_ = 0;
  mutable std::atomic<int> error_{0};
};

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// A stretch of a document that is in memory. For a document that is itself in memory this is all
// of it from some offset on, and nothing is copied.
class Window {
 public:
  // `step`: how many bytes of a file to hold, unless one record needs more.
  Window(const Source& source, std::size_t step) : source_(&source), step_(step) {
    open(0, kNoLimit);
  }

  // Starts at `offset`, empty for a file until `extend`; never goes to `limit` or beyond.
  void open(std::uint64_t offset, std::uint64_t limit);
  // Lets go of what stands before `keep` and reads on. False when there is no more to be had. The
  // bytes at `keep` are then at begin().
  bool extend(const char* keep);

  const char* begin() const { return begin_; }
  const char* end() const { return end_; }
  bool closed() const { return closed_; }  // the document ends at end()
  std::uint64_t offset_of(const char* p) const {
    return offset_ + static_cast<std::uint64_t>(p - begin_);
  }
  bool holds(std::uint64_t offset) const {
    return offset >= offset_ && offset - offset_ <= static_cast<std::uint64_t>(end_ - begin_);
  }

 private:
  const Source* source_;
  std::size_t step_;
  std::uint64_t offset_ = 0;  // of begin_
  std::uint64_t limit_ = kNoLimit;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  bool closed_ = false;
  Column<char> buffer_;
  std::size_t capacity_ = 0;
};

// A scanner over a window that moves along.
class Reader {
 public:
  Reader(const Source& source, std::size_t step) : window_(source, step) { scan_from(0); }

  // Goes to `offset`; nothing is read again that the window holds.
  void seek(std::uint64_t offset);
  // Goes to `offset`, with a view that ends before `limit`: there a step fails for want of bytes.
  void seek_within(std::uint64_t offset, std::uint64_t limit);
  std::uint64_t offset() const { return window_.offset_of(scanner_.position()); }
  const Window& window() const { return window_; }
  const Scanner& scanner() const { return scanner_; }
  // Where and why the last step failed.
  std::uint64_t failed_at() const { return window_.offset_of(scanner_.failed_at()); }

  // Runs `parse(scanner)`, again from the same place in a larger window for as long as it runs out
  // of bytes. A record is one step: what it takes to hold it is doubled each time, so that the
  // repetition costs no more than a constant factor.
  template <class Parse>
  bool step(Parse&& parse) {
    for (;;) {
      const char* start = scanner_.position();
      if (parse(scanner_)) [[likely]] {
        return true;
      }
      if (!scanner_.ran_out() || !extend(start)) return false;
    }
  }
  // Fills the window, for looking ahead.
  void fill() { extend(scanner_.position()); }

 private:
  void scan_from(std::uint64_t offset);
  bool extend(const char* keep);

  Window window_;
  Scanner scanner_;
};

}  // namespace snellen::json
