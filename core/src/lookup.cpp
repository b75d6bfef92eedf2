#include "snellen/lookup.hpp"

#include <algorithm>
#include <vector>

namespace snellen {

std::size_t lookup(const std::int64_t* ids, std::size_t n_ids, const std::int64_t* known,
                   std::size_t n_known, std::int32_t* position) {
  if (n_known == 0) {
    std::fill(position, position + n_ids, -1);
    return n_ids;
  }
  const std::int64_t lowest = known[0];
  // Unsigned, because the distance between two int64 may not fit one.
  const std::uint64_t span =
      static_cast<std::uint64_t>(known[n_known - 1]) - static_cast<std::uint64_t>(lowest);
  std::size_t n_absent = 0;
  // COCO's image ids spread 5,000 images over 581,000 numbers; a table up to this size costs less
  // than the searches that it saves.
  if (span / 16 < n_known + n_ids + 4096) {
    std::vector<std::int32_t> table(static_cast<std::size_t>(span) + 1, -1);
    for (std::size_t j = 0; j < n_known; ++j) {
      table[static_cast<std::uint64_t>(known[j]) - static_cast<std::uint64_t>(lowest)] =
          static_cast<std::int32_t>(j);
    }
    for (std::size_t i = 0; i < n_ids; ++i) {
      const std::uint64_t offset =
          static_cast<std::uint64_t>(ids[i]) - static_cast<std::uint64_t>(lowest);
      position[i] = offset <= span ? table[offset] : -1;
      n_absent += position[i] < 0;
    }
    return n_absent;
  }
  const std::int64_t* const end = known + n_known;
  for (std::size_t i = 0; i < n_ids; ++i) {
    const std::int64_t* found = std::lower_bound(known, end, ids[i]);
    position[i] = found != end && *found == ids[i] ? static_cast<std::int32_t>(found - known) : -1;
    n_absent += position[i] < 0;
  }
  return n_absent;
}

}  // namespace snellen
