#include "replicate_tracks.hpp"

#include <algorithm>
#include <bit>

#include "snellen/ranking.hpp"

namespace snellen {
namespace {

constexpr std::uint32_t kHitBits = (1U << kThresholdsPerWord) - 1;

// Calls use(b) for each bit that is set, the lowest first.
template <class Use>
void for_bits(std::uint32_t bits, const Use& use) {
  for (; bits != 0; bits &= bits - 1) use(static_cast<std::size_t>(std::countr_zero(bits)));
}

}  // namespace

void ThresholdTrack::clear() {
  runs.clear();
  sources.clear();
}

void ThresholdTrack::add_hit(std::uint32_t source, std::uint32_t base) {
  const auto n = static_cast<std::uint32_t>(sources.size());
  sources.push_back(source);
  const bool follows = !runs.empty() && runs.back().hits_end == n && runs.back().base == base;
  if (follows) {
    ++runs.back().hits_end;
  } else {
    runs.push_back({n, n + 1, base});
  }
}

ReplicateRows::ReplicateRows(const Outcomes& outcomes, const CurveRules& rules)
    : outcomes_(outcomes), rules_(rules), n_words_(outcome_words(rules.n_thresholds)) {}

void ReplicateRows::load(Rows pred) {
  const std::size_t row_words = rules_.n_areas * n_words_;
  kept_.clear();
  kept_cap_.clear();
  kept_score_.clear();
  std::size_t rank = 0;
  for (std::size_t row = pred.begin; row < pred.end; ++row) {
    const bool same_cell = row > pred.begin && outcomes_.image[row] == outcomes_.image[row - 1];
    rank = same_cell ? rank + 1 : 0;
    const std::uint32_t* const words = outcomes_.outcome + row * row_words;
    const bool counts = std::any_of(words, words + row_words, [](auto word) { return word != 0; });
    const std::uint32_t cap = first_cap(rules_.max_detections, rank);
    if (!counts || cap == rules_.max_detections.size()) continue;
    kept_.push_back(static_cast<std::uint32_t>(row - pred.begin));
    kept_cap_.push_back(cap);
    kept_score_.push_back(outcomes_.score[row]);
  }
  const std::size_t n = kept_.size();
  rank_by_score(kept_score_.data(), n, order_);
  image_.resize_uninitialised(n);
  cap_.resize_uninitialised(n);
  outcome_.resize_uninitialised(n * row_words);
  tied_until_.resize_uninitialised(n);
  for (std::size_t i = n; i-- > 0;) {
    const std::size_t row = pred.begin + kept_[order_[i]];
    image_[i] = outcomes_.image[row];
    cap_[i] = kept_cap_[order_[i]];
    std::copy_n(outcomes_.outcome + row * row_words, row_words, outcome_.data() + i * row_words);
    const bool tied = i + 1 < n && image_[i + 1] == image_[i] &&
                      kept_score_[order_[i + 1]] == kept_score_[order_[i]];
    tied_until_[i] = tied ? tied_until_[i + 1] : static_cast<std::uint32_t>(i + 1);
  }
}

void ReplicateRows::trace(std::size_t word, std::size_t a, std::uint32_t cap,
                          const std::vector<std::uint32_t>& most, Track& track) const {
  track.false_image.clear();
  track.false_end.clear();
  track.sources.clear();
  for (ThresholdTrack& each : track.thresholds) each.clear();
  const std::size_t n_bits =
      std::min(kThresholdsPerWord, rules_.n_thresholds - word * kThresholdsPerWord);
  const std::uint32_t all_false = ((1U << n_bits) - 1) << kThresholdsPerWord;
  for (std::size_t i = 0; i < image_.size(); i = tied_until_[i]) {
    const std::size_t end = tied_until_[i];
    std::size_t n_counted = 0, n_all_false = 0;
    for (std::size_t row = i; row < end; ++row) {
      if (cap_[row] > cap || outcome(word, a, row) == 0) continue;
      ++n_counted;
      n_all_false += outcome(word, a, row) == all_false;
    }
    if (n_all_false == n_counted) {
      track.false_image.insert(track.false_image.end(), n_counted, image_[i]);
      continue;
    }
    const auto n_false = static_cast<std::uint32_t>(track.false_image.size());
    if (track.false_end.empty() || track.false_end.back() != n_false) {
      track.false_end.push_back(n_false);
    }
    add_copies(word, a, cap, most[static_cast<std::size_t>(image_[i])], {i, end}, track);
  }
}

void ReplicateRows::add_copies(std::size_t word, std::size_t a, std::uint32_t cap,
                               std::uint32_t most, Rows rows, Track& track) const {
  const auto base = static_cast<std::uint32_t>(track.false_end.size() - 1);
  const auto source = static_cast<std::uint32_t>(track.sources.size());
  track.sources.push_back({image_[rows.begin], 0});
  // At which thresholds there are true and false ones: only there it shows that the copies of the
  // rows do not stand together row by row.
  std::uint32_t any = 0;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    if (cap_[row] <= cap) any |= outcome(word, a, row);
  }
  const std::uint32_t torn = any & any >> kThresholdsPerWord & kHitBits;
  const auto add = [&](std::uint32_t of, std::uint32_t bits, std::uint32_t from) {
    for_bits(of & bits, [&](std::size_t t) { track.thresholds[t].add_hit(from, base); });
    for_bits(of >> kThresholdsPerWord & bits,
             [&](std::size_t t) { track.thresholds[t].add_miss(from); });
  };
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    if (cap_[row] <= cap) add(outcome(word, a, row), kHitBits & ~torn, source);
  }
  if (torn == 0) return;
  for (std::uint32_t copy = 1; copy <= most; ++copy) {
    track.sources.push_back({image_[rows.begin], static_cast<std::int32_t>(copy)});
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      if (cap_[row] <= cap) add(outcome(word, a, row), torn, source + copy);
    }
  }
}

void ReplicateRows::find_hits(std::size_t word, std::size_t a, std::vector<Hits>& hits) {
  hits.resize(kThresholdsPerWord);
  for (Hits& each : hits) {
    each.image.clear();
    each.end.clear();
  }
  hit_.clear();
  for (std::size_t row = 0; row < image_.size(); ++row) {
    if ((outcome(word, a, row) & kHitBits) != 0) hit_.push_back(static_cast<std::uint32_t>(row));
  }
  for (std::uint32_t cap = 0; cap < rules_.max_detections.size(); ++cap) {
    for (const std::uint32_t row : hit_) {
      if (cap_[row] != cap) continue;
      for_bits(outcome(word, a, row) & kHitBits,
               [&](std::size_t t) { hits[t].image.push_back(image_[row]); });
    }
    for (Hits& each : hits) each.end.push_back(static_cast<std::uint32_t>(each.image.size()));
  }
}

}  // namespace snellen
