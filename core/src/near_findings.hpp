// Rows with hashes as points, and what is found of near pairs of points.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "snellen/hamming.hpp"

namespace snellen {

using Hash = std::array<std::uint64_t, kHashWords>;

// The rows of one point and one part.
struct Node {
  std::int32_t part;
  std::int32_t first_row;
  std::int32_t second_row;  // −1 where there is one row only
  std::int64_t n_rows;
};

// Rows of equal hashes are one point; points ascend by their hash.
struct Points {
  std::vector<Hash> hash;
  std::vector<Node> nodes;              // by point, by part
  std::vector<std::size_t> node_start;  // nodes of point k: node_start[k] … [k + 1] − 1
  std::vector<std::uint32_t> point_of_row;

  std::size_t size() const { return hash.size(); }
};

Points points_of(const std::uint64_t* hash, const std::int32_t* part, std::size_t n_rows);

// Joins numbers into groups, from any thread. A root is only ever put below a smaller one, so the
// root of a group is its smallest number, whatever the order of the joins.
class Groups {
 public:
  explicit Groups(std::size_t size);
  std::uint32_t root(std::uint32_t i);
  void join(std::uint32_t a, std::uint32_t b);

 private:
  std::unique_ptr<std::atomic<std::uint32_t>[]> parent_;
};

// What is known of the pairs of points. Threads add to it at the same time: sums, smallest values
// and joins come out the same in every order.
class Findings {
 public:
  Findings(const Points& points, std::size_t n_parts);

  // Near pairs counted by one job: cells of a matrix part × part.
  using Counts = std::vector<std::int64_t>;
  Counts no_counts() const { return Counts(n_parts_ * n_parts_); }

  // Takes in a pair of different points, each pair once.
  void add(std::uint32_t a, std::uint32_t b, int distance, Counts& counts);
  void add(const Counts& counts);

  // What was found, and the pairs of equal hashes.
  NearDuplicates of_rows();

 private:
  std::int64_t& cell(Counts& counts, std::int32_t p, std::int32_t q) const;
  void offer(std::uint32_t to, std::uint32_t from, int distance);

  const Points& points_;
  std::size_t n_parts_;
  Groups groups_;
  // Of each point and part: distance and row of the nearest in one number, so that the smaller
  // number is the nearer one and, of equally near ones, the first.
  std::unique_ptr<std::atomic<std::uint64_t>[]> nearest_;
  std::unique_ptr<std::atomic<std::int64_t>[]> n_pairs_;
};

inline void Groups::join(std::uint32_t a, std::uint32_t b) {
  // Where many are alike, nearly all pairs are of one group already, and both below its root.
  if (parent_[a].load(std::memory_order_relaxed) == parent_[b].load(std::memory_order_relaxed)) {
    return;
  }
  for (;;) {
    a = root(a);
    b = root(b);
    if (a == b) return;
    if (a < b) std::swap(a, b);
    std::uint32_t still_root = a;
    if (parent_[a].compare_exchange_strong(still_root, b, std::memory_order_relaxed)) return;
  }
}

inline std::int64_t& Findings::cell(Counts& counts, std::int32_t p, std::int32_t q) const {
  const auto [low, high] = std::minmax(p, q);
  return counts[static_cast<std::size_t>(low) * n_parts_ + static_cast<std::size_t>(high)];
}

inline void Findings::offer(std::uint32_t to, std::uint32_t from, int distance) {
  for (std::size_t j = points_.node_start[from]; j < points_.node_start[from + 1]; ++j) {
    const Node& node = points_.nodes[j];
    const std::uint64_t offered =
        static_cast<std::uint64_t>(distance) << 32 | static_cast<std::uint32_t>(node.first_row);
    std::atomic<std::uint64_t>& place =
        nearest_[to * n_parts_ + static_cast<std::size_t>(node.part)];
    std::uint64_t known = place.load(std::memory_order_relaxed);
    while (offered < known &&
           !place.compare_exchange_weak(known, offered, std::memory_order_relaxed)) {
    }
  }
}

inline void Findings::add(std::uint32_t a, std::uint32_t b, int distance, Counts& counts) {
  groups_.join(a, b);
  for (std::size_t i = points_.node_start[a]; i < points_.node_start[a + 1]; ++i) {
    for (std::size_t j = points_.node_start[b]; j < points_.node_start[b + 1]; ++j) {
      const Node& one = points_.nodes[i];
      const Node& other = points_.nodes[j];
      cell(counts, one.part, other.part) += one.n_rows * other.n_rows;
    }
  }
  offer(a, b, distance);
  offer(b, a, distance);
}

}  // namespace snellen
