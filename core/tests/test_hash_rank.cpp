#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "snellen/hash_rank.hpp"
#include "snellen/parallel.hpp"

namespace {

std::uint64_t rank_of(std::string_view key, std::uint64_t seed) {
  std::uint64_t rank = 0;
  snellen::hash_ranks(&key, 1, seed, &rank);
  return rank;
}

// By Python: hashlib.blake2b(seed.to_bytes(8, "little") + key, digest_size=8).hexdigest()
void digests_of_the_standard_library() {
  CHECK_EQUAL(rank_of("", 0), 0xca08ea5bca49cc18u);
  CHECK_EQUAL(rank_of("abc", 0), 0x6fe084ad64b10b82u);
  CHECK_EQUAL(rank_of("abc", 1), 0x933780bf715361eau);
  CHECK_EQUAL(rank_of("cat/1.jpg", std::numeric_limits<std::uint64_t>::max()), 0x5733eeb59b529a42u);
}

// A block is 128 bytes, of which the seed takes 8.
void keys_of_whole_blocks_and_a_byte_more() {
  CHECK_EQUAL(rank_of(std::string(120, 'x'), 0), 0x9826e0ff55b9ecbdu);
  CHECK_EQUAL(rank_of(std::string(121, 'x'), 0), 0xb3487bb045f1091eu);
  CHECK_EQUAL(rank_of(std::string(248, 'y'), 7), 0x90c43beb7ae272d6u);
  CHECK_EQUAL(rank_of(std::string(249, 'y'), 7), 0x0abe6b74d24ecda7u);
  CHECK_EQUAL(rank_of(std::string(1000, 'z'), 7), 0xcd77d4fadd8815d8u);
}

void threads_change_nothing() {
  std::vector<std::string> texts;
  for (int i = 0; i < 40'000; ++i) texts.push_back("key " + std::to_string(i));
  const std::vector<std::string_view> keys(texts.begin(), texts.end());
  std::vector<std::uint64_t> alone(keys.size()), together(keys.size());
  snellen::set_thread_count(1);
  snellen::hash_ranks(keys.data(), keys.size(), 5, alone.data());
  snellen::set_thread_count(3);
  snellen::hash_ranks(keys.data(), keys.size(), 5, together.data());
  CHECK(alone == together);
  CHECK_EQUAL(alone[12'345], rank_of("key 12345", 5));
}

}  // namespace

int main() {
  digests_of_the_standard_library();
  keys_of_whole_blocks_and_a_byte_more();
  threads_change_nothing();
  return snellen::testing::report();
}
