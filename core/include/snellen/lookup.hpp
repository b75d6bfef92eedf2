// Positions of ids in a sorted list of distinct ids.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snellen {

// position[i] = index of ids[i] in known, or −1 where it is absent; returns how many are absent.
// `known` ascends strictly. Close-packed ids (the usual case) go through a direct table, spread
// ones through binary search.
std::size_t lookup(const std::int64_t* ids, std::size_t n_ids, const std::int64_t* known,
                   std::size_t n_known, std::int32_t* position);

}  // namespace snellen
