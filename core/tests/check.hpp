// The smallest thing that tests need: count failures, say where they are.
#pragma once

#include <iostream>

namespace snellen::testing {

inline int n_checks = 0;
inline int n_failures = 0;

inline void check(bool holds, const char* text, const char* file, int line) {
  ++n_checks;
  if (holds) return;
  ++n_failures;
  std::cerr << file << ":" << line << ": does not hold: " << text << "\n";
}

template <class Got, class Want>
void check_equal(const Got& got, const Want& want, const char* text, const char* file, int line) {
  ++n_checks;
  if (got == want) return;
  ++n_failures;
  std::cerr << file << ":" << line << ": " << text << "\n  got  " << got << "\n  want " << want
            << "\n";
}

// The exit status of a test program. A program without checks has failed.
inline int report() {
  std::cout << n_checks << " checks, " << n_failures << " failures\n";
  return n_checks > 0 && n_failures == 0 ? 0 : 1;
}

}  // namespace snellen::testing

#define CHECK(condition) ::snellen::testing::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(got, want) \
  ::snellen::testing::check_equal((got), (want), #got " == " #want, __FILE__, __LINE__)
