#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "snellen/grouping.hpp"
#include "snellen/parallel.hpp"

using Codes = std::vector<std::int32_t>;

namespace {

snellen::Grouping group(const Codes& image, const Codes& label, std::size_t n_images,
                        std::size_t n_labels) {
  return snellen::group_rows(image.data(), label.data(), image.size(), n_images, n_labels);
}

// Which input row stands at each place.
std::vector<std::uint32_t> rows_of(const snellen::Grouping& grouping) {
  std::vector<std::uint32_t> rows(grouping.place.size(), 99);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[grouping.place[row]] = static_cast<std::uint32_t>(row);
  }
  return rows;
}

void check_rows(const snellen::Grouping& got, const std::vector<std::uint32_t>& rows,
                const Codes& images, const std::vector<std::size_t>& starts) {
  CHECK(rows_of(got) == rows);
  CHECK(std::equal(got.image.begin(), got.image.end(), images.begin(), images.end()));
  CHECK(got.label_start == starts);
}

void images_that_ascend() {
  //            row    0  1  2  3  4
  const Codes image = {0, 0, 1, 1, 2};
  const Codes label = {1, 0, 1, 1, 0};
  // Label 0: rows 1 (image 0), 4 (image 2); label 1: rows 0, 2, 3.
  check_rows(group(image, label, 3, 2), {1, 4, 0, 2, 3}, {0, 2, 0, 1, 1}, {0, 2, 5});
}

void images_out_of_order() {
  //            row    0  1  2  3  4
  const Codes image = {2, 0, 1, 0, 1};
  const Codes label = {0, 1, 0, 1, 0};
  // Label 0 by image: rows 2 and 4 (image 1, as they came), 0 (image 2); label 1: rows 1, 3.
  check_rows(group(image, label, 3, 2), {2, 4, 0, 1, 3}, {1, 1, 2, 0, 0}, {0, 3, 5});
}

void tables_follow() {
  // Label 0: rows 1 (image 0), 0 (image 2); label 1: row 2.
  const snellen::Grouping grouping = group({2, 0, 1}, {0, 0, 1}, 3, 2);
  const std::vector<double> pairs = {10, 11, 20, 21, 30, 31};
  const snellen::Column<double> ordered = grouping.ordered<2>(pairs.data());
  CHECK(std::vector<double>(ordered.begin(), ordered.end()) ==
        (std::vector<double>{20, 21, 10, 11, 30, 31}));
  const std::vector<std::uint8_t> flags = {1, 2, 3};
  const snellen::Column<std::uint8_t> one = grouping.ordered<1>(flags.data());
  CHECK(std::vector<std::uint8_t>(one.begin(), one.end()) == (std::vector<std::uint8_t>{2, 1, 3}));
}

void large_tables_follow_on_any_number_of_threads() {
  std::mt19937 random(4);
  std::uniform_int_distribution<std::int32_t> draw(0, 9);
  Codes image(100'000), label(image.size());
  std::vector<std::int64_t> numbers(image.size());
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = draw(random);
    label[i] = draw(random);
  }
  const snellen::Grouping grouping = group(image, label, 10, 10);
  const std::vector<std::uint32_t> rows = rows_of(grouping);
  for (const int n_threads : {1, 2, 8}) {
    snellen::set_thread_count(n_threads);
    const snellen::Column<std::int64_t> ordered = grouping.ordered<1>(numbers.data());
    CHECK(std::equal(rows.begin(), rows.end(), ordered.begin(), ordered.end()));
  }
  snellen::set_thread_count(0);
}

void labels_without_rows() {
  // Labels 0, 2 and 4 of five have none.
  check_rows(group({0, 0}, {3, 1}, 1, 5), {1, 0}, {0, 0}, {0, 0, 1, 1, 2, 2});
  check_rows(group({}, {}, 4, 3), {}, {}, {0, 0, 0, 0});
  check_rows(group({}, {}, 0, 0), {}, {}, {0});
}

void agrees_with_a_stable_sort() {
  std::mt19937 random(2);
  for (const std::size_t n_rows : {1U, 50U, 3000U}) {
    std::uniform_int_distribution<std::int32_t> draw_image(0, 30), draw_label(0, 6);
    Codes image(n_rows), label(n_rows);
    for (std::size_t i = 0; i < n_rows; ++i) {
      image[i] = draw_image(random);
      label[i] = draw_label(random);
    }
    std::vector<std::uint32_t> rows(n_rows);
    std::iota(rows.begin(), rows.end(), 0U);
    std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tie(label[a], image[a]) < std::tie(label[b], image[b]);
    });
    Codes images;
    for (const std::uint32_t row : rows) images.push_back(image[row]);
    std::vector<std::size_t> starts(8);
    for (std::size_t k = 0; k < starts.size(); ++k) {
      starts[k] = static_cast<std::size_t>(std::count_if(
          label.begin(), label.end(), [k](std::int32_t l) { return l < static_cast<int>(k); }));
    }
    check_rows(group(image, label, 31, 7), rows, images, starts);
  }
}

}  // namespace

int main() {
  images_that_ascend();
  images_out_of_order();
  tables_follow();
  large_tables_follow_on_any_number_of_threads();
  labels_without_rows();
  agrees_with_a_stable_sort();
  return snellen::testing::report();
}
