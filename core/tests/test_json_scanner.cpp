#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "snellen/json_scanner.hpp"

namespace {

using namespace snellen::json;

struct Verdict {
  bool accepted;
  bool ran_out;
  std::ptrdiff_t at;     // behind the value, or where it is wrong
  std::string expected;  // "" when accepted
};

// Scans one value, of a document that ends after `size` bytes or goes on (`closed` false).
Verdict scan(const std::string& text, std::size_t size, bool closed) {
  // A copy of just these bytes, so that a memory checker sees the scanner look beyond them.
  const std::vector<char> bytes(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
  Scanner scanner(bytes.data(), bytes.data() + bytes.size(), closed);
  if (scanner.skip_value(0)) return {true, false, scanner.position() - bytes.data(), ""};
  return {false, scanner.ran_out(), scanner.failed_at() - bytes.data(), scanner.expected()};
}

Verdict scan(const std::string& text) { return scan(text, text.size(), true); }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

const std::vector<std::string> kValid = {
    "0",
    "-0",
    "10",
    "-1.5",
    "0.0",
    "1e5",
    "1E+5",
    "1.25e-300",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "false",
    "null",
    R"("")",
    R"("a")",
    R"("\"\\\/\b\f\n\r\t\u00e9")",
    R"("\ud800 alone is a matter for those who keep it")",
    "\"\x7f\"",
    "\"\xc3\xa9\"",
    "\"\xe2\x82\xac \xef\xbf\xbf\"",
    "\"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"",
    "\"\xed\x9f\xbf\"",
    "[]",
    "[ ]",
    "{}",
    "{ \n }",
    "[1,2 , 3]",
    R"({"a":1,"a":[{"b":null}]})",
    "[1,\r\n\t2]",
    "[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21.5, 22]",
    "[0.5,12,3.25,4,5,6,7.125,8,9,10,11,12,13,14,15,16,17,18,19,20,21.5,22,23,24,25,26,27,28,29]",
    "[100.25, 200.5, -3, 300.75, 1e3, 400.125, 500, 600,  700, 800,\n900, 1000.5, 1100, 1200, 5]",
    R"("a string that is longer than sixteen bytes, with },{ in it and an \u0065scape")"};

struct Invalid {
  std::string text;
  std::ptrdiff_t at;
  std::string expected;
};
const std::string kValue = "a value";
const std::string kDigit = "a digit";
const std::string kLeadingZero = "a number without leading zeros";
const std::string kControl = "control characters in strings to be escaped";
const std::vector<Invalid> kInvalid = {
    {"", 0, kValue},
    {"+1", 0, kValue},
    {".5", 0, kValue},
    {"nul", 3, kValue},
    {"nule", 0, kValue},
    {"-NaN", 1, kDigit},
    {"-Inf,", 0, kValue},
    {"True", 0, kValue},
    {"'a'", 0, kValue},
    {"-", 1, kDigit},
    {"1.", 2, kDigit},
    {"[1.]", 3, kDigit},
    {"1e", 2, kDigit},
    {"[1e+]", 4, kDigit},
    {"01", 0, kLeadingZero},
    {"-00.5", 1, kLeadingZero},
    {"[1, 02]", 4, kLeadingZero},
    {"[1.2.3]", 4, "\",\" or \"]\""},
    {"[1,]", 3, kValue},
    {"[,1]", 1, kValue},
    {"[1 2]", 3, "\",\" or \"]\""},
    {"[1}", 2, "\",\" or \"]\""},
    {"{\"a\":1]", 6, "\",\" or \"}\""},
    {"{\"a\" 1}", 5, "\":\" after a key"},
    {"{a:1}", 1, "a key in double quotes"},
    {"{\"a\":1,}", 7, "a key in double quotes"},
    {"{1:1}", 1, "a key in double quotes"},
    {"\"a", 2, "the closing quote of a string"},
    {"\"a\nb\"", 2, kControl},
    {std::string("\"a\0b\"", 5), 2, kControl},
    {"\"\\x\"", 2, "one of \" \\ / b f n r t u after a backslash"},
    {"\"\\u12g4\"", 5, "four hexadecimal digits after \\u"},
    {"\"\x80\"", 1, "UTF-8"},
    {"\"\xc0\xaf\"", 1, "UTF-8"},          // overlong
    {"\"\xe0\x9f\xbf\"", 1, "UTF-8"},      // overlong
    {"\"\xf0\x8f\xbf\xbf\"", 1, "UTF-8"},  // overlong
    {"\"\xed\xa0\x80\"", 1, "UTF-8"},      // a surrogate
    {"\"\xf4\x90\x80\x80\"", 1, "UTF-8"},  // above U+10FFFF
    {"\"ab\xc3(\"", 3, "UTF-8"},
    {"\"\xff\x01\"", 1, "UTF-8"},
    {nested(1001), 1000, "at most 1000 nested lists and objects"},
    {"[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, 13, 14, 15, 016, 17, 18, 19, 20]", 62,
     kLeadingZero},
    {"[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, 13.1.4, 15, 16, 17, 18, 19, 20, 21]", 54,
     "\",\" or \"]\""},
    {"[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, 13., 15, 16, 17, 18, 19, 20, 21]", 53,
     kDigit},
    {"[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, 13 15, 16, 17, 18, 19, 20, 21, 2]", 53,
     "\",\" or \"]\""},
    {"[0.5, 12, 3.25, 4, 5, 6, 7.125, 8, 9, 10, 11, 12, , 13, 15, 16, 17, 18, 19, 20, 21]", 50,
     kValue}};

void test_grammar() {
  for (const std::string& text : kValid) {
    const Verdict verdict = scan(text);
    CHECK(verdict.accepted);
    if (!verdict.accepted) std::cerr << "  " << text << ": " << verdict.expected << "\n";
    CHECK_EQUAL(verdict.at, static_cast<std::ptrdiff_t>(text.size()));
  }
  for (const Invalid& invalid : kInvalid) {
    const Verdict verdict = scan(invalid.text);
    CHECK(!verdict.accepted);
    CHECK(!verdict.ran_out);
    CHECK_EQUAL(verdict.at, invalid.at);
    CHECK_EQUAL(verdict.expected, invalid.expected);
  }
  CHECK(scan(nested(1000)).accepted);
  CHECK(!scan(std::string(1'000'000, '[')).accepted);
}

// What is said of a document does not depend on where the window ends: a shorter one either gives
// the same verdict or says that it ran out.
void test_windows() {
  for (const std::string& text : kValid) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      const Verdict verdict = scan(text, size, false);
      CHECK(!verdict.accepted && verdict.ran_out);
    }
  }
  for (const Invalid& invalid : kInvalid) {
    for (std::size_t size = 0; size <= invalid.text.size(); ++size) {
      const Verdict verdict = scan(invalid.text, size, false);
      CHECK(!verdict.accepted);
      if (verdict.ran_out) continue;
      CHECK_EQUAL(verdict.at, invalid.at);
      CHECK_EQUAL(verdict.expected, invalid.expected);
    }
  }
}

