#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "snellen/candidates.hpp"
#include "snellen/iou.hpp"
#include "snellen/parallel.hpp"

namespace {

struct Pair {
  std::int32_t pred, truth;
  double similarity;

  bool operator==(const Pair&) const = default;
};

using Pairs = std::vector<Pair>;

Pairs read(const snellen::Candidates& found) {
  Pairs pairs;
  CHECK_EQUAL(found.begin[0], 0);
  for (std::size_t i = 0; i + 1 < found.begin.size(); ++i) {
    for (std::int64_t k = found.begin[i]; k < found.begin[i + 1]; ++k) {
      pairs.push_back({static_cast<std::int32_t>(i), found.truth[static_cast<std::size_t>(k)],
                       found.similarity[static_cast<std::size_t>(k)]});
    }
  }
  CHECK_EQUAL(pairs.size(), found.truth.size());
  CHECK_EQUAL(pairs.size(), found.similarity.size());
  return pairs;
}

// One side: image, label, and for truth whether it is a crowd.
struct Side {
  std::vector<std::int32_t> image, label;
  std::vector<std::uint8_t> crowd;

  void add(std::int32_t of_image, std::int32_t of_label, bool is_crowd = false) {
    image.push_back(of_image);
    label.push_back(of_label);
    crowd.push_back(is_crowd ? 1 : 0);
  }
};

constexpr std::size_t kImages = 6;
constexpr std::size_t kLabels = 3;

snellen::PairedRows paired(const Side& truth, const Side& pred) {
  return {truth.image.data(),
          truth.label.data(),
          truth.image.size(),
          pred.image.data(),
          pred.label.data(),
          pred.image.size(),
          kImages,
          kLabels};
}

struct Boxes : Side {
  std::vector<double> xywh;

  Boxes& box(double x, double width, std::int32_t of_image = 0, std::int32_t of_label = 0,
             bool is_crowd = false) {
    add(of_image, of_label, is_crowd);
    xywh.insert(xywh.end(), {x, 0, width, 10});
    return *this;
  }
};

Pairs pairs_of(const Boxes& truth, const Boxes& pred, const snellen::CandidateRules& rules) {
  return read(snellen::box_candidates(paired(truth, pred), truth.xywh.data(), truth.crowd.data(),
                                      pred.xywh.data(), rules));
}

struct Masks : Side {
  std::vector<std::uint32_t> runs;
  std::vector<std::int64_t> offset = {0};
  std::vector<std::int32_t> size;

