#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/mots_text.hpp"
#include "snellen/parallel.hpp"
#include "snellen/rle.hpp"

using snellen::RleFault;
using snellen::RleRows;
using snellen::RleView;

namespace {

using Random = std::mt19937_64;
using Pixels = std::vector<std::uint8_t>;  // n × height × width, 0 or 1

// Masks of one size, with the sizes that a view points to.
struct Masks {
  RleRows rows;
  std::vector<std::int32_t> size;

  std::size_t n() const { return rows.offset.size() - 1; }
  RleView view() const { return {rows.runs.data(), rows.offset.data(), size.data(), n()}; }
  std::vector<std::uint32_t> runs(std::size_t row) const {
    return {rows.runs.data() + rows.offset[row], rows.runs.data() + rows.offset[row + 1]};
  }
};

Masks sized(RleRows&& rows, std::size_t height, std::size_t width) {
  Masks masks{std::move(rows), {}};
  for (std::size_t i = 0; i < masks.n(); ++i) {
    masks.size.push_back(static_cast<std::int32_t>(height));
    masks.size.push_back(static_cast<std::int32_t>(width));
  }
  return masks;
}

Masks encoded(const Pixels& pixels, std::size_t height, std::size_t width) {
  return sized(
      snellen::encode_masks(pixels.data(), pixels.size() / (height * width), height, width), height,
      width);
}

Pixels decoded(const Masks& masks, std::size_t height, std::size_t width) {
  Pixels pixels(masks.n() * height * width, 0);
  const std::vector<std::uint8_t> ones(masks.n(), 1);
  std::vector<std::int64_t> begin;
  for (std::size_t i = 0; i <= masks.n(); ++i) begin.push_back(static_cast<std::int64_t>(i));
  snellen::paint_rle(masks.view(), begin.data(), masks.n(), ones.data(), height, width,
                     pixels.data());
  return pixels;
}

// Boxes, noise, nothing, everything.
Pixels drawn(std::size_t n, std::size_t height, std::size_t width, Random& random) {
  Pixels pixels(n * height * width, 0);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint8_t* const mask = pixels.data() + i * height * width;
    const auto kind = random() % 8;
    const std::size_t top = random() % height, left = random() % width;
    const std::size_t bottom = top + random() % 9, right = left + random() % 9;
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const bool in_box = y >= top && y < bottom && x >= left && x < right;
        const bool inside = kind == 0 || (kind == 1 && random() % 3 == 0) || (kind > 2 && in_box);
        mask[y * width + x] = inside;
      }
    }
  }
  return pixels;
}

RleFault fault_of(const std::string& text, std::int32_t height, std::int32_t width) {
  const std::int64_t offset[] = {0, static_cast<std::int64_t>(text.size())};
  const std::int32_t size[] = {height, width};
  RleRows rows;
  return snellen::decode_rle({text.data(), offset, 1}, size, rows);
}

void worked_by_hand() {
  // 3 × 4 pixels, column by column: 1 1 0 | 0 1 1 | 0 0 0 | 0 0 1.
  const Pixels pixels = {1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1};
  const Masks masks = encoded(pixels, 3, 4);
  CHECK(masks.runs(0) == (std::vector<std::uint32_t>{0, 2, 2, 2, 5, 1}));
  // Differences from the fourth on: 0 2 2 (2 − 2) (5 − 2) (1 − 2); −1 is the group 31.
  const snellen::TextPool texts = snellen::encode_rle(masks.view());
  CHECK_EQUAL(std::string(texts.bytes.data(), texts.bytes.size()), "02203O");
  std::int64_t area = 0;
  std::int32_t box[4];
  snellen::rle_areas(masks.view(), &area);
  snellen::rle_boxes(masks.view(), box);
  CHECK_EQUAL(area, 5);
  CHECK(box[0] == 0 && box[1] == 0 && box[2] == 4 && box[3] == 3);
  CHECK(decoded(masks, 3, 4) == pixels);
}

