#include "pixel_changes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

// A build for all x86-64 processors asks at run time for what newer ones can.
#if defined(__x86_64__) && defined(__GNUC__)
#define SNELLEN_ASK_FOR_AVX2
#define SNELLEN_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define SNELLEN_INLINE inline __attribute__((always_inline))
#include <immintrin.h>
#else
#define SNELLEN_INLINE inline
#endif

namespace snellen {
namespace {

constexpr std::size_t kWordPixels = 64;  // pixels whose changes are the bits of one word
constexpr std::size_t kChunkWords = kChunkPixels / kWordPixels;
using Changes = std::array<std::uint64_t, kChunkWords>;

// Where a third of the pixels change, runs cost as much as pixels.
constexpr std::size_t kDense = 3;

SNELLEN_INLINE std::uint64_t word_at(const std::uint8_t* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// A bit for each byte that is not 0, that of the first byte in memory lowest.
SNELLEN_INLINE std::uint64_t nonzero_bytes(std::uint64_t word) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const std::uint64_t bits = (((word & kLow) + kLow) | word) >> 7 & 0x0101010101010101;
  // The product puts the bit of each byte at its place among the highest eight.
  constexpr bool kFirstIsLowest = std::endian::native == std::endian::little;
  return bits * (kFirstIsLowest ? 0x0102040810204080 : 0x8040201008040201) >> 56;
}

// The functions below take one map or two of equal width: two cost less together.

// Changes of 8 pixels.
template <std::size_t kWidth, class... At>
SNELLEN_INLINE std::uint64_t changes_of_8(At... at) {
  std::uint64_t any = 0;
  for (std::size_t k = 0; k < kWidth; ++k) {
    any |= ((word_at(at + 8 * k) ^ word_at(at + 8 * k - kWidth)) | ...);
  }
  if constexpr (kWidth == 1) return nonzero_bytes(any);
  if (any == 0) return 0;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    bits |= std::uint64_t{((std::memcmp(at, at - kWidth, kWidth) != 0) || ...)} << i;
    ((at += kWidth), ...);
  }
  return bits;
}

template <std::size_t kWidth, class... At>
void add_changes(Changes& changes, std::size_t n_words, At... at) {
  for (std::size_t w = 0; w < n_words; ++w) {
    for (std::size_t k = 0; k < 8; ++k) {
      changes[w] |= changes_of_8<kWidth>(at...) << (8 * k);
      ((at += 8 * kWidth), ...);
    }
  }
}

// Calls add<width>(…) of the width.
#define SNELLEN_WITH_WIDTH(width, add, ...) \
  switch (width) {                          \
    case 1:                                 \
      add<1>(__VA_ARGS__);                  \
      break;                                \
    case 2:                                 \
      add<2>(__VA_ARGS__);                  \
      break;                                \
    case 3:                                 \
      add<3>(__VA_ARGS__);                  \
      break;                                \
    case 4:                                 \
      add<4>(__VA_ARGS__);                  \
      break;                                \
    default:                                \
      add<8>(__VA_ARGS__);                  \
  }

// The last pixels of a chunk, fewer than 64.
SNELLEN_INLINE std::uint64_t changes_of_rest(const std::uint8_t* at, std::size_t width,
                                             std::size_t n) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < n; ++i, at += width) {
    bits |= std::uint64_t{std::memcmp(at, at - width, width) != 0} << i;
  }
  return bits;
}

SNELLEN_INLINE std::size_t places_of(const Changes& changes, std::size_t n_words, std::size_t n,
                                     std::uint16_t* places) {
  const std::size_t most = n / kDense;
  std::size_t n_changes = 0;
  for (std::size_t w = 0; w < n_words; ++w) {
    std::uint64_t bits = changes[w];
    std::uint16_t* const at = places + n_changes;
    n_changes += static_cast<std::size_t>(std::popcount(bits));
    if (n_changes > most) return kEveryPixel;
    // Places are written two at a time, whether or not there are two: to guess the number of
    // changes in a word costs more.
    for (std::size_t i = 0; i == 0 || bits != 0; i += 2) {
      for (std::size_t k = 0; k < 2; ++k, bits &= bits - 1) {
        at[i + k] = static_cast<std::uint16_t>(w * kWordPixels +
                                               static_cast<std::size_t>(std::countr_zero(bits)));
      }
    }
  }
  return n_changes;
}

std::size_t find_portable(const std::uint8_t* truth, std::size_t truth_width,
                          const std::uint8_t* pred, std::size_t pred_width, std::size_t n,
                          std::uint16_t* places) {
  Changes changes{};
  const std::size_t n_words = n / kWordPixels, whole = n_words * kWordPixels;
  if (truth_width == pred_width) {
    SNELLEN_WITH_WIDTH(truth_width, add_changes, changes, n_words, truth, pred);
  } else {
    SNELLEN_WITH_WIDTH(truth_width, add_changes, changes, n_words, truth);
    SNELLEN_WITH_WIDTH(pred_width, add_changes, changes, n_words, pred);
  }
  if (whole == n) return places_of(changes, n_words, n, places);
  changes[n_words] = changes_of_rest(truth + whole * truth_width, truth_width, n - whole) |
                     changes_of_rest(pred + whole * pred_width, pred_width, n - whole);
  return places_of(changes, n_words + 1, n, places);
}

#if defined(SNELLEN_ASK_FOR_AVX2)

