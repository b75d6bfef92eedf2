#include "snellen/image_resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

// A build for all x86-64 processors asks at run time for what newer ones can.
#if defined(__x86_64__) && defined(__GNUC__)
#define SNELLEN_ASK_FOR_AVX2
#define SNELLEN_AVX2 __attribute__((target("avx2")))
#define SNELLEN_INLINE inline __attribute__((always_inline))
#include <immintrin.h>
#else
#define SNELLEN_INLINE inline
#endif

namespace snellen {
namespace {

// Eight bits of the pixel and two of the sum's overshoot leave so many of 32 for the weights.
constexpr int kBits = 32 - 8 - 2;
constexpr std::int32_t kHalf = std::int32_t{1} << (kBits - 1);
// Numbers that the horizontal pass adds at a time: the channels of a pixel, or rows of grey ones.
constexpr std::size_t kLanes = 4;
// Bytes of a row that the vertical pass keeps in registers.
constexpr std::size_t kBlock = 32;

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  // Of single precision, as Pillow has them: the difference reaches the last bit of some weights.
  constexpr double a = 0.54F, b = 0.46F;
  return std::sin(x) / x * (a + b * std::cos(x));
}

// Keys' cubic with a = −1/2 (R. Keys, IEEE Trans. ASSP 29(6), 1981).
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0; }

struct Kernel {
  double (*value)(double);
  double support;  // how far from its middle it is not 0
};

Kernel kernel_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBox:
      return {box, 0.5};
    case ResizeFilter::kBilinear:
      return {bilinear, 1.0};
    case ResizeFilter::kHamming:
      return {hamming, 1.0};
    case ResizeFilter::kBicubic:
      return {bicubic, 2.0};
    case ResizeFilter::kLanczos:
      break;
  }
  return {lanczos, 3.0};
}

// Along one axis, for each pixel of the window: which pixels count, and what.
struct Weights {
  std::size_t most;                  // pixels that count, of any
  std::vector<std::size_t> first;    // of those that count
  std::vector<std::size_t> n;        // how many
  std::vector<std::int32_t> weight;  // rows of `most`, in 2⁻²²

  std::size_t begin() const { return first.front(); }
  std::size_t end() const { return first.back() + n.back(); }
};

Weights weights_of(std::size_t size, std::size_t size_out, std::size_t start, std::size_t n_out,
                   const Kernel& kernel) {
  const double scale = static_cast<double>(size) / static_cast<double>(size_out);
  const double stretch = std::max(scale, 1.0);
  const double support = kernel.support * stretch;
  const double per_pixel = 1.0 / stretch;
  Weights found;
  found.most = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  found.first.resize(n_out);
  found.n.resize(n_out);
  found.weight.assign(n_out * found.most, 0);
  std::vector<double> real(found.most);
  for (std::size_t i = 0; i < n_out; ++i) {
    const double centre = (static_cast<double>(start + i) + 0.5) * scale;
    const auto from = static_cast<std::ptrdiff_t>(centre - support + 0.5);
    const auto to = static_cast<std::ptrdiff_t>(centre + support + 0.5);
    const auto first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(from, 0));
    const auto last = std::min(static_cast<std::size_t>(to), size);
    const std::size_t n = last - first;
    double sum = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      const double place = static_cast<double>(first + k);
      real[k] = kernel.value((place - centre + 0.5) * per_pixel);
      sum += real[k];
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double share = sum != 0.0 ? real[k] / sum : real[k];
      const double steps = share * static_cast<double>(1 << kBits);
      found.weight[i * found.most + k] =
          static_cast<std::int32_t>(share < 0 ? steps - 0.5 : steps + 0.5);
    }
    found.first[i] = first;
    found.n[i] = n;
  }
  return found;
}

SNELLEN_INLINE std::uint8_t byte_of(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
}

// How rows of colours are summed up; what is left to a build of its own.
struct PlainRow {
  static constexpr bool kHasColours = false;
  static void colours(const std::uint8_t*, const Weights&, std::size_t, std::uint8_t*) {}
};

#if defined(SNELLEN_ASK_FOR_AVX2)
struct Avx2Row {
  static constexpr bool kHasColours = true;

