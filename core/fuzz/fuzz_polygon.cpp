// Any doubles as vertices: the runs sum up to the image, none but the first is 0, and vertices that
// come twice change nothing.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "snellen/polygon.hpp"

namespace {

using namespace snellen;

void check(bool holds) {
  if (!holds) std::abort();
}

RleRows rows_of(const std::vector<double>& xy, const std::int64_t* size) {
  const std::int64_t begin[] = {0, static_cast<std::int64_t>(xy.size() / 2)};
  return rle_of_polygons({xy.data(), begin, size, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  // A width of 0 has columns without end.
  const std::int64_t image[] = {data[0], 1 + data[1] % 200};
  const bool is_wide = data[2] % 2 == 0;
  data += 3;
  size -= 3;
  std::vector<double> xy;
  if (is_wide) {
    xy.resize(size / 16 * 2);
    if (!xy.empty()) std::memcpy(xy.data(), data, xy.size() * sizeof(double));
  } else {
    // Tenths of pixels, in and around the image.
    for (std::size_t k = 0; k + 3 < size; k += 4) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        std::int16_t tenths;
        std::memcpy(&tenths, data + k + 2 * axis, sizeof(tenths));
        xy.push_back(tenths / 10.0);
      }
    }
  }
  const RleRows rows = rows_of(xy, image);
  check(rows.offset.size() == 2 && rows.runs.size() > 0);
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < rows.runs.size(); ++k) {
    check(k == 0 || rows.runs[k] > 0 || image[0] == 0);
    sum += rows.runs[k];
  }
  check(sum == static_cast<std::uint64_t>(image[0] * image[1]));
  std::vector<double> twice;
  for (std::size_t k = 0; k < xy.size(); k += 2) {
    for (int time = 0; time < 2; ++time) twice.insert(twice.end(), {xy[k], xy[k + 1]});
  }
  const RleRows again = rows_of(twice, image);
  check(again.runs.size() == rows.runs.size());
  check(std::memcmp(again.runs.data(), rows.runs.data(),
                    rows.runs.size() * sizeof(std::uint32_t)) == 0);
  return 0;
}
