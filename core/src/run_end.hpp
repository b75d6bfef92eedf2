// Where a run of equal values ends, many values at a time.
#pragma once

#include <cstddef>

namespace snellen {

// The first position from `at` on where another value stands than at `at`.
template <class T>
std::size_t end_of_run(const T* values, std::size_t at, std::size_t n) {
  const T value = values[at];
  constexpr std::size_t kBlock = 32 / sizeof(T);
  while (at + kBlock <= n) {
    unsigned differs = 0;
    for (std::size_t k = 0; k < kBlock; ++k) differs |= values[at + k] != value;
    if (differs != 0) break;
    at += kBlock;
  }
  while (at < n && values[at] == value) ++at;
  return at;
}

}  // namespace snellen
