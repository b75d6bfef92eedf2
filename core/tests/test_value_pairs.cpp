#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/value_pairs.hpp"

using snellen::ChangeSearch;
using snellen::PixelKind;
using snellen::ValuePairs;

namespace {

using Random = std::mt19937_64;
constexpr PixelKind kKinds[] = {PixelKind::kBool,   PixelKind::kInt8,   PixelKind::kUint8,
                                PixelKind::kInt16,  PixelKind::kUint16, PixelKind::kInt32,
                                PixelKind::kUint32, PixelKind::kInt64,  PixelKind::kUint64,
                                PixelKind::kColour};

// Values as they are to be found, and their bytes; a byte of room in front, so that no value is
// aligned.
struct Maps {
  PixelKind kind;
  std::vector<std::int64_t> values;
  std::vector<std::uint8_t> bytes;

  snellen::PixelMaps maps() const { return {bytes.data() + 1, kind}; }
};

template <class T>
void put(std::int64_t value, Maps& maps) {
  const T narrow = static_cast<T>(value);
  const std::size_t at = maps.bytes.size();
  maps.bytes.resize(at + sizeof(T));
  std::memcpy(maps.bytes.data() + at, &narrow, sizeof(T));
  maps.values.push_back(static_cast<std::int64_t>(narrow));
}

// Makes the numbers 0, 1, 2 … into values all over the range of the kind.
Maps maps_of(PixelKind kind, const std::vector<std::uint32_t>& numbers) {
  Maps maps{kind, {}, {0}};
  for (const std::uint32_t number : numbers) {
    const std::uint64_t spread = number * 0x9e3779b97f4a7c15;
    const auto value = static_cast<std::int64_t>(number % 2 == 0 ? number : spread);
    switch (kind) {
      case PixelKind::kBool:
        // A flag is set by any bit.
        maps.bytes.push_back(static_cast<std::uint8_t>(number % 3));
        maps.values.push_back(number % 3 != 0);
        break;
      case PixelKind::kInt8:
        put<std::int8_t>(value, maps);
        break;
      case PixelKind::kUint8:
        put<std::uint8_t>(value, maps);
        break;
      case PixelKind::kInt16:
        put<std::int16_t>(value, maps);
        break;
      case PixelKind::kUint16:
        put<std::uint16_t>(value, maps);
        break;
      case PixelKind::kInt32:
        put<std::int32_t>(value, maps);
        break;
      case PixelKind::kUint32:
        put<std::uint32_t>(value, maps);
        break;
      case PixelKind::kInt64:
        put<std::int64_t>(value, maps);
        break;
      case PixelKind::kUint64:
        put<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::uint64_t>(value) >> 1), maps);
        break;
      case PixelKind::kColour: {
        for (int shift = 0; shift < 24; shift += 8) {
          maps.bytes.push_back(static_cast<std::uint8_t>(value >> shift));
        }
        maps.values.push_back(value & 0xffffff);
        break;
      }
    }
  }
  return maps;
}

// Everything as plain vectors, to compare.
struct Plain {
  std::vector<std::int64_t> start, truth, pred, count;
  bool operator==(const Plain&) const = default;
};

Plain find(const Maps& truth, const Maps& pred, std::size_t n_images, ChangeSearch search) {
  const std::size_t n_pixels = n_images == 0 ? 0 : truth.values.size() / n_images;
  const ValuePairs found =
      snellen::value_pairs(truth.maps(), pred.maps(), n_images, n_pixels, search);
  return {{found.start.begin(), found.start.end()},
          {found.truth.begin(), found.truth.end()},
          {found.pred.begin(), found.pred.end()},
          {found.count.begin(), found.count.end()}};
}

// One pixel after the other.
Plain by_hand(const Maps& truth, const Maps& pred, std::size_t n_images) {
  const std::size_t n_pixels = n_images == 0 ? 0 : truth.values.size() / n_images;
  Plain plain{{0}, {}, {}, {}};
  for (std::size_t image = 0; image < n_images; ++image) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
    for (std::size_t i = image * n_pixels; i < (image + 1) * n_pixels; ++i) {
      ++counts[{truth.values[i], pred.values[i]}];
    }
    for (const auto& [pair, count] : counts) {
      plain.truth.push_back(pair.first);
      plain.pred.push_back(pair.second);
      plain.count.push_back(count);
    }
    plain.start.push_back(static_cast<std::int64_t>(plain.count.size()));
  }
  return plain;
}

