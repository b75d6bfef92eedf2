#include "near_findings.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::uint64_t kNoRow = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kBlockRows = 1 << 14;

template <class T>
std::unique_ptr<std::atomic<T>[]> atomics(std::size_t size, T value) {
  std::unique_ptr<std::atomic<T>[]> cells(new std::atomic<T>[size]);
  for (std::size_t i = 0; i < size; ++i) cells[i].store(value, std::memory_order_relaxed);
  return cells;
}

}  // namespace

Points points_of(const std::uint64_t* hash, const std::int32_t* part, std::size_t n_rows) {
  struct Row {
    Hash hash;
    std::int32_t part;
    std::int32_t row;
    auto operator<=>(const Row&) const = default;
  };
  std::vector<Row> rows(n_rows);
  for (std::size_t i = 0; i < n_rows; ++i) {
    std::memcpy(rows[i].hash.data(), hash + i * kHashWords, sizeof(Hash));
    rows[i].part = part[i];
    rows[i].row = static_cast<std::int32_t>(i);
  }
  std::sort(rows.begin(), rows.end());

  Points points;
  points.point_of_row.resize(n_rows);
  for (const Row& row : rows) {
    const bool new_point = points.hash.empty() || points.hash.back() != row.hash;
    if (new_point) {
      points.hash.push_back(row.hash);
      points.node_start.push_back(points.nodes.size());
    }
    points.point_of_row[static_cast<std::size_t>(row.row)] =
        static_cast<std::uint32_t>(points.size() - 1);
    if (new_point || points.nodes.back().part != row.part) {
      points.nodes.push_back({row.part, row.row, -1, 1});
      continue;
    }
    Node& node = points.nodes.back();
    if (node.n_rows++ == 1) node.second_row = row.row;
  }
  points.node_start.push_back(points.nodes.size());
  return points;
}

Groups::Groups(std::size_t size) : parent_(new std::atomic<std::uint32_t>[size]) {
  for (std::size_t i = 0; i < size; ++i) {
    parent_[i].store(static_cast<std::uint32_t>(i), std::memory_order_relaxed);
  }
}

std::uint32_t Groups::root(std::uint32_t i) {
  for (;;) {
    std::uint32_t above = parent_[i].load(std::memory_order_relaxed);
    if (above == i) return i;
    const std::uint32_t next = parent_[above].load(std::memory_order_relaxed);
    if (next == above) return above;
    // Shorter for those who come after; where another thread was sooner, nothing is lost.
    parent_[i].compare_exchange_weak(above, next, std::memory_order_relaxed);
    i = next;
  }
}

Findings::Findings(const Points& points, std::size_t n_parts)
    : points_(points),
      n_parts_(n_parts),
      groups_(points.size()),
      nearest_(atomics(points.size() * n_parts, kNoRow)),
      n_pairs_(atomics(n_parts * n_parts, std::int64_t{0})) {}

void Findings::add(const Counts& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) n_pairs_[i].fetch_add(counts[i], std::memory_order_relaxed);
  }
}

NearDuplicates Findings::of_rows() {
  const std::size_t n_rows = points_.point_of_row.size();
  NearDuplicates result;

  Counts counts(n_parts_ * n_parts_);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = n_pairs_[i].load();
  for (std::size_t k = 0; k < points_.size(); ++k) {
    for (std::size_t i = points_.node_start[k]; i < points_.node_start[k + 1]; ++i) {
      const Node& one = points_.nodes[i];
      cell(counts, one.part, one.part) += one.n_rows * (one.n_rows - 1) / 2;
      for (std::size_t j = i + 1; j < points_.node_start[k + 1]; ++j) {
        cell(counts, one.part, points_.nodes[j].part) += one.n_rows * points_.nodes[j].n_rows;
      }
    }
  }
  result.n_pairs = std::move(counts);

  std::vector<std::int32_t> first_of_group(points_.size(), -1);
  result.group.resize_uninitialised(n_rows);
  for (std::size_t row = 0; row < n_rows; ++row) {
    std::int32_t& first = first_of_group[groups_.root(points_.point_of_row[row])];
    if (first < 0) first = static_cast<std::int32_t>(row);
    result.group[row] = first;
  }

  result.nearest.resize_uninitialised(n_rows * n_parts_);
  result.bits.resize_uninitialised(n_rows * n_parts_);
  parallel_for((n_rows + kBlockRows - 1) / kBlockRows, [&](std::size_t block) {
    const std::size_t end = std::min(n_rows, (block + 1) * kBlockRows);
    for (std::size_t row = block * kBlockRows; row < end; ++row) {
      const std::uint32_t point = points_.point_of_row[row];
      std::int32_t* const nearest = result.nearest.data() + row * n_parts_;
      std::int16_t* const bits = result.bits.data() + row * n_parts_;
      for (std::size_t p = 0; p < n_parts_; ++p) {
        const std::uint64_t found = nearest_[point * n_parts_ + p].load(std::memory_order_relaxed);
        nearest[p] = found == kNoRow ? -1 : static_cast<std::int32_t>(found & 0xFFFFFFFF);
        bits[p] = found == kNoRow ? std::int16_t{-1} : static_cast<std::int16_t>(found >> 32);
      }
      // Rows of equal hashes are nearer than all others.
      for (std::size_t i = points_.node_start[point]; i < points_.node_start[point + 1]; ++i) {
        const Node& node = points_.nodes[i];
        const bool itself = node.first_row == static_cast<std::int32_t>(row);
        const std::int32_t other = itself ? node.second_row : node.first_row;
        if (other < 0) continue;
        nearest[static_cast<std::size_t>(node.part)] = other;
        bits[static_cast<std::size_t>(node.part)] = 0;
      }
    }
  });
  return result;
}

}  // namespace snellen
