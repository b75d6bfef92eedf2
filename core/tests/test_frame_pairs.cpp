#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/frame_pairs.hpp"
#include "snellen/parallel.hpp"

using snellen::BoxSimilarity;
using snellen::FramePairs;
using snellen::FrameRows;

namespace {

constexpr BoxSimilarity kKinds[] = {BoxSimilarity::kIou, BoxSimilarity::kIoaTruth,
                                    BoxSimilarity::kIoaPred, BoxSimilarity::kGiou};
constexpr double kInf = std::numeric_limits<double>::infinity();

// Places where frames begin, from their sizes.
std::vector<std::int64_t> begins(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> begin = {0};
  for (const std::int64_t size : sizes) begin.push_back(begin.back() + size);
  return begin;
}

// One frame with one object on each side: its similarity, 0 where it is not listed.
template <std::size_t kN, class Find>
double of_pair(const std::array<double, kN>& truth, const std::array<double, kN>& pred,
               const Find& find) {
  const std::vector<std::int64_t> begin = {0, 1};
  const FramePairs found =
      find(FrameRows{begin.data(), begin.data(), 1}, truth.data(), pred.data());
  CHECK_EQUAL(found.begin.size(), 2U);
  CHECK_EQUAL(found.begin[0], 0);
  CHECK_EQUAL(found.begin[1], static_cast<std::int64_t>(found.pred.size()));
  if (found.pred.empty()) return 0;
  CHECK_EQUAL(found.pred[0], 0);
  CHECK(found.similarity[0] > 0);
  return found.similarity[0];
}

double boxes(BoxSimilarity kind, const std::array<double, 4>& truth,
             const std::array<double, 4>& pred) {
  return of_pair(truth, pred, [&](const FrameRows& frames, const double* a, const double* b) {
    return snellen::box_pairs(frames, a, b, kind);
  });
}

void boxes_by_hand() {
  const std::array<double, 4> truth = {0, 0, 10, 10}, pred = {5, 0, 25, 10};
  // 5 × 10 in common; areas 100 and 200.
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, truth, pred), 50.0 / 250.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaTruth, truth, pred), 0.5);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaPred, truth, pred), 0.25);
  // Both lie in a hull of 25 × 10 without a gap: GIoU = IoU = 0.2.
  CHECK_EQUAL(boxes(BoxSimilarity::kGiou, truth, pred), 0.6);
  // Two squares of 1 in a hull of 3 × 1: GIoU = 0 − (3 − 2) / 3.
  CHECK_EQUAL(boxes(BoxSimilarity::kGiou, {0, 0, 1, 1}, {2, 0, 3, 1}), (1 - 1.0 / 3) / 2);
  for (const BoxSimilarity kind : kKinds) CHECK_EQUAL(boxes(kind, truth, truth), 1.0);
}

void boxes_without_extent() {
  for (const BoxSimilarity kind : kKinds) {
    CHECK_EQUAL(boxes(kind, {0, 0, 0, 10}, {0, 0, 0, 10}), 0.0);  // a line
    CHECK_EQUAL(boxes(kind, {3, 3, 3, 3}, {0, 0, 10, 10}), 0.0);  // a point inside
    // Turned inside out along one axis, and along both: the area is positive again.
    CHECK_EQUAL(boxes(kind, {10, 0, 0, 10}, {0, 0, 10, 10}), 0.0);
    CHECK_EQUAL(boxes(kind, {10, 10, 0, 0}, {0, 0, 10, 10}), 0.0);
    CHECK_EQUAL(boxes(kind, {10, 10, 0, 0}, {10, 10, 0, 0}), 0.0);
  }
  // Touching in a side.
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, {0, 0, 1, 1}, {1, 0, 2, 1}), 0.0);
  // An area of 2⁻⁵² is none; one of 2⁻⁵¹ is. Only the area that is divided by has to be one.
  const double side = 0x1p-26;
  const std::array<double, 4> none = {0, 0, side, side}, small = {0, 0, side, 2 * side};
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, none, none), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, none, small), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, small, none), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIou, small, small), 1.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaTruth, none, small), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaTruth, small, none), 0.5);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaPred, none, small), 0.5);
  CHECK_EQUAL(boxes(BoxSimilarity::kIoaPred, small, none), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kGiou, none, small), 0.0);
  CHECK_EQUAL(boxes(BoxSimilarity::kGiou, small, none), 0.0);
}

