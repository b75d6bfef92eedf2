// The precision of a curve in replicates that stand side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "replicate_lanes.hpp"
#include "replicate_tracks.hpp"
#include "snellen/column.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/resampled_curves.hpp"

namespace snellen {

// Precision of one curve in kLanes replicates.
template <class Times>
class LaneCurve {
 public:
  explicit LaneCurve(const CurveRules& rules) : rules_(rules) {
    highest_.resize_uninitialised(rules.recall_thresholds.size() + 1);
  }

  // Of each replicate and each number of true positives from 0 to most_hits how many recall
  // thresholds it reaches.
  void set_truth(const Counts& n_counted, std::uint32_t most_hits) {
    n_counted_ = n_counted;
    n_reached_size_ = std::size_t{most_hits} + 1;
    n_reached_.resize_uninitialised(n_reached_size_ * kLanes);
    std::fill(n_reached_.begin(), n_reached_.end(), 0U);
    for (const double wanted : rules_.recall_thresholds) {
      const Counts needed = hits_for(wanted);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (needed[lane] <= most_hits) ++n_reached_[lane * n_reached_size_ + needed[lane]];
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      std::uint32_t* const n_reached = n_reached_.data() + lane * n_reached_size_;
      std::partial_sum(n_reached, n_reached + n_reached_size_, n_reached);
    }
  }

  // What the curves of a track share.
  void set_track(const Track& track, const TimesByLane<Times>& times, const Lanes<Times>* block) {
    at_once_ = times.at_once();
    times_.resize_uninitialised(track.sources.size());
    for (std::size_t i = 0; i < track.sources.size(); ++i) {
      const Source source = track.sources[i];
      Lanes<Times> often = block[source.image];
      if (source.copy != 0) {
        for (Times& each : often.of) each = std::cmp_greater_equal(each, source.copy);
      }
      times_[i] = often;
    }
    n_false_.resize_uninitialised(track.false_end.size());
    Counts n_false;
    std::size_t from = 0;
    for (std::size_t i = 0; i < track.false_end.size(); ++i) {
      const std::int32_t* const image = track.false_image.data() + from;
      add_up(
          track.false_end[i] - from, at_once_,
          [&](std::size_t j) -> const Lanes<Times>& { return block[image[j]]; }, n_false);
      n_false_[i] = n_false;
      from = track.false_end[i];
    }
  }

  Lanes<double> precision(const ThresholdTrack& track) {
    if (track.runs.empty()) return {};
    count(track);
    if (rules_.summary == CurveSummary::kArea) return area(track.runs.size());
    find_highest(track.runs.size());
    return rules_.summary == CurveSummary::kPoints ? mean() : sum_of_parts();
  }

 private:
  // The least number of true positives at which recall reaches a threshold: min k with k / n >= r,
  // in the floating-point division that the definition uses.
  Counts hits_for(double recall) const {
    Counts hits;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double n = static_cast<std::int32_t>(n_counted_[lane]);
      // Less than the product is too little, the next integer above it enough: divisions round
      // both without passing `recall`.
      const auto below = static_cast<std::int32_t>(std::clamp(recall * n, 0.0, n + 1));
      hits[lane] = static_cast<std::uint32_t>(below) + (below / n < recall);
    }
    return hits;
  }

  // Goes down the rows: at each run's end the number of true positives and of all that count.
  void count(const ThresholdTrack& track) {
    n_hits_.resize_uninitialised(track.runs.size());
    n_found_.resize_uninitialised(track.runs.size());
    Counts hits, misses;
    const std::uint32_t* source = track.sources.data();
    const auto times = [&](std::size_t j) -> const Lanes<Times>& { return times_[source[j]]; };
    std::uint32_t from = 0;
    for (std::size_t i = 0; i < track.runs.size(); ++i) {
      const Run& run = track.runs[i];
      add_up(run.misses_end - from, at_once_, times, misses);
      source += run.misses_end - from;
      add_up(run.hits_end - run.misses_end, at_once_, times, hits);
      source += run.hits_end - run.misses_end;
      from = run.hits_end;
      n_hits_[i] = hits;
      Counts found = hits;
      found.add(misses);
      found.add(n_false_[run.base]);
      n_found_[i] = found;
    }
  }

