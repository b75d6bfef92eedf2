// Whole tracks: how far two of them are the same, and which takes which.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"
#include "snellen/track_matching.hpp"
#include "snellen/track_overlap.hpp"

namespace {

using Box = std::array<double, 4>;

struct Row {
  std::int64_t frame;
  Box box;
};

using Track = std::vector<Row>;

struct Columns {
  std::vector<std::int64_t> begin{0}, frame;
  std::vector<double> xyxy;

  explicit Columns(const std::vector<Track>& tracks) {
    for (const Track& track : tracks) {
      for (const Row& row : track) {
        frame.push_back(row.frame);
        xyxy.insert(xyxy.end(), row.box.begin(), row.box.end());
      }
      begin.push_back(static_cast<std::int64_t>(frame.size()));
    }
  }

  snellen::TrackBoxes view() const {
    return {begin.data(), begin.size() - 1, frame.data(), xyxy.data()};
  }
};

struct Groups {
  std::vector<std::int64_t> truth, pred;

  snellen::TrackGroups view() const { return {truth.data(), pred.data(), truth.size() - 1}; }
};

std::vector<std::vector<double>> matrix(const std::vector<Track>& truth,
                                        const std::vector<Track>& pred, const Groups& groups) {
  const Columns truth_columns(truth), pred_columns(pred);
  const auto found =
      snellen::track_overlaps(truth_columns.view(), pred_columns.view(), groups.view());
  std::vector<std::vector<double>> iou(pred.size(), std::vector<double>(truth.size(), 0));
  for (std::size_t d = 0; d < pred.size(); ++d) {
    for (auto c = found.begin[d]; c < found.begin[d + 1]; ++c) {
      const auto at = static_cast<std::size_t>(c);
      iou[d][static_cast<std::size_t>(found.truth[at])] = found.iou[at];
    }
  }
  return iou;
}

void overlaps_by_hand() {
  const Box box{0, 0, 10, 10}, half{0, 0, 10, 5}, away{50, 50, 60, 60};
  const std::vector<Track> truth{{{1, box}, {2, box}}, {{7, box}}, {{1, away}}};
  const std::vector<Track> pred{{{2, half}, {3, box}}, {{1, box}, {2, box}}};
  const auto iou = matrix(truth, pred, {{0, 3}, {0, 2}});
  // Frame 1: truth alone, 100. Frame 2: 50 of 100. Frame 3: pred alone, 100.
  CHECK_EQUAL(iou[0][0], 50.0 / 300.0);
  CHECK_EQUAL(iou[0][1], 0.0);  // no frame of both
  CHECK_EQUAL(iou[0][2], 0.0);
  CHECK_EQUAL(iou[1][0], 1.0);
  // Tracks of other groups are not compared.
  const auto apart = matrix(truth, pred, {{0, 0, 3}, {0, 1, 2}});
  CHECK_EQUAL(apart[0][0], 0.0);
  CHECK_EQUAL(apart[1][0], 1.0);
}

double plain_iou(const Track& truth, const Track& pred) {
  double shared = 0, joint = 0;
  for (std::int64_t frame = 0; frame < 32; ++frame) {
    const auto of = [frame](const Track& track) {
      return std::find_if(track.begin(), track.end(),
                          [frame](const Row& row) { return row.frame == frame; });
    };
    const auto g = of(truth), d = of(pred);
    const auto area = [](const Box& box) { return (box[2] - box[0]) * (box[3] - box[1]); };
    if (g != truth.end() && d != pred.end()) {
      const double w =
          std::max(std::min(d->box[2], g->box[2]) - std::max(d->box[0], g->box[0]), 0.0);
      const double h =
          std::max(std::min(d->box[3], g->box[3]) - std::max(d->box[1], g->box[1]), 0.0);
      shared += w * h;
      joint += area(d->box) + area(g->box) - w * h;
    } else if (g != truth.end()) {
      joint += area(g->box);
    } else if (d != pred.end()) {
      joint += area(d->box);
    }
  }
  return joint > 0 ? shared / joint : 0;
}

void overlaps_as_plain_loops_say() {
  std::mt19937 random(3);
  const auto number = [&random] { return static_cast<double>(random() % 100) / 7; };
  const auto track = [&] {
    Track rows;
    for (std::int64_t frame = 0; frame < 32; ++frame) {
      if (random() % 3 == 0) continue;
      const double x = number(), y = number();
      rows.push_back({frame, {x, y, x + number(), y + number()}});
    }
    if (rows.empty()) rows.push_back({0, {0, 0, 1, 1}});
    return rows;
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<Track> truth(random() % 6), pred(random() % 6);
    std::generate(truth.begin(), truth.end(), track);
    std::generate(pred.begin(), pred.end(), track);
    const Groups groups{{0, static_cast<std::int64_t>(truth.size())},
                        {0, static_cast<std::int64_t>(pred.size())}};
    for (const int n_threads : {1, 3}) {
      snellen::set_thread_count(n_threads);
      const auto iou = matrix(truth, pred, groups);
      for (std::size_t d = 0; d < pred.size(); ++d) {
        for (std::size_t g = 0; g < truth.size(); ++g) {
          CHECK_EQUAL(iou[d][g], plain_iou(truth[g], pred[d]));
        }
      }
    }
    snellen::set_thread_count(0);
  }
}

struct Candidate {
  std::int32_t truth;
  double iou;
};

// One group, one range; outcomes of all tracks at all thresholds as words.
std::vector<std::uint32_t> matched(const std::vector<std::vector<Candidate>>& pred,
                                   const std::vector<std::uint32_t>& ignored,
                                   const std::vector<double>& thresholds,
                                   std::vector<std::uint32_t> outside = {},
                                   std::vector<std::uint8_t> blocks = {}) {
  outside.resize(pred.size(), 0);
  blocks.resize(pred.size(), 1);
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> truth;
  std::vector<double> iou;
  for (const auto& candidates : pred) {
    for (const Candidate& candidate : candidates) {
      truth.push_back(candidate.truth);
      iou.push_back(candidate.iou);
    }
    begin.push_back(static_cast<std::int64_t>(truth.size()));
  }
  const Groups groups{{0, static_cast<std::int64_t>(ignored.size())},
                      {0, static_cast<std::int64_t>(pred.size())}};
  const snellen::RankedTracks ranked{outside.data(), blocks.data(), begin.data(), truth.data(),
                                     iou.data()};
  const auto outcome =
      snellen::match_tracks(groups.view(), ignored.data(), ranked, {thresholds, 1});
  return {outcome.begin(), outcome.end()};
}

constexpr std::uint32_t kTrue = 1, kFalse = 1 << 16, kLeftOut = 0;

void matching_by_hand() {
  using Words = std::vector<std::uint32_t>;
  const double below = 0.5 - 0x1p-52, far_below = 0.5 - 0x1p-51;
  // The first takes what the second wants too.
  CHECK((matched({{{0, 0.9}}, {{0, 1.0}}}, {0}, {0.5}) == Words{kTrue, kFalse}));
  // Of what it takes with a blocking id; else it is free again.
  CHECK((matched({{{0, 0.9}}, {{0, 1.0}}}, {0}, {0.5}, {}, {0, 1}) == Words{kTrue, kTrue}));
  // The highest wins, of equal ones the later, and a later one may be an epsilon lower.
  CHECK((matched({{{0, 0.8}, {1, 0.7}}, {{0, 0.8}}}, {0, 0}, {0.5}) == Words{kTrue, kFalse}));
  CHECK((matched({{{0, 0.8}, {1, 0.8}}, {{0, 0.8}}}, {0, 0}, {0.5}) == Words{kTrue, kTrue}));
  CHECK((matched({{{0, 0.5}, {1, below}}, {{0, 0.8}}}, {0, 0}, {0.5}) == Words{kTrue, kTrue}));
  // The bar is lower by an epsilon, not by two.
  CHECK((matched({{{0, below}}}, {0}, {0.5}) == Words{kTrue}));
  CHECK((matched({{{0, far_below}}}, {0}, {0.5}) == Words{kFalse}));
  // An IoU of 1 - 1e-10 passes a threshold of 1.
  CHECK((matched({{{0, 1 - 1e-10}}}, {0}, {1.0}) == Words{kTrue}));
  // Ignored truth comes last, however well it fits, and what takes it is left out.
  CHECK((matched({{{0, 0.9}, {1, 0.6}}, {{0, 0.9}}}, {1, 0}, {0.5}) == Words{kTrue, kLeftOut}));
  // Taken once, even so.
  CHECK((matched({{{0, 0.9}}, {{0, 0.9}}}, {1}, {0.5}) == Words{kLeftOut, kFalse}));
  // Outside of the range: left out where nothing was taken, true where it was.
  CHECK((matched({{{0, 0.4}}}, {0}, {0.5}, {1}) == Words{kLeftOut}));
  CHECK((matched({{{0, 0.6}}}, {0}, {0.5}, {1}) == Words{kTrue}));
}

void thresholds_beyond_one_word() {
  std::vector<double> thresholds;
  for (int k = 1; k <= 18; ++k) thresholds.push_back(k * 0.05);
  const auto words = matched({{{0, 0.5}}, {}}, {0}, thresholds);
  // 0.05 … 0.5 are the thresholds 0 to 9.
  CHECK_EQUAL(words[0], 0x3FFU | 0xFC00U << 16);
  CHECK_EQUAL(words[1], 3U << 16);
  CHECK_EQUAL(words[2], 0xFFFFU << 16);
  CHECK_EQUAL(words[3], 3U << 16);
}

void each_range_for_itself() {
  const std::vector<std::int64_t> begin{0, 1};
  const std::vector<std::int32_t> truth{0};
  const std::vector<double> iou{0.7};
  const std::vector<std::uint32_t> ignored{0b110}, outside{0b100};
  const std::vector<std::uint8_t> blocks{1};
  const Groups groups{{0, 1}, {0, 1}};
  const auto outcome = snellen::match_tracks(
      groups.view(), ignored.data(),
      {outside.data(), blocks.data(), begin.data(), truth.data(), iou.data()}, {{0.6, 0.8}, 3});
  CHECK_EQUAL(outcome[0], 1U | 2U << 16);
  CHECK_EQUAL(outcome[1], 2U << 16);
  CHECK_EQUAL(outcome[2], 0U);
}

}  // namespace

int main() {
  overlaps_by_hand();
  overlaps_as_plain_loops_say();
  matching_by_hand();
  thresholds_beyond_one_word();
  each_range_for_itself();
  return snellen::testing::report();
}