// Runs of one character are read eight at a time; what is wrong with one is still said of that one.
void runs_of_one_character() {
  constexpr std::size_t kMost = 40;
  const std::int32_t height = 1;
  for (std::size_t n = 3; n <= kMost; ++n) {
    // Runs of 1, from the fourth on as differences of 0.
    const std::string text = "111" + std::string(n - 3, '0');
    const std::int64_t offset[] = {0, static_cast<std::int64_t>(n)};
    const auto decode = [&](const std::string& of, std::size_t width, RleRows& rows) {
      const std::int32_t size[] = {height, static_cast<std::int32_t>(width)};
      return snellen::decode_rle({of.data(), offset, 1}, size, rows);
    };
    RleRows rows;
    CHECK(!decode(text, n, rows));
    CHECK_EQUAL(rows.runs.size(), n);
    CHECK(std::all_of(rows.runs.begin(), rows.runs.end(), [](auto run) { return run == 1; }));
    for (std::size_t at = 3; at < n; ++at) {
      std::string below = text;
      below[at] = 'N';  // -2
      const RleFault negative = decode(below, n, rows);
      CHECK_EQUAL(negative.message, "expected runs from 0 on, got -1");
      CHECK_EQUAL(negative.position, at);
      const RleFault beyond = decode(text, at, rows);
      CHECK_EQUAL(beyond.message,
                  "expected runs of together " + std::to_string(at) + " pixels, got more");
      CHECK_EQUAL(beyond.position, at);
    }
  }
}

void long_runs_as_text() {
  // 15 is the largest in one group, 16 needs a second for its sign; then 400 − 16 and 100000 − 400
  // (index 3 and 4), whose groups are worked from the low end: 384 = 0 + 12 · 32, 99600 = 16 + 8 ·
  // 32
  // + 97 · 1024, and 97 = 1 + 3 · 32.
  Masks masks{{}, {1, 100'831}};
  masks.rows.offset.push_back(0);
  for (const std::uint32_t run : {15U, 16U, 400U, 400U, 100'000U}) masks.rows.runs.push_back(run);
  masks.rows.offset.push_back(5);
  const snellen::TextPool texts = snellen::encode_rle(masks.view());
  const std::string text(texts.bytes.data(), texts.bytes.size());
  CHECK_EQUAL(text, "?`0`<P<`XQ3");
  RleRows again;
  CHECK(!snellen::decode_rle({text.data(), texts.offset.data(), 1}, masks.size.data(), again));
  CHECK(std::vector<std::uint32_t>(again.runs.begin(), again.runs.end()) == masks.runs(0));
}

void faults() {
  struct Case {
    std::string text;
    std::size_t position;
    const char* part;
  };
  const Case cases[] = {
      {"02p", 2, "\"p\""},          // behind "o"
      {"02/", 2, "\"/\""},          // before "0"
      {"02 203O", 2, "\" \""},      // a blank
      {"0\xff", 1, "\"\\xff\""},    // no ASCII
      {"02203o", 6, "cut off"},     // "o" says that more follows
      {"02203", 5, "got 11"},       // 0 + 2 + 2 + 2 + 5
      {"02205O", 4, "got more"},    // the run of 7 goes beyond 12
      {"0220O", 5, "got 7"},        // 0 + 2 + 2 + 2 + (2 − 1)
      {"O", 0, "got -1"},           // a run below 0
      {"ooooooooo0", 0, "40 bits"}  // a number that no image has
  };
  for (const Case& each : cases) {
    const RleFault fault = fault_of(each.text, 3, 4);
    CHECK_EQUAL(fault.position, each.position);
    CHECK(fault.message.find(each.part) != std::string::npos);
  }
  CHECK(fault_of("0", 65'536, 65'536).message.find("2^32") != std::string::npos);
  CHECK(!fault_of("", 0, 7));
  CHECK(!fault_of("0", 0, 7));
  CHECK(fault_of("", 1, 1).message.find("got 0") != std::string::npos);
}

// Nothing but bytes: never a crash, and what is read sums up.
void any_bytes() {
  Random random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left) {
      text += static_cast<char>(random() % 8 == 0 ? random() : 48 + random() % 64);
    }
    const auto height = static_cast<std::int32_t>(random() % 5);
    const auto width = static_cast<std::int32_t>(random() % 5);
    snellen::Column<std::uint32_t> runs;
    runs.push_back(7);
    const auto n_pixels = static_cast<std::uint64_t>(height * width);
    const RleFault fault = snellen::append_rle(text, n_pixels, runs);
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < runs.size(); ++i) sum += runs[i];
    CHECK(runs[0] == 7 && (fault ? runs.size() == 1 : sum == n_pixels));
    CHECK(fault.position <= text.size());
  }
}

void zero_runs_within_say_nothing() {
  // 2 outside, 1 inside, 0 outside, 1 inside, 0 inside … of 1 × 6.
  Masks masks{{}, {1, 6}};
  masks.rows.offset.push_back(0);
  for (const std::uint32_t run : {2U, 1U, 0U, 1U, 1U, 0U, 1U}) masks.rows.runs.push_back(run);
  masks.rows.offset.push_back(7);
  CHECK(decoded(masks, 1, 6) == (Pixels{0, 0, 1, 1, 0, 0}));
  const std::int64_t begin[] = {0, 1};
  const Masks merged =
      sized(snellen::merge_rle(masks.view(), begin, 1, snellen::RleMerge::kIntersection), 1, 6);
  CHECK(merged.runs(0) == (std::vector<std::uint32_t>{2, 2, 2}));
  const std::uint8_t no_crowd = 0;
  double iou = 0;
  snellen::mask_iou_matrix(masks.view(), merged.view(), &no_crowd, &iou);
  CHECK_EQUAL(iou, 1.0);
}

void runs_are_pixels() {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const std::size_t height = 1 + random() % 90, width = 1 + random() % 90, n = random() % 5;
    const Pixels pixels = drawn(n, height, width, random);
    const Masks masks = encoded(pixels, height, width);
    CHECK(!snellen::check_rle(masks.view()));
    CHECK(decoded(masks, height, width) == pixels);
    const snellen::TextPool texts = snellen::encode_rle(masks.view());
    RleRows again;
    const RleFault fault =
        snellen::decode_rle({texts.bytes.data(), texts.offset.data(), n}, masks.size.data(), again);
    CHECK(!fault);
    CHECK(std::equal(again.runs.begin(), again.runs.end(), masks.rows.runs.begin(),
                     masks.rows.runs.end()));
    std::vector<std::int64_t> area(n);
    std::vector<std::int32_t> box(4 * n);
    snellen::rle_areas(masks.view(), area.data());
    snellen::rle_boxes(masks.view(), box.data());
    snellen::RleExtents extents;
    CHECK(!snellen::rle_extents(masks.view(), extents));
    CHECK(std::equal(area.begin(), area.end(), extents.area.begin(), extents.area.end()));
    CHECK(std::equal(box.begin(), box.end(), extents.box.begin(), extents.box.end()));
    for (std::size_t i = 0; i < n; ++i) {
      std::int64_t n_inside = 0;
      std::size_t left = width, right = 0, top = height, bottom = 0;
      for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t x = 0; x < width; ++x) {
          if (pixels[(i * height + y) * width + x] == 0) continue;
          ++n_inside;
          left = std::min(left, x);
          right = std::max(right, x + 1);
          top = std::min(top, y);
          bottom = std::max(bottom, y + 1);
        }
      }
      CHECK_EQUAL(area[i], n_inside);
      const std::vector<std::size_t> want =
          n_inside == 0 ? std::vector<std::size_t>{0, 0, 0, 0}
                        : std::vector<std::size_t>{left, top, right - left, bottom - top};
      for (std::size_t k = 0; k < 4; ++k) {
        CHECK_EQUAL(static_cast<std::size_t>(box[4 * i + k]), want[k]);
      }
    }
  }
}

