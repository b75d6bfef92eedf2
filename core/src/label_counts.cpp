#include "snellen/label_counts.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "snellen/parallel.hpp"

namespace snellen {

namespace {

// Below so many rows a second thread costs more than it saves.
constexpr std::size_t kRowsForThread = 1 << 16;

std::size_t part_count(std::size_t n) {
  return std::clamp<std::size_t>(n / kRowsForThread, 1, static_cast<std::size_t>(thread_count()));
}

// Calls work(part, begin, end) for parts of [0, n).
template <class Work>
void for_parts(std::size_t n, std::size_t n_parts, const Work& work) {
  parallel_for(n_parts,
               [&](std::size_t part) { work(part, n * part / n_parts, n * (part + 1) / n_parts); });
}

struct Range {
  std::int64_t lowest;
  std::int64_t highest;
};

Range range_of(const std::int64_t* labels, std::size_t n) {
  const std::size_t n_parts = part_count(n);
  std::vector<Range> found(n_parts);
  for_parts(n, n_parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    Range range{labels[begin], labels[begin]};
    for (std::size_t i = begin; i < end; ++i) {
      range.lowest = std::min(range.lowest, labels[i]);
      range.highest = std::max(range.highest, labels[i]);
    }
    found[part] = range;
  });
  Range whole = found[0];
  for (const Range& range : found) {
    whole.lowest = std::min(whole.lowest, range.lowest);
    whole.highest = std::max(whole.highest, range.highest);
  }
  return whole;
}

Range range_of_both(const std::int64_t* one, const std::int64_t* other, std::size_t n) {
  const Range a = range_of(one, n), b = range_of(other, n);
  return {std::min(a.lowest, b.lowest), std::max(a.highest, b.highest)};
}

bool fits(const Range& range, std::size_t max_span) {
  // Unsigned, because the distance between two int64 may not fit one.
  return static_cast<std::uint64_t>(range.highest) - static_cast<std::uint64_t>(range.lowest) <
         max_span;
}

// The cells of the sum of the tables that are not 0.
PairCount cells_of(const std::vector<Column<std::uint32_t>>& tables, std::size_t n_cells,
                   std::size_t n) {
  PairCount found;
  // One more than can be found: every cell is written, and stays where it is not empty.
  const std::size_t most = std::min(n, n_cells) + 1;
  found.cell.resize_uninitialised(most);
  found.count.resize_uninitialised(most);
  std::size_t n_found = 0;
  for (std::size_t cell = 0; cell < n_cells; ++cell) {
    std::int64_t count = 0;
    for (const auto& table : tables) count += table.data()[cell];
    found.cell.data()[n_found] = static_cast<std::int64_t>(cell);
    found.count.data()[n_found] = count;
    n_found += count != 0;
  }
  found.cell.resize_uninitialised(n_found);
  found.count.resize_uninitialised(n_found);
  return found;
}

// Counts into a table for each part; count(table, begin, end) adds those rows.
template <class Count>
PairCount counted(std::size_t n, std::size_t n_cells, const Count& count) {
  const std::size_t n_parts = part_count(n);
  // 32 bits keep the tables in the cache; a Column asks for large pages, which a table that is
  // walked at random needs most.
  std::vector<Column<std::uint32_t>> tables(n_parts);
  for_parts(n, n_parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    tables[part].resize_uninitialised(n_cells);
    std::uint32_t* const table = tables[part].data();
    std::fill(table, table + n_cells, 0u);
    count(table, begin, end);
  });
  return cells_of(tables, n_cells, n);
}

