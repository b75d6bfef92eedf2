#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/lookup.hpp"

using Ids = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

struct Found {
  std::vector<std::int32_t> position;
  std::size_t n_absent;
};

Found look_up(const Ids& ids, const Ids& known) {
  Found found{std::vector<std::int32_t>(ids.size(), 77), 0};
  found.n_absent =
      snellen::lookup(ids.data(), ids.size(), known.data(), known.size(), found.position.data());
  return found;
}

void check_found(const Ids& ids, const Ids& known, const std::vector<std::int32_t>& want) {
  const Found found = look_up(ids, known);
  CHECK(found.position == want);
  CHECK_EQUAL(found.n_absent, static_cast<std::size_t>(std::count(want.begin(), want.end(), -1)));
}

void close_packed_ids() {
  check_found({5, 3, 4, 3}, {3, 4, 5}, {2, 0, 1, 0});
  // Absent between, below and above.
  check_found({4, 2, 6, 3, -3}, {3, 5}, {-1, -1, -1, 0, -1});
  check_found({0, -2, -1}, {-2, -1, 0}, {2, 0, 1});
}

void spread_ids() {
  const std::int64_t far = std::int64_t{1} << 60;
  check_found({far, 1, far + 1, 0, far - 1}, {0, 1, far, far + 1}, {2, 1, 3, 0, -1});
}

void the_whole_range() {
  // The distance of these does not fit 64 bits with a sign.
  check_found({kHighest, 0, kLowest, kLowest + 1, kHighest - 1}, {kLowest, 0, kHighest},
              {2, 1, 0, -1, -1});
  // A table at either end of the range; the ids lie as far off as they can.
  check_found({kHighest, kLowest, kHighest - 1}, {kLowest, kLowest + 1}, {-1, 0, -1});
  check_found({kLowest, kHighest, 0, kHighest - 1}, {kHighest - 1, kHighest}, {-1, 1, -1, 0});
}

void nothing() {
  check_found({}, {1, 2}, {});
  check_found({1, 2}, {}, {-1, -1});
  check_found({}, {}, {});
}

void both_ways_agree_with_a_search() {
  std::mt19937_64 random(1);
  // Spans from close-packed (direct table) to far apart (binary search).
  for (const std::int64_t span : Ids{300, 30'000, 3'000'000, 3'000'000'000'000}) {
    std::uniform_int_distribution<std::int64_t> draw(-span, span);
    Ids known(200), ids(500);
    for (std::int64_t& id : known) id = draw(random);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ids[i] = i % 2 == 0 ? known[i % known.size()] : draw(random);
    }
    std::vector<std::int32_t> want;
    for (const std::int64_t id : ids) {
      const auto at = std::find(known.begin(), known.end(), id);
      want.push_back(at == known.end() ? -1 : static_cast<std::int32_t>(at - known.begin()));
    }
    check_found(ids, known, want);
  }
}

}  // namespace

int main() {
  close_packed_ids();
  spread_ids();
  the_whole_range();
  nothing();
  both_ways_agree_with_a_search();
  return snellen::testing::report();
}