void sets_are_those_of_pixels() {
  Random random(2);
  for (int round = 0; round < 400; ++round) {
    const std::size_t height = 1 + random() % 20, width = 1 + random() % 20, n = random() % 6;
    const std::size_t n_pixels = height * width;
    const Pixels pixels = drawn(n, height, width, random);
    const Masks masks = encoded(pixels, height, width);
    // Groups: none, one row, the others.
    const auto rows = static_cast<std::int64_t>(n);
    const std::vector<std::int64_t> begin = {0, 0, std::min<std::int64_t>(1, rows), rows};
    for (const auto how : {snellen::RleMerge::kUnion, snellen::RleMerge::kIntersection}) {
      const RleRows merged = snellen::merge_rle(masks.view(), begin.data(), 3, how);
      CHECK_EQUAL(merged.offset[1], 0);
      Pixels want;
      for (std::size_t g = 1; g < 3; ++g) {
        const bool is_union = how == snellen::RleMerge::kUnion;
        for (std::size_t p = 0; p < n_pixels && begin[g] < begin[g + 1]; ++p) {
          bool any = false, all = true;
          for (auto i = static_cast<std::size_t>(begin[g]); std::cmp_less(i, begin[g + 1]); ++i) {
            any = any || pixels[i * n_pixels + p] != 0;
            all = all && pixels[i * n_pixels + p] != 0;
          }
          want.push_back(is_union ? any : all);
        }
      }
      const Masks wanted = encoded(want, height, width);
      CHECK(std::equal(merged.runs.begin(), merged.runs.end(), wanted.rows.runs.begin(),
                       wanted.rows.runs.end()));
    }
    const Pixels others = drawn(n, height, width, random);
    Pixels left = pixels;
    for (std::size_t p = 0; p < left.size(); ++p) left[p] = left[p] != 0 && others[p] == 0;
    const RleRows found =
        snellen::subtract_rle(masks.view(), encoded(others, height, width).view());
    const Masks wanted = encoded(left, height, width);
    CHECK(std::equal(found.runs.begin(), found.runs.end(), wanted.rows.runs.begin(),
                     wanted.rows.runs.end()));
  }
}

