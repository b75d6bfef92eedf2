#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "plain_tracks.hpp"
#include "snellen/hota.hpp"
#include "snellen/pairwise_sum.hpp"

using namespace snellen::testing;
using snellen::HotaSums;

namespace {

HotaSums find(const Sequence& sequence, const std::vector<double>& alphas, bool blocked = false) {
  return snellen::hota_sums(Listed(sequence).tracks(), alphas.data(), alphas.size(), blocked);
}

bool same(const HotaSums& a, const HotaSums& b) {
  return a.n_matched == b.n_matched && a.similarity == b.similarity &&
         a.association == b.association && a.association_recall == b.association_recall &&
         a.association_precision == b.association_precision;
}

// A sum over a row or a column, as NumPy takes it.
double numpy_sum(const Frame& frame, std::size_t index, bool is_row) {
  std::vector<double> values;
  const std::size_t n = is_row ? frame.pred.size() : frame.truth.size();
  for (std::size_t k = 0; k < n; ++k) {
    values.push_back(is_row ? frame.at(index, k) : frame.at(k, index));
  }
  if (is_row || frame.pred.size() == 1) return snellen::pairwise_sum(values.data(), n);
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

// With a table of all tracks beside all tracks.
HotaSums by_hand(const Sequence& sequence, const std::vector<double>& alphas, bool blocked) {
  const std::size_t n = sequence.n_truth_tracks, m = sequence.n_pred_tracks;
  std::vector<double> agreement(n * m, 0.0), truth_frames(n, 0.0), pred_frames(m, 0.0);
  const auto cell = [&](const Frame& frame, std::size_t i, std::size_t j) {
    return static_cast<std::size_t>(frame.truth[i]) * m + static_cast<std::size_t>(frame.pred[j]);
  };
  for (const Frame& frame : sequence.frames) {
    for (const std::int32_t track : frame.truth) ++truth_frames[static_cast<std::size_t>(track)];
    for (const std::int32_t track : frame.pred) ++pred_frames[static_cast<std::size_t>(track)];
    for (std::size_t i = 0; i < frame.truth.size(); ++i) {
      for (std::size_t j = 0; j < frame.pred.size(); ++j) {
        const double either =
            (numpy_sum(frame, j, false) + numpy_sum(frame, i, true)) - frame.at(i, j);
        if (either > snellen::kSlack) agreement[cell(frame, i, j)] += frame.at(i, j) / either;
      }
    }
  }
  for (std::size_t c = 0; c < n * m; ++c) {
    agreement[c] /= (truth_frames[c / m] + pred_frames[c % m]) - agreement[c];
  }
  HotaSums sums;
  for (const double alpha : alphas) {
    std::int64_t n_matched = 0;
    double similarity = 0.0;
    std::vector<double> count(n * m, 0.0);
    for (const Frame& frame : sequence.frames) {
      std::vector<double> score;
      for (std::size_t i = 0; i < frame.truth.size(); ++i) {
        for (std::size_t j = 0; j < frame.pred.size(); ++j) {
          score.push_back(agreement[cell(frame, i, j)] * frame.at(i, j));
        }
      }
      const Tracks columns = choice(score, frame.truth.size(), frame.pred.size());
      double in_frame = 0.0;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i] < 0) continue;
        const auto j = static_cast<std::size_t>(columns[i]);
        if (frame.at(i, j) < alpha - snellen::kSlack) continue;
        ++n_matched;
        in_frame += frame.at(i, j);
        ++count[cell(frame, i, j)];
      }
      similarity += in_frame;
    }
    sums.n_matched.push_back(n_matched);
    sums.similarity.push_back(similarity);
    for (auto* const kind :
         {&sums.association, &sums.association_recall, &sums.association_precision}) {
      std::vector<double> values(n * m);
      for (std::size_t c = 0; c < n * m; ++c) {
        const double truth = truth_frames[c / m], pred = pred_frames[c % m];
        const double either = (truth + pred) - count[c];
        const double size = kind == &sums.association          ? either
                            : kind == &sums.association_recall ? truth
                                                               : pred;
        values[c] = count[c] * (count[c] / std::max(1.0, size));
      }
      double sum = 0.0;
      const std::size_t step = blocked ? 8192 : std::max<std::size_t>(1, n * m);
      for (std::size_t begin = 0; begin < n * m; begin += step) {
        sum += snellen::pairwise_sum(values.data() + begin, std::min(step, n * m - begin));
      }
      kind->push_back(sum);
    }
  }
  return sums;
}

