#include <array>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/boundary.hpp"
#include "snellen/parallel.hpp"

namespace {

using snellen::BoundaryRules;
using snellen::kBoundaryColumns;
using Random = std::mt19937_64;

template <class Label>
struct Image {
  std::size_t height, width;
  std::vector<Label> labels;

  Label at(std::size_t y, std::size_t x) const { return labels[y * width + x]; }
};

// Rectangles of random labels: runs of all lengths; sometimes some noise upon them.
template <class Label>
Image<Label> random_image(std::size_t height, std::size_t width, std::size_t n_labels,
                          Random& random) {
  Image<Label> image{height, width, std::vector<Label>(height * width)};
  for (std::uint64_t n = random() % 12; n > 0; --n) {
    const std::size_t top = random() % height, left = random() % width;
    const std::size_t bottom = top + 1 + random() % (height - top);
    const std::size_t right = left + 1 + random() % (width - left);
    const auto label = static_cast<Label>(random() % n_labels);
    for (std::size_t y = top; y < bottom; ++y) {
      for (std::size_t x = left; x < right; ++x) image.labels[y * width + x] = label;
    }
  }
  for (std::uint64_t n = random() % 3 == 0 ? random() % 40 : 0; n > 0; --n) {
    image.labels[random() % image.labels.size()] = static_cast<Label>(random() % n_labels);
  }
  return image;
}

using Flags = std::vector<std::uint8_t>;

// Erosion as it is written down: d times, what has only ones in its 3 × 3 neighbourhood stays; a
// frame one pixel wide of zeros is around the image.
Flags eroded(Flags mask, std::size_t height, std::size_t width, std::size_t times) {
  for (; times > 0; --times) {
    Flags next(mask.size(), 0);
    for (std::size_t y = 1; y + 1 < height; ++y) {
      for (std::size_t x = 1; x + 1 < width; ++x) {
        std::size_t n = 0;
        for (std::size_t i = y - 1; i <= y + 1; ++i) {
          for (std::size_t j = x - 1; j <= x + 1; ++j) n += mask[i * width + j];
        }
        next[y * width + x] = n == 9;
      }
    }
    if (next == mask) break;
    mask = std::move(next);
  }
  return mask;
}

template <class Label>
Flags mask_of(const Image<Label>& image, Label label) {
  Flags mask(image.labels.size());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = image.labels[i] == label;
  return mask;
}

template <class Label>
Flags plain_near_border(const Image<Label>& image, std::size_t distance) {
  Flags near(image.labels.size(), 0);
  for (const Label label : std::set<Label>(image.labels.begin(), image.labels.end())) {
    const Flags mask = mask_of(image, label);
    const Flags rest = eroded(mask, image.height, image.width, distance);
    for (std::size_t i = 0; i < near.size(); ++i) {
      if (mask[i] != rest[i]) near[i] = 1;
    }
  }
  return near;
}

template <class Label>
Flags fast_near_border(const Image<Label>& image, std::size_t distance) {
  Flags near(image.labels.size(), 7);
  snellen::near_border(image.labels.data(), image.height, image.width, distance, near.data());
  return near;
}

void zone_by_hand() {
  // Of the left half (5 × 3 pixels), what has a full 3 × 3 neighbourhood is its middle column but
  // for both ends; so on the right.
  const Image<std::uint8_t> image{5, 6, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1,
                                         2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}};
  CHECK(fast_near_border(image, 1) == (Flags{1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1,
                                             1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1}));
  CHECK(fast_near_border(image, 2) == Flags(30, 1));
  CHECK(fast_near_border(image, 0) == Flags(30, 0));
  CHECK(fast_near_border(image, static_cast<std::size_t>(-1)) == Flags(30, 1));
}

template <class Label>
void zones_at_random(std::size_t n_labels) {
  Random random(sizeof(Label));
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto image = random_image<Label>(1 + random() % 30, 1 + random() % 50, n_labels, random);
    const std::size_t distance = repeat % 3 == 0 ? random() % 30 : 1 + random() % 4;
    CHECK(fast_near_border(image, distance) == plain_near_border(image, distance));
  }
}

// Depths that need more than 8 bits, and the last that do not.
void wide_zones() {
  Random random(5);
  for (const std::size_t distance : {126u, 127u, 128u, 150u}) {
    auto image = random_image<std::uint8_t>(340, 330, 2, random);
    std::fill(image.labels.begin(), image.labels.end(), std::uint8_t{3});
    CHECK(fast_near_border(image, distance) == plain_near_border(image, distance));
    image.labels[160 * 330 + 150] = 4;
    CHECK(fast_near_border(image, distance) == plain_near_border(image, distance));
    image.labels[160 * 330 + 150] = 3;
    image.labels[2 * 330 + 328] = 4;
    CHECK(fast_near_border(image, distance) == plain_near_border(image, distance));
  }
}

