#include "snellen/halving.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace snellen {

namespace {

// Positions that were shifted hardly ever lie farther off.
constexpr double kWide = 64;

// The shift at which a unit changes sides.
struct Crossing {
  double shift;
  double weight;
  std::size_t place;
};

// True where b is met before a: the heap's top is the crossing that needs the least shift.
bool farther(const Crossing& a, const Crossing& b) {
  return a.shift != b.shift ? a.shift > b.shift : a.place > b.place;
}

class Sweeps {
 public:
  Sweeps(const LabelWeights& labels, std::size_t n_units, double share, double* position)
      : labels_(labels),
        share_(share),
        step_(1.0 / static_cast<double>(n_units + 1)),
        position_(position) {
    for (std::size_t label = 0; label < labels.n_labels; ++label) {
      double sum = 0;
      for (auto i = labels.begin[label]; i < labels.begin[label + 1]; ++i) {
        sum += labels.weight[i] * labels.weight[i];
      }
      squares_.push_back(sum);
    }
  }

  void run(int n_sweeps) {
    bool moved = true;
    for (int sweep = 0; sweep < n_sweeps && moved; ++sweep) {
      moved = false;
      for (std::size_t label = 0; label < labels_.n_labels; ++label) moved |= adjust(label);
    }
  }

 private:
  // Shifts the units that hold a label; false where they are as they should be.
  bool adjust(std::size_t label) {
    const auto begin = static_cast<std::size_t>(labels_.begin[label]);
    const auto end = static_cast<std::size_t>(labels_.begin[label + 1]);
    double excess = -labels_.target[label];
    for (std::size_t i = begin; i < end; ++i) {
      if (position_[labels_.unit[i]] < share_) excess += labels_.weight[i];
    }
    if (excess == 0) return false;
    const bool outward = excess > 0;  // units leave the left half
    const double missing = std::abs(excess);

    // Few units are needed, and those nearest to the boundary: most are not looked at twice. What
    // comes out does not depend on the window.
    double window = 2 * missing / squares_[label] + 8 / static_cast<double>(end - begin);
    double last = -1;
    while (true) {
      collect(begin, end, outward, window);
      last = -1;
      double left = missing;
      bool enough = false;
      while (!crossings_.empty() && !enough) {
        const double weight = crossings_.front().weight;
        if (std::abs(left - weight) >= left) break;
        enough = weight >= left;
        left = std::abs(left - weight);
        last = crossings_.front().shift;
        std::pop_heap(crossings_.begin(), crossings_.end(), farther);
        crossings_.pop_back();
      }
      if (!crossings_.empty() || std::isinf(window)) break;
      window = window < kWide ? window * 8 : std::numeric_limits<double>::infinity();
    }
    if (last < 0) return false;
    // Half-way to the next unit: what lies between the two changes nothing.
    const double next = crossings_.empty() ? last + 2 * step_ : crossings_.front().shift;
    const double shift = (last + next) / 2 * (outward ? 1 : -1);
    for (std::size_t i = begin; i < end; ++i) {
      position_[labels_.unit[i]] += shift * labels_.weight[i];
    }
    return true;
  }

  // Puts into a heap the crossings that need a shift within the window.
  void collect(std::size_t begin, std::size_t end, bool outward, double window) {
    crossings_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const double way = share_ - position_[labels_.unit[i]];
      if ((way > 0) != outward) continue;
      const double shift = std::abs(way) / labels_.weight[i];
      if (shift <= window) crossings_.push_back({shift, labels_.weight[i], i});
    }
    std::make_heap(crossings_.begin(), crossings_.end(), farther);
  }

  const LabelWeights& labels_;
  double share_;
  double step_;
  std::vector<double> squares_;  // Σ weight² of each label: weight that a shift of 1 takes over
  double* position_;
  std::vector<Crossing> crossings_;
};

struct Holding {
  std::size_t label;
  double weight;
};

// Units at the boundary, and what it would mean for the deviations if they changed sides.
class Boundary {
 public:
  Boundary(const LabelWeights& labels, std::size_t n_units, double share, const Effort& effort,
           const double* position, std::uint8_t* right)
      : labels_(labels), price_(effort.price), right_(right) {
    choose(n_units, share, effort.n_candidates, position);
    gather(n_units);
    relate();
  }

