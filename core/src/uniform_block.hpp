// Eight pixels at once, where they are all alike: most of a label image is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace snellen {

inline constexpr std::size_t kBlock = 8;

// Whether the block of eight that begins here holds nothing but `value`.
template <class T>
bool is_uniform(const T* block, T value) {
  constexpr std::size_t kPerWord = sizeof(std::uint64_t) / sizeof(T);
  std::uint64_t wanted;
  T filled[kPerWord];
  for (T& each : filled) each = value;
  std::memcpy(&wanted, filled, sizeof(wanted));
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < kBlock; i += kPerWord) {
    std::uint64_t word;
    std::memcpy(&word, block + i, sizeof(word));
    different |= word ^ wanted;
  }
  return different == 0;
}

// Whether two blocks of eight are the same.
template <class T>
bool are_same(const T* one, const T* other) {
  return std::memcmp(one, other, kBlock * sizeof(T)) == 0;
}

}  // namespace snellen
