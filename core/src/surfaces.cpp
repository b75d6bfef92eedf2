#include <algorithm>
#include <cstring>
#include <limits>

#include "snellen/distance.hpp"
#include "snellen/parallel.hpp"

namespace snellen {

namespace {

// Below so many values a second thread costs more than it saves.
constexpr std::size_t kValuesForThread = 1 << 17;

struct Found {
  GridPoint point;
  std::int32_t code;
  std::uint8_t around;
};

// What the rows of one part hold.
struct Part {
  Column<Found> found;
  std::vector<std::int64_t> unknown;
  std::vector<std::size_t> count;
};

void sort_unique(std::vector<std::int64_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Calls work(x) for each x below n whose flag is set.
template <class Work>
void for_flags(const std::uint8_t* flags, std::size_t n, const Work& work) {
  std::size_t x = 0;
  for (; x + 8 <= n; x += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, flags + x, 8);
    if (eight == 0) continue;
    for (std::size_t i = x; i < x + 8; ++i) {
      if (flags[i] != 0) work(i);
    }
  }
  for (; x < n; ++x) {
    if (flags[x] != 0) work(x);
  }
}

// The flags that say where a row is worth a closer look, and what is there.
template <class T>
class Scan {
 public:
  Scan(const T* values, const Grid& grid, const ClassOfValue& classes, Part& part)
      : values_(values), grid_(grid), classes_(classes), part_(part), flags_(grid.extent[2] + 1) {
    part_.count.assign(classes.n_classes, 0);
  }

  // The pixels of row (z, y) that have another value beside them.
  void cells(std::size_t z, std::size_t y) {
    const auto [depth, height, width] = grid_.extent;
    const T* const row = row_at(z, y);
    std::uint8_t* const flags = flags_.data();
    const bool at_end =
        y == 0 || y + 1 == height || (grid_.n_axes == 3 && (z == 0 || z + 1 == depth));
    if (at_end) {
      std::fill_n(flags, width, std::uint8_t{1});
    } else {
      const T* const above = row - width;
      const T* const below = row + width;
      for (std::size_t x = 1; x + 1 < width; ++x) {
        flags[x] = static_cast<std::uint8_t>((row[x] != row[x - 1]) | (row[x] != row[x + 1]) |
                                             (row[x] != above[x]) | (row[x] != below[x]));
      }
      if (grid_.n_axes == 3) {
        const T* const before = row_at(z - 1, y);
        const T* const behind = row_at(z + 1, y);
        for (std::size_t x = 1; x + 1 < width; ++x) {
          flags[x] =
              static_cast<std::uint8_t>(flags[x] | (row[x] != before[x]) | (row[x] != behind[x]));
        }
      }
      flags[0] = flags[width - 1] = 1;
    }
    for_flags(flags, width, [&](std::size_t x) {
      const std::int32_t code = code_of(row[x]);
      if (code >= 0) add(z, y, x, code, 0);
    });
  }

  // The corners before row (z, y), which has neighbours on both sides or lies at an end of the
  // image: 0 <= y <= height.
  void corners(std::size_t z, std::size_t y) {
    // Not bound together: older compilers let no lambda capture such names.
    const std::size_t depth = grid_.extent[0], height = grid_.extent[1], width = grid_.extent[2];
    const bool is_volume = grid_.n_axes == 3;
    // The rows around, by the bits of y and z; null outside of the image.
    std::array<const T*, 4> rows{};
    const int n_rows = is_volume ? 4 : 2;
    bool at_end = false;
    for (int r = 0; r < n_rows; ++r) {
      // Unsigned: one before the first row is beyond the last.
      const std::size_t at_y = y + static_cast<std::size_t>(r & 1) - 1;
      const std::size_t at_z = is_volume ? z + static_cast<std::size_t>(r >> 1) - 1 : 0;
      if (at_y < height && at_z < depth) rows[static_cast<std::size_t>(r)] = row_at(at_z, at_y);
      at_end = at_end || rows[static_cast<std::size_t>(r)] == nullptr;
    }
    std::uint8_t* const flags = flags_.data();
    if (at_end) {
      std::fill_n(flags, width + 1, std::uint8_t{1});
    } else {
      const T* const a = rows[0];
      const T* const b = rows[1];
      for (std::size_t x = 1; x < width; ++x) {
        flags[x] =
            static_cast<std::uint8_t>((a[x] != a[x - 1]) | (a[x] != b[x]) | (a[x] != b[x - 1]));
      }
      if (is_volume) {
        const T* const c = rows[2];
        const T* const d = rows[3];
        for (std::size_t x = 1; x < width; ++x) {
          flags[x] = static_cast<std::uint8_t>(flags[x] | (a[x] != c[x]) | (a[x] != c[x - 1]) |
                                               (a[x] != d[x]) | (a[x] != d[x - 1]));
        }
      }
      flags[0] = flags[width] = 1;
    }
    const int n_around = 2 * n_rows;
    const unsigned full = (1u << n_around) - 1;
    for_flags(flags, width + 1, [&](std::size_t x) {
      std::array<std::int32_t, 8> codes{};
      for (int i = 0; i < n_around; ++i) {
        const T* const row = rows[static_cast<std::size_t>(i >> 1)];
        const std::size_t at = x + static_cast<std::size_t>(i & 1) - 1;
        codes[static_cast<std::size_t>(i)] =
            row != nullptr && at < width ? code_of(row[at]) : kNoClass;
      }
      unsigned done = 0;
      for (int i = 0; i < n_around; ++i) {
        const std::int32_t code = codes[static_cast<std::size_t>(i)];
        if (code < 0 || (done >> i & 1u) != 0) continue;
        unsigned around = 0;
        for (int j = i; j < n_around; ++j) {
          if (codes[static_cast<std::size_t>(j)] == code) around |= 1u << j;
        }
        done |= around;
        if (around != full) add(z, y, x, code, static_cast<std::uint8_t>(around));
      }
    });
  }