// The contour of a mask, as DAVIS and the Berkeley benchmark have it: what differs from its right,
// lower, or lower-right neighbour; in the last row the right, in the last column the lower one.
Flags plain_contour(const Flags& mask, std::size_t height, std::size_t width) {
  Flags contour(mask.size(), 0);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t i = y * width + x;
      bool differs = false;
      if (x + 1 < width) differs = differs || mask[i] != mask[i + 1];
      if (y + 1 < height) differs = differs || mask[i] != mask[i + width];
      if (x + 1 < width && y + 1 < height) differs = differs || mask[i] != mask[i + width + 1];
      contour[i] = differs;
    }
  }
  return contour;
}

std::int64_t plain_matched(const Flags& contour, const Flags& other, std::size_t width,
                           std::size_t tolerance) {
  std::int64_t n_matched = 0;
  for (std::size_t i = 0; i < contour.size(); ++i) {
    if (!contour[i]) continue;
    bool near = false;
    for (std::size_t j = 0; j < other.size() && !near; ++j) {
      const auto dy = static_cast<std::int64_t>(i / width) - static_cast<std::int64_t>(j / width);
      const auto dx = static_cast<std::int64_t>(i % width) - static_cast<std::int64_t>(j % width);
      near = other[j] && dx * dx + dy * dy <= static_cast<std::int64_t>(tolerance) *
                                                  static_cast<std::int64_t>(tolerance);
    }
    n_matched += near;
  }
  return n_matched;
}

std::int64_t total(const Flags& flags) {
  std::int64_t sum = 0;
  for (const std::uint8_t flag : flags) sum += flag;
  return sum;
}

Flags both(Flags one, const Flags& other) {
  for (std::size_t i = 0; i < one.size(); ++i) one[i] &= other[i];
  return one;
}

Flags border(const Flags& mask, std::size_t height, std::size_t width, std::size_t distance) {
  Flags zone = eroded(mask, height, width, distance);
  for (std::size_t i = 0; i < zone.size(); ++i) zone[i] ^= mask[i];
  return zone;
}

using Counts = std::vector<std::int64_t>;

template <class Code>
Counts plain_counts(const Image<Code>& truth, Image<Code> pred, const BoundaryRules& rules) {
  const std::size_t height = truth.height, width = truth.width;
  Counts counts;
  for (std::size_t i = 0; i < pred.labels.size(); ++i) {
    if (truth.labels[i] >= rules.n_classes) pred.labels[i] = static_cast<Code>(rules.n_classes);
  }
  for (std::size_t k = 0; k < rules.n_classes; ++k) {
    std::array<Flags, 2> mask, zone, contour;
    for (std::size_t side = 0; side < 2; ++side) {
      mask[side] = mask_of(side == 0 ? truth : pred, static_cast<Code>(k));
      zone[side] = border(mask[side], height, width, rules.distance);
      contour[side] = plain_contour(mask[side], height, width);
    }
    for (const auto& sides : {mask, zone}) {
      counts.push_back(total(both(sides[0], sides[1])));
      counts.push_back(total(sides[0]));
      counts.push_back(total(sides[1]));
    }
    for (std::size_t side = 0; side < 2; ++side) {
      counts.push_back(total(contour[side]));
      counts.push_back(plain_matched(contour[side], contour[1 - side], width, rules.tolerance));
    }
  }
  return counts;
}

template <class Code>
Counts fast_counts(const Image<Code>& truth, const Image<Code>& pred, const BoundaryRules& rules) {
  Counts counts(rules.n_classes * kBoundaryColumns, -1);
  snellen::boundary_counts(truth.labels.data(), pred.labels.data(), 1, truth.height, truth.width,
                           rules, counts.data());
  return counts;
}