  // A picture of '#' and '.', row by row.
  Masks& mask(const std::vector<std::string>& picture, std::int32_t of_image = 0,
              std::int32_t of_label = 0, bool is_crowd = false) {
    add(of_image, of_label, is_crowd);
    std::uint32_t run = 0;
    char inside = '.';
    for (std::size_t x = 0; x < picture[0].size(); ++x) {
      for (const std::string& row : picture) {
        if (row[x] != inside) {
          runs.push_back(run);
          run = 0;
          inside = row[x];
        }
        ++run;
      }
    }
    runs.push_back(run);
    offset.push_back(static_cast<std::int64_t>(runs.size()));
    size.push_back(static_cast<std::int32_t>(picture.size()));
    size.push_back(static_cast<std::int32_t>(picture[0].size()));
    return *this;
  }
  snellen::RleView view() const { return {runs.data(), offset.data(), size.data(), image.size()}; }
};

Pairs pairs_of(const Masks& truth, const Masks& pred, const snellen::CandidateRules& rules) {
  snellen::RleExtents of_truth, of_pred;
  CHECK(!snellen::rle_extents(truth.view(), of_truth));
  CHECK(!snellen::rle_extents(pred.view(), of_pred));
  return read(snellen::mask_candidates(
      paired(truth, pred), {truth.view(), of_truth.area.data(), of_truth.box.data()},
      truth.crowd.data(), {pred.view(), of_pred.area.data(), of_pred.box.data()}, rules));
}

// -------------------------------------------------------------------------------------------
// By hand.

void boxes_that_reach_the_lowest() {
  // Boxes of width 10 at 0 and 2: with the one at 0 IoUs of 1 and 8/12; with one of width 5, 5/10
  // and 3/12.
  const Boxes truth = Boxes().box(0, 10).box(2, 10);
  const Boxes pred = Boxes().box(0, 5).box(50, 5).box(0, 10);
  CHECK(pairs_of(truth, pred, {0.5, false}) ==
        (Pairs{{0, 0, 0.5}, {2, 0, 1.0}, {2, 1, 80.0 / 120}}));
  CHECK(pairs_of(truth, pred, {std::nextafter(0.5, 1), false}) ==
        (Pairs{{2, 0, 1.0}, {2, 1, 80.0 / 120}}));
  // From 0 on all pairs are listed, also those that are apart.
  CHECK_EQUAL(pairs_of(truth, pred, {0, false}).size(), 6U);
  CHECK_EQUAL(pairs_of(truth, pred, {1e-300, false}).size(), 4U);
}

void boxes_of_one_label_and_image() {
  const Boxes truth = Boxes().box(0, 10, 2, 1).box(0, 10, 1, 1).box(0, 10, 2, 0);
  const Boxes pred = Boxes().box(0, 10, 1, 1).box(0, 10, 1, 0).box(0, 10, 2, 0).box(0, 10, 3, 0);
  CHECK(pairs_of(truth, pred, {0.5, false}) == (Pairs{{0, 1, 1}, {2, 2, 1}}));
  CHECK(pairs_of(truth, pred, {0.5, true}) == (Pairs{{0, 1, 1}, {1, 1, 1}, {2, 0, 1}, {2, 2, 1}}));
}

void boxes_in_crowds() {
  const Boxes truth = Boxes().box(0, 100, 0, 0, true).box(0, 100);
  CHECK(pairs_of(truth, Boxes().box(95, 10), {0.5, false}) == (Pairs{{0, 0, 0.5}}));
}

void beyond_the_cap_nothing_is_listed() {
  const Boxes truth = Boxes().box(0, 10).box(0, 10, 0, 1);
  const Boxes pred =
      Boxes().box(0, 10).box(0, 10).box(0, 10).box(0, 10).box(0, 10, 0, 1).box(0, 10, 1);
  // Of label 0: 0.9, then the first of the two of 0.5.
  const double score[] = {0.5, 0.9, 0.5, 0.1, 0.0, 0.0};
  const auto listed = [&](std::size_t cap, bool across_labels) {
    std::vector<int> rows;
    for (const Pair& pair : pairs_of(truth, pred, {0.5, across_labels, score, cap})) {
      if (rows.empty() || rows.back() != pair.pred) rows.push_back(pair.pred);
    }
    return rows;
  };
  CHECK(listed(2, false) == (std::vector<int>{0, 1, 4}));
  CHECK(listed(2, true) == (std::vector<int>{0, 1, 4}));
  CHECK(listed(1, false) == (std::vector<int>{1, 4}));
  CHECK(listed(100, false) == (std::vector<int>{0, 1, 2, 3, 4}));
  CHECK(listed(0, false).empty());
}

void masks_pixel_by_pixel() {
  // 5 pixels, 4 pixels; 3 shared: 3 / 6. Against a crowd over the detection's own: 3 / 4.
  const std::vector<std::string> mine = {"##..",  //
                                         "##..",  //
                                         ".#.."};
  const std::vector<std::string> theirs = {".##.",  //
                                           ".#..",  //
                                           ".#.."};
  const Masks pred = Masks().mask(theirs);
  CHECK(pairs_of(Masks().mask(mine), pred, {0.5, false}) == (Pairs{{0, 0, 0.5}}));
  CHECK(pairs_of(Masks().mask(mine), pred, {std::nextafter(0.5, 1), false}).empty());
  CHECK(pairs_of(Masks().mask(mine, 0, 0, true), pred, {0.5, false}) == (Pairs{{0, 0, 0.75}}));
}

void masks_that_share_nothing() {
  // Boxes that overlap, pixels that do not; boxes apart; a mask without pixels.
  const Masks truth = Masks()
                          .mask({"#..", "#..", "###"})
                          .mask({"...", "...", "#.."})
                          .mask({"...", "...", "..."})
                          .mask({"...", "...", "..."}, 0, 0, true);
  const Masks pred = Masks().mask({".##", ".##", "..."}).mask({"...", "...", "..."});
  CHECK(pairs_of(truth, pred, {1e-300, false}).empty());
  const Pairs all = pairs_of(truth, pred, {0, false});
  CHECK_EQUAL(all.size(), 8U);
  CHECK(std::all_of(all.begin(), all.end(), [](const Pair& p) { return p.similarity == 0; }));
}

void masks_of_unlike_sizes() {
  // The same runs, but of 3 × 4 and 4 × 3 pixels: never the same. Where boxes are apart the
  // reference has 0 all the same.
  const Masks truth = Masks().mask({"##..", "##..", "...."}).mask({"...#", "...#", "...#"});
  const Masks pred = Masks().mask({"##.", "##.", "...", "..."});
  CHECK(pairs_of(truth, pred, {1e-300, false}).empty());
  CHECK(pairs_of(truth, pred, {0, false}) == (Pairs{{0, 1, 0}}));
}

void the_bound_itself_is_reached() {
  // The smaller mask lies in the larger, so the bound is the IoU: 2 / 6, which must not be lost.
  const Masks truth = Masks().mask({"###", "###"});
  const Masks pred = Masks().mask({"#..", "#.."});
  CHECK(pairs_of(truth, pred, {2.0 / 6, false}) == (Pairs{{0, 0, 2.0 / 6}}));
  CHECK(pairs_of(pred, truth, {2.0 / 6, false}) == (Pairs{{0, 0, 2.0 / 6}}));
  CHECK(pairs_of(truth, pred, {std::nextafter(2.0 / 6, 1), false}).empty());
}

void nothing() {
  CHECK(pairs_of(Boxes(), Boxes(), {0, false}).empty());
  CHECK(pairs_of(Boxes().box(0, 1), Boxes(), {0, true}).empty());
  CHECK(pairs_of(Boxes(), Boxes().box(0, 1), {0, false}).empty());
  CHECK(pairs_of(Masks(), Masks(), {0, true}).empty());
  CHECK(pairs_of(Masks(), Masks().mask({"#"}), {0, false}).empty());
  // No pixels at all, whatever the size says.
  Masks flat;
  flat.add(0, 0);
  flat.offset.push_back(0);
  flat.size = {0, 7};
  CHECK(pairs_of(flat, flat, {0, false}) == (Pairs{{0, 0, 0}}));
  CHECK(pairs_of(flat, flat, {0.5, false}).empty());
}

// -------------------------------------------------------------------------------------------
// Against the definition, on random data.

std::vector<std::string> random_picture(std::mt19937& random, bool large) {
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const int height = large ? 9 : 8, width = large ? 8 : 9;
  std::vector<std::string> picture(static_cast<std::size_t>(height),
                                   std::string(static_cast<std::size_t>(width), '.'));
  const int left = draw(0, width), right = draw(left, width);
  const int top = draw(0, height), bottom = draw(top, height);
  const bool holes = draw(0, 2) == 0;
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      picture[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] =
          holes && draw(0, 2) == 0 ? '.' : '#';
    }
  }
  return picture;
}

