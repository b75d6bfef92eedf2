// Text of a file in a message: whatever bytes it has.
#pragma once

#include <string>
#include <string_view>

namespace snellen {

// In quotes; bytes that are no printable ASCII as \xNN; cut off behind `most` bytes.
inline std::string printable(std::string_view text, std::size_t most = 40) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string shown(1, '"');
  for (const char character : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= ' ' && byte <= '~') {
      shown += character;
    } else {
      shown += "\\x";
      shown += kDigits[byte >> 4];
      shown += kDigits[byte & 15];
    }
  }
  if (text.size() > most) shown += "…";
  return shown + '"';
}

}  // namespace snellen
