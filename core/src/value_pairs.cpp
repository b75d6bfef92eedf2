#include "snellen/value_pairs.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "pair_table.hpp"
#include "pixel_changes.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// Larger images are cut into bands, which threads share; smaller ones are put together, because
// a thread costs more than it saves. Both depend on sizes alone. A band has fewer than 2³² pixels.
constexpr std::size_t kBandPixels = std::size_t{1} << 22;
constexpr std::size_t kJobPixels = std::size_t{1} << 18;

std::size_t width_of(PixelKind kind) {
  switch (kind) {
    case PixelKind::kBool:
    case PixelKind::kInt8:
    case PixelKind::kUint8:
      return 1;
    case PixelKind::kInt16:
    case PixelKind::kUint16:
      return 2;
    case PixelKind::kColour:
      return 3;
    case PixelKind::kInt32:
    case PixelKind::kUint32:
      return 4;
    default:
      return 8;
  }
}

// Signed numbers below 0 become very large ones, and come back at the end.
using Values = std::array<std::uint64_t, kChunkPixels>;

template <class T>
std::uint64_t value_at(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return static_cast<std::uint64_t>(value);
}

struct Flag {};
struct Colour {};
template <>
std::uint64_t value_at<Flag>(const std::uint8_t* at) {
  return *at != 0;
}
template <>
std::uint64_t value_at<Colour>(const std::uint8_t* at) {
  return at[0] | std::uint64_t{at[1]} << 8 | std::uint64_t{at[2]} << 16;
}

// The values of the pixels at n places, or of the first n pixels.
template <class T, std::size_t kWidth>
void read_as(const std::uint8_t* at, const std::uint16_t* places, std::size_t n, Values& values) {
  if (places == nullptr) {
    for (std::size_t i = 0; i < n; ++i) values[i] = value_at<T>(at + i * kWidth);
  } else {
    for (std::size_t i = 0; i < n; ++i) values[i] = value_at<T>(at + places[i] * kWidth);
  }
}

using Read = void (*)(const std::uint8_t*, const std::uint16_t*, std::size_t, Values&);

Read reader_of(PixelKind kind) {
  switch (kind) {
    case PixelKind::kBool:
      return read_as<Flag, 1>;
    case PixelKind::kInt8:
      return read_as<std::int8_t, 1>;
    case PixelKind::kUint8:
      return read_as<std::uint8_t, 1>;
    case PixelKind::kInt16:
      return read_as<std::int16_t, 2>;
    case PixelKind::kUint16:
      return read_as<std::uint16_t, 2>;
    case PixelKind::kColour:
      return read_as<Colour, 3>;
    case PixelKind::kInt32:
      return read_as<std::int32_t, 4>;
    case PixelKind::kUint32:
      return read_as<std::uint32_t, 4>;
    default:
      return read_as<std::uint64_t, 8>;
  }
}

bool comes_before(const PairRow& a, const PairRow& b) {
  return std::tie(a.truth, a.pred) < std::tie(b.truth, b.pred);
}

// Counts the pairs of one range of pixels after the other.
class Counter {
 public:
  Counter(const PixelMaps& truth, const PixelMaps& pred, FindChanges find)
      : truth_(truth), pred_(pred), find_(find) {}

  // Appends the rows of the pixels [begin, end), ascending. begin < end, fewer than 2³² pixels.
  void count(std::size_t begin, std::size_t end, std::vector<PairRow>& rows) {
    const std::size_t n_before = rows.size();
    if (truth_.kind == PixelKind::kUint8 && pred_.kind == PixelKind::kUint8) {
      count_bytes(begin, end);
    } else {
      count_any(begin, end);
    }
    bytes_.take(rows);
    others_.take(rows);
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(n_before);
    if (!std::is_sorted(first, rows.end(), comes_before)) {
      std::sort(first, rows.end(), comes_before);
    }
  }

 private:
  struct Side {
    explicit Side(const PixelMaps& maps)
        : kind(maps.kind),
          first(static_cast<const std::uint8_t*>(maps.data)),
          width(width_of(maps.kind)),
          read(reader_of(maps.kind)) {}
    const std::uint8_t* at(std::size_t pixel) const { return first + pixel * width; }

    PixelKind kind;
    const std::uint8_t* first;
    std::size_t width;
    Read read;
  };

  void count_bytes(std::size_t begin, std::size_t end) {
    // The run that is not over yet.
    std::size_t start = begin;
    std::size_t cell = std::size_t{*truth_.at(begin)} << 8 | *pred_.at(begin);
    for (std::size_t chunk = begin + 1; chunk < end; chunk += kChunkPixels) {
      const std::size_t n = std::min(kChunkPixels, end - chunk);
      const std::uint8_t* const truth = truth_.at(chunk);
      const std::uint8_t* const pred = pred_.at(chunk);
      const std::size_t n_places = find_(truth, 1, pred, 1, n, places_.data());
      if (n_places == kEveryPixel) {
        bytes_.add(cell, static_cast<std::uint32_t>(chunk - start));
        for (std::size_t i = 0; i + 1 < n; ++i) {
          bytes_.add(std::size_t{truth[i]} << 8 | pred[i], 1);
        }
        start = chunk + n - 1;
        cell = std::size_t{truth[n - 1]} << 8 | pred[n - 1];
        continue;
      }
      for (std::size_t i = 0; i < n_places; ++i) {
        const std::size_t place = places_[i];
        bytes_.add(cell, static_cast<std::uint32_t>(chunk + place - start));
        start = chunk + place;
        cell = std::size_t{truth[place]} << 8 | pred[place];
      }
    }
    bytes_.add(cell, static_cast<std::uint32_t>(end - start));
  }