struct Count {
  int shared = 0, of_truth = 0, of_pred = 0;
};

Count count(const std::vector<std::string>& truth, const std::vector<std::string>& pred) {
  Count found;
  for (std::size_t y = 0; y < truth.size(); ++y) {
    for (std::size_t x = 0; x < truth[y].size(); ++x) {
      const bool in_truth = truth[y][x] == '#', in_pred = pred[y][x] == '#';
      found.shared += in_truth && in_pred;
      found.of_truth += in_truth;
      found.of_pred += in_pred;
    }
  }
  return found;
}

void masks_agree_on_random_data(unsigned seed, std::size_t n_truth, std::size_t n_pred) {
  std::mt19937 random(seed);
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  std::vector<std::vector<std::string>> truth_picture, pred_picture;
  Masks truth, pred;
  // All masks of an image are of one size.
  for (std::size_t i = 0; i < n_truth; ++i) {
    const int image = draw(0, 5);
    truth_picture.push_back(random_picture(random, image % 2 == 0));
    truth.mask(truth_picture.back(), image, draw(0, 2), draw(0, 5) == 0);
  }
  for (std::size_t i = 0; i < n_pred; ++i) {
    const int image = draw(0, 5);
    pred_picture.push_back(random_picture(random, image % 2 == 0));
    pred.mask(pred_picture.back(), image, draw(0, 2));
  }
  for (const double lowest : {0.0, 1e-300, 0.25, 0.5, 1 - 1e-10}) {
    for (const bool across_labels : {false, true}) {
      Pairs want;
      for (std::size_t i = 0; i < n_pred; ++i) {
        for (std::size_t j = 0; j < n_truth; ++j) {
          if (pred.image[i] != truth.image[j]) continue;
          if (!across_labels && pred.label[i] != truth.label[j]) continue;
          const Count n = count(truth_picture[j], pred_picture[i]);
          const int whole = truth.crowd[j] != 0 ? n.of_pred : n.of_pred + n.of_truth - n.shared;
          const double iou = n.shared == 0 ? 0 : static_cast<double>(n.shared) / whole;
          if (iou < lowest) continue;
          want.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), iou});
        }
      }
      for (const int n_threads : {1, 2, 7}) {
        snellen::set_thread_count(n_threads);
        CHECK(pairs_of(truth, pred, {lowest, across_labels}) == want);
      }
      snellen::set_thread_count(0);
    }
  }
}

