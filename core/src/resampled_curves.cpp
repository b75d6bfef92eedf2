#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "label_rows.hpp"
#include "replicate_lanes.hpp"
#include "replicate_tracks.hpp"
#include "snellen/column.hpp"
#include "snellen/curve.hpp"
#include "snellen/matching.hpp"
#include "snellen/pairwise_sum.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

// How often images occur, in a type that holds it.
template <class Times>
struct TimesByLane {
  Column<Lanes<Times>> lanes;  // [block of kLanes replicates][image]
  std::size_t n_images, n_blocks;
  std::vector<std::uint32_t> most;  // of each image, over all replicates
  std::size_t at_once;              // so many of them add up without overflow

  const Lanes<Times>* block(std::size_t i) const { return lanes.data() + i * n_images; }
};

template <class Times>
TimesByLane<Times> times_by_lane(const Replicates& replicates) {
  const std::size_t n_images = replicates.n_images;
  TimesByLane<Times> made;
  made.n_images = n_images;
  made.n_blocks = (replicates.n_replicates + kLanes - 1) / kLanes;
  made.lanes.resize_uninitialised(made.n_blocks * n_images);
  parallel_for(made.n_blocks, [&](std::size_t block) {
    Lanes<Times>* const to = made.lanes.data() + block * n_images;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t replicate = block * kLanes + lane;
      const bool there = replicate < replicates.n_replicates;
      const std::int32_t* const times = replicates.times + (there ? replicate * n_images : 0);
      for (std::size_t image = 0; image < n_images; ++image) {
        to[image][lane] = there ? static_cast<Times>(times[image]) : Times{0};
      }
    }
  });
  made.most.resize(n_images);
  for (std::size_t i = 0; i < made.lanes.size(); ++i) {
    std::uint32_t& most = made.most[i % n_images];
    for (const Times often : made.lanes[i].of) most = std::max(most, std::uint32_t{often});
  }
  const std::uint32_t most =
      made.most.empty() ? 0 : *std::max_element(made.most.begin(), made.most.end());
  made.at_once = std::numeric_limits<Times>::max() / std::max(most, 1U);
  return made;
}

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
    at_once_ = times.at_once;
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
      add_up(track.false_end[i] - from, at_once_,
             [&](std::size_t j) -> const Lanes<Times>& { return block[image[j]]; }, n_false);
      n_false_[i] = n_false;
      from = track.false_end[i];
    }
  }

  Lanes<double> precision(const ThresholdTrack& track) {
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

  // Raises `highest` to the precision at the end of a run.
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
      const double n = n_counted_[lane];
      parts_.clear();
      double n_hits = 0;
      for (std::size_t run = 0; run < n_runs; ++run) {
        while (n_hits < n_hits_[run][lane]) {
          ++n_hits;
          parts_.push_back((n_hits / n - (n_hits - 1) / n) * highest_of_runs_[run][lane]);
        }
      }
      if (n_hits < n) parts_.push_back(0);
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
  std::vector<double> parts_;
};

// Writes the numbers of one label in replicate after replicate.
template <class Times>
class ReplicateWriter {
 public:
  ReplicateWriter(const Outcomes& outcomes, const Replicates& replicates, const CurveRules& rules,
                  const TimesByLane<Times>& times, ResampledCurves& out)
      : outcomes_(outcomes),
        replicates_(replicates),
        rules_(rules),
        times_(times),
        out_(out),
        rows_(outcomes, rules),
        curve_(rules),
        tracks_(rules.max_detections.size()),
        n_hits_(rules.max_detections.size() * kThresholdsPerWord) {}