void labels_there_and_back() {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t n = random() % 4, height = 1 + random() % 70, width = 1 + random() % 70;
    std::vector<std::uint16_t> labels(n * height * width);
    for (auto& label : labels) label = static_cast<std::uint16_t>(random() % 3 * 700);
    snellen::RleOfLabels found = snellen::encode_labels(labels.data(), n, height, width);
    std::vector<std::uint16_t> value;
    for (const std::int64_t each : found.value) value.push_back(static_cast<std::uint16_t>(each));
    const Masks masks = sized(std::move(found.rows), height, width);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::int64_t k = found.begin[i] + 1; k < found.begin[i + 1]; ++k) {
        CHECK(found.value[static_cast<std::size_t>(k)] >
              found.value[static_cast<std::size_t>(k - 1)]);
      }
    }
    std::vector<std::uint16_t> again(labels.size(), 0);
    snellen::paint_rle(masks.view(), found.begin.data(), n, value.data(), height, width,
                       again.data());
    CHECK(again == labels);
  }
}

void pairs_are_those_of_pixels() {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    const std::size_t height = 1 + random() % 30, width = 1 + random() % 30;
    const std::size_t n_pixels = height * width, n_frames = random() % 5;
    std::vector<std::int64_t> truth_begin = {0}, pred_begin = {0};
    for (std::size_t t = 0; t < n_frames; ++t) {
      truth_begin.push_back(truth_begin.back() + static_cast<std::int64_t>(random() % 4));
      pred_begin.push_back(pred_begin.back() + static_cast<std::int64_t>(random() % 4));
    }
    const auto n_truth = static_cast<std::size_t>(truth_begin.back());
    const auto n_pred = static_cast<std::size_t>(pred_begin.back());
    const Pixels a = drawn(n_truth, height, width, random),
                 b = drawn(n_pred, height, width, random);
    const Masks truth = encoded(a, height, width), pred = encoded(b, height, width);
    for (const int n_threads : {1, 3}) {
      snellen::set_thread_count(n_threads);
      for (const auto kind : {snellen::MaskOverlap::kIou, snellen::MaskOverlap::kOverTruth,
                              snellen::MaskOverlap::kOverPred}) {
        const snellen::MaskPairs found = snellen::mask_pairs(
            truth_begin.data(), pred_begin.data(), n_frames, truth.view(), pred.view(), kind);
        std::size_t at = 0;
        for (std::size_t t = 0; t < n_frames; ++t) {
          for (auto i = static_cast<std::size_t>(truth_begin[t]);
               std::cmp_less(i, truth_begin[t + 1]); ++i) {
            CHECK_EQUAL(found.begin[i], static_cast<std::int64_t>(at));
            for (auto j = static_cast<std::size_t>(pred_begin[t]);
                 std::cmp_less(j, pred_begin[t + 1]); ++j) {
              std::int64_t both = 0, in_truth = 0, in_pred = 0;
              for (std::size_t p = 0; p < n_pixels; ++p) {
                both += a[i * n_pixels + p] & b[j * n_pixels + p];
                in_truth += a[i * n_pixels + p];
                in_pred += b[j * n_pixels + p];
              }
              if (both == 0) continue;
              std::int64_t whole = in_truth + in_pred - both;
              if (kind == snellen::MaskOverlap::kOverTruth) whole = in_truth;
              if (kind == snellen::MaskOverlap::kOverPred) whole = in_pred;
              CHECK_EQUAL(static_cast<std::size_t>(found.pred[at]), j);
              CHECK_EQUAL(found.similarity[at],
                          static_cast<double>(both) / static_cast<double>(whole));
              ++at;
            }
          }
        }
        CHECK_EQUAL(found.pred.size(), at);
        CHECK_EQUAL(found.begin[n_truth], static_cast<std::int64_t>(at));
      }
    }
    snellen::set_thread_count(0);
  }
}