void points_by_hand() {
  const auto similarity = [](std::size_t n_axes, double zero_distance) {
    return [=](const FrameRows& frames, const double* a, const double* b) {
      return snellen::point_pairs(frames, a, b, n_axes, zero_distance);
    };
  };
  using P2 = std::array<double, 2>;
  using P3 = std::array<double, 3>;
  // 3, 4, 5; and 2, 3, 6, 7.
  CHECK_EQUAL(of_pair(P2{1, 1}, P2{4, 5}, similarity(2, 20)), 0.75);
  CHECK_EQUAL(of_pair(P3{0, 0, 0}, P3{2, -3, 6}, similarity(3, 14)), 0.5);
  CHECK_EQUAL(of_pair(P2{1, 1}, P2{1, 1}, similarity(2, 2)), 1.0);
  // At the distance of 0, and beyond it.
  CHECK_EQUAL(of_pair(P2{1, 1}, P2{4, 5}, similarity(2, 5)), 0.0);
  CHECK_EQUAL(of_pair(P2{1, 1}, P2{4, 5}, similarity(2, 2)), 0.0);
}

using Box3d = std::array<double, 7>;

double turned(const Box3d& truth, const Box3d& pred) {
  return of_pair(truth, pred, snellen::box3d_pairs);
}

bool near(double got, double want) { return std::abs(got - want) < 1e-14; }

void boxes_in_space_by_hand() {
  constexpr double kPi = std::numbers::pi;
  // A box of itself has 1, however it is turned.
  for (const double yaw : {0.0, 0.3, -2.0, 100.0}) {
    const Box3d box = {0.1, -7.3, 2.2, 4.1, 1.7, 1.5, yaw};
    CHECK_EQUAL(turned(box, box), 1.0);
  }
  // 2 × 1 × 1 in common of 8 + 4 − 2.
  CHECK_EQUAL(turned({0, 0, 0, 4, 2, 1, 0}, {2, 0.5, 0, 4, 1, 1, 0}), 2.0 / 10);
  // The same, half as high and a quarter above: 2 × 0.5 in common of 8 + 2 − 1.
  CHECK_EQUAL(turned({0, 0, 0, 4, 2, 1, 0}, {2, 0.5, 0.25, 4, 1, 0.5, 0}), 1.0 / 9);
  // One in the other: 1 of 24.
  CHECK_EQUAL(turned({5, 5, 5, 4, 3, 2, 0}, {5.5, 4.5, 5, 1, 1, 1, 0}), 1.0 / 24);
  CHECK(near(turned({5, 5, 5, 4, 3, 2, 0.7}, {5.5, 4.5, 5, 1, 1, 1, -0.3}), 1.0 / 24));
  // A square of side 2 and the same turned by an eighth have an octagon in common: its apothem is
  // 1, so its area 8 tan(π/8).
  const double octagon = 8 * std::tan(kPi / 8);
  const double want = octagon / (8 - octagon);
  CHECK(near(turned({0, 0, 0, 2, 2, 3, 0}, {0, 0, 0, 2, 2, 3, kPi / 4}), want));
  CHECK(near(turned({3, -1, 0, 2, 2, 3, 0.4}, {3, -1, 0, 2, 2, 3, 0.4 - kPi / 4}), want));
  // A cross of two strips 4 × 1: 1 in common of 8 − 1.
  CHECK(near(turned({1, 2, 0, 4, 1, 1, 0.3}, {1, 2, 0, 4, 1, 1, 0.3 + kPi / 2}), 1.0 / 7));
  // The corner of a square of diagonal 2 reaches 0.5 into the side of another: a triangle of
  // height 0.5 and base 1, area 0.25; areas 4 and 2.
  CHECK(near(turned({0, 0, 0, 2, 2, 1, 0}, {1.5, 0, 0, std::sqrt(2.0), std::sqrt(2.0), 1, kPi / 4}),
             0.25 / 5.75));
  // Touching: in a side, from above, and apart.
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 2, 0}, {2, 0, 0, 2, 2, 2, 0}), 0.0);
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 2, 0}, {2, 2, 0, 2, 2, 2, 0}), 0.0);
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 2, 0}, {0, 0, 2, 2, 2, 2, 1}), 0.0);
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 2, 0}, {0, 30, 0, 2, 2, 2, 1}), 0.0);
  // The boxes around both meet, they do not.
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 2, 0}, {1.9, 1.9, 0, 2, 2, 2, kPi / 4}), 0.0);
  // Without volume.
  CHECK_EQUAL(turned({0, 0, 0, 0, 2, 2, 0}, {0, 0, 0, 0, 2, 2, 0}), 0.0);
  CHECK_EQUAL(turned({0, 0, 0, 2, 0, 2, 0.3}, {0, 0, 0, 2, 2, 2, 0}), 0.0);
  CHECK_EQUAL(turned({0, 0, 0, 2, 2, 0, 0}, {0, 0, 0, 2, 2, 0, 0}), 0.0);
}

