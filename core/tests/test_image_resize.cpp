#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/image_resize.hpp"

namespace {

using snellen::FirstPass;
using snellen::ResizeBuild;
using snellen::ResizeFilter;
using Bytes = std::vector<std::uint8_t>;

constexpr ResizeFilter kAll[] = {ResizeFilter::kBox, ResizeFilter::kBilinear,
                                 ResizeFilter::kHamming, ResizeFilter::kBicubic,
                                 ResizeFilter::kLanczos};

Bytes noise(std::size_t n, unsigned seed) {
  std::mt19937 draw(seed);
  Bytes found(n);
  for (auto& each : found) each = static_cast<std::uint8_t>(draw() & 255U);
  return found;
}

Bytes resized(const Bytes& pixels, std::size_t height, std::size_t width, std::size_t channels,
              const snellen::ResizeWindow& window, ResizeFilter filter,
              FirstPass first = FirstPass::kAcross, ResizeBuild build = ResizeBuild::kFastest) {
  Bytes out(window.n_rows * window.n_columns * channels, 7);
  snellen::resize_image({pixels.data(), height, width, channels}, window, filter, first, out.data(),
                        build);
  return out;
}

snellen::ResizeWindow whole(std::size_t height, std::size_t width) {
  return {height, width, 0, 0, height, width};
}

void by_hand() {
  // Halves are means of two, rounded half up: (1 + 2) / 2 → 2, (250 + 255) / 2 → 253.
  CHECK(resized({1, 2, 250, 255}, 1, 4, 1, whole(1, 2), ResizeFilter::kBox) == (Bytes{2, 253}));
  CHECK(resized({1, 2, 250, 255}, 4, 1, 1, whole(2, 1), ResizeFilter::kBox) == (Bytes{2, 253}));
  // Twice as many, bilinear: ¾ and ¼ of the two nearest, at the edges one alone.
  CHECK(resized({0, 100}, 1, 2, 1, whole(1, 4), ResizeFilter::kBilinear) ==
        (Bytes{0, 25, 75, 100}));
  // The cubic goes beyond what it was given: cut off at 0 and 255.
  const Bytes steep =
      resized({0, 0, 0, 255, 255, 255}, 1, 6, 1, whole(1, 12), ResizeFilter::kBicubic);
  CHECK_EQUAL(int{steep[4]}, 0);
  CHECK_EQUAL(int{steep[7]}, 255);
}

void one_colour_stays() {
  for (const ResizeFilter filter : kAll) {
    for (const std::size_t size : {1, 3, 8, 21}) {
      const Bytes found = resized(Bytes(8 * 8 * 3, 201), 8, 8, 3, whole(size, size), filter);
      CHECK(found == Bytes(size * size * 3, 201));
    }
  }
}

void the_same_size_is_a_copy() {
  const Bytes pixels = noise(7 * 5 * 3, 1);
  for (const ResizeFilter filter : kAll) {
    CHECK(resized(pixels, 7, 5, 3, whole(7, 5), filter) == pixels);
  }
}

// A window holds what the whole result has there, and both builds give the same bytes.
void windows_and_builds(FirstPass first) {
  for (const std::size_t channels : {1, 2, 3, 4}) {
    const Bytes pixels = noise(37 * 53 * channels, static_cast<unsigned>(channels));
    for (const ResizeFilter filter : kAll) {
      for (const auto& [height, width] :
           {std::pair<std::size_t, std::size_t>{23, 31}, {37, 20}, {50, 53}, {90, 71}, {1, 1}}) {
        const Bytes all = resized(pixels, 37, 53, channels, whole(height, width), filter, first);
        CHECK(all == resized(pixels, 37, 53, channels, whole(height, width), filter, first,
                             ResizeBuild::kPortable));
        const std::size_t top = height / 3, left = width / 4;
        const snellen::ResizeWindow window{
            height, width, top, left, height - top - height / 5, width - left - width / 6};
        const Bytes part = resized(pixels, 37, 53, channels, window, filter, first);
        Bytes expected;
        for (std::size_t i = 0; i < window.n_rows; ++i) {
          const auto begin =
              all.begin() + static_cast<std::ptrdiff_t>(((top + i) * width + left) * channels);
          expected.insert(expected.end(), begin,
                          begin + static_cast<std::ptrdiff_t>(window.n_columns * channels));
        }
        CHECK(part == expected);
      }
    }
  }
}

// Down first is across first of the image on its side.
void the_first_pass_shows() {
  constexpr std::size_t height = 19, width = 23, new_height = 11, new_width = 31;
  const Bytes pixels = noise(height * width, 9);
  Bytes turned(pixels.size());
  for (std::size_t i = 0; i < height; ++i) {
    for (std::size_t j = 0; j < width; ++j) turned[j * height + i] = pixels[i * width + j];
  }
  const auto down = resized(pixels, height, width, 1, whole(new_height, new_width),
                            ResizeFilter::kLanczos, FirstPass::kDown);
  const auto across =
      resized(turned, width, height, 1, whole(new_width, new_height), ResizeFilter::kLanczos);
  for (std::size_t i = 0; i < new_height; ++i) {
    for (std::size_t j = 0; j < new_width; ++j) {
      CHECK_EQUAL(int{down[i * new_width + j]}, int{across[j * new_height + i]});
    }
  }
  CHECK(down !=
        resized(pixels, height, width, 1, whole(new_height, new_width), ResizeFilter::kLanczos));
}

}  // namespace

int main() {
  by_hand();
  one_colour_stays();
  the_same_size_is_a_copy();
  windows_and_builds(FirstPass::kAcross);
  windows_and_builds(FirstPass::kDown);
  the_first_pass_shows();
  return snellen::testing::report();
}