  // A row of pixels of three bytes, of which the first is the weights' first. Loads and stores are
  // of four bytes: one more of each is there behind the rows.
  SNELLEN_AVX2 static void colours(const std::uint8_t* row, const Weights& weights,
                                   std::size_t begin, std::uint8_t* out) {
    const __m128i half = _mm_set1_epi32(kHalf);
    for (std::size_t j = 0; j < weights.first.size(); ++j) {
      const std::int32_t* const weight = weights.weight.data() + j * weights.most;
      const std::uint8_t* pixel = row + (weights.first[j] - begin) * 3;
      __m128i sum = half;
      for (std::size_t k = 0; k < weights.n[j]; ++k, pixel += 3) {
        const __m128i bytes = _mm_cvtepu8_epi32(_mm_loadu_si32(pixel));
        sum = _mm_add_epi32(sum, _mm_mullo_epi32(bytes, _mm_set1_epi32(weight[k])));
      }
      sum = _mm_srai_epi32(sum, kBits);
      sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
      _mm_storeu_si32(out + j * 3, sum);
    }
  }
};
#endif

// Rows (n_rows, n_columns, channels), from rows of `stride` bytes that begin with pixel `begin` of
// the image's rows.
template <class Row>
SNELLEN_INLINE void resize_rows(const std::uint8_t* rows, std::size_t stride, std::size_t begin,
                                std::size_t n_rows, std::size_t channels, const Weights& weights,
                                std::uint8_t* out) {
  const std::size_t n_columns = weights.first.size();
  const std::size_t width = weights.end() - weights.begin();
  const std::size_t skipped = (weights.begin() - begin) * channels;
  if (Row::kHasColours && channels == 3) {
    std::vector<std::uint8_t> padded(width * 3 + 1);
    std::vector<std::uint8_t> made(n_columns * 3 + 1);
    for (std::size_t row = 0; row < n_rows; ++row) {
      std::memcpy(padded.data(), rows + row * stride + skipped, width * 3);
      Row::colours(padded.data(), weights, weights.begin(), made.data());
      std::memcpy(out + row * n_columns * 3, made.data(), n_columns * 3);
    }
    return;
  }
  // Grey images take four rows as what are channels elsewhere.
  const std::size_t together = channels == 1 ? kLanes : 1;
  std::vector<std::int32_t> wide(width * kLanes);
  for (std::size_t row = 0; row < n_rows; row += together) {
    const std::size_t n_here = std::min(together, n_rows - row);
    for (std::size_t k = 0; k < n_here; ++k) {
      const std::uint8_t* const pixels = rows + (row + k) * stride + skipped;
      for (std::size_t x = 0; x < width; ++x) {
        for (std::size_t c = 0; c < channels; ++c) {
          wide[x * kLanes + k + c] = pixels[x * channels + c];
        }
      }
    }
    for (std::size_t j = 0; j < n_columns; ++j) {
      const std::int32_t* const weight = weights.weight.data() + j * weights.most;
      const std::int32_t* const first = wide.data() + (weights.first[j] - weights.begin()) * kLanes;
      std::array<std::int32_t, kLanes> sum;
      sum.fill(kHalf);
      for (std::size_t k = 0; k < weights.n[j]; ++k) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          sum[lane] += first[k * kLanes + lane] * weight[k];
        }
      }
      for (std::size_t k = 0; k < n_here * channels; ++k) {
        const std::size_t place =
            channels == 1 ? (row + k) * n_columns + j : (row * n_columns + j) * channels + k;
        out[place] = byte_of(sum[k]);
      }
    }
  }
}

// Rows of `row_bytes`, from rows of `stride` bytes of which the first is row `begin` of the image.
SNELLEN_INLINE void resize_columns(const std::uint8_t* rows, std::size_t stride, std::size_t begin,
                                   std::size_t row_bytes, const Weights& weights,
                                   std::uint8_t* out) {
  for (std::size_t i = 0; i < weights.first.size(); ++i) {
    const std::int32_t* const weight = weights.weight.data() + i * weights.most;
    const std::uint8_t* const first = rows + (weights.first[i] - begin) * stride;
    const std::size_t n = weights.n[i];
    std::uint8_t* const to = out + i * row_bytes;
    std::size_t x = 0;
    for (; x + kBlock <= row_bytes; x += kBlock) {
      std::array<std::int32_t, kBlock> sum;
      sum.fill(kHalf);
      for (std::size_t k = 0; k < n; ++k) {
        const std::uint8_t* const row = first + k * stride + x;
        for (std::size_t b = 0; b < kBlock; ++b) sum[b] += row[b] * weight[k];
      }
      for (std::size_t b = 0; b < kBlock; ++b) to[x + b] = byte_of(sum[b]);
    }
    for (; x < row_bytes; ++x) {
      std::int32_t sum = kHalf;
      for (std::size_t k = 0; k < n; ++k) sum += first[k * stride + x] * weight[k];
      to[x] = byte_of(sum);
    }
  }
}