// Boxes of frames, some of them odd.
struct Drawn {
  std::vector<std::int64_t> truth_begin, pred_begin;
  std::vector<double> truth, pred;

  FrameRows frames() const {
    return {truth_begin.data(), pred_begin.data(), truth_begin.size() - 1};
  }
};

Drawn drawn(std::uint64_t seed, std::int64_t most, std::size_t n_frames) {
  std::mt19937_64 random(seed);
  const auto whole = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  const auto side = [&](std::vector<std::int64_t>& begin) {
    std::vector<std::int64_t> sizes;
    for (std::size_t t = 0; t < n_frames; ++t) sizes.push_back(whole(most + 1));
    begin = begins(sizes);
    std::vector<double> rows;
    for (std::int64_t i = 0; i < begin.back(); ++i) {
      std::array<double, 4> box = {static_cast<double>(whole(200)), static_cast<double>(whole(200)),
                                   0, 0};
      // Whole sizes from −1 on: boxes that touch, that are the same, that have no extent.
      box[2] = box[0] + static_cast<double>(whole(40) - 1);
      box[3] = box[1] + static_cast<double>(whole(40) - 1);
      if (whole(30) == 0) box[2] = 500;  // across the whole frame
      if (seed % 4 == 1 && whole(50) == 0) box[2] = 1e300;
      if (seed % 4 == 2 && whole(50) == 0) box = {-1e308, 0, 1e308, 1};
      if (seed % 4 == 3) {
        for (double& x : box) x *= 0.1;
      }
      rows.insert(rows.end(), box.begin(), box.end());
    }
    return rows;
  };
  Drawn made;
  made.truth = side(made.truth_begin);
  made.pred = side(made.pred_begin);
  return made;
}

double plain_similarity(BoxSimilarity kind, const double* a, const double* b) {
  const double none = std::numeric_limits<double>::epsilon();
  const double area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
  const double common = std::max(std::min(a[2], b[2]) - std::max(a[0], b[0]), 0.0) *
                        std::max(std::min(a[3], b[3]) - std::max(a[1], b[1]), 0.0);
  if (kind == BoxSimilarity::kIoaTruth) return area_a > none ? common / area_a : 0;
  if (kind == BoxSimilarity::kIoaPred) return area_b > none ? common / area_b : 0;
  if (area_a <= none || area_b <= none) return 0;
  return common / (area_a + area_b - common);
}

void every_pair_is_found() {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    // Frames of few cells, of some, and of more boxes than a word has bits.
    const Drawn made = drawn(seed, seed < 8 ? 6 : seed < 16 ? 30 : 200, seed < 16 ? 40 : 5);
    for (const BoxSimilarity kind :
         {BoxSimilarity::kIou, BoxSimilarity::kIoaTruth, BoxSimilarity::kIoaPred}) {
      const FramePairs found =
          snellen::box_pairs(made.frames(), made.truth.data(), made.pred.data(), kind);
      std::vector<std::int64_t> begin = {0};
      std::vector<std::int32_t> pred;
      std::vector<double> similarity;
      for (std::size_t t = 0; t + 1 < made.truth_begin.size(); ++t) {
        for (std::int64_t i = made.truth_begin[t]; i < made.truth_begin[t + 1]; ++i) {
          for (std::int64_t j = made.pred_begin[t]; j < made.pred_begin[t + 1]; ++j) {
            const double s = plain_similarity(kind, &made.truth[4 * static_cast<std::size_t>(i)],
                                              &made.pred[4 * static_cast<std::size_t>(j)]);
            if (!(s > 0)) continue;
            pred.push_back(static_cast<std::int32_t>(j));
            similarity.push_back(s);
          }
          begin.push_back(static_cast<std::int64_t>(pred.size()));
        }
      }
      CHECK(std::equal(found.begin.begin(), found.begin.end(), begin.begin(), begin.end()));
      CHECK(std::equal(found.pred.begin(), found.pred.end(), pred.begin(), pred.end()));
      CHECK(std::equal(found.similarity.begin(), found.similarity.end(), similarity.begin(),
                       similarity.end()));
    }
  }
}

bool same(const FramePairs& a, const FramePairs& b) {
  return std::equal(a.begin.begin(), a.begin.end(), b.begin.begin(), b.begin.end()) &&
         std::equal(a.pred.begin(), a.pred.end(), b.pred.begin(), b.pred.end()) &&
         std::equal(a.similarity.begin(), a.similarity.end(), b.similarity.begin(),
                    b.similarity.end());
}