  void count_any(std::size_t begin, std::size_t end) {
    std::size_t start = begin;
    truth_.read(truth_.at(begin), nullptr, 1, truth_values_);
    pred_.read(pred_.at(begin), nullptr, 1, pred_values_);
    std::uint64_t truth = truth_values_[0], pred = pred_values_[0];
    for (std::size_t chunk = begin + 1; chunk < end; chunk += kChunkPixels) {
      const std::size_t n = std::min(kChunkPixels, end - chunk);
      std::size_t n_places =
          find_(truth_.at(chunk), truth_.width, pred_.at(chunk), pred_.width, n, places_.data());
      const std::uint16_t* places = places_.data();
      if (n_places == kEveryPixel) {
        n_places = n;
        places = nullptr;
      }
      truth_.read(truth_.at(chunk), places, n_places, truth_values_);
      pred_.read(pred_.at(chunk), places, n_places, pred_values_);
      for (std::size_t i = 0; i < n_places; ++i) {
        const std::size_t next = chunk + (places == nullptr ? i : places[i]);
        add(truth, pred, static_cast<std::uint32_t>(next - start));
        start = next;
        truth = truth_values_[i];
        pred = pred_values_[i];
      }
    }
    add(truth, pred, static_cast<std::uint32_t>(end - start));
  }

  void add(std::uint64_t truth, std::uint64_t pred, std::uint32_t n) {
    if ((truth | pred) < 256) {
      bytes_.add(static_cast<std::size_t>(truth << 8 | pred), n);
    } else {
      others_.add(truth, pred, n);
    }
  }

  Side truth_, pred_;
  FindChanges find_;
  BytePairTable bytes_;
  PairHash others_;
  std::array<std::uint16_t, kChunkPlaces> places_;
  Values truth_values_, pred_values_;
};

// Adds up the rows of equal pairs: of an image that was cut into bands.
void join(std::vector<PairRow>& rows) {
  std::sort(rows.begin(), rows.end(), comes_before);
  std::size_t n = 0;
  for (const PairRow& row : rows) {
    if (n > 0 && rows[n - 1].truth == row.truth && rows[n - 1].pred == row.pred) {
      rows[n - 1].count += row.count;
    } else {
      rows[n++] = row;
    }
  }
  rows.resize(n);
}

// A value of 64 bits without a sign is held as one with it.
void refuse_below_0(const Column<std::int64_t>& values) {
  for (const std::int64_t value : values) {
    if (value >= 0) continue;
    throw std::invalid_argument("expected values below 2^63, got " +
                                std::to_string(static_cast<std::uint64_t>(value)));
  }
}

void append(const std::vector<PairRow>& rows, ValuePairs& found) {
  for (const PairRow& row : rows) {
    found.truth.push_back(row.truth);
    found.pred.push_back(row.pred);
    found.count.push_back(row.count);
  }
}

}  // namespace

ValuePairs value_pairs(const PixelMaps& truth, const PixelMaps& pred, std::size_t n_images,
                       std::size_t n_pixels, ChangeSearch search) {
  ValuePairs found;
  found.start.resize_uninitialised(n_images + 1);
  std::fill(found.start.begin(), found.start.end(), 0);
  if (n_images == 0 || n_pixels == 0) return found;

  const FindChanges find = find_changes(search);
  const std::size_t n_bands = (n_pixels + kBandPixels - 1) / kBandPixels;
  const std::size_t job_images = std::max<std::size_t>(1, kJobPixels / n_pixels);
  const std::size_t n_jobs =
      n_bands > 1 ? n_images * n_bands : (n_images + job_images - 1) / job_images;
  std::vector<std::vector<PairRow>> rows(n_jobs);
  // start[i + 1] holds the number of rows of image i until they are added up.
  std::int64_t* const n_rows = found.start.data() + 1;
  parallel_for_workers(n_jobs, [&] {
    return [&, counter = Counter(truth, pred, find)](std::size_t job) mutable {
      if (n_bands > 1) {
        const std::size_t image = job / n_bands, band = job % n_bands;
        const std::size_t first = image * n_pixels;
        counter.count(first + n_pixels * band / n_bands, first + n_pixels * (band + 1) / n_bands,
                      rows[job]);
        return;
      }
      const std::size_t last = std::min(n_images, (job + 1) * job_images);
      for (std::size_t image = job * job_images; image < last; ++image) {
        const std::size_t n_before = rows[job].size();
        counter.count(image * n_pixels, (image + 1) * n_pixels, rows[job]);
        n_rows[image] = static_cast<std::int64_t>(rows[job].size() - n_before);
      }
    };
  });
  if (n_bands > 1) {
    for (std::size_t image = 0; image < n_images; ++image) {
      std::vector<PairRow> whole;
      for (std::size_t band = 0; band < n_bands; ++band) {
        const std::vector<PairRow>& part = rows[image * n_bands + band];
        whole.insert(whole.end(), part.begin(), part.end());
      }
      join(whole);
      n_rows[image] = static_cast<std::int64_t>(whole.size());
      append(whole, found);
    }
  } else {
    for (const auto& part : rows) append(part, found);
  }
  if (truth.kind == PixelKind::kUint64) refuse_below_0(found.truth);
  if (pred.kind == PixelKind::kUint64) refuse_below_0(found.pred);
  for (std::size_t image = 0; image < n_images; ++image) {
    found.start[image + 1] += found.start[image];
  }
  return found;
}

}  // namespace snellen
