#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/label_codes.hpp"

namespace {

using Ids = std::vector<std::int64_t>;

template <class Label, class Code>
void compare(const std::vector<Label>& labels, const Ids& ids,
             std::optional<std::int64_t> ignored) {
  std::vector<Code> code(labels.size(), Code{77}), wanted;
  snellen::UnknownLabels unknown, missing;
  for (const Label label : labels) {
    const auto at = std::find(ids.begin(), ids.end(), static_cast<std::int64_t>(label));
    const bool is_ignored = ignored.has_value() && *ignored == static_cast<std::int64_t>(label);
    if (at == ids.end() && !is_ignored) ++missing[static_cast<std::int64_t>(label)];
    wanted.push_back(
        static_cast<Code>(is_ignored ? ids.size() : static_cast<std::size_t>(at - ids.begin())));
  }
  snellen::label_codes(labels.data(), labels.size(), ids.data(), ids.size(), ignored, code.data(),
                       unknown);
  CHECK(code == wanted);
  CHECK(unknown == missing);
}

void by_hand() {
  const std::vector<std::uint8_t> labels = {7, 7, 255, 9, 8, 8};
  const Ids ids = {7, 8};
  std::vector<std::uint8_t> code(6);
  snellen::UnknownLabels unknown;
  snellen::label_codes(labels.data(), 6, ids.data(), 2, 255, code.data(), unknown);
  CHECK((code == std::vector<std::uint8_t>{0, 0, 2, 2, 1, 1}));
  CHECK((unknown == snellen::UnknownLabels{{9, 1}}));
}

template <class Label, class Code>
void at_random() {
  std::mt19937_64 random(sizeof(Label) * 10 + sizeof(Code));
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::vector<Label> labels;
    for (std::uint64_t runs = random() % 20; runs > 0; --runs) {
      const auto label = static_cast<Label>(random() % 10 * 20);
      labels.insert(labels.end(), random() % (repeat % 2 == 0 ? 3 : 40), label);
    }
    Ids ids;
    for (std::int64_t id = 0; id < 200; id += 20) {
      if (random() % 4 != 0) ids.push_back(id);
    }
    compare<Label, Code>(labels, ids,
                         repeat % 3 == 0 ? std::nullopt : std::optional<std::int64_t>{40});
  }
  compare<Label, Code>({}, {1, 2}, 3);
  compare<Label, Code>({5, 5, 0}, {}, std::nullopt);
}

void labels_of_all_sizes() {
  using Limits = std::numeric_limits<std::int64_t>;
  compare<std::int64_t, std::uint8_t>({Limits::min(), -1, Limits::max()}, {Limits::min(), 0}, -1);
  compare<std::int32_t, std::uint8_t>({-1, -1, 3}, {-1, 3}, 255);
  compare<std::uint16_t, std::uint8_t>({65535, 0}, {0}, 65535);
}

}  // namespace

int main() {
  by_hand();
  at_random<std::uint8_t, std::uint8_t>();
  at_random<std::uint8_t, std::uint16_t>();
  at_random<std::uint16_t, std::uint8_t>();
  at_random<std::uint16_t, std::uint16_t>();
  at_random<std::int32_t, std::uint8_t>();
  at_random<std::int32_t, std::uint16_t>();
  at_random<std::int64_t, std::uint8_t>();
  at_random<std::int64_t, std::uint16_t>();
  labels_of_all_sizes();
  return snellen::testing::report();
}