void check_both(const Maps& truth, const Maps& pred, std::size_t n_images) {
  const Plain want = by_hand(truth, pred, n_images);
  CHECK(find(truth, pred, n_images, ChangeSearch::kFastest) == want);
  CHECK(find(truth, pred, n_images, ChangeSearch::kPortable) == want);
}

// Runs of numbers below n_values whose mean length is about `length`; 1 is noise.
std::vector<std::uint32_t> runs(std::size_t n, unsigned length, unsigned n_values, Random& random) {
  std::vector<std::uint32_t> numbers;
  while (numbers.size() < n) {
    const auto number = static_cast<std::uint32_t>(random() % n_values);
    for (std::uint64_t left = 1 + random() % (2 * length - 1); left > 0; --left) {
      numbers.push_back(number);
    }
  }
  numbers.resize(n);
  return numbers;
}

void worked_by_hand() {
  // Two images of 2 × 3: the second row of an image goes on with the run of its first, an image
  // does not go on with that of the image before.
  const Maps truth = maps_of(PixelKind::kUint8, {0, 0, 2, 2, 2, 4, 4, 4, 4, 4, 0, 4});
  const Maps pred = maps_of(PixelKind::kUint8, {0, 2, 2, 2, 2, 4, 4, 4, 4, 0, 0, 4});
  for (const ChangeSearch search : {ChangeSearch::kFastest, ChangeSearch::kPortable}) {
    const Plain found = find(truth, pred, 2, search);
    CHECK(found.start == (std::vector<std::int64_t>{0, 4, 7}));
    CHECK(found.truth == (std::vector<std::int64_t>{0, 0, 2, 4, 0, 4, 4}));
    CHECK(found.pred == (std::vector<std::int64_t>{0, 2, 2, 4, 0, 0, 4}));
    CHECK(found.count == (std::vector<std::int64_t>{1, 1, 3, 1, 1, 1, 4}));
  }
}

void nothing() {
  const Maps none = maps_of(PixelKind::kUint8, {});
  for (const ChangeSearch search : {ChangeSearch::kFastest, ChangeSearch::kPortable}) {
    const ValuePairs no_images = snellen::value_pairs(none.maps(), none.maps(), 0, 5, search);
    CHECK_EQUAL(no_images.start.size(), 1U);
    CHECK_EQUAL(no_images.start[0], 0);
    const ValuePairs no_pixels = snellen::value_pairs(none.maps(), none.maps(), 2, 0, search);
    CHECK_EQUAL(no_pixels.start.size(), 3U);
    CHECK_EQUAL(no_pixels.start[2], 0);
    CHECK_EQUAL(no_pixels.count.size(), 0U);
  }
}

// Sizes on both sides of the words and chunks that changes are looked for in.
void every_kind_beside_every_kind() {
  Random random(1);
  for (const PixelKind truth : kKinds) {
    for (const PixelKind pred : kKinds) {
      for (const std::size_t n : {1U, 2U, 7U, 64U, 65U, 66U, 129U, 1024U, 1025U, 1090U, 2500U}) {
        for (const unsigned length : {1U, 2U, 5U, 60U}) {
          check_both(maps_of(truth, runs(3 * n, length, 30, random)),
                     maps_of(pred, runs(3 * n, length, 30, random)), 3);
        }
      }
    }
  }
}

// A change at every place of a chunk and its neighbours, in either map, in any byte of a value.
void a_change_at_every_place() {
  for (const PixelKind kind : kKinds) {
    const Maps flat = maps_of(kind, std::vector<std::uint32_t>(1200, 0));
    const std::size_t width = (flat.bytes.size() - 1) / 1200;
    for (std::size_t byte = 0; byte < width; ++byte) {
      for (std::size_t place = 0; place < 1200; place += place < 140 || place > 1010 ? 1 : 37) {
        Maps changed = flat;
        changed.bytes[1 + place * width + byte] = 1;
        for (const ChangeSearch search : {ChangeSearch::kFastest, ChangeSearch::kPortable}) {
          const Plain in_truth = find(changed, flat, 1, search);
          CHECK(in_truth.count.size() == 2 && in_truth.count[0] + in_truth.count[1] == 1200 &&
                (in_truth.count[0] == 1 || in_truth.count[1] == 1));
          const Plain in_pred = find(flat, changed, 1, search);
          CHECK(in_pred.count == in_truth.count && in_pred.pred == in_truth.truth);
        }
      }
    }
  }
}

