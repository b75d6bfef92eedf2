#include "snellen/hash_rank.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "snellen/parallel.hpp"

namespace snellen {

namespace {

constexpr std::size_t kBlock = 128;
constexpr std::size_t kSeedBytes = 8;
constexpr std::size_t kKeysPerJob = 1 << 14;

constexpr std::array<std::uint64_t, 8> kStart = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

// The order of the message words in each round; rounds 10 and 11 are those of 0 and 1.
constexpr std::uint8_t kOrder[12][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
                                         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

// Bytes are taken one by one, so that machines of either byte order agree.
std::uint64_t little_endian(const unsigned char* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

using State = std::array<std::uint64_t, 8>;

void compress(State& state, const unsigned char* block, std::uint64_t n_bytes, bool last) {
  std::uint64_t m[16];
  for (int i = 0; i < 16; ++i) m[i] = little_endian(block + 8 * i);
  std::uint64_t v[16];
  for (std::size_t i = 0; i < 8; ++i) {
    v[i] = state[i];
    v[i + 8] = kStart[i];
  }
  v[12] ^= n_bytes;
  if (last) v[14] = ~v[14];
  const auto mix = [&v](int a, int b, int c, int d, std::uint64_t x, std::uint64_t y) {
    v[a] = v[a] + v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 32);
    v[c] = v[c] + v[d];
    v[b] = std::rotr(v[b] ^ v[c], 24);
    v[a] = v[a] + v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] = v[c] + v[d];
    v[b] = std::rotr(v[b] ^ v[c], 63);
  };
  for (const auto& s : kOrder) {
    mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
}

std::uint64_t rank_of(std::string_view key, std::uint64_t seed) {
  State state = kStart;
  state[0] ^= 0x01010000 ^ 8;  // no key, a digest of 8 bytes
  unsigned char block[kBlock] = {};
  for (std::size_t i = 0; i < kSeedBytes; ++i) {
    block[i] = static_cast<unsigned char>(seed >> (8 * i));
  }
  std::size_t filled = kSeedBytes;
  std::uint64_t n_bytes = 0;
  while (filled + key.size() > kBlock) {
    std::copy_n(key.data(), kBlock - filled, block + filled);
    key.remove_prefix(kBlock - filled);
    n_bytes += kBlock;
    compress(state, block, n_bytes, false);
    filled = 0;
  }
  std::copy_n(key.data(), key.size(), block + filled);
  filled += key.size();
  std::fill(block + filled, block + kBlock, static_cast<unsigned char>(0));
  compress(state, block, n_bytes + filled, true);

  std::uint64_t rank = 0;
  for (int i = 0; i < 8; ++i) rank = rank << 8 | (state[0] >> (8 * i) & 0xff);
  return rank;
}

}  // namespace

void hash_ranks(const std::string_view* keys, std::size_t n_keys, std::uint64_t seed,
                std::uint64_t* rank) {
  parallel_for((n_keys + kKeysPerJob - 1) / kKeysPerJob, [&](std::size_t job) {
    const std::size_t end = std::min(n_keys, (job + 1) * kKeysPerJob);
    for (std::size_t i = job * kKeysPerJob; i < end; ++i) rank[i] = rank_of(keys[i], seed);
  });
}

}  // namespace snellen