NumberToken number_token(const std::string& text) {
  Scanner scanner(text.data(), text.data() + text.size(), true);
  NumberToken token{nullptr, nullptr, false};
  CHECK(scanner.number(token));
  CHECK(scanner.at_end());
  return token;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// The long way, and where it answers the short one, against the C library.
void check_number(const std::string& text) {
  const double want = std::strtod(text.c_str(), nullptr);
  CHECK_EQUAL(bits(to_double(number_token(text))), bits(want));
  // No more than the bytes that it may look at, for a memory checker to see.
  std::vector<char> bytes(text.begin(), text.end());
  bytes.push_back(',');
  if (bytes.size() < kPlainReach) bytes.resize(kPlainReach, ' ');
  double value = 0;
  const char* last = plain_number(bytes.data(), value);
  if (last == nullptr) return;
  CHECK_EQUAL(last - bytes.data(), static_cast<std::ptrdiff_t>(text.size()));
  CHECK_EQUAL(bits(value), bits(want));
}

void test_numbers() {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0.0",
                           "0e999999999999999999",
                           "1",
                           "9007199254740993",
                           "0.1",
                           "0.3",
                           "1e22",
                           "1e23",
                           "8.5e22",
                           "4.35",
                           "123456.789",
                           "99999999",
                           "99999999.99999999",
                           "5e-324",
                           "2.4703282292062327e-324",
                           "2.4703282292062328e-324",
                           "2.2250738585072011e-308",
                           "1e-400",
                           "1e400",
                           "-1e400",
                           "1.7976931348623157e308",
                           "1.7976931348623159e308",
                           "1e999999999999",
                           "1e-999999999999",
                           "18446744073709551615",
                           "18446744073709551616",
                           "0.9999999999999999999",
                           "9999999999999999999e-27",
                           "1e-27",
                           "1e-28",
                           "7.0000000000000000000000000000001",
                           "0.500000000000000166533453693773481063544750213623046875",
                           "9007199254740993e0",
                           "9007199254740992.5",
                           "9007199254740993.5",
                           "4503599627370496.5",
                           "4503599627370497.5"}) {
    check_number(text);
  }
  // Halfway between two doubles, a digit beyond, and 800 digits of them.
  check_number("1.00000000000000011102230246251565404236316680908203125");
  check_number("1.00000000000000011102230246251565404236316680908203124");
  check_number("1.00000000000000011102230246251565404236316680908203125" + std::string(800, '0') +
               "1");
  CHECK(std::isnan(to_double(number_token("NaN"))));
  CHECK_EQUAL(to_double(number_token("-Infinity")), -HUGE_VAL);

  std::mt19937_64 random(7);
  const auto up_to = [&random](std::uint64_t n) { return random() % (n + 1); };
  const auto digits_from = [&](char lowest_first, std::uint64_t n) {
    std::string text(1, std::max(lowest_first, static_cast<char>('0' + up_to(9))));
    while (text.size() < n) text += static_cast<char>('0' + up_to(9));
    return text;
  };
  for (int i = 0; i < 100'000; ++i) {
    std::string text = up_to(9) == 0 ? "-" : "";
    text += up_to(3) == 0 ? "0" : digits_from('1', 1 + up_to(9));
    if (up_to(9) != 0) {
      text += '.';
      text += digits_from('0', 1 + up_to(20));
    }
    if (up_to(9) == 0) {
      text += up_to(1) == 0 ? "e-" : "E+";
      text += std::to_string(up_to(330));
    }
    check_number(text);
  }
  char buffer[40];
  for (int i = 0; i < 100'000; ++i) {
    // What programs print: shortest and seventeen digits of scores and pixels.
    const double value = std::ldexp(static_cast<double>(random() >> 11), -53) * (i % 2 ? 1 : 640);
    std::snprintf(buffer, sizeof(buffer), i % 3 ? "%.16g" : "%.17g", value);
    check_number(buffer);
  }
}