  void run(std::size_t label, Rows pred, Rows truth, Rows blocks) {
    rows_.load(pred);
    for (std::size_t a = 0; a < rules_.n_areas; ++a) {
      truth_image_.clear();
      for (std::size_t i = truth.begin; i < truth.end; ++i) {
        if ((outcomes_.truth_ignored[i] >> a & 1) != 0) continue;
        truth_image_.push_back(replicates_.truth_image[i]);
      }
      for (std::size_t word = 0; word < outcome_words(rules_.n_thresholds); ++word) {
        rows_.find_hits(word, a, hits_);
        for (std::uint32_t m = 0; m < tracks_.size(); ++m) {
          if (replicates_.read_precision[m]) {
            rows_.trace(word, a, m, times_.most.data(), tracks_[m]);
          }
        }
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
          write(label, a, word, block);
        }
      }
    }
  }

 private:
  void write(std::size_t label, std::size_t a, std::size_t word, std::size_t block) {
    const Lanes<Times>* const times = times_.block(block);
    const std::size_t first = block * kLanes;
    const std::size_t n_lanes = std::min(kLanes, replicates_.n_replicates - first);
    const std::size_t n_bits =
        std::min(kThresholdsPerWord, rules_.n_thresholds - word * kThresholdsPerWord);
    const Counts n_counted = count(truth_image_, 0, truth_image_.size(), times, {});
    std::uint32_t most_hits = 0;
    for (std::size_t t = 0; t < n_bits; ++t) {
      Counts n_hits;
      std::size_t from = 0;
      for (std::size_t m = 0; m < tracks_.size(); ++m) {
        n_hits = count(hits_[t].image, from, hits_[t].end[m], times, n_hits);
        from = hits_[t].end[m];
        n_hits_[m * kThresholdsPerWord + t] = n_hits;
      }
      most_hits = std::max(most_hits, *std::max_element(n_hits.of.begin(), n_hits.of.end()));
    }
    curve_.set_truth(n_counted, most_hits);
    for (std::size_t m = 0; m < tracks_.size(); ++m) {
      const bool read = replicates_.read_precision[m] != 0;
      if (read) curve_.set_track(tracks_[m], times_, times);
      for (std::size_t t = 0; t < n_bits; ++t) {
        Lanes<double> precision;
        if (read) precision = curve_.precision(tracks_[m].thresholds[t]);
        for (std::size_t lane = 0; lane < n_lanes; ++lane) {
          const std::size_t area_index =
              ((first + lane) * rules_.n_labels + label) * rules_.n_areas + a;
          const std::size_t index =
              (area_index * tracks_.size() + m) * rules_.n_thresholds + word * kThresholdsPerWord + t;
          const std::uint32_t n = n_counted[lane];
          out_.n_counted[area_index] = n;
          out_.recall[index] =
              n == 0 ? rules_.undefined
                     : static_cast<double>(n_hits_[m * kThresholdsPerWord + t][lane]) / n;
          out_.precision[index] = n == 0 || !read ? rules_.undefined : precision[lane];
        }
      }
    }
  }

  // Adds how often a list's images occur to a sum.
  Counts count(const std::vector<std::int32_t>& image, std::size_t begin, std::size_t end,
               const Lanes<Times>* times, Counts sum) const {
    add_up(end - begin, times_.at_once,
           [&](std::size_t j) -> const Lanes<Times>& { return times[image[begin + j]]; }, sum);
    return sum;
  }

  const Outcomes& outcomes_;
  const Replicates& replicates_;
  const CurveRules& rules_;
  const TimesByLane<Times>& times_;
  ResampledCurves& out_;
  ReplicateRows rows_;
  LaneCurve<Times> curve_;
  std::vector<std::int32_t> truth_image_;
  std::vector<Hits> hits_;      // of each threshold of a word
  std::vector<Track> tracks_;   // of each cap
  std::vector<Counts> n_hits_;  // [cap][threshold of a word]
};

template <class Times>
void write_all(const Outcomes& outcomes, const Replicates& replicates, const CurveRules& rules,
               ResampledCurves& out) {
  const Partition parts = partition_of(outcomes, rules.n_labels);
  const TimesByLane<Times> times = times_by_lane<Times>(replicates);
  // What all replicates share of a label is found once for each part.
  const std::size_t n_parts =
      std::min(times.n_blocks, static_cast<std::size_t>(thread_count()));
  parallel_for_workers(rules.n_labels * n_parts, [&] {
    return [&, writer = ReplicateWriter<Times>(outcomes, replicates, rules, times, out)](
               std::size_t job) mutable {
      const std::size_t label = parts.by_size[job / n_parts], part = job % n_parts;
      writer.run(label, parts.pred[label], parts.truth[label],
                 {part * times.n_blocks / n_parts, (part + 1) * times.n_blocks / n_parts});
    };
  });
}

}  // namespace

ResampledCurves resampled_curves(const Outcomes& outcomes, const Replicates& replicates,
                                 const CurveRules& rules) {
  ResampledCurves curves;
  const std::size_t n_cells = replicates.n_replicates * rules.n_labels * rules.n_areas;
  const std::size_t n_curves = n_cells * rules.max_detections.size() * rules.n_thresholds;
  curves.precision.resize_uninitialised(n_curves);
  curves.recall.resize_uninitialised(n_curves);
  curves.n_counted.resize_uninitialised(n_cells);
  const std::size_t n_times = replicates.n_replicates * replicates.n_images;
  const bool bytes = std::all_of(replicates.times, replicates.times + n_times,
                                 [](std::int32_t often) { return often <= 255; });
  (bytes ? write_all<std::uint8_t> : write_all<std::uint32_t>)(outcomes, replicates, rules, curves);
  return curves;
}

}  // namespace snellen
