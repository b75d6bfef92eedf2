#include "json_problem.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace snellen::json {
namespace {

constexpr std::size_t kMaxShown = 40;

// The document from `byte` on, with room for what is shown and a character more.
std::string excerpt(const Source& source, std::uint64_t byte) {
  std::string text(kMaxShown + 8, '\0');
  text.resize(source.read(byte, text.data(), text.size()));
  return text;
}

std::string hex(unsigned value, int n_digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int i = n_digits - 1; i >= 0; --i) text += kDigits[(value >> (4 * i)) & 15];
  return text;
}

// Length of the character at `i`, 0 if it is not UTF-8. Scanning it as JSON spares a second
// definition of what that is.
std::size_t character_length(const std::string& text, std::size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < ' ' || i + length > text.size()) return 0;
  if (length == 1) return 1;
  const std::string quoted = '"' + text.substr(i, length) + '"';
  Scanner scanner(quoted.data(), quoted.data() + quoted.size(), true);
  TextToken token;
  return scanner.text(token) && scanner.at_end() ? length : 0;
}

// Characters that would act on a terminal instead of being seen: DEL and C1 (U+0080 to U+009F).
std::string visible(const std::string& text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte == 0x7f) {
      shown += "\\u007f";
    } else if (c1) {
      shown += "\\u00" + hex(static_cast<unsigned char>(text[++i]), 2);
    } else {
      shown += text[i];
    }
  }
  return shown;
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '.' || c == '+' || c == '-';
}

std::string word_at_start(const std::string& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_word);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return length <= kMaxShown ? text.substr(0, length) : text.substr(0, kMaxShown) + "...";
}

// A string of the document as written there, quotes and escapes included.
std::string quoted_at_start(const std::string& text) {
  std::size_t i = 1;
  while (i < text.size() && text[i] != '"') {
    const std::size_t next = i + (text[i] == '\\' ? 2 : character_length(text, i));
    if (next > kMaxShown || next == i) return visible(text.substr(0, i)) + "...\"";
    i = next;
  }
  return visible(text.substr(0, i)) + "\"";
}

std::string value_at(const Source& source, std::uint64_t byte) {
  const std::string text = excerpt(source, byte);
  switch (text.empty() ? '\0' : text.front()) {
    case '[':
      return "a list";
    case '{':
      return "an object";
    case '"':
      return quoted_at_start(text);
    default:
      return word_at_start(text);
  }
}

std::string token_at(const Source& source, std::uint64_t byte) {
  const std::string text = excerpt(source, byte);
  if (text.empty()) return "the end of the document";
  if (is_word(text.front())) return word_at_start(text);
  const std::size_t length = character_length(text, 0);
  if (length == 0) return "the byte 0x" + hex(static_cast<unsigned char>(text.front()), 2);
  if (text.front() == '"') return "'\"'";
  return '"' + visible(text.substr(0, length)) + '"';
}

std::string message_of(const Problem& problem, const Source& source) {
  const std::string expected =
      problem.expected != nullptr ? std::string("expected ") + problem.expected : "";
  switch (problem.got) {
    case Problem::Got::missing:
      return "expected the key \"" + std::string(problem.field) + "\" in this " +
             (problem.record ? "record" : "document") + ", it is missing";
    case Problem::Got::nothing:
      return expected + ", the file is empty";
    case Problem::Got::list_of:
      return expected + ", got a list of " + std::to_string(problem.amount);
    case Problem::Got::text_of:
      return expected + ", got text of " + std::to_string(problem.amount) + " bytes";
    case Problem::Got::told:
      return problem.message;
    case Problem::Got::token:
      return expected + ", got " + token_at(source, problem.byte);
    case Problem::Got::value:
      break;
  }
  return expected + ", got " + value_at(source, problem.byte) + problem.hint;
}

// .key for a plain key, ["any key"] otherwise.
std::string key_step(const Source& source, std::uint64_t key_byte) {
  const std::string key = quoted_at_start(excerpt(source, key_byte));
  const std::string inside = key.substr(1, key.size() - 2);
  const bool plain = !inside.empty() && std::all_of(inside.begin(), inside.end(), [](char c) {
    return is_word(c) && c != '.' && c != '+' && c != '-';
  });
  std::string step(1, plain ? '.' : '[');
  step += plain ? inside : key;
  if (!plain) step += ']';
  return step;
}

std::string index_step(std::uint64_t index) {
  std::string step = "[";
  step += std::to_string(index);
  step += ']';
  return step;
}

std::string path_of(const Problem& problem, const Source& source) {
  std::string path(problem.section);
  if (problem.record) path += index_step(*problem.record);
  if (problem.got == Problem::Got::missing) return path;
  if (!problem.field.empty()) {
    path += '.';
    path += problem.field;
  } else if (problem.key_byte != kNowhere) {
    path += key_step(source, problem.key_byte);
  }
  path += problem.member;
  if (problem.element) path += index_step(*problem.element);
  if (problem.part) path += index_step(*problem.part);
  return path;
}

std::uint64_t line_of(const Source& source, std::uint64_t byte) {
  Column<char> block;
  block.resize_uninitialised(std::size_t{1} << 16);
  std::uint64_t line = 1;
  for (std::uint64_t offset = 0; offset < byte;) {
    const std::size_t n =
        source.read(offset, block.data(),
                    static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), byte - offset)));
    if (n == 0) break;
    line += static_cast<std::uint64_t>(std::count(block.data(), block.data() + n, '\n'));
    offset += n;
  }
  return line;
}

}  // namespace

Problem syntax_fault(const Reader& reader) {
  Problem problem;
  problem.kind = JsonFault::Kind::syntax;
  problem.got = Problem::Got::token;
  problem.expected = reader.scanner().expected();
  problem.byte = reader.failed_at();
  return problem;
}

JsonFault describe(const Problem& problem, const Source& source) {
  JsonFault fault;
  fault.kind = problem.kind;
  fault.message = message_of(problem, source);
  fault.path = path_of(problem, source);
  fault.byte = problem.byte;
  fault.line = line_of(source, problem.byte);
  return fault;
}

}  // namespace snellen::json