void test_plain_numbers_refuse() {
  for (const char* text :
       {"01", "1.", ".5", "1.2.3", "1e5", "1.5e5", "-", "--1", "-.5", "+1", "1..2", "00.5", "NaN",
        "1/2", "1:5", "0123456789.5", "0.1234567890123e5"}) {
    const std::string followed = text + std::string(kPlainReach, ' ');
    double value;
    CHECK(plain_number(followed.data(), value) == nullptr ||
          // "1/2" and "1:5" are the number 1 and something that the caller will not like.
          text[1] == '/' || text[1] == ':');
  }
  for (const char* text : {"01", "-", "-01", "", ".5", "123456789"}) {
    const std::string followed = text + std::string(kPlainReach, ' ');
    std::int64_t value;
    CHECK(plain_whole_number(followed.data(), value) == nullptr);
  }
  for (const char* text : {"0", "7", "-7", "-0", "12345678", "-87654321"}) {
    const std::string followed = text + std::string(kPlainReach, ',');
    std::int64_t value = -1;
    CHECK(plain_whole_number(followed.data(), value) != nullptr);
    CHECK_EQUAL(value, std::strtoll(text, nullptr, 10));
  }
}

void test_whole_numbers() {
  struct Case {
    const char* text;
    WholeNumber kind;
    std::int64_t value;
  };
  for (const Case& c :
       {Case{"42", WholeNumber::fits, 42}, Case{"-0", WholeNumber::fits, 0},
        Case{"-0.0", WholeNumber::fits, 0}, Case{"42.0", WholeNumber::fits, 42},
        Case{"4.2e1", WholeNumber::fits, 42},
        Case{"1152921504606846977", WholeNumber::fits, 1152921504606846977},
        Case{"9223372036854775807", WholeNumber::fits, INT64_MAX},
        Case{"-9223372036854775808", WholeNumber::fits, INT64_MIN},
        Case{"-9223372036854775808.0", WholeNumber::fits, INT64_MIN},
        Case{"9223372036854775808", WholeNumber::too_wide, 0},
        Case{"9223372036854775807.0", WholeNumber::too_wide, 0},
        Case{"-1e19", WholeNumber::too_wide, 0}, Case{"1.5", WholeNumber::not_whole, 0},
        Case{"1e999", WholeNumber::not_whole, 0}, Case{"NaN", WholeNumber::not_whole, 0}}) {
    std::int64_t value = 0;
    CHECK(to_whole_number(number_token(c.text), value) == c.kind);
    if (c.kind == WholeNumber::fits) CHECK_EQUAL(value, c.value);
  }
}

void test_texts() {
  const auto decode = [](const std::string& text, std::string& decoded) {
    Scanner scanner(text.data(), text.data() + text.size(), true);
    TextToken token;
    CHECK(scanner.text(token));
    return decode_text(token, decoded);
  };
  std::string text;
  CHECK(decode(R"("plain \u0041\u00e9\u20ac\ud83d\ude00 \"\\\/\b\f\n\r\t")", text));
  CHECK_EQUAL(text, "plain A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \"\\/\b\f\n\r\t");
  CHECK(decode(R"("\u0000")", text));
  CHECK_EQUAL(text.size(), 1u);
  for (const char* lone : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")",
                           R"("\ud800\ud800")", R"("\ud83d\u0041")"}) {
    CHECK(!decode(lone, text));
  }
}

}  // namespace

int main() {
  test_grammar();
  test_windows();
  test_numbers();
  test_plain_numbers_refuse();
  test_whole_numbers();
  test_texts();
  return snellen::testing::report();
}
