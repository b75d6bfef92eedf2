// Memory that goes from one array to the next on a thread.
//
// The pixels of a file are dropped as soon as they are counted. Fresh memory of that size comes
// from the system, which clears it when it is first written: that takes half as long as undoing a
// label map's filters. A thread that reads file after file writes to the same blocks instead.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {

class KeptBlocks {
 public:
  static KeptBlocks& of_this_thread() {
    static thread_local KeptBlocks blocks;
    return blocks;
  }

  // A block of at least this size, or none.
  Column<std::uint8_t> take(std::size_t size) {
    for (Column<std::uint8_t>& block : blocks_) {
      // Not one much larger: an array may live long.
      if (block.capacity() >= size && block.capacity() / 2 <= size) return std::move(block);
    }
    return {};
  }

  void keep(Column<std::uint8_t>&& block) {
    if (block.capacity() < kLeast || block.capacity() > kMost) return;
    std::swap(blocks_[next_], block);
    next_ = (next_ + 1) % blocks_.size();
  }

 private:
  static constexpr std::size_t kLeast = kLargePage / 2;  // less comes back from the C library
  static constexpr std::size_t kMost = std::size_t{1} << 26;

  std::array<Column<std::uint8_t>, 2> blocks_;  // truth and prediction
  std::size_t next_ = 0;
};

// An array whose memory the thread that drops it keeps.
inline Out<std::uint8_t> to_kept_numpy(Column<std::uint8_t>&& column,
                                       std::initializer_list<std::size_t> shape) {
  auto* const block = new Column<std::uint8_t>(std::move(column));
  nb::capsule owner(block, [](void* kept) noexcept {
    auto* const dropped = static_cast<Column<std::uint8_t>*>(kept);
    KeptBlocks::of_this_thread().keep(std::move(*dropped));
    delete dropped;
  });
  return Out<std::uint8_t>(block->data(), shape, owner);
}

}  // namespace snellen::bind