  // Raises `highest` to the precision at the end of a run. Where nothing was found yet and there is
  // no spacing, 0 / 0 raises nothing.
  void raise(std::size_t run, Lanes<double>& highest) const {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      // Signed, which processors convert in one step.
      const double n_hits = static_cast<std::int32_t>(n_hits_[run][lane]);
      const double n_found = static_cast<std::int32_t>(n_found_[run][lane]);
      const double precision = n_hits / (n_found + rules_.spacing);
      highest[lane] = precision > highest[lane] ? precision : highest[lane];
    }
  }

  // Goes up the rows: the highest precision from each run on, by the number of recall thresholds
  // that are reached there.
  void find_highest(std::size_t n_runs) {
    std::fill(highest_.begin(), highest_.end(), Lanes<double>{});
    Lanes<double> highest;
    for (std::size_t run = n_runs; run-- > 0;) {
      raise(run, highest);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t place = lane * n_reached_size_ + n_hits_[run][lane];
        highest_[n_reached_[place]][lane] = highest[lane];
      }
    }
    for (std::size_t r = highest_.size() - 1; r-- > 0;) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        highest_[r][lane] = std::max(highest_[r][lane], highest_[r + 1][lane]);
      }
    }
  }

  Lanes<double> mean() const {
    Lanes<double> sum;
    for (std::size_t r = highest_.size(); r-- > 1;) sum.add(highest_[r]);
    for (double& each : sum.of) each /= static_cast<double>(highest_.size() - 1);
    return sum;
  }

  Lanes<double> sum_of_parts() const {
    Lanes<double> sum;
    for (std::size_t r = 1; r < highest_.size(); ++r) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum[lane] += highest_[r][lane] / static_cast<double>(highest_.size() - 1);
      }
    }
    return sum;
  }

  // Of each true positive how much recall rises, times the highest precision from it on; added up
  // as NumPy does it. What recall lacks of 1 counts as a part of 0.
  Lanes<double> area(std::size_t n_runs) {
    highest_of_runs_.resize_uninitialised(n_runs);
    Lanes<double> highest;
    for (std::size_t run = n_runs; run-- > 0;) {
      raise(run, highest);
      highest_of_runs_[run] = highest;
    }
    Lanes<double> areas;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint32_t n_counted = n_counted_[lane];
      const double n = static_cast<std::int32_t>(n_counted);
      parts_.clear();
      std::uint32_t n_hits = 0;
      double recall = 0;
      for (std::size_t run = 0; run < n_runs; ++run) {
        while (n_hits < n_hits_[run][lane]) {
          const double before = std::exchange(recall, static_cast<std::int32_t>(++n_hits) / n);
          parts_.push_back((recall - before) * highest_of_runs_[run][lane]);
        }
      }
      if (n_hits < n_counted) parts_.push_back(0);
      areas[lane] = pairwise_sum(parts_.data(), parts_.size());
    }
    return areas;
  }

  const CurveRules& rules_;
  std::size_t at_once_ = 1;
  Counts n_counted_;
  Column<std::uint32_t> n_reached_;  // [replicate][number of true positives]
  std::size_t n_reached_size_ = 0;
  Column<Lanes<Times>> times_;  // of each source
  Column<Counts> n_false_;      // of each base
  // Of each run.
  Column<Counts> n_hits_, n_found_;
  Column<Lanes<double>> highest_of_runs_;
  Column<Lanes<double>> highest_;  // by recall thresholds reached
  Column<double> parts_;
};

}  // namespace snellen
