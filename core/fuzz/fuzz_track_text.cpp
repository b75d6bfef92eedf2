// Any bytes at all: no crash, no hang, and the same answer whatever the pieces and the ways.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "snellen/track_text.hpp"

namespace {

using namespace snellen;

void check(bool holds) {
  if (!holds) std::abort();
}

template <class T>
bool same(const Column<T>& a, const Column<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void read(TrackText& tracks, std::string_view text, std::size_t piece) {
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!tracks.read(text.substr(at, piece))) return;
  }
  tracks.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TrackTextRules rules;
  rules.is_truth = (*data & 1) != 0;
  rules.first_frame = (*data >> 1) & 1;
  if ((*data & 4) != 0) rules.last_frame = 100;
  if ((*data & 8) != 0) rules.region_classes = {1};
  TrackTextRules careful = rules;
  careful.short_ways = false;
  TrackText whole(rules);
  TrackText pieces(careful);
  read(whole, text, text.size() + 1);
  read(pieces, text, static_cast<std::size_t>(*data >> 4) + 1);
  check(whole.fault().kind == pieces.fault().kind && whole.fault().line == pieces.fault().line);
  check(whole.fault().column == pieces.fault().column);
  check(whole.fault().cell == pieces.fault().cell);
  if (whole.fault()) {
    const auto n_lines = static_cast<std::uint64_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }));
    check(whole.fault().line >= 1 && whole.fault().line <= n_lines + 1);
    return 0;
  }
  check(whole.n_columns() == pieces.n_columns());
  check(same(whole.frame(), pieces.frame()) && same(whole.track(), pieces.track()));
  check(same(whole.xywh(), pieces.xywh()) && same(whole.mark(), pieces.mark()));
  check(same(whole.label(), pieces.label()) && same(whole.visibility(), pieces.visibility()));
  check(whole.repeats().n == pieces.repeats().n && whole.repeats().line == pieces.repeats().line);
  check(std::is_sorted(whole.frame().begin(), whole.frame().end()));
  return 0;
}