void boxes_agree_on_random_data(unsigned seed, std::size_t n_truth, std::size_t n_pred) {
  std::mt19937 random(seed);
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const auto size = [&] { return std::uniform_real_distribution<double>(0, 9)(random); };
  Boxes truth, pred;
  for (std::size_t i = 0; i < n_truth; ++i) {
    truth.box(size(), size(), draw(0, 5), draw(0, 2), draw(0, 5) == 0);
  }
  for (std::size_t i = 0; i < n_pred; ++i) pred.box(size(), size(), draw(0, 5), draw(0, 2));
  for (const bool across_labels : {false, true}) {
    Pairs want;
    for (std::size_t i = 0; i < n_pred; ++i) {
      for (std::size_t j = 0; j < n_truth; ++j) {
        if (pred.image[i] != truth.image[j]) continue;
        if (!across_labels && pred.label[i] != truth.label[j]) continue;
        const double iou = snellen::box_iou(pred.xywh.data() + 4 * i, truth.xywh.data() + 4 * j,
                                            truth.crowd[j] != 0);
        if (iou < 0.3) continue;
        want.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), iou});
      }
    }
    for (const int n_threads : {1, 2, 7}) {
      snellen::set_thread_count(n_threads);
      CHECK(pairs_of(truth, pred, {0.3, across_labels}) == want);
    }
    snellen::set_thread_count(0);
  }
}

}  // namespace

int main() {
  boxes_that_reach_the_lowest();
  boxes_of_one_label_and_image();
  boxes_in_crowds();
  beyond_the_cap_nothing_is_listed();
  masks_pixel_by_pixel();
  masks_that_share_nothing();
  masks_of_unlike_sizes();
  the_bound_itself_is_reached();
  nothing();
  for (unsigned seed = 0; seed < 10; ++seed) {
    masks_agree_on_random_data(seed, 40, 120);
    boxes_agree_on_random_data(seed, 40, 120);
  }
  // More detections in a cell than are measured at once, more than a block of work.
  masks_agree_on_random_data(100, 60, 3000);
  boxes_agree_on_random_data(100, 60, 8000);
  return snellen::testing::report();
}
