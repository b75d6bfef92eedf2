// Distinct texts in order of first appearance, and the number of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "snellen/column.hpp"

namespace snellen {

// Text i is bytes[offset[i] … offset[i + 1]), UTF-8 if what was inserted was.
struct TextPool {
  Column<char> bytes;
  Column<std::int64_t> offset;
};

// Numbers texts from 0 on. The numbers depend on the order of insertion alone.
class TextTable {
 public:
  TextTable();

  static std::uint64_t hash(std::string_view text);

  std::size_t size() const { return pool_.offset.size() - 1; }
  // Makes room for so many texts.
  void reserve(std::size_t n_texts);
  // Asks for the place of a hash, so that it lies in the cache when a text of this hash comes.
  void prefetch(std::uint64_t hash) const {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(slots_.data() + (hash & mask_));
#else
    (void)hash;
#endif
  }
  // The number of a text, a new one where it has none. At most 2^31 − 1 texts.
  std::int32_t insert(std::string_view text) { return insert(text, hash(text)); }
  std::int32_t insert(std::string_view text, std::uint64_t hash);
  // The number of a text, −1 where it has none.
  std::int32_t find(std::string_view text) const { return find(text, hash(text)); }
  std::int32_t find(std::string_view text, std::uint64_t hash) const;
  // Hands the texts over; the table is then not to be used.
  TextPool release() { return std::move(pool_); }

 private:
  struct Slot {
    std::uint32_t tag;  // upper half of the hash
    std::int32_t code;  // −1: free
  };

  std::string_view text(std::int32_t code) const {
    const std::int64_t* const offset = pool_.offset.data() + code;
    return {pool_.bytes.data() + offset[0], static_cast<std::size_t>(offset[1] - offset[0])};
  }
  std::size_t slot_of(std::string_view text, std::uint64_t hash) const;
  void resize(std::size_t n_slots);

  TextPool pool_;
  Column<Slot> slots_;
  std::size_t mask_ = 0;
};

// Texts that lie one behind the other: text i is bytes[offset[i] … offset[i + 1]).
struct TextRows {
  const char* bytes;
  const std::int64_t* offset;
  std::size_t n;

  std::string_view operator[](std::size_t i) const {
    return {bytes + offset[i], static_cast<std::size_t>(offset[i + 1] - offset[i])};
  }
};

// position[i] = index of wanted[i] in `known` (of equal ones the first), or −1.
void match_texts(const TextRows& known, const TextRows& wanted, std::int32_t* position);

// The number of code points of the longest text. Texts must be UTF-8.
std::size_t longest_text(const TextRows& texts);

// Each text as `width` code points, zeros behind its last. Texts must be UTF-8.
void to_code_points(const TextRows& texts, std::size_t width, std::uint32_t* code_point);

// Whether all texts are UTF-8.
bool all_utf8(const TextRows& texts);

// The first byte from `at` on that is not part of a UTF-8 character, or where the first character
// ends that reaches `stop`. A surrogate or a character cut off by `end` is no character.
struct Utf8Scan {
  const char* at;
  bool valid;
};
Utf8Scan scan_utf8(const char* at, const char* stop, const char* end);

}  // namespace snellen
