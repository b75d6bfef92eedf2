// What was found wrong, as plain values; words are made of it once, at the end.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "json_source.hpp"
#include "snellen/json_columns.hpp"

namespace snellen::json {

inline constexpr std::uint64_t kNowhere = std::numeric_limits<std::uint64_t>::max();

struct Problem {
  // What the message says came instead.
  enum class Got {
    value,    // the value at `byte`, as written
    token,    // whatever stands at `byte`, for faults of syntax
    list_of,  // a list with `amount` elements
    text_of,  // text of `amount` bytes
    told,     // `message` says all
    missing,  // no key `field` in the object at `byte`
    nothing   // an empty document
  };
  JsonFault::Kind kind = JsonFault::Kind::none;
  Got got = Got::value;
  const char* expected = nullptr;  // completes "expected …"; not used where a key is missing
  const char* hint = "";           // ends the message
  std::uint64_t byte = 0;
  std::uint64_t amount = 0;

  std::string message;

  // The path: section, record, field (known by name, or by where its key stands), member of what
  // the field holds (".counts"), element, part of that.
  std::string_view section;
  std::optional<std::uint64_t> record;
  std::string_view field;
  std::uint64_t key_byte = kNowhere;
  std::string_view member;
  std::optional<std::uint64_t> element;
  std::optional<std::uint64_t> part;

  explicit operator bool() const { return kind != JsonFault::Kind::none; }
};

// The failure of the reader's last step, without a path.
Problem syntax_fault(const Reader& reader);

JsonFault describe(const Problem& problem, const Source& source);

}  // namespace snellen::json
