#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "plain_curves.hpp"
#include "snellen/curve.hpp"
#include "snellen/parallel.hpp"
#include "snellen/resampled_curves.hpp"

namespace {

using namespace snellen::testing;
using snellen::CurveSummary;

// The data set in which image j is there times[j] times.
Data repeated(const Data& data, const std::vector<std::int32_t>& truth_image,
              const std::int32_t* times, std::size_t n_words) {
  Data made;
  const std::size_t row_words = kAreas * n_words;
  for (std::size_t begin = 0, end = 0; begin < data.score.size(); begin = end) {
    while (end < data.score.size() && data.label[end] == data.label[begin] &&
           data.image[end] == data.image[begin]) {
      ++end;
    }
    for (std::int32_t copy = 0; copy < times[data.image[begin]]; ++copy) {
      for (std::size_t i = begin; i < end; ++i) {
        made.image.push_back(data.image[i] * 1000 + copy);
        made.label.push_back(data.label[i]);
        made.score.push_back(data.score[i]);
        for (std::size_t w = 0; w < row_words; ++w) {
          made.outcome.push_back(data.outcome[i * row_words + w]);
        }
      }
    }
  }
  for (std::size_t i = 0; i < data.truth_label.size(); ++i) {
    for (std::int32_t copy = 0; copy < times[truth_image[i]]; ++copy) {
      made.truth_label.push_back(data.truth_label[i]);
      made.truth_ignored.push_back(data.truth_ignored[i]);
    }
  }
  return made;
}

struct Resampled {
  std::vector<double> precision, recall;
  std::vector<std::int64_t> n_counted;

  bool operator==(const Resampled&) const = default;
};

// A table, and how often its images occur in each replicate.
struct Case {
  Data data;
  snellen::CurveRules rules;
  std::vector<std::int32_t> truth_image;
  std::vector<std::int32_t> times;
  std::size_t n_replicates;
  std::vector<std::uint8_t> read_precision;
};

// Every data set made and evaluated.
Resampled one_by_one(const Case& given) {
  Resampled want;
  const snellen::CurveRules& rules = given.rules;
  const std::size_t n_points = rules.n_points();
  for (std::size_t replicate = 0; replicate < given.n_replicates; ++replicate) {
    const Numbers curves =
        curves_of(repeated(given.data, given.truth_image, given.times.data() + replicate * kImages,
                           snellen::outcome_words(rules.n_thresholds)),
                  rules);
    want.recall.insert(want.recall.end(), curves.recall.begin(), curves.recall.end());
    want.n_counted.insert(want.n_counted.end(), curves.n_counted.begin(), curves.n_counted.end());
    const std::size_t n_caps = given.read_precision.size();
    for (std::size_t curve = 0; curve < curves.recall.size(); ++curve) {
      const bool read = given.read_precision[curve / rules.n_thresholds % n_caps] != 0;
      const bool defined = curves.n_counted[curve / (n_caps * rules.n_thresholds)] > 0;
      double sum = 0;
      for (std::size_t r = n_points; r-- > 0;) sum += curves.precision[curve * n_points + r];
      want.precision.push_back(read && defined ? sum / static_cast<double>(n_points) : kUndefined);
    }
  }
  return want;
}

Resampled resampled(const Case& given) {
  const Data& data = given.data;
  const snellen::ResampledCurves got =
      snellen::resampled_curves({data.image.data(), data.label.data(), data.score.data(),
                                 data.outcome.data(), data.score.size(), data.truth_label.data(),
                                 data.truth_ignored.data(), data.truth_label.size()},
                                {given.times.data(), given.n_replicates, kImages,
                                 given.truth_image.data(), given.read_precision},
                                given.rules);
  return {{got.precision.begin(), got.precision.end()},
          {got.recall.begin(), got.recall.end()},
          {got.n_counted.begin(), got.n_counted.end()}};
}

Case random_case(std::size_t n_rows, std::size_t n_truth, std::size_t n_thresholds,
                 std::mt19937& random) {
  Case made{random_outcomes(n_rows, n_truth, n_thresholds, random),
            random_rules(n_thresholds),
            {},
            {},
            70,  // more than stand side by side, and the last of them alone
            {0, 1, 0, 1}};
  std::uniform_int_distribution<std::int32_t> image(0, kImages - 1), often(0, 3);
  made.truth_image.resize(n_truth);
  for (std::int32_t& each : made.truth_image) each = image(random);
  made.times.resize(made.n_replicates * kImages);
  for (std::int32_t& each : made.times) each = often(random);
  std::fill_n(made.times.begin(), kImages, 0);  // a data set without images
  return made;
}

void is_one_by_one(const Case& given) {
  const Resampled want = one_by_one(given);
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    CHECK(resampled(given) == want);
  }
  snellen::set_thread_count(0);
}

