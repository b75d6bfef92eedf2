// What all replicates share of one label: its rows in the order of scores, cut down to what a
// curve's precision can depend on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "label_rows.hpp"
#include "snellen/column.hpp"
#include "snellen/matching.hpp"

namespace snellen {

// How often something is there in a replicate: as often as an image; or, of a number of copies,
// once if the image occurs at least so often.
struct Source {
  std::int32_t image;
  std::int32_t copy;  // 0: as often as the image
};

// True positives in sequence, with no false one of any image between them: whatever the replicate,
// precision is highest at the last. Ranges of a threshold's sources.
struct Run {
  std::uint32_t misses_end;  // false positives that stand before it, after the run before
  std::uint32_t hits_end;
  std::uint32_t base;  // of how many rows that are false at every threshold stand before: which one
};

// The curve of one threshold: its runs, and of each the sources of false and of true positives.
struct ThresholdTrack {
  std::vector<Run> runs;
  std::vector<std::uint32_t> sources;

  void clear();
  void add_miss(std::uint32_t source) { sources.push_back(source); }
  void add_hit(std::uint32_t source, std::uint32_t base);
};

// The curves of one label, area range and cap, at the thresholds of one word.
struct Track {
  // Images of rows that are false at every threshold, and how many of them stand before each base:
  // those behind the last base change nothing.
  std::vector<std::int32_t> false_image;
  std::vector<std::uint32_t> false_end;
  std::vector<Source> sources;
  std::array<ThresholdTrack, kThresholdsPerWord> thresholds;
};

// Images of true positives at one threshold, by the first cap that admits them.
struct Hits {
  std::vector<std::int32_t> image;
  std::vector<std::uint32_t> end;  // of each cap
};

// The rows of one label that count in any area range, by falling score.
class ReplicateRows {
 public:
  ReplicateRows(const Outcomes& outcomes, const CurveRules& rules);

  void load(Rows pred);

  // Replaces what is there. `most`: of each image the largest number of times that it occurs in any
  // replicate.
  void trace(std::size_t word, std::size_t a, std::uint32_t cap,
             const std::vector<std::uint32_t>& most, Track& track) const;

  // Replaces what is there; of each threshold of the word.
  void find_hits(std::size_t word, std::size_t a, std::vector<Hits>& hits);

 private:
  std::uint32_t outcome(std::size_t word, std::size_t a, std::size_t row) const {
    return outcome_[(row * rules_.n_areas + a) * n_words_ + word];
  }
  // Rows begin … end − 1 are of one image and score.
  void add_copies(std::size_t word, std::size_t a, std::uint32_t cap, std::uint32_t most, Rows rows,
                  Track& track) const;

  const Outcomes& outcomes_;
  const CurveRules& rules_;
  const std::size_t n_words_;
  Column<std::uint32_t> kept_, kept_cap_, order_;
  Column<double> kept_score_;
  Column<std::uint32_t> hit_;
  // By falling score.
  Column<std::int32_t> image_;
  Column<std::uint32_t> cap_;         // the first that admits the row; all later ones do too
  Column<std::uint32_t> outcome_;     // [row][area range][word]
  Column<std::uint32_t> tied_until_;  // where the rows of its image and score end
};

}  // namespace snellen