void threads_change_nothing() {
  const Drawn made = drawn(0, 60, 400);
  const double* const truth = made.truth.data();
  const double* const pred = made.pred.data();
  std::vector<FramePairs> first;
  for (const int n_threads : {1, 2, 5}) {
    snellen::set_thread_count(n_threads);
    std::vector<FramePairs> found;
    for (const BoxSimilarity kind : kKinds) {
      found.push_back(snellen::box_pairs(made.frames(), truth, pred, kind));
    }
    found.push_back(snellen::point_pairs(made.frames(), truth, pred, 4, 60));
    CHECK(found.back().pred.size() > 10000);
    if (n_threads == 1) first = std::move(found);
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(same(found[k], first[k]));
  }
  snellen::set_thread_count(0);
}

void without_frames_or_objects() {
  const std::vector<std::int64_t> no_frames = {0}, empty = {0, 0, 0}, one = {0, 0, 1};
  const std::array<double, 4> box = {0, 0, 1, 1};
  for (const FrameRows frames :
       {FrameRows{no_frames.data(), no_frames.data(), 0}, FrameRows{empty.data(), empty.data(), 2},
        FrameRows{empty.data(), one.data(), 2}}) {
    const FramePairs found =
        snellen::box_pairs(frames, box.data(), box.data(), BoxSimilarity::kIou);
    CHECK_EQUAL(found.begin.size(), 1U);
    CHECK_EQUAL(found.begin[0], 0);
    CHECK(found.pred.empty());
  }
  // A truth row that has no pair.
  const FramePairs found = snellen::box_pairs({one.data(), empty.data(), 2}, box.data(), box.data(),
                                              BoxSimilarity::kIou);
  CHECK_EQUAL(found.begin.size(), 2U);
  CHECK_EQUAL(found.begin[1], 0);
}

void rows_that_stay() {
  // Frame 0: truth 0, 1; pred 0, 1, 2. Frame 1: truth 2; pred 3. Frame 2: truth 3; none.
  const std::vector<std::int64_t> truth_begin = {0, 2, 3, 4}, pred_begin = {0, 3, 4, 4};
  const std::vector<std::int64_t> pair_begin = {0, 2, 4, 5, 5};
  const std::vector<std::int32_t> pair_pred = {0, 2, 1, 2, 3};
  const std::vector<double> similarity = {0.1, 0.2, 0.3, 0.4, 0.5};
  const std::vector<std::uint8_t> keep_truth = {0, 1, 1, 7}, keep_pred = {1, 0, 1, 0};
  const snellen::KeptPairs kept =
      snellen::kept_pairs({truth_begin.data(), pred_begin.data(), 3}, pair_begin.data(),
                          pair_pred.data(), similarity.data(), keep_truth.data(), keep_pred.data());
  const auto equal = [](const auto& got, const auto& want) {
    CHECK(std::equal(got.begin(), got.end(), want.begin(), want.end()));
  };
  // Truth rows 1, 2, 3 are 0, 1, 2; pred rows 0, 2 are 0, 1; of the pairs (1, 2) stays.
  equal(kept.truth_begin, std::vector<std::int64_t>{0, 1, 2, 3});
  equal(kept.pred_begin, std::vector<std::int64_t>{0, 2, 2, 2});
  equal(kept.pairs.begin, std::vector<std::int64_t>{0, 1, 1, 1});
  equal(kept.pairs.pred, std::vector<std::int32_t>{1});
  equal(kept.pairs.similarity, std::vector<double>{0.4});
}

void coordinates_beyond_all_bins() {
  // Infinite sides have no similarity, and do no harm.
  std::vector<double> truth, pred;
  for (int i = 0; i < 20; ++i) {
    const double x = 10 * i;
    for (std::vector<double>* rows : {&truth, &pred}) {
      rows->insert(rows->end(), {x, 0, x + 5, i == 3 ? kInf : 5});
    }
  }
  const std::vector<std::int64_t> begin = {0, 20};
  const FramePairs found = snellen::box_pairs({begin.data(), begin.data(), 1}, truth.data(),
                                              pred.data(), BoxSimilarity::kIou);
  CHECK_EQUAL(found.pred.size(), 19U);
  for (const double s : found.similarity) CHECK_EQUAL(s, 1.0);
}

}  // namespace

int main() {
  boxes_by_hand();
  boxes_without_extent();
  points_by_hand();
  boxes_in_space_by_hand();
  every_pair_is_found();
  threads_change_nothing();
  without_frames_or_objects();
  rows_that_stay();
  coordinates_beyond_all_bins();
  return snellen::testing::report();
}
