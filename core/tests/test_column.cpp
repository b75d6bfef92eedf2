#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "check.hpp"
#include "snellen/column.hpp"

using snellen::Column;

namespace {

void grows_by_push_back() {
  Column<std::int64_t> column;
  CHECK(column.empty());
  CHECK_EQUAL(column.size(), 0U);
  CHECK(column.begin() == column.end());
  // Over several growths: 64, 128, …
  for (std::int64_t i = 0; i < 1000; ++i) column.push_back(i * i);
  CHECK_EQUAL(column.size(), 1000U);
  CHECK(!column.empty());
  bool kept = true;
  for (std::size_t i = 0; i < 1000; ++i)
    kept = kept && column[i] == static_cast<std::int64_t>(i * i);
  CHECK(kept);
  CHECK_EQUAL(column.end() - column.begin(), 1000);
  column[3] = -1;
  CHECK_EQUAL(column.data()[3], -1);
}

void keeps_its_values_when_resized() {
  Column<std::int32_t> column;
  column.push_back(7);
  column.push_back(8);
  column.resize_uninitialised(100'000);
  CHECK_EQUAL(column.size(), 100'000U);
  CHECK_EQUAL(column[0], 7);
  CHECK_EQUAL(column[1], 8);
  column.resize_uninitialised(1);
  CHECK_EQUAL(column.size(), 1U);
  CHECK_EQUAL(column[0], 7);
  column.reserve(10);
  CHECK_EQUAL(column.size(), 1U);
  column.clear();
  CHECK(column.empty());
  column.push_back(9);
  CHECK_EQUAL(column[0], 9);
}

void appends() {
  Column<double> left;
  Column<double> right;
  left.append(right);
  CHECK(left.empty());
  right.push_back(0.5);
  right.push_back(-0.5);
  left.push_back(1.5);
  left.append(right);
  left.append(Column<double>());
  CHECK_EQUAL(left.size(), 3U);
  CHECK_EQUAL(left[0], 1.5);
  CHECK_EQUAL(left[1], 0.5);
  CHECK_EQUAL(left[2], -0.5);
  CHECK_EQUAL(right.size(), 2U);
}

void appends_itself() {
  Column<std::int32_t> column;
  for (std::int32_t i = 0; i < 64; ++i) column.push_back(i);
  column.append(column);
  CHECK_EQUAL(column.size(), 128U);
  bool twice = true;
  for (std::size_t i = 0; i < 128; ++i)
    twice = twice && column[i] == static_cast<std::int32_t>(i % 64);
  CHECK(twice);
}

void moves() {
  Column<std::int32_t> from;
  from.push_back(4);
  const std::int32_t* const block = from.data();
  Column<std::int32_t> to(std::move(from));
  CHECK(to.data() == block);
  CHECK_EQUAL(to[0], 4);
  CHECK(from.empty());  // what was moved from is empty and can be used again
  from.push_back(5);
  CHECK_EQUAL(from[0], 5);
  to = std::move(from);
  CHECK_EQUAL(to.size(), 1U);
  CHECK_EQUAL(to[0], 5);
  Column<std::int32_t>& same = to;
  to = std::move(same);
  CHECK_EQUAL(to.size(), 1U);
  CHECK_EQUAL(to[0], 5);
}

void hands_out_its_block() {
  Column<std::int32_t> column;
  column.push_back(6);
  std::int32_t* const block = column.release();
  CHECK_EQUAL(block[0], 6);
  CHECK(column.empty());
  CHECK(column.data() == nullptr);
  column.push_back(1);
  CHECK_EQUAL(column[0], 1);
  std::free(block);
}

void refuses_impossible_sizes() {
  Column<double> column;
  column.push_back(2.0);
  bool refused = false;
  try {
    // 8 bytes a cell: the number of bytes does not fit.
    column.reserve(static_cast<std::size_t>(-1) / 4);
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  CHECK(refused);
  CHECK_EQUAL(column.size(), 1U);
  CHECK_EQUAL(column[0], 2.0);
}

}  // namespace

int main() {
  grows_by_push_back();
  keeps_its_values_when_resized();
  appends();
  appends_itself();
  moves();
  hands_out_its_block();
  refuses_impossible_sizes();
  return snellen::testing::report();
}