void worked_by_hand() {
  // One truth track; track 0 covers its first frame, track 1 the second.
  const Sequence broken{1, 2, {{{0}, {0}, {1.0}}, {{0}, {1}, {0.5}}}};
  const HotaSums found = find(broken, {0.25, 0.75, 0.5});
  CHECK((found.n_matched == std::vector<std::int64_t>{2, 1, 2}));
  CHECK((found.similarity == std::vector<double>{1.5, 1.0, 1.5}));
  // A cell has 1 match of the 2 + 1 − 1 frames that either track is in; there are two such cells.
  CHECK((found.association == std::vector<double>{1.0, 0.5, 1.0}));
  CHECK((found.association_recall == std::vector<double>{1.0, 0.5, 1.0}));
  CHECK((found.association_precision == std::vector<double>{2.0, 1.0, 2.0}));

  // Track 1 is nearer in the second frame, but track 0 agrees better over the sequence. Frame 0
  // gives cell (0, 0) 0.8 / 0.8 = 1. Frame 1: 0.5 / (0.5 + 1.1 − 0.5) = 5/11 and 6/11. So cell
  // (0, 0) has 16/11 of 2 + 2 − 16/11 = 28/11, 4/7; cell (0, 1) 6/11 of 2 + 1 − 6/11 = 27/11, 2/9.
  // 4/7 · 0.5 is more than 2/9 · 0.6.
  const Sequence steady{1, 2, {{{0}, {0}, {0.8}}, {{0}, {0, 1}, {0.5, 0.6}}}};
  const HotaSums kept = find(steady, {0.5});
  CHECK_EQUAL(kept.n_matched[0], 2);
  CHECK_EQUAL(kept.similarity[0], 0.8 + 0.5);
  // Both matches are in one cell: 2 · 2 / 2.
  CHECK_EQUAL(kept.association[0], 2.0);

  // A similarity may fall short of alpha by 2⁻⁵², not by twice that.
  const double short_of_half = 0.5 - snellen::kSlack;
  const Sequence near{
      2, 2, {{{0}, {0}, {short_of_half}}, {{1}, {1}, {short_of_half - snellen::kSlack}}}};
  CHECK_EQUAL(find(near, {0.5}).n_matched[0], 1);
  CHECK(find(near, {}).n_matched.empty());
}

void as_with_whole_tables() {
  Random random(1);
  const std::vector<double> alphas{0.05, 0.5, 0.25, 0.75, 0.95, 0.5};
  for (int round = 0; round < 200; ++round) {
    const Sequence sequence = drawn(random);
    CHECK(same(find(sequence, alphas), by_hand(sequence, alphas, false)));
  }
  const Sequence narrow = drawn(30, 1, 40, 1000, random);
  CHECK(same(find(narrow, alphas), by_hand(narrow, alphas, false)));
  const Sequence wide = drawn(60, 300, 12, 1000, random);
  for (const bool blocked : {false, true}) {
    CHECK(same(find(wide, alphas, blocked), by_hand(wide, alphas, blocked)));
  }
  CHECK(!same(find(wide, alphas, false), find(wide, alphas, true)));
}

}  // namespace

int main() {
  worked_by_hand();
  as_with_whole_tables();
  return snellen::testing::report();
}