 private:
  const T* row_at(std::size_t z, std::size_t y) const {
    return values_ + (z * grid_.extent[1] + y) * grid_.extent[2];
  }

  std::int32_t code_of(T value) {
    const std::uint64_t at =
        static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(classes_.first);
    const std::int32_t code = at < classes_.size ? classes_.code[at] : kUnknownValue;
    if (code == kUnknownValue) note_unknown(static_cast<std::int64_t>(value));
    return code;
  }

  void note_unknown(std::int64_t value) {
    std::vector<std::int64_t>& unknown = part_.unknown;
    if (!unknown.empty() && unknown.back() == value) return;
    unknown.push_back(value);
    if (unknown.size() < most_unknown_) return;
    sort_unique(unknown);
    most_unknown_ = std::max(kUnknownAtOnce, 2 * unknown.size());
  }

  void add(std::size_t z, std::size_t y, std::size_t x, std::int32_t code, std::uint8_t around) {
    part_.found.push_back(
        {{static_cast<std::int32_t>(z), static_cast<std::int32_t>(y), static_cast<std::int32_t>(x)},
         code,
         around});
    ++part_.count[static_cast<std::size_t>(code)];
  }

  static constexpr std::size_t kUnknownAtOnce = 4096;

  const T* values_;
  const Grid& grid_;
  const ClassOfValue& classes_;
  Part& part_;
  std::vector<std::uint8_t> flags_;
  std::size_t most_unknown_ = kUnknownAtOnce;
};

// Puts what the parts found in order of classes; within a class it stays as it is.
Surfaces by_class(std::vector<Part>& parts, std::size_t n_classes, bool has_around) {
  Surfaces surfaces;
  surfaces.start.assign(n_classes + 1, 0);
  std::size_t n = 0;
  for (std::size_t k = 0; k < n_classes; ++k) {
    surfaces.start[k] = n;
    for (Part& part : parts) {
      const std::size_t count = part.count[k];
      part.count[k] = n;  // from here on: where the part's next point of the class goes
      n += count;
    }
  }
  surfaces.start[n_classes] = n;
  surfaces.point.resize_uninitialised(n);
  surfaces.around.resize_uninitialised(has_around ? n : 0);
  parallel_for(parts.size(), [&](std::size_t p) {
    for (const Found& found : parts[p].found) {
      const std::size_t to = parts[p].count[static_cast<std::size_t>(found.code)]++;
      surfaces.point.data()[to] = found.point;
      if (has_around) surfaces.around.data()[to] = found.around;
    }
  });
  for (const Part& part : parts) {
    surfaces.unknown.insert(surfaces.unknown.end(), part.unknown.begin(), part.unknown.end());
  }
  sort_unique(surfaces.unknown);
  return surfaces;
}

}  // namespace

template <class T>
Surfaces find_surfaces(const T* values, const Grid& grid, const ClassOfValue& classes,
                       SurfaceKind kind) {
  const bool is_corners = kind == SurfaceKind::kCorners;
  const auto [depth, height, width] = grid.extent;
  // Corners have one row more than pixels along each axis.
  const std::size_t n_y = height + (is_corners ? 1 : 0);
  const std::size_t n_z = depth + (is_corners && grid.n_axes == 3 ? 1 : 0);
  const std::size_t n_values = depth * height * width;
  const std::size_t n_rows = n_values == 0 ? 0 : n_y * n_z;
  const std::size_t n_parts =
      std::min(std::clamp<std::size_t>(n_values / kValuesForThread, 1,
                                       static_cast<std::size_t>(thread_count())),
               std::max<std::size_t>(n_rows, 1));
  std::vector<Part> parts(n_parts);
  parallel_for(n_parts, [&](std::size_t p) {
    Scan<T> scan(values, grid, classes, parts[p]);
    for (std::size_t row = n_rows * p / n_parts; row < n_rows * (p + 1) / n_parts; ++row) {
      if (is_corners) {
        scan.corners(row / n_y, row % n_y);
      } else {
        scan.cells(row / n_y, row % n_y);
      }
    }
    sort_unique(parts[p].unknown);
  });
  return by_class(parts, classes.n_classes, is_corners);
}

template Surfaces find_surfaces(const std::uint8_t*, const Grid&, const ClassOfValue&, SurfaceKind);
template Surfaces find_surfaces(const std::int8_t*, const Grid&, const ClassOfValue&, SurfaceKind);
template Surfaces find_surfaces(const std::uint16_t*, const Grid&, const ClassOfValue&,
                                SurfaceKind);
template Surfaces find_surfaces(const std::int16_t*, const Grid&, const ClassOfValue&, SurfaceKind);
template Surfaces find_surfaces(const std::uint32_t*, const Grid&, const ClassOfValue&,
                                SurfaceKind);
template Surfaces find_surfaces(const std::int32_t*, const Grid&, const ClassOfValue&, SurfaceKind);
template Surfaces find_surfaces(const std::int64_t*, const Grid&, const ClassOfValue&, SurfaceKind);

}  // namespace snellen