void sizes_and_thresholds() {
  for (unsigned seed = 0; seed < 5; ++seed) {
    std::mt19937 random(seed);
    is_one_by_one(random_case(150, 60, 10, random));
  }
  std::mt19937 random(100);
  is_one_by_one(random_case(600, 80, 17, random));
  is_one_by_one(random_case(400, 300, 16, random));
  is_one_by_one(random_case(0, 5, 1, random));
  is_one_by_one(random_case(20, 0, 1, random));
}

void without_replicates() {
  std::mt19937 random(0);
  Case given = random_case(20, 10, 2, random);
  given.n_replicates = 0;
  CHECK(resampled(given) == Resampled{});
}

void ways_to_read_a_curve() {
  for (const CurveSummary summary :
       {CurveSummary::kPoints, CurveSummary::kArea, CurveSummary::kSumOfParts}) {
    for (const double spacing : {0.0, 0x1p-52}) {
      std::mt19937 random(static_cast<unsigned>(summary));
      Case given = random_case(300, 90, 3, random);
      given.rules.summary = summary;
      given.rules.spacing = spacing;
      is_one_by_one(given);
      // Recall thresholds that are not evenly apart, twice there, never reached.
      given.rules.recall_thresholds = {0.03, 0.1, 0.1, 0.28, 1.0 / 3, 0.7, 0.9, 1.0};
      is_one_by_one(given);
    }
  }
}

void caps_at_which_precision_is_read() {
  std::mt19937 random(7);
  Case given = random_case(400, 90, 4, random);
  for (const std::vector<std::uint8_t>& read : std::vector<std::vector<std::uint8_t>>{
           {1, 1, 1, 1}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}}) {
    given.read_precision = read;
    is_one_by_one(given);
  }
}

// Numbers that a byte holds but not their sum, and numbers that it does not hold.
void images_that_occur_often() {
  for (const std::int32_t often : {100, 255, 256, 700}) {
    std::mt19937 random(11);
    Case given = random_case(200, 70, 2, random);
    given.n_replicates = 3;
    given.times.resize(given.n_replicates * kImages);
    given.times[kImages] = given.times[kImages + 3] = often;
    is_one_by_one(given);
  }
}

// All scores equal, so that rows of an image stand together copy by copy.
void ties() {
  for (unsigned seed = 0; seed < 5; ++seed) {
    std::mt19937 random(seed);
    Case given = random_case(200, 70, 5, random);
    std::fill(given.data.score.begin(), given.data.score.end(), 0.5);
    is_one_by_one(given);
  }
}

// By hand: one image of one true box, found at the first of two equal scores, drawn twice. The rows
// are true, false, true, false: 1/1, then 2/3, each for half of the recall. Row by row they would
// be true, true, false, false, and all is found without a false one.
void copies_follow_each_other() {
  Case given;
  given.data = {{0, 0}, {0, 0}, {0.5, 0.5}, {1U, 1U << 16}, {0}, {0}};
  given.rules = {1, 1, 1, {1.0}, {100}, kUndefined, CurveSummary::kArea, 0.0};
  given.truth_image = {0};
  given.times.assign(kImages, 0);
  given.times[0] = 2;
  given.n_replicates = 1;
  given.read_precision = {1};
  CHECK(resampled(given) == (Resampled{{0.5 + 0.5 * (2.0 / 3)}, {1.0}, {2}}));
}

template <class Error>
bool refuses(const Case& given) {
  try {
    resampled(given);
  } catch (const Error&) {
    return true;
  }
  return false;
}

void what_cannot_be_counted_is_refused() {
  std::mt19937 random(3);
  Case given = random_case(50, 20, 2, random);
  given.times[2 * kImages] = std::numeric_limits<std::int32_t>::max();
  CHECK(refuses<std::overflow_error>(given));
  given = random_case(50, 20, 2, random);
  for (const double spacing : {0x1p-51, -0x1p-60, std::numeric_limits<double>::quiet_NaN()}) {
    given.rules.spacing = spacing;
    CHECK(refuses<std::invalid_argument>(given));
  }
}

}  // namespace

int main() {
  sizes_and_thresholds();
  without_replicates();
  ways_to_read_a_curve();
  caps_at_which_precision_is_read();
  images_that_occur_often();
  ties();
  copies_follow_each_other();
  what_cannot_be_counted_is_refused();
  return snellen::testing::report();
}
