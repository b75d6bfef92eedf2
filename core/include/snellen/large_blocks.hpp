// What becomes of large blocks of memory that are given back.
//
// The C library takes large blocks from the system at first; once one was given back it keeps
// blocks of that size for itself, in every thread. For a program that reads one large file after
// the other that is memory twice over.
#pragma once

#include <cstddef>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace snellen {

inline constexpr std::size_t kReturnedBlock = std::size_t{1} << 22;

// From now on blocks of at least kReturnedBlock bytes go back to the system as soon as they are
// freed. It holds for the whole process: for programs, not for libraries.
inline void return_large_blocks() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(kReturnedBlock));
#endif
}

}  // namespace snellen
