// Counts of pairs of values: a table of all pairs of bytes, a hash table for the rest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace snellen {

struct PairRow {
  std::int64_t truth, pred, count;
};

// Counts of fewer than 2³² pixels: 32 bits keep the table in the cache, and cannot overflow.
class BytePairTable {
 public:
  BytePairTable()
      : count_(static_cast<std::uint32_t*>(std::calloc(kCells, sizeof(std::uint32_t)))),
        cell_(static_cast<std::uint16_t*>(std::malloc(kCells * sizeof(std::uint16_t)))) {
    if (!count_ || !cell_) throw std::bad_alloc();
  }

  // cell: 256 truth + pred; n > 0.
  void add(std::size_t cell, std::uint32_t n) {
    std::uint32_t& count = count_.get()[cell];
    // Cells are listed when they are first met, so that a small image pays for few of them.
    if (count == 0) cell_.get()[n_cells_++] = static_cast<std::uint16_t>(cell);
    count += n;
  }

  // Appends the rows, ascending, and forgets them.
  void take(std::vector<PairRow>& rows) {
    if (n_cells_ >
        kCells / 16) {  // then a look at all cells is cheaper than putting these in order
      for (std::size_t cell = 0; cell < kCells; ++cell) take(cell, rows);
    } else {
      std::sort(cell_.get(), cell_.get() + n_cells_);
      for (std::size_t i = 0; i < n_cells_; ++i) take(cell_.get()[i], rows);
    }
    n_cells_ = 0;
  }

 private:
  static constexpr std::size_t kCells = 256 * 256;
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };

  void take(std::size_t cell, std::vector<PairRow>& rows) {
    std::uint32_t& count = count_.get()[cell];
    if (count == 0) return;
    rows.push_back(
        {static_cast<std::int64_t>(cell >> 8), static_cast<std::int64_t>(cell & 255), count});
    count = 0;
  }

  std::unique_ptr<std::uint32_t, Free> count_;
  std::unique_ptr<std::uint16_t, Free> cell_;  // that are not 0
  std::size_t n_cells_ = 0;
};

// Open addressing; a slot whose count is 0 is free.
class PairHash {
 public:
  PairHash() : slot_(kFewest) {}

  // n > 0.
  void add(std::uint64_t truth, std::uint64_t pred, std::uint32_t n) {
    Slot* const slot = find(truth, pred);
    if (slot->count != 0) {
      slot->count += n;
      return;
    }
    *slot = {truth, pred, n};
    if (++n_used_ * 2 > slot_.size()) grow();
  }

  // Appends the rows, in no order, and forgets them.
  void take(std::vector<PairRow>& rows) {
    if (n_used_ == 0) return;
    for (Slot& slot : slot_) {
      if (slot.count == 0) continue;
      rows.push_back({static_cast<std::int64_t>(slot.truth), static_cast<std::int64_t>(slot.pred),
                      static_cast<std::int64_t>(slot.count)});
      slot.count = 0;
    }
    n_used_ = 0;
    // The next image need not pay for this one's size.
    if (slot_.size() > kMostKept) slot_ = std::vector<Slot>(kFewest);
  }

 private:
  static constexpr std::size_t kFewest = 256, kMostKept = 1 << 14;
  struct Slot {
    std::uint64_t truth = 0, pred = 0, count = 0;
  };

  Slot* find(std::uint64_t truth, std::uint64_t pred) {
    // Odd constants of random bits (of the golden ratio, and of MurmurHash's finaliser).
    std::uint64_t hash = (truth * 0x9e3779b97f4a7c15 ^ pred) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
    const std::size_t mask = slot_.size() - 1;
    for (std::size_t i = static_cast<std::size_t>(hash) & mask;; i = (i + 1) & mask) {
      Slot& slot = slot_[i];
      if (slot.count == 0 || (slot.truth == truth && slot.pred == pred)) return &slot;
    }
  }

  void grow() {
    std::vector<Slot> old(slot_.size() * 2);
    old.swap(slot_);
    for (const Slot& slot : old) {
      if (slot.count != 0) *find(slot.truth, slot.pred) = slot;
    }
  }

  std::vector<Slot> slot_;  // a power of two
  std::size_t n_used_ = 0;
};

}  // namespace snellen