  // Changes sides while that helps.
  void improve() {
    std::vector<double> gain(units_.size());
    const double least = least_gain();
    for (std::size_t step = 0; step < 4 * units_.size(); ++step) {
      for (std::size_t i = 0; i < units_.size(); ++i) gain[i] = change(i);
      double best = -least;
      std::size_t one = units_.size(), other = 0;
      for (std::size_t i = 0; i < units_.size(); ++i) {
        if (gain[i] < best) best = gain[one = other = i];
        const double* const common = &common_[i * units_.size()];
        for (std::size_t j = 0; j < i; ++j) {
          // What both hold counts double if they go the same way, else it cancels out.
          const double sum =
              gain[i] + gain[j] + 2 * (side_[i] == side_[j] ? common[j] : -common[j]);
          if (sum < best) {
            best = sum;
            one = i;
            other = j;
          }
        }
      }
      if (one == units_.size()) return;
      cross(one);
      if (other != one) cross(other);
    }
  }

 private:
  void choose(std::size_t n_units, double share, std::size_t n_candidates, const double* position) {
    units_.resize(n_units);
    for (std::size_t i = 0; i < n_units; ++i) units_[i] = i;
    const auto nearer = [&](std::size_t a, std::size_t b) {
      const double at_a = std::abs(position[a] - share), at_b = std::abs(position[b] - share);
      return at_a != at_b ? at_a < at_b : a < b;
    };
    if (n_candidates < n_units) {
      const auto cut = units_.begin() + static_cast<std::ptrdiff_t>(n_candidates);
      std::nth_element(units_.begin(), cut, units_.end(), nearer);
      units_.erase(cut, units_.end());
    }
    std::sort(units_.begin(), units_.end(), nearer);
  }

  void gather(std::size_t n_units) {
    std::vector<std::size_t> slot(n_units, units_.size());
    for (std::size_t i = 0; i < units_.size(); ++i) slot[units_[i]] = i;
    holdings_.resize(units_.size());
    for (std::size_t label = 0; label < labels_.n_labels; ++label) {
      double excess = -labels_.target[label];
      const auto end = static_cast<std::size_t>(labels_.begin[label + 1]);
      for (auto i = static_cast<std::size_t>(labels_.begin[label]); i < end; ++i) {
        const auto unit = static_cast<std::size_t>(labels_.unit[i]);
        if (right_[unit] == 0) excess += labels_.weight[i];
        if (slot[unit] < units_.size()) holdings_[slot[unit]].push_back({label, labels_.weight[i]});
      }
      excess_.push_back(excess);
    }
    for (const std::size_t unit : units_) side_.push_back(right_[unit] == 0 ? -1 : 1);
    moved_.assign(units_.size(), false);
  }

  void relate() {
    const std::size_t n = units_.size();
    common_.assign(n * n, 0);
    std::vector<double> weighted(labels_.n_labels, 0);
    for (std::size_t i = 0; i < n; ++i) {
      for (const Holding& each : holdings_[i]) {
        weighted[each.label] = each.weight * labels_.importance[each.label];
      }
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (const Holding& each : holdings_[j]) sum += each.weight * weighted[each.label];
        common_[i * n + j] = sum;
      }
      for (const Holding& each : holdings_[i]) weighted[each.label] = 0;
    }
  }

  // What the sum of importance × deviation² changes by if a unit changes sides.
  double change(std::size_t i) const {
    double slope = 0;
    for (const Holding& each : holdings_[i]) {
      slope += each.weight * labels_.importance[each.label] * excess_[each.label];
    }
    const double price = price_[units_[i]];  // paid back to one that returns
    return 2 * side_[i] * slope + common_[i * units_.size() + i] + (moved_[i] ? -price : price);
  }

  void cross(std::size_t i) {
    for (const Holding& each : holdings_[i]) excess_[each.label] += side_[i] * each.weight;
    side_[i] = -side_[i];
    moved_[i] = !moved_[i];
    right_[units_[i]] ^= 1;
  }

  // Below this a change is the rounding of sums.
  double least_gain() const {
    if (labels_.n_labels == 0) return 0;
    const auto [low, high] =
        std::minmax_element(labels_.importance, labels_.importance + labels_.n_labels);
    return std::max(1e-3 * *low, 1e-14 * *high);
  }

  const LabelWeights& labels_;
  const double* price_;
  std::uint8_t* right_;
  std::vector<std::size_t> units_;
  std::vector<std::vector<Holding>> holdings_;
  std::vector<double> excess_;  // of the left half, for each label
  std::vector<int> side_;       // −1 left, 1 right: what a change adds to the left half
  std::vector<bool> moved_;     // whether it is on another side than the sweeps left it on
  std::vector<double> common_;  // Σ importance × weight × weight of pairs (lower half)
};

}  // namespace

void halve(const LabelWeights& labels, std::size_t n_units, double share, const Effort& effort,
           double* position, std::uint8_t* right) {
  Sweeps(labels, n_units, share, position).run(effort.n_sweeps);
  for (std::size_t i = 0; i < n_units; ++i) right[i] = position[i] < share ? 0 : 1;
  Boundary(labels, n_units, share, effort, position, right).improve();
}

}  // namespace snellen
