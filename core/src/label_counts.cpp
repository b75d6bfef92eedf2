#include "snellen/label_counts.hpp"

#include <algorithm>
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

}  // namespace

bool factorise(const std::int64_t* labels, std::size_t n, std::size_t max_span, Factorised& out) {
  if (n == 0) return true;
  const std::size_t n_parts = part_count(n);
  std::vector<std::int64_t> low(n_parts), high(n_parts);
  for_parts(n, n_parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    std::int64_t lowest = labels[begin], highest = labels[begin];
    for (std::size_t i = begin; i < end; ++i) {
      lowest = std::min(lowest, labels[i]);
      highest = std::max(highest, labels[i]);
    }
    low[part] = lowest;
    high[part] = highest;
  });
  const std::int64_t lowest = *std::min_element(low.begin(), low.end());
  const std::int64_t highest = *std::max_element(high.begin(), high.end());
  // Unsigned, because the distance between two int64 may not fit one.
  const std::uint64_t base = static_cast<std::uint64_t>(lowest);
  const std::uint64_t span = static_cast<std::uint64_t>(highest) - base;
  if (span >= max_span) return false;

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
  const std::size_t n_parts = part_count(n);
  const std::size_t n_cells = n_classes * n_classes;
  // 32 bits keep the tables in the cache; a Column asks for large pages, which a table that is
  // walked at random needs most.
  std::vector<Column<std::uint32_t>> tables(n_parts);
  for_parts(n, n_parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    tables[part].resize_uninitialised(n_cells);
    std::uint32_t* const table = tables[part].data();
    std::fill(table, table + n_cells, 0u);
    for (std::size_t i = begin; i < end; ++i) {
      ++table[static_cast<std::size_t>(row[i]) * n_classes + static_cast<std::size_t>(column[i])];
    }
  });
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

}  // namespace snellen