// The weights of an axis along which nothing changes: each pixel is itself.
Weights unchanged(std::size_t start, std::size_t n) {
  Weights found{1, std::vector<std::size_t>(n), std::vector<std::size_t>(n, 1), {}};
  for (std::size_t i = 0; i < n; ++i) found.first[i] = start + i;
  return found;
}

template <class Row>
SNELLEN_INLINE void resize(const ImageBytes& image, const ResizeWindow& window, ResizeFilter filter,
                           FirstPass first, std::uint8_t* out) {
  const Kernel kernel = kernel_of(filter);
  const std::size_t channels = image.channels;
  const std::size_t stride = image.width * channels;
  const std::size_t row_bytes = window.n_columns * channels;
  const bool changes_across = window.width != image.width;
  const bool changes_down = window.height != image.height;
  const Weights across =
      changes_across ? weights_of(image.width, window.width, window.left, window.n_columns, kernel)
                     : unchanged(window.left, window.n_columns);
  const Weights down =
      changes_down ? weights_of(image.height, window.height, window.top, window.n_rows, kernel)
                   : unchanged(window.top, window.n_rows);
  // Only the rows and columns that the window needs.
  const std::size_t n_rows = down.end() - down.begin();
  const std::uint8_t* const rows = image.pixels + down.begin() * stride;
  if (!changes_across) {
    const std::uint8_t* const part = rows + window.left * channels;
    if (changes_down) {
      resize_columns(part, stride, down.begin(), row_bytes, down, out);
      return;
    }
    for (std::size_t i = 0; i < n_rows; ++i) {
      std::memcpy(out + i * row_bytes, part + i * stride, row_bytes);
    }
  } else if (!changes_down) {
    resize_rows<Row>(rows, stride, 0, n_rows, channels, across, out);
  } else if (first == FirstPass::kAcross) {
    std::vector<std::uint8_t> narrow(n_rows * row_bytes);
    resize_rows<Row>(rows, stride, 0, n_rows, channels, across, narrow.data());
    resize_columns(narrow.data(), row_bytes, down.begin(), row_bytes, down, out);
  } else {
    const std::size_t part_bytes = (across.end() - across.begin()) * channels;
    std::vector<std::uint8_t> low(window.n_rows * part_bytes);
    resize_columns(rows + across.begin() * channels, stride, down.begin(), part_bytes, down,
                   low.data());
    resize_rows<Row>(low.data(), part_bytes, across.begin(), window.n_rows, channels, across, out);
  }
}

#if defined(SNELLEN_ASK_FOR_AVX2)
SNELLEN_AVX2 void resize_avx2(const ImageBytes& image, const ResizeWindow& window,
                              ResizeFilter filter, FirstPass first, std::uint8_t* out) {
  resize<Avx2Row>(image, window, filter, first, out);
}
#endif

void resize_portable(const ImageBytes& image, const ResizeWindow& window, ResizeFilter filter,
                     FirstPass first, std::uint8_t* out) {
  resize<PlainRow>(image, window, filter, first, out);
}

using Resize = void (*)(const ImageBytes&, const ResizeWindow&, ResizeFilter, FirstPass,
                        std::uint8_t*);

Resize fastest_resize() {
#if defined(SNELLEN_ASK_FOR_AVX2)
  if (__builtin_cpu_supports("avx2")) return resize_avx2;
#endif
  return resize_portable;
}

}  // namespace

void resize_image(const ImageBytes& image, const ResizeWindow& window, ResizeFilter filter,
                  FirstPass first, std::uint8_t* out, ResizeBuild build) {
  static const Resize fastest = fastest_resize();
  (build == ResizeBuild::kFastest ? fastest : resize_portable)(image, window, filter, first, out);
}

}  // namespace snellen
