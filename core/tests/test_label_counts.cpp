#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "snellen/label_counts.hpp"
#include "snellen/parallel.hpp"

namespace {

using Labels = std::vector<std::int64_t>;

template <class T>
std::vector<T> values(const snellen::Column<T>& column) {
  return {column.begin(), column.end()};
}

void factorised_by_hand() {
  const Labels labels = {7, -2, 7, 3};
  snellen::Factorised found;
  CHECK(snellen::factorise(labels.data(), labels.size(), 10, found));
  CHECK((values(found.ids) == Labels{-2, 3, 7}));
  CHECK((values(found.code) == std::vector<std::int32_t>{2, 0, 2, 1}));
  // −2 to 7 are ten numbers.
  snellen::Factorised other;
  CHECK(!snellen::factorise(labels.data(), labels.size(), 9, other));
  CHECK(other.ids.empty());
  const Labels wide = {std::numeric_limits<std::int64_t>::min(),
                       std::numeric_limits<std::int64_t>::max()};
  CHECK(!snellen::factorise(wide.data(), wide.size(), 1 << 20, other));
  CHECK(snellen::factorise(nullptr, 0, 10, other));
}

void counted_by_hand() {
  const Labels truth = {5, 5, 9, 5}, pred = {5, 9, 9, 7};
  snellen::LabelPairs found;
  CHECK(snellen::count_labels(truth.data(), pred.data(), truth.size(), 100, found));
  CHECK((values(found.ids) == Labels{5, 7, 9}));
  // Of 3 classes: (5, 5), (5, 7), (5, 9), (9, 9).
  CHECK((values(found.pairs.cell) == Labels{0, 1, 2, 8}));
  CHECK((values(found.pairs.count) == Labels{1, 1, 1, 1}));
  snellen::LabelPairs other;
  CHECK(!snellen::count_labels(truth.data(), pred.data(), truth.size(), 4, other));
}

// Later labels than those that the range is guessed from lie outside of it, on either side.
void later_labels_are_wider() {
  const std::size_t n = 200'000;
  Labels truth(n), pred(n);
  for (std::size_t i = 0; i < n; ++i) truth[i] = pred[i] = static_cast<std::int64_t>(i % 10);
  truth[n - 1] = -4;
  pred[n - 2] = 25;
  snellen::LabelPairs found;
  CHECK(snellen::count_labels(truth.data(), pred.data(), n, 30, found));
  CHECK((values(found.ids) == Labels{-4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 25}));
  CHECK_EQUAL(found.pairs.cell[0], 10);  // (-4, 9)
  CHECK_EQUAL(found.pairs.cell.size(), 12u);
  snellen::LabelPairs other;
  CHECK(!snellen::count_labels(truth.data(), pred.data(), n, 29, other));
}

// Both ways against a map, on so many rows that threads share them.
void counted_at_random() {
  std::mt19937_64 random(1);
  for (const int n_threads : {1, 3}) {
    snellen::set_thread_count(n_threads);
    const std::size_t n = 300'000;
    Labels truth(n), pred(n);
    std::set<std::int64_t> labels;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> wanted;
    for (std::size_t i = 0; i < n; ++i) {
      truth[i] = static_cast<std::int64_t>(random() % 40) * 3 - 50;
      pred[i] = static_cast<std::int64_t>(random() % 40) * 3 - 41;
      labels.insert({truth[i], pred[i]});
      ++wanted[{truth[i], pred[i]}];
    }
    snellen::LabelPairs at_once;
    CHECK(snellen::count_labels(truth.data(), pred.data(), n, 1000, at_once));
    const Labels ids(labels.begin(), labels.end());
    CHECK(values(at_once.ids) == ids);

    Labels both(truth);
    both.insert(both.end(), pred.begin(), pred.end());
    snellen::Factorised codes;
    CHECK(snellen::factorise(both.data(), both.size(), 1000, codes));
    CHECK(values(codes.ids) == ids);
    const snellen::PairCount pairs =
        snellen::count_pairs(codes.code.data(), codes.code.data() + n, n, ids.size());
    CHECK(values(pairs.cell) == values(at_once.pairs.cell));
    CHECK(values(pairs.count) == values(at_once.pairs.count));

    std::size_t k = 0;
    CHECK_EQUAL(pairs.cell.size(), wanted.size());
    for (const auto& [pair, count] : wanted) {
      const std::size_t cell = static_cast<std::size_t>(pairs.cell[k]);
      CHECK_EQUAL(ids[cell / ids.size()], pair.first);
      CHECK_EQUAL(ids[cell % ids.size()], pair.second);
      CHECK_EQUAL(pairs.count[k], count);
      ++k;
    }
  }
  snellen::set_thread_count(0);
}

}  // namespace

int main() {
  factorised_by_hand();
  counted_by_hand();
  later_labels_are_wider();
  counted_at_random();
  return snellen::testing::report();
}
