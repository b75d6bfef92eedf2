#include "snellen/resampled_curves.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "label_rows.hpp"
#include "lane_curve.hpp"
#include "replicate_lanes.hpp"
#include "replicate_tracks.hpp"
#include "snellen/matching.hpp"
#include "snellen/parallel.hpp"

namespace snellen {
namespace {

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
            rows_.trace(word, a, m, times_.most(), tracks_[m]);
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
          const std::size_t index = (area_index * tracks_.size() + m) * rules_.n_thresholds +
                                    word * kThresholdsPerWord + t;
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
    add_up(
        end - begin, times_.at_once(),
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
  const TimesByLane<Times> times(replicates);
  const std::size_t n_blocks = times.n_blocks();
  // What replicates share of a label is found once for each part of them.
  const std::size_t n_parts = std::min(n_blocks, static_cast<std::size_t>(thread_count()));
  parallel_for_workers(rules.n_labels * n_parts, [&] {
    return [&, writer = ReplicateWriter<Times>(outcomes, replicates, rules, times, out)](
               std::size_t job) mutable {
      const std::size_t label = parts.by_size[job / n_parts], part = job % n_parts;
      writer.run(label, parts.pred[label], parts.truth[label],
                 {part * n_blocks / n_parts, (part + 1) * n_blocks / n_parts});
    };
  });
}

// Refuses what the kernel cannot count, and returns how often an image occurs at most.
std::int32_t most_times(const Outcomes& outcomes, const Replicates& replicates) {
  std::vector<std::int64_t> n_rows(replicates.n_images);
  for (std::size_t i = 0; i < outcomes.n_rows; ++i) {
    ++n_rows[static_cast<std::size_t>(outcomes.image[i])];
  }
  for (std::size_t i = 0; i < outcomes.n_truth; ++i) {
    ++n_rows[static_cast<std::size_t>(replicates.truth_image[i])];
  }
  std::int32_t most = 0;
  for (std::size_t replicate = 0; replicate < replicates.n_replicates; ++replicate) {
    const std::int32_t* const times = replicates.times + replicate * replicates.n_images;
    std::int64_t n = 0;
    for (std::size_t image = 0; image < replicates.n_images; ++image) {
      most = std::max(most, times[image]);
      n += times[image] * n_rows[image];
      if (n > std::numeric_limits<std::int32_t>::max()) {
        throw std::overflow_error("expected replicates of fewer than 2^31 rows");
      }
    }
  }
  return most;
}

}  // namespace

ResampledCurves resampled_curves(const Outcomes& outcomes, const Replicates& replicates,
                                 const CurveRules& rules) {
  if (!(rules.spacing >= 0 && rules.spacing <= kMostSpacing)) {
    throw std::invalid_argument("expected a spacing of 0 to 2^-52");
  }
  ResampledCurves curves;
  const std::size_t n_cells = replicates.n_replicates * rules.n_labels * rules.n_areas;
  const std::size_t n_curves = n_cells * rules.max_detections.size() * rules.n_thresholds;
  curves.precision.resize_uninitialised(n_curves);
  curves.recall.resize_uninitialised(n_curves);
  curves.n_counted.resize_uninitialised(n_cells);
  const bool bytes = most_times(outcomes, replicates) <= std::numeric_limits<std::uint8_t>::max();
  (bytes ? write_all<std::uint8_t> : write_all<std::uint32_t>)(outcomes, replicates, rules, curves);
  return curves;
}

}  // namespace snellen