void counts_by_hand() {
  // Class 0 is a square of 2 × 2 pixels at rows and columns 1 and 2; the prediction has it one
  // pixel to the right. The contour is a ring of 8 pixels, columns 0 to 2 of rows 0 to 2 without
  // (1, 1), whose right, lower and lower-right neighbours are of its class. The other ring has
  // columns 1 to 3 without (1, 2): both have columns 1 and 2 of rows 0 and 2, 4 pixels; of each
  // other pixel one of the other ring lies beside it.
  const Image<std::uint8_t> truth{
      4, 5, {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1}};
  const Image<std::uint8_t> pred{
      4, 5, {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1}};
  // With two classes (0 and 1): of class 0 both have 2 pixels, either has 4, all in border zones.
  const BoundaryRules exact{2, 1, 0}, near{2, 1, 1};
  const Counts found = fast_counts(truth, pred, exact);
  CHECK((Counts(found.begin(), found.begin() + 6) == Counts{2, 4, 4, 2, 4, 4}));
  CHECK((Counts(found.begin() + 6, found.begin() + 10) == Counts{8, 4, 8, 4}));
  // The contour of class 1 is that of class 0: where the one changes, so does the other.
  CHECK((Counts(found.begin() + 16, found.end()) == Counts{8, 4, 8, 4}));
  const Counts lenient = fast_counts(truth, pred, near);
  CHECK((Counts(lenient.begin() + 6, lenient.begin() + 10) == Counts{8, 8, 8, 8}));
}

template <class Code>
void counts_at_random(std::size_t n_classes) {
  Random random(10 + sizeof(Code));
  for (int repeat = 0; repeat < 150; ++repeat) {
    const std::size_t height = 1 + random() % 20, width = 1 + random() % 90;
    // One more code, and sometimes two, which are no class.
    const std::size_t n_codes = n_classes + 1 + repeat % 2;
    const auto truth = random_image<Code>(height, width, n_codes, random);
    auto pred = repeat % 3 == 0 ? random_image<Code>(height, width, n_codes, random) : truth;
    for (std::uint64_t n = random() % 30; n > 0; --n) {
      pred.labels[random() % pred.labels.size()] = static_cast<Code>(random() % n_codes);
    }
    const BoundaryRules rules{n_classes, random() % 5, repeat % 5 == 0 ? 40 : random() % 7};
    CHECK(fast_counts(truth, pred, rules) == plain_counts(truth, pred, rules));
  }
}

// Where truth has no class, the prediction may say what it likes.
void no_class_in_truth_hides_the_prediction() {
  Random random(7);
  const auto truth = random_image<std::uint8_t>(30, 40, 4, random);
  auto pred = truth;
  for (std::size_t i = 0; i < pred.labels.size(); ++i) {
    if (truth.labels[i] == 3) pred.labels[i] = static_cast<std::uint8_t>(random() % 4);
  }
  const BoundaryRules rules{3, 2, 1};
  CHECK(fast_counts(truth, pred, rules) == fast_counts(truth, truth, rules));
}

void threads_change_nothing() {
  Random random(8);
  const std::size_t height = 40, width = 50, n_images = 9;
  std::vector<std::uint8_t> truth, pred;
  Counts wanted;
  const BoundaryRules rules{4, 2, 3};
  for (std::size_t i = 0; i < n_images; ++i) {
    const auto one = random_image<std::uint8_t>(height, width, 5, random);
    const auto other = random_image<std::uint8_t>(height, width, 5, random);
    truth.insert(truth.end(), one.labels.begin(), one.labels.end());
    pred.insert(pred.end(), other.labels.begin(), other.labels.end());
    const Counts counts = plain_counts(one, other, rules);
    wanted.insert(wanted.end(), counts.begin(), counts.end());
  }
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    Counts counts(wanted.size());
    snellen::boundary_counts(truth.data(), pred.data(), n_images, height, width, rules,
                             counts.data());
    CHECK(counts == wanted);
  }
  snellen::set_thread_count(0);
}

void nothing_and_one() {
  snellen::near_border<std::uint8_t>(nullptr, 0, 5, 2, nullptr);
  const Image<std::uint8_t> one{1, 1, {0}};
  CHECK(fast_counts(one, one, {1, 1, 1}) == (Counts{1, 1, 1, 1, 1, 1, 0, 0, 0, 0}));
  CHECK(fast_counts(one, one, {1, 0, 0}) == (Counts{1, 1, 1, 0, 0, 0, 0, 0, 0, 0}));
  snellen::boundary_counts<std::uint8_t>(nullptr, nullptr, 0, 4, 4, {2, 1, 1}, nullptr);
}

}  // namespace

int main() {
  zone_by_hand();
  zones_at_random<std::uint8_t>(3);
  zones_at_random<std::uint16_t>(700);
  zones_at_random<std::int32_t>(3);
  wide_zones();
  counts_by_hand();
  counts_at_random<std::uint8_t>(3);
  counts_at_random<std::uint16_t>(300);
  no_class_in_truth_hides_the_prediction();
  threads_change_nothing();
  nothing_and_one();
  return snellen::testing::report();
}
