#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "snellen/loose_rle.hpp"
#include "snellen/parallel.hpp"

using snellen::Column;
using snellen::LooseRle;
using snellen::RleMerge;

namespace {

using Runs = std::vector<std::uint32_t>;

struct Masks {
  Runs runs;
  std::vector<std::int64_t> offset = {0};
  std::vector<std::int64_t> size;

  Masks& add(const Runs& more, std::int64_t height, std::int64_t width) {
    runs.insert(runs.end(), more.begin(), more.end());
    offset.push_back(static_cast<std::int64_t>(runs.size()));
    size.push_back(height);
    size.push_back(width);
    return *this;
  }
  LooseRle view() const { return {runs.data(), offset.data(), size.data(), offset.size() - 1}; }
};

Runs read(const std::string& text) {
  Column<std::uint32_t> runs;
  runs.push_back(77);  // of another mask
  snellen::append_loose_rle(text, runs);
  CHECK_EQUAL(runs[0], 77U);
  return {runs.begin() + 1, runs.end()};
}

void texts() {
  CHECK(read("") == Runs{});
  // Differences from the fourth on, −1 is "O".
  CHECK(read("02203O") == (Runs{0, 2, 2, 2, 5, 1}));
  // The same in one piece of eight characters and more.
  CHECK(read("02203O02203O") == (Runs{0, 2, 2, 2, 5, 1, 5, 3, 7, 3, 10, 2}));
  // 400 is 16 + 12 · 32 and, for its sign, no third group: "`" and "<".
  CHECK(read("`<`<`<1") == (Runs{400, 400, 400, 401}));
  // Cut off: the byte of 0 behind it ends the number, and is −16.
  CHECK(read("12o") == (Runs{1, 2, static_cast<std::uint32_t>(31 - 16 * 32)}));
  CHECK(read(std::string("12\0"
                         "34",
                         5)) == (Runs{1, 2}));
  // Below 0, modulo 2³².
  CHECK(read("O") == Runs{0xffffffff});
}

// Character by character, as the format says.
Runs plain_read(const std::string& text) {
  Runs runs;
  for (std::size_t at = 0; at < text.size() && text[at] != 0;) {
    std::uint64_t value = 0;
    unsigned shift = 0, group;
    do {
      group = (at < text.size() ? static_cast<unsigned char>(text[at]) : 0U) - 48U;
      ++at;
      if (shift < 35) value |= static_cast<std::uint64_t>(group & 31U) << shift;
      shift += 5;
    } while ((group & 32U) != 0);
    if ((group & 16U) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
    auto run = static_cast<std::uint32_t>(value);
    if (runs.size() > 2) run += runs[runs.size() - 2];
    runs.push_back(run);
  }
  return runs;
}

void any_text() {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    unsigned length = 0;
    for (std::size_t n = random() % 30; n > 0; --n) {
      auto character = static_cast<char>(48 + random() % 64);
      // Numbers of up to six characters: more are worth what processors make of them.
      length = character >= 80 ? length + 1 : 0;
      if (length == 6) {
        character = '1';
        length = 0;
      }
      text += character;
    }
    CHECK(read(text) == plain_read(text));
  }
}

void changes() {
  // Two images of 3 × 2, column by column.
  const std::uint8_t pixels[] = {0, 0, 2, 2, 1, 0, 7, 7, 7, 7, 7, 7};
  const snellen::RleRows rows = snellen::encode_changes(pixels, 2, 6);
  CHECK(Runs(rows.runs.begin(), rows.runs.end()) == (Runs{2, 2, 1, 1, 0, 6}));
  CHECK(rows.offset[1] == 4 && rows.offset[2] == 6);
  const snellen::RleRows none = snellen::encode_changes(nullptr, 1, 0);
  CHECK(Runs(none.runs.begin(), none.runs.end()) == Runs{0});
}

void painted() {
  Masks masks;
  masks.add({1, 2}, 2, 2).add({0, 3}, 2, 2);
  std::vector<std::uint8_t> pixels(8, 9);
  CHECK(snellen::paint_loose_rle(masks.view(), pixels.data(), 8));
  CHECK(pixels == (std::vector<std::uint8_t>{0, 1, 1, 1, 1, 1, 0, 0}));
  CHECK(!snellen::paint_loose_rle(masks.view(), pixels.data(), 5));
  CHECK(snellen::paint_loose_rle(Masks().add({0, 0}, 0, 3).view(), nullptr, 0));
}

void areas_and_boxes() {
  Masks masks;
  masks
      .add({4, 1, 7}, 3, 4)               // pixel 4: column 1, row 1
      .add({2, 2, 8}, 3, 4)               // across two columns: all rows
      .add({12}, 3, 4)                    // nothing
      .add({3, 0, 9}, 3, 4)               // nothing, in three runs: 2³² − 3 wide, 2³² − 2 high
      .add({3, 0xfffffffd, 0, 1}, 3, 1);  // to the last of 2³² pixels, then the first
  std::vector<std::uint32_t> area(5);
  std::vector<double> box(20);
  snellen::loose_areas(masks.view(), area.data());
  snellen::loose_boxes(masks.view(), box.data());
  CHECK(area == (std::vector<std::uint32_t>{1, 2, 0, 0, 0xfffffffe}));
  CHECK(
      box ==
      (std::vector<double>{
          1, 1, 1, 1, 0, 0, 2, 3, 0, 0, 0, 0, 4, 3, 4294967293.0, 4294967294.0, 0, 0, 1431655766.0,
          3}));
}

void sets() {
  Masks masks;
  masks.add({1, 3, 2}, 2, 3).add({2, 4}, 2, 3);
  const auto both = snellen::merge_loose_rle(masks.view(), RleMerge::kIntersection);
  CHECK(Runs(both->begin(), both->end()) == (Runs{2, 2, 2}));
  const auto either = snellen::merge_loose_rle(masks.view(), RleMerge::kUnion);
  CHECK(Runs(either->begin(), either->end()) == (Runs{1, 5}));
  // A run of 0 in both at the same place ends them there.
  Masks cut;
  cut.add({1, 0, 5}, 2, 3).add({1, 0, 5}, 2, 3);
  const auto short_one = snellen::merge_loose_rle(cut.view(), RleMerge::kUnion);
  CHECK(Runs(short_one->begin(), short_one->end()) == Runs{1});
  // One that ends before the other would be waited for for ever.
  Masks uneven;
  uneven.add({1, 3}, 2, 3).add({2, 4}, 2, 3);
  CHECK(!snellen::merge_loose_rle(uneven.view(), RleMerge::kUnion));
}

void pairs() {
  Masks pred, truth;
  pred.add({1, 3, 2}, 2, 3).add({6}, 2, 3);
  truth.add({2, 4}, 2, 3).add({2, 4}, 2, 3).add({0, 6}, 3, 2);
  const std::uint8_t crowd[] = {0, 1, 0};
  std::vector<double> iou(6);
  CHECK(snellen::loose_iou_matrix(pred.view(), truth.view(), crowd, iou.data()));
  // Pixels 1 2 3 against 2 3 4 5: 2 of 5, of a crowd 2 of 3; another size; nothing.
  CHECK(iou == (std::vector<double>{2.0 / 5, 0, 2.0 / 3, 0, -1, 0}));
  truth = Masks().add({2, 3}, 2, 3);
  CHECK(!snellen::loose_iou_matrix(pred.view(), truth.view(), crowd, iou.data()));
}

// Masks as they are made go another way than those with runs of 0: to the same numbers.
void both_ways() {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const auto height = static_cast<std::int64_t>(1 + random() % 12);
    const auto width = static_cast<std::int64_t>(1 + random() % 12);
    Masks plain[2], split[2];
    for (int side = 0; side < 2; ++side) {
      for (std::size_t n = random() % 6; n > 0; --n) {
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width));
        const auto percent = random() % 101;
        for (std::uint8_t& pixel : pixels) pixel = random() % 100 < percent;
        const snellen::RleRows rows = snellen::encode_changes(pixels.data(), 1, pixels.size());
        Runs runs(rows.runs.begin(), rows.runs.end());
        plain[side].add(runs, height, width);
        // Of one side only: where both have a run of 0 the walk may end.
        if (side == 0 && runs[0] > 1) {
          runs[0] -= 1;
          runs.insert(runs.begin(), {1, 0});
        }
        split[side].add(runs, height, width);
      }
    }
    const std::size_t n_pred = plain[0].view().n, n_truth = plain[1].view().n;
    std::vector<std::uint8_t> crowd(n_truth);
    for (std::uint8_t& each : crowd) each = random() % 2;
    std::vector<double> one(n_pred * n_truth, 7), other(n_pred * n_truth, 8);
    for (const int n_threads : {1, 3}) {
      snellen::set_thread_count(n_threads);
      CHECK(snellen::loose_iou_matrix(plain[0].view(), plain[1].view(), crowd.data(), one.data()));
      CHECK(
          snellen::loose_iou_matrix(split[0].view(), split[1].view(), crowd.data(), other.data()));
      CHECK(one == other);
    }
    snellen::set_thread_count(0);
  }
}

}  // namespace

int main() {
  texts();
  any_text();
  changes();
  painted();
  areas_and_boxes();
  sets();
  pairs();
  both_ways();
  return snellen::testing::report();
}
