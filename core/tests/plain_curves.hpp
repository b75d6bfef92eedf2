// Curves by their definition, and random outcomes to try it on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "snellen/curve.hpp"
#include "snellen/matching.hpp"

namespace snellen::testing {

inline constexpr double kUndefined = -7;

// Rows in (label, image, rank) order.
struct Data {
  std::vector<std::int32_t> image, label;
  std::vector<double> score;
  std::vector<std::uint32_t> outcome;
  std::vector<std::int32_t> truth_label;
  std::vector<std::uint32_t> truth_ignored;
};

struct Numbers {
  std::vector<double> precision, scores, recall;
  std::vector<std::int64_t> n_counted;

  bool operator==(const Numbers&) const = default;
};

inline Numbers curves_of(const Data& data, const snellen::CurveRules& rules) {
  const snellen::Curves curves = snellen::precision_recall_curves(
      {data.image.data(), data.label.data(), data.score.data(), data.outcome.data(),
       data.score.size(), data.truth_label.data(), data.truth_ignored.data(),
       data.truth_label.size()},
      rules);
  return {{curves.precision.begin(), curves.precision.end()},
          {curves.scores.begin(), curves.scores.end()},
          {curves.recall.begin(), curves.recall.end()},
          {curves.n_counted.begin(), curves.n_counted.end()}};
}

// The rules of curve.hpp, every point of every curve.
inline Numbers by_definition(const Data& data, const snellen::CurveRules& rules) {
  Numbers numbers;
  const std::size_t n_words = snellen::outcome_words(rules.n_thresholds);
  for (std::size_t k = 0; k < rules.n_labels; ++k) {
    for (std::size_t a = 0; a < rules.n_areas; ++a) {
      std::int64_t n_counted = 0;
      for (std::size_t i = 0; i < data.truth_label.size(); ++i) {
        if (data.truth_label[i] == static_cast<std::int32_t>(k) &&
            (data.truth_ignored[i] >> a & 1) == 0) {
          ++n_counted;
        }
      }
      numbers.n_counted.push_back(n_counted);
      for (const std::size_t cap : rules.max_detections) {
        std::vector<std::size_t> rows;
        std::size_t rank = 0;
        for (std::size_t i = 0; i < data.score.size(); ++i) {
          if (data.label[i] != static_cast<std::int32_t>(k)) continue;
          const bool same_cell =
              i > 0 && data.label[i] == data.label[i - 1] && data.image[i] == data.image[i - 1];
          rank = same_cell ? rank + 1 : 0;
          if (rank < cap) rows.push_back(i);
        }
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) {
          return data.score[x] > data.score[y];
        });
        for (std::size_t t = 0; t < rules.n_thresholds; ++t) {
          if (n_counted == 0) {
            numbers.recall.push_back(rules.undefined);
            for (std::size_t r = 0; r < rules.recall_thresholds.size(); ++r) {
              numbers.precision.push_back(rules.undefined);
              numbers.scores.push_back(rules.undefined);
            }
            continue;
          }
          std::vector<double> precision, recall;
          double hits = 0, misses = 0;
          for (const std::size_t i : rows) {
            const std::uint32_t bits =
                data.outcome[(i * rules.n_areas + a) * n_words + t / 16] >> t % 16;
            hits += bits & 1;
            misses += bits >> 16 & 1;
            precision.push_back(hits / (misses + hits + 0x1p-52));
            recall.push_back(hits / static_cast<double>(n_counted));
          }
          for (std::size_t i = precision.size(); i-- > 1;) {
            precision[i - 1] = std::max(precision[i - 1], precision[i]);
          }
          numbers.recall.push_back(recall.empty() ? 0 : recall.back());
          for (const double wanted : rules.recall_thresholds) {
            const auto at = static_cast<std::size_t>(
                std::lower_bound(recall.begin(), recall.end(), wanted) - recall.begin());
            const bool reached = at < recall.size();
            numbers.precision.push_back(reached ? precision[at] : 0);
            numbers.scores.push_back(reached ? data.score[rows[at]] : 0);
          }
        }
      }
    }
  }
  return numbers;
}

inline constexpr std::uint32_t kLabels = 4, kImages = 12, kAreas = 3;

inline Data random_outcomes(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                            std::mt19937& random) {
  auto draw = [&](std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random);
  };
  const std::size_t n_words = snellen::outcome_words(n_thresholds);
  Data data;
  std::vector<std::uint32_t> cell(n_rows);
  // The last label has no detections, the first the most.
  for (std::uint32_t& c : cell)
    c = draw(0, kLabels - 2) * draw(0, 1) * kImages + draw(0, kImages - 1);
  std::sort(cell.begin(), cell.end());
  for (const std::uint32_t c : cell) {
    data.label.push_back(static_cast<std::int32_t>(c / kImages));
    data.image.push_back(static_cast<std::int32_t>(c % kImages));
    data.score.push_back(draw(0, 40) / 40.0);
    const bool always_false = draw(0, 2) == 0;
    for (std::size_t i = 0; i < kAreas * n_words; ++i) {
      const std::size_t n_bits = std::min<std::size_t>(16, n_thresholds - i % n_words * 16);
      const std::uint32_t all = (1U << n_bits) - 1;
      const std::uint32_t hit = always_false ? 0 : draw(0, all) & draw(0, all);
      const std::uint32_t miss = always_false ? all : draw(0, all) & ~hit;
      data.outcome.push_back(hit | miss << 16);
    }
  }
  // In each cell by falling score, as the matching ranks them.
  for (std::size_t begin = 0; begin < n_rows;) {
    std::size_t end = begin;
    while (end < n_rows && cell[end] == cell[begin]) ++end;
    std::sort(data.score.begin() + static_cast<std::ptrdiff_t>(begin),
              data.score.begin() + static_cast<std::ptrdiff_t>(end), std::greater<>());
    begin = end;
  }
  for (std::size_t i = 0; i < n_truth; ++i) {
    data.truth_label.push_back(static_cast<std::int32_t>(i * kLabels / n_truth));
    data.truth_ignored.push_back(draw(0, 7) & draw(0, 7));
  }
  return data;
}

inline snellen::CurveRules random_rules(std::size_t n_thresholds) {
  std::vector<double> recalls;
  for (int i = 0; i <= 100; ++i) recalls.push_back(i * 0.01);
  return {kLabels, kAreas, n_thresholds, recalls, {1, 3, 10, 1000}, kUndefined};
}

}  // namespace snellen::testing
