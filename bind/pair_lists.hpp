// The lists of a sequence's frames and pairs as Python gives them, every index checked.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "arrays.hpp"
#include "snellen/frame_matching.hpp"

namespace snellen::bind {

inline void check_begins(const char* name, const In1<std::int64_t>& begin) {
  bool holds = begin.size() > 0 && begin.data()[0] == 0;
  for (std::size_t i = 1; holds && i < begin.size(); ++i) {
    holds = begin.data()[i - 1] <= begin.data()[i];
  }
  if (holds && begin.data()[begin.size() - 1] <= std::numeric_limits<std::int32_t>::max()) return;
  const std::string text =
      std::string("expected ") + name + " that ascends from 0 and stays below 2^31";
  throw nb::value_error(text.c_str());
}

inline void check_threshold(double threshold) {
  if (threshold >= kLeastThreshold && std::isfinite(threshold)) return;
  throw nb::value_error("expected a threshold of at least 1e-15");
}

inline PairLists pair_lists(const In1<std::int64_t>& truth_begin,
                            const In1<std::int64_t>& pred_begin,
                            const In1<std::int64_t>& pair_begin, const In1<std::int32_t>& pair_pred,
                            const In1<double>& similarity) {
  check_begins("truth_begin", truth_begin);
  check_begins("pred_begin", pred_begin);
  check_begins("pair_begin", pair_begin);
  check_length("pred_begin", pred_begin.size(), truth_begin.size());
  const PairLists pairs{truth_begin.size() - 1, truth_begin.data(), pred_begin.data(),
                        pair_begin.data(),      pair_pred.data(),   similarity.data()};
  check_length("pair_begin", pair_begin.size(), pairs.n_truth() + 1);
  check_length("pair_pred", pair_pred.size(), pairs.n_pairs());
  check_length("similarity", similarity.size(), pairs.n_pairs());
  for (std::size_t t = 0; t < pairs.n_frames; ++t) {
    for (std::int64_t i = pairs.truth_begin[t]; i < pairs.truth_begin[t + 1]; ++i) {
      std::int64_t least = pairs.pred_begin[t];
      for (std::int64_t k = pairs.pair_begin[i]; k < pairs.pair_begin[i + 1]; ++k) {
        const std::int64_t pred = pairs.pair_pred[k];
        if (pred < least || pred >= pairs.pred_begin[t + 1]) {
          const std::string text =
              "expected pair_pred that ascends in each truth row and stays in "
              "its frame, got " +
              std::to_string(pred) + " in pair " + std::to_string(k);
          throw nb::value_error(text.c_str());
        }
        least = pred + 1;
      }
    }
  }
  for (std::size_t k = 0; k < pairs.n_pairs(); ++k) {
    const double value = pairs.similarity[k];
    if (value > 0.0 && value <= std::numeric_limits<double>::max()) continue;
    const std::string text = "expected finite similarities above 0, got " + std::to_string(value) +
                             " in pair " + std::to_string(k);
    throw nb::value_error(text.c_str());
  }
  return pairs;
}

}  // namespace snellen::bind