void overlaps() {
  // 1 × 4: the second frame has 0110, 0011, 1000, 1000.
  const Pixels pixels = {1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0};
  const Masks masks = encoded(pixels, 1, 4);
  const std::int64_t begin[] = {0, 2, 6, 6};
  const auto found = snellen::find_overlaps(masks.view(), begin, 3, nullptr);
  CHECK_EQUAL(found.size(), 1U);
  CHECK(found[0].frame == 1 && found[0].first == 2 && found[0].second == 3);
  const std::uint8_t two_marked[] = {0, 0, 1, 1, 0, 0};
  const auto others = snellen::find_overlaps(masks.view(), begin, 3, two_marked);
  CHECK(others.size() == 1 && others[0].first == 4 && others[0].second == 5);
  const std::uint8_t all_marked[] = {0, 0, 1, 1, 1, 1};
  CHECK_EQUAL(snellen::find_overlaps(masks.view(), begin, 3, all_marked).size(), 0U);
}

void mots_lines() {
  const std::string text =
      "1 2001 2 3 4 02203O\r\n"
      "\n"
      "  2\t10000  10.0 3 4  <   \r"
      "12 1007 1 3 4 0<";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 18}) {
    const snellen::MotsRows rows = snellen::read_mots(text, piece);
    CHECK_EQUAL(rows.fault.message, "");
    CHECK_EQUAL(rows.frame.size(), 3U);
    CHECK(rows.frame[0] == 1 && rows.frame[1] == 2 && rows.frame[2] == 12);
    CHECK(rows.id[0] == 2001 && rows.id[1] == 10'000 && rows.id[2] == 1007);
    CHECK(rows.label[0] == 2 && rows.label[1] == 10 && rows.label[2] == 1);
    CHECK(rows.line[0] == 1 && rows.line[1] == 3 && rows.line[2] == 4);
    CHECK(rows.size[4] == 3 && rows.size[5] == 4);
    CHECK(rows.masks.offset[3] == 9 && rows.masks.runs[6] == 12 && rows.masks.runs[8] == 12);
    CHECK_EQUAL(rows.n_lines, 4U);
  }
  CHECK_EQUAL(snellen::read_mots("").frame.size(), 0U);
  CHECK_EQUAL(snellen::read_mots("\n \n").n_lines, 2U);
}

void mots_faults() {
  struct Case {
    std::string line;
    const char* part;
  };
  const Case cases[] = {
      {"1 2001 2 3 4", "6 values"},
      {"1 2001 2 3 4 02203O 0.9", "got 7"},
      {"1,2001,2,3,4,02203O", "commas"},
      {"1.5 2001 2 3 4 02203O", "frame, got \"1.5\""},
      {"-1 2001 2 3 4 02203O", "frame"},
      {"1 a 2 3 4 02203O", "id, got \"a\""},
      {"1 99999999999999999999 2 3 4 02203O", "id"},
      {"1 2001 2 3 2147483648 02203O", "width below 2^31"},
      {"1 2001 2 3 4 02203P", "mask"},
      {"1 2001 2 3 4 022~3O", "\"~\" (character 4 of the mask)"},
  };
  for (const Case& each : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 18}) {
      const std::string good = "1 2001 2 3 4 02203O\n";
      const snellen::MotsRows rows =
          snellen::read_mots(good + good + each.line + "\n" + good, piece);
      CHECK_EQUAL(rows.fault.line, 3U);
      CHECK(rows.fault.message.find(each.part) != std::string::npos);
    }
  }
}

}  // namespace

int main() {
  worked_by_hand();
  runs_of_one_character();
  long_runs_as_text();
  faults();
  any_bytes();
  zero_runs_within_say_nothing();
  runs_are_pixels();
  sets_are_those_of_pixels();
  labels_there_and_back();
  pairs_are_those_of_pixels();
  overlaps();
  mots_lines();
  mots_faults();
  return snellen::testing::report();
}