SNELLEN_AVX2 inline __m256i load_avx2(const std::uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// All bits of each number (or colour's byte) that equals that of the pixel before, in 32 bytes.
template <std::size_t kWidth>
SNELLEN_AVX2 inline __m256i same_avx2(const std::uint8_t* at) {
  const __m256i here = load_avx2(at), before = load_avx2(at - kWidth);
  if constexpr (kWidth == 2) return _mm256_cmpeq_epi16(here, before);
  if constexpr (kWidth == 4) return _mm256_cmpeq_epi32(here, before);
  if constexpr (kWidth == 8) return _mm256_cmpeq_epi64(here, before);
  return _mm256_cmpeq_epi8(here, before);
}
template <std::size_t kWidth>
SNELLEN_AVX2 inline __m256i same_avx2(const std::uint8_t* at, const std::uint8_t* also) {
  return _mm256_and_si256(same_avx2<kWidth>(at), same_avx2<kWidth>(also));
}

SNELLEN_AVX2 inline std::uint64_t bits_avx2(__m256i bytes) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}

// A bit for each of 64 bytes.
template <std::size_t kWidth, class... At>
SNELLEN_AVX2 inline std::uint64_t same_bytes_avx2(At... at) {
  return bits_avx2(same_avx2<kWidth>(at...)) | bits_avx2(same_avx2<kWidth>((at + 32)...)) << 32;
}

// A bit for each of 32 pixels of two bytes.
template <class... At>
SNELLEN_AVX2 inline std::uint64_t same_pairs_avx2(At... at) {
  // Packing goes half by half: the middle quarters change places.
  return bits_avx2(_mm256_permute4x64_epi64(
      _mm256_packs_epi16(same_avx2<2>(at...), same_avx2<2>((at + 32)...)), 0xd8));
}

// Of 48 bits every third one, from the lowest on, where any of the three is set.
SNELLEN_INLINE std::uint64_t any_of_threes(std::uint64_t x) {
  x = (x | x >> 1 | x >> 2) & 0x0000249249249249;
  x = (x | x >> 2) & 0x00000c30c30c30c3;
  x = (x | x >> 4) & 0x0000f00f00f00f;
  x = (x | x >> 8) & 0x0000ff0000ff;
  return (x | x >> 16) & 0xffff;
}

template <std::size_t kWidth, class... At>
SNELLEN_AVX2 inline std::uint64_t changes_of_64_avx2(At... at) {
  if constexpr (kWidth == 1) {
    return ~same_bytes_avx2<1>(at...);
  } else if constexpr (kWidth == 2) {
    return ~(same_pairs_avx2(at...) | same_pairs_avx2((at + 64)...) << 32);
  } else if constexpr (kWidth == 3) {
    const std::uint64_t a = ~same_bytes_avx2<3>(at...), b = ~same_bytes_avx2<3>((at + 64)...),
                        c = ~same_bytes_avx2<3>((at + 128)...);
    if ((a | b | c) == 0) return 0;
    // 192 bits of bytes as four times 48, 16 pixels each.
    constexpr std::uint64_t k48 = 0xffffffffffff;
    return any_of_threes(a & k48) | any_of_threes((a >> 48 | b << 16) & k48) << 16 |
           any_of_threes((b >> 32 | c << 32) & k48) << 32 | any_of_threes(c >> 16) << 48;
  } else if constexpr (kWidth == 4) {
    std::uint64_t same = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      const __m256 equal = _mm256_castsi256_ps(same_avx2<4>((at + 32 * k)...));
      same |= std::uint64_t{static_cast<unsigned>(_mm256_movemask_ps(equal))} << (8 * k);
    }
    return ~same;
  } else {
    std::uint64_t same = 0;
    for (std::size_t k = 0; k < 16; ++k) {
      const __m256d equal = _mm256_castsi256_pd(same_avx2<8>((at + 32 * k)...));
      same |= std::uint64_t{static_cast<unsigned>(_mm256_movemask_pd(equal))} << (4 * k);
    }
    return ~same;
  }
}

template <std::size_t kWidth, class... At>
SNELLEN_AVX2 void add_changes_avx2(Changes& changes, std::size_t n_words, At... at) {
  for (std::size_t w = 0; w < n_words; ++w) {
    changes[w] |= changes_of_64_avx2<kWidth>(at...);
    ((at += kWordPixels * kWidth), ...);
  }
}

SNELLEN_AVX2 std::size_t find_avx2(const std::uint8_t* truth, std::size_t truth_width,
                                   const std::uint8_t* pred, std::size_t pred_width, std::size_t n,
                                   std::uint16_t* places) {
  Changes changes{};
  const std::size_t n_words = n / kWordPixels, whole = n_words * kWordPixels;
  if (truth_width == pred_width) {
    SNELLEN_WITH_WIDTH(truth_width, add_changes_avx2, changes, n_words, truth, pred);
  } else {
    SNELLEN_WITH_WIDTH(truth_width, add_changes_avx2, changes, n_words, truth);
    SNELLEN_WITH_WIDTH(pred_width, add_changes_avx2, changes, n_words, pred);
  }
  if (whole == n) return places_of(changes, n_words, n, places);
  changes[n_words] = changes_of_rest(truth + whole * truth_width, truth_width, n - whole) |
                     changes_of_rest(pred + whole * pred_width, pred_width, n - whole);
  return places_of(changes, n_words + 1, n, places);
}

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("popcnt");
}

#endif

}  // namespace

FindChanges find_changes(ChangeSearch search) {
#if defined(SNELLEN_ASK_FOR_AVX2)
  if (search == ChangeSearch::kFastest && has_avx2()) return find_avx2;
#else
  (void)search;
#endif
  return find_portable;
}

}  // namespace snellen
