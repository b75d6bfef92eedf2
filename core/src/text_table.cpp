#include "snellen/text_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace snellen {
namespace {

constexpr std::size_t kFirstSlots = 64;
// Texts whose places are asked for before the first of them is needed.
constexpr std::size_t kAhead = 16;

std::uint64_t mix(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xe9846af9b1a615d;
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15;
  h ^= h >> 29;
  return h;
}

}  // namespace

TextTable::TextTable() {
  pool_.offset.push_back(0);
  slots_.resize_uninitialised(kFirstSlots);
  std::fill(slots_.begin(), slots_.end(), Slot{0, -1});
  mask_ = kFirstSlots - 1;
}

std::uint64_t TextTable::hash(std::string_view text) {
  std::uint64_t h = text.size() * 0x9e3779b97f4a7c15;
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word);
  }
  if (left != 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, left);
    h = mix(h ^ word);
  }
  return mix(h);
}

std::size_t TextTable::slot_of(std::string_view wanted, std::uint64_t hash) const {
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
    const Slot& held = slots_[slot];
    if (held.code < 0 || (held.tag == tag && text(held.code) == wanted)) return slot;
  }
}

std::int32_t TextTable::find(std::string_view wanted, std::uint64_t hash) const {
  return slots_[slot_of(wanted, hash)].code;
}

std::int32_t TextTable::insert(std::string_view wanted, std::uint64_t hash) {
  std::size_t slot = slot_of(wanted, hash);
  if (slots_[slot].code >= 0) return slots_[slot].code;
  if (2 * (size() + 1) > slots_.size()) {
    resize(4 * slots_.size());
    slot = slot_of(wanted, hash);
  }
  const auto code = static_cast<std::int32_t>(size());
  slots_[slot] = {static_cast<std::uint32_t>(hash >> 32), code};
  const std::size_t old_size = pool_.bytes.size();
  if (pool_.bytes.size() + wanted.size() > pool_.bytes.capacity()) {
    pool_.bytes.reserve(std::max(2 * pool_.bytes.capacity(), old_size + wanted.size()));
  }
  pool_.bytes.resize_uninitialised(old_size + wanted.size());
  if (!wanted.empty()) std::memcpy(pool_.bytes.data() + old_size, wanted.data(), wanted.size());
  pool_.offset.push_back(static_cast<std::int64_t>(pool_.bytes.size()));
  return code;
}

void TextTable::reserve(std::size_t n_texts) {
  const std::size_t n_slots = std::bit_ceil(2 * (n_texts + 1));
  if (n_slots > slots_.size()) resize(n_slots);
}

void TextTable::resize(std::size_t n_slots) {
  Column<Slot> larger;
  larger.resize_uninitialised(n_slots);
  std::fill(larger.begin(), larger.end(), Slot{0, -1});
  mask_ = n_slots - 1;
  slots_ = std::move(larger);
  for (std::size_t code = 0; code < size(); ++code) {
    const std::uint64_t h = hash(text(static_cast<std::int32_t>(code)));
    std::size_t slot = h & mask_;
    while (slots_[slot].code >= 0) slot = (slot + 1) & mask_;
    slots_[slot] = {static_cast<std::uint32_t>(h >> 32), static_cast<std::int32_t>(code)};
  }
}

void match_texts(const TextRows& known, const TextRows& wanted, std::int32_t* position) {
  TextTable table;
  table.reserve(known.n);
  // The number of a distinct text is its place only while no text came twice.
  Column<std::int32_t> first;
  std::array<std::uint64_t, kAhead> hashes{};
  for (std::size_t begin = 0; begin < known.n; begin += kAhead) {
    const std::size_t n = std::min(kAhead, known.n - begin);
    for (std::size_t i = 0; i < n; ++i)
      table.prefetch(hashes[i] = TextTable::hash(known[begin + i]));
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t code = table.insert(known[begin + i], hashes[i]);
      if (static_cast<std::size_t>(code) == first.size()) {
        first.push_back(static_cast<std::int32_t>(begin + i));
      }
    }
  }
  for (std::size_t begin = 0; begin < wanted.n; begin += kAhead) {
    const std::size_t n = std::min(kAhead, wanted.n - begin);
    for (std::size_t i = 0; i < n; ++i) {
      table.prefetch(hashes[i] = TextTable::hash(wanted[begin + i]));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t code = table.find(wanted[begin + i], hashes[i]);
      position[begin + i] = code < 0 ? -1 : first[static_cast<std::size_t>(code)];
    }
  }
}

std::size_t longest_text(const TextRows& texts) {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < texts.n; ++i) {
    const std::string_view text = texts[i];
    if (text.size() <= longest) continue;  // no more characters than bytes
    std::size_t n = 0;
    for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    longest = std::max(longest, n);
  }
  return longest;
}

void to_code_points(const TextRows& texts, std::size_t width, std::uint32_t* code_point) {
  for (std::size_t i = 0; i < texts.n; ++i) {
    std::uint32_t* to = code_point + i * width;
    std::uint32_t* const stop = to + width;
    const std::string_view text = texts[i];
    for (std::size_t at = 0; at < text.size() && to != stop;) {
      const auto lead = static_cast<unsigned char>(text[at]);
      const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      std::uint32_t c = length == 1 ? lead : lead & (0x7fu >> length);
      for (std::size_t k = 1; k < length; ++k) {
        c = c << 6 | (static_cast<unsigned char>(text[at + k]) & 0x3fu);
      }
      *to++ = c;
      at += length;
    }
    std::fill(to, stop, 0u);
  }
}

bool all_utf8(const TextRows& texts) {
  for (std::size_t i = 0; i < texts.n; ++i) {
    const std::string_view text = texts[i];
    const char* const end = text.data() + text.size();
    if (!scan_utf8(text.data(), end, end).valid) return false;
  }
  return true;
}

Utf8Scan scan_utf8(const char* at, const char* stop, const char* end) {
  const auto byte = [](const char* p) { return static_cast<unsigned char>(*p); };
  while (at < stop) {
    const unsigned lead = byte(at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return {at, false};
    const std::ptrdiff_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (end - at < length) return {at, false};
    // Overlong forms, surrogates and what lies beyond Unicode show in the second byte.
    const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(at + 1) < low || byte(at + 1) > high) return {at, false};
    for (std::ptrdiff_t k = 2; k < length; ++k) {
      if ((byte(at + k) & 0xc0) != 0x80) return {at, false};
    }
    at += length;
  }
  return {at, true};
}

}  // namespace snellen
