// Numbers that order keys the same everywhere: BLAKE2b (RFC 7693) of a seed and a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace snellen {

// rank[i] = the first 8 bytes, read big-endian, of the 8-byte BLAKE2b digest of `seed` (8 bytes,
// little-endian) followed by keys[i]. Keys may have any length.
void hash_ranks(const std::string_view* keys, std::size_t n_keys, std::uint64_t seed,
                std::uint64_t* rank);

}  // namespace snellen