// From cells of offsets to cells of positions among the labels that occur, which keep their order.
void number_by_presence(std::uint64_t base, std::size_t span, LabelPairs& out) {
  std::vector<std::int64_t> position(span, -1);
  for (const std::int64_t cell : out.pairs.cell) {
    position[static_cast<std::size_t>(cell) / span] = 0;
    position[static_cast<std::size_t>(cell) % span] = 0;
  }
  std::int64_t n_ids = 0;
  for (std::size_t offset = 0; offset < span; ++offset) {
    if (position[offset] < 0) continue;
    position[offset] = n_ids++;
    out.ids.push_back(static_cast<std::int64_t>(base + offset));
  }
  if (static_cast<std::size_t>(n_ids) == span) return;
  for (std::int64_t& cell : out.pairs.cell) {
    cell = position[static_cast<std::size_t>(cell) / span] * n_ids +
           position[static_cast<std::size_t>(cell) % span];
  }
}

}  // namespace

bool factorise(const std::int64_t* labels, std::size_t n, std::size_t max_span, Factorised& out) {
  if (n == 0) return true;
  const std::size_t n_parts = part_count(n);
  const Range range = range_of(labels, n);
  if (!fits(range, max_span)) return false;
  const std::uint64_t base = static_cast<std::uint64_t>(range.lowest);
  const std::uint64_t span = static_cast<std::uint64_t>(range.highest) - base;

  std::vector<std::vector<std::uint8_t>> seen(n_parts);
  for_parts(n, n_parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    seen[part].assign(span + 1, 0);
    std::uint8_t* const marks = seen[part].data();
    for (std::size_t i = begin; i < end; ++i) {
      marks[static_cast<std::uint64_t>(labels[i]) - base] = 1;
    }
  });
  std::vector<std::int32_t> code_of(span + 1);
  std::int32_t n_ids = 0;
  for (std::uint64_t offset = 0; offset <= span; ++offset) {
    code_of[offset] = n_ids;
    for (std::size_t part = 0; part < n_parts; ++part) {
      if (seen[part][offset] == 0) continue;
      ++n_ids;
      break;
    }
  }
  out.ids.resize_uninitialised(static_cast<std::size_t>(n_ids));
  for (std::uint64_t offset = 0; offset <= span; ++offset) {
    const std::int32_t next = offset == span ? n_ids : code_of[offset + 1];
    if (next == code_of[offset]) continue;
    out.ids.data()[code_of[offset]] = static_cast<std::int64_t>(base + offset);
  }
  out.code.resize_uninitialised(n);
  std::int32_t* const code = out.code.data();
  for_parts(n, n_parts, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      code[i] = code_of[static_cast<std::uint64_t>(labels[i]) - base];
    }
  });
  return true;
}

PairCount count_pairs(const std::int32_t* row, const std::int32_t* column, std::size_t n,
                      std::size_t n_classes) {
  const auto count = [&](std::uint32_t* table, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      ++table[static_cast<std::size_t>(row[i]) * n_classes + static_cast<std::size_t>(column[i])];
    }
  };
  return counted(n, n_classes * n_classes, count);
}

bool count_labels(const std::int64_t* truth, const std::int64_t* pred, std::size_t n,
                  std::size_t max_span, LabelPairs& out) {
  if (n == 0) return true;
  // The first labels nearly always show the range of all; where they don't, it is sought.
  Range range = range_of_both(truth, pred, std::min(n, kRowsForThread));
  for (bool sought = false;; sought = true) {
    if (!fits(range, max_span)) return false;
    const std::uint64_t base = static_cast<std::uint64_t>(range.lowest);
    const std::size_t span =
        static_cast<std::size_t>(static_cast<std::uint64_t>(range.highest) - base) + 1;
    std::atomic<bool> outside{false};
    out.pairs =
        counted(n, span * span, [&](std::uint32_t* table, std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const std::uint64_t row = static_cast<std::uint64_t>(truth[i]) - base;
            const std::uint64_t column = static_cast<std::uint64_t>(pred[i]) - base;
            if (row >= span || column >= span) {
              outside = true;
              return;
            }
            ++table[row * span + column];
          }
        });
    if (!outside) {
      number_by_presence(base, span, out);
      return true;
    }
    if (sought) return false;  // cannot be: the range is that of all labels
    range = range_of_both(truth, pred, n);
  }
}

}  // namespace snellen
