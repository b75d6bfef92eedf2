#include "snellen/track_matching.hpp"

#include <algorithm>
#include <limits>

#include "snellen/matching.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr std::int32_t kNone = -1;

class GroupMatcher {
 public:
  GroupMatcher(const std::uint32_t* truth_ignored, const RankedTracks& pred,
               const TrackMatchRules& rules, std::uint32_t* outcome)
      : truth_ignored_(truth_ignored),
        pred_(pred),
        rules_(rules),
        n_words_(outcome_words(rules.iou_thresholds.size())),
        outcome_(outcome) {}

  void run(std::size_t truth_begin, std::size_t truth_end, std::size_t pred_begin,
           std::size_t pred_end) {
    for (std::size_t range = 0; range < rules_.n_ranges; ++range) {
      for (std::size_t t = 0; t < rules_.iou_thresholds.size(); ++t) {
        taken_.assign(truth_end - truth_begin, 0);
        for (std::size_t d = pred_begin; d < pred_end; ++d) {
          const std::int32_t match = best_free(d, range, rules_.iou_thresholds[t], truth_begin);
          if (match != kNone && pred_.blocks[d] != 0) {
            taken_[static_cast<std::size_t>(match) - truth_begin] = 1;
          }
          write(d, range, t, match);
        }
      }
    }
  }

 private:
  bool ignored(std::int32_t truth, std::size_t range) const {
    return (truth_ignored_[truth] >> range & 1) != 0;
  }

  std::int32_t best_free(std::size_t d, std::size_t range, double threshold,
                         std::size_t truth_begin) const {
    const auto begin = static_cast<std::size_t>(pred_.candidate_begin[d]);
    const auto end = static_cast<std::size_t>(pred_.candidate_begin[d + 1]);
    double bar = std::min(threshold, 1 - 1e-10);
    std::int32_t match = kNone;
    for (const bool among_ignored : {false, true}) {
      if (match != kNone) break;
      for (std::size_t c = begin; c < end; ++c) {
        const std::int32_t truth = pred_.candidate[c];
        if (ignored(truth, range) != among_ignored) continue;
        if (taken_[static_cast<std::size_t>(truth) - truth_begin] != 0) continue;
        if (pred_.iou[c] < bar - kEpsilon) continue;
        bar = pred_.iou[c];
        match = truth;
      }
    }
    return match;
  }

  void write(std::size_t d, std::size_t range, std::size_t t, std::int32_t match) {
    const std::uint32_t bit = std::uint32_t{1} << (t % kThresholdsPerWord);
    std::uint32_t& word =
        outcome_[(d * rules_.n_ranges + range) * n_words_ + t / kThresholdsPerWord];
    if (match != kNone) {
      if (!ignored(match, range)) word |= bit;
    } else if ((pred_.outside[d] >> range & 1) == 0) {
      word |= bit << kThresholdsPerWord;
    }
  }

  const std::uint32_t* truth_ignored_;
  const RankedTracks& pred_;
  const TrackMatchRules& rules_;
  const std::size_t n_words_;
  std::uint32_t* outcome_;
  std::vector<std::uint8_t> taken_;
};

}  // namespace

Column<std::uint32_t> match_tracks(const TrackGroups& groups, const std::uint32_t* truth_ignored,
                                   const RankedTracks& pred, const TrackMatchRules& rules) {
  const auto n_pred = static_cast<std::size_t>(groups.pred_begin[groups.n_groups]);
  Column<std::uint32_t> outcome;
  outcome.resize_uninitialised(n_pred * rules.n_ranges *
                               outcome_words(rules.iou_thresholds.size()));
  std::fill(outcome.begin(), outcome.end(), 0U);
  parallel_for_workers(groups.n_groups, [&] {
    return [&, matcher = GroupMatcher(truth_ignored, pred, rules, outcome.data())](
               std::size_t group) mutable {
      matcher.run(static_cast<std::size_t>(groups.truth_begin[group]),
                  static_cast<std::size_t>(groups.truth_begin[group + 1]),
                  static_cast<std::size_t>(groups.pred_begin[group]),
                  static_cast<std::size_t>(groups.pred_begin[group + 1]));
    };
  });
  return outcome;
}

}  // namespace snellen