// All pairs of bytes; more pairs of numbers than a small hash table holds, then few again.
void many_pairs() {
  Random random(2);
  for (const unsigned n_values : {256U, 100'000U}) {
    for (const PixelKind kind : {PixelKind::kUint8, PixelKind::kInt32, PixelKind::kColour}) {
      std::vector<std::uint32_t> truth = runs(300'000, 1, n_values, random);
      std::vector<std::uint32_t> pred = runs(300'000, 1, n_values, random);
      const std::vector<std::uint32_t> few = runs(300'000, 40, 5, random);
      truth.insert(truth.end(), few.begin(), few.end());
      pred.insert(pred.end(), few.begin(), few.end());
      check_both(maps_of(kind, truth), maps_of(kind, pred), 2);
    }
  }
}

// Noise and runs in turn: the counting goes from one way to the other and back.
void noise_among_runs() {
  Random random(3);
  for (const PixelKind kind : {PixelKind::kUint8, PixelKind::kUint16, PixelKind::kInt64}) {
    std::vector<std::uint32_t> truth, pred;
    for (int part = 0; part < 40; ++part) {
      for (auto* const side : {&truth, &pred}) {
        const auto more = runs(777, random() % 2 == 0 ? 1 : 300, 19, random);
        side->insert(side->end(), more.begin(), more.end());
      }
    }
    check_both(maps_of(kind, truth), maps_of(kind, pred), 1);
    check_both(maps_of(kind, truth), maps_of(kind, pred), 5);
  }
}

// Images larger than a band, among them one whose runs go over its end; images that share a job.
void threads_change_nothing() {
  Random random(4);
  const std::size_t n = (std::size_t{1} << 22) * 2 + 12345;
  const Maps truth = maps_of(PixelKind::kUint8, runs(2 * n, 5000, 19, random));
  const Maps pred = maps_of(PixelKind::kInt16, runs(2 * n, 300, 19, random));
  const Maps flat = maps_of(PixelKind::kUint8, std::vector<std::uint32_t>(2 * n, 6));
  const std::size_t n_small = 3000 * 350;
  const Maps small_truth = maps_of(PixelKind::kUint8, runs(n_small, 30, 19, random));
  const Maps small_pred = maps_of(PixelKind::kUint32, runs(n_small, 30, 19, random));
  const Plain want = by_hand(truth, pred, 2), small_want = by_hand(small_truth, small_pred, 3000);
  for (const int n_threads : {1, 2, 3, 8}) {
    snellen::set_thread_count(n_threads);
    CHECK(find(truth, pred, 2, ChangeSearch::kFastest) == want);
    const Plain one = find(flat, flat, 1, ChangeSearch::kFastest);
    CHECK(one.count == std::vector<std::int64_t>{static_cast<std::int64_t>(2 * n)});
    CHECK(find(small_truth, small_pred, 3000, ChangeSearch::kFastest) == small_want);
  }
  snellen::set_thread_count(0);
}

void refuses_what_no_int64_holds() {
  Maps truth = maps_of(PixelKind::kUint64, std::vector<std::uint32_t>(5, 0));
  const Maps pred = maps_of(PixelKind::kUint8, std::vector<std::uint32_t>(5, 0));
  // 2⁶³ − 1 is the largest that is counted.
  for (const std::uint64_t value : {~std::uint64_t{0} >> 1, (~std::uint64_t{0} >> 1) + 1}) {
    std::memcpy(truth.bytes.data() + 1 + 3 * sizeof(value), &value, sizeof(value));
    for (const bool swapped : {false, true}) {
      bool refused = false;
      try {
        const Maps& first = swapped ? pred : truth;
        const Maps& second = swapped ? truth : pred;
        const ValuePairs found = snellen::value_pairs(first.maps(), second.maps(), 1, 5);
        CHECK_EQUAL(found.count.size(), 2U);
      } catch (const std::invalid_argument&) {
        refused = true;
      }
      CHECK_EQUAL(refused, value > ~std::uint64_t{0} >> 1);
    }
  }
}

}  // namespace

int main() {
  worked_by_hand();
  nothing();
  every_kind_beside_every_kind();
  a_change_at_every_place();
  many_pairs();
  noise_among_runs();
  threads_change_nothing();
  refuses_what_no_int64_holds();
  return snellen::testing::report();
}
