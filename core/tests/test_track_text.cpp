#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>

#include "check.hpp"
#include "snellen/track_text.hpp"

namespace {

using namespace snellen;

// Everything that is read, or what is wrong, as text.
std::string read_in_pieces(std::string_view text, TrackTextRules rules, std::size_t piece) {
  TrackText tracks(std::move(rules));
  bool fine = true;
  for (std::size_t at = 0; fine && at < text.size(); at += piece) {
    fine = tracks.read(text.substr(at, piece));
  }
  fine = fine && tracks.finish();
  std::ostringstream out;
  out.precision(17);
  if (!fine) {
    const TrackTextFault& fault = tracks.fault();
    out << "fault " << static_cast<int>(fault.kind) << " line " << fault.line << " column "
        << fault.column << " of " << fault.n_columns << " '" << fault.cell << "'";
    return out.str();
  }
  out << tracks.n_columns() << " columns";
  for (std::size_t i = 0; i < tracks.n_rows(); ++i) {
    out << "; " << tracks.frame()[i] << ' ' << tracks.track()[i] << " (";
    for (std::size_t k = 0; k < 4; ++k) out << (k == 0 ? "" : " ") << tracks.xywh()[4 * i + k];
    out << ')';
    if (tracks.has_mark()) out << ' ' << tracks.mark()[i];
    if (tracks.has_label()) out << ' ' << tracks.label()[i];
    if (tracks.has_visibility()) out << ' ' << tracks.visibility()[i];
  }
  const TrackRepeats& repeats = tracks.repeats();
  if (repeats.n != 0) {
    out << "; " << repeats.n << " repeats, " << repeats.track << " in frame " << repeats.frame
        << " lines " << repeats.earlier_line << " and " << repeats.line;
  }
  return out.str();
}

std::string read(std::string_view text, TrackTextRules rules = {}) {
  const std::string got = read_in_pieces(text, rules, text.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    CHECK_EQUAL(read_in_pieces(text, rules, piece), got);
  }
  rules.short_ways = false;
  CHECK_EQUAL(read_in_pieces(text, rules, 5), got);
  return got;
}

std::string fault(TrackFault kind, int line, int column, int n_columns, const std::string& cell) {
  return "fault " + std::to_string(static_cast<int>(kind)) + " line " + std::to_string(line) +
         " column " + std::to_string(column) + " of " + std::to_string(n_columns) + " '" + cell +
         "'";
}

void test_columns() {
  TrackTextRules truth;
  truth.is_truth = true;
  CHECK_EQUAL(read(""), "0 columns");
  CHECK_EQUAL(read(" \n\t\r\n"), "0 columns");
  CHECK_EQUAL(read("1,2,3,4,5,6"), "6 columns; 1 2 (3 4 5 6)");
  CHECK_EQUAL(read("1,-2,3.5,-4,5,.25,0.5\n"), "7 columns; 1 -2 (3.5 -4 5 0.25) 0.5");
  // A class loses its fraction, 4.9 -> 4, -1.5 -> -1. Of predictions no visibility is read.
  CHECK_EQUAL(read("1,2,3,4,5,6,1,4.9,x\n", {}), "9 columns; 1 2 (3 4 5 6) 1 4");
  CHECK_EQUAL(read("1,2,3,4,5,6,1,-1.5,.5,x\n", truth), "10 columns; 1 2 (3 4 5 6) 1 -1 0.5");
  CHECK_EQUAL(read("1.0,2e0,+3,04,5e-1,1234567890123\n"), "6 columns; 1 2 (3 4 0.5 1234567890123)");
  CHECK_EQUAL(read("1,9223372036854775807,0,0,1,1\n2,-9223372036854775808,0,0,1,1"),
              "6 columns; 1 9223372036854775807 (0 0 1 1); 2 -9223372036854775808 (0 0 1 1)");
}

void test_delimiters() {
  const std::string wanted = "7 columns; 1 2 (3 4 5 6) 7; 2 2 (3 4 5 6) 7";
  CHECK_EQUAL(read("1,2,3,4,5,6,7\n2,2,3,4,5,6,7\n"), wanted);
  CHECK_EQUAL(read("1, 2 ,3,\t4,5,6,7,\r\n\r\n 2,2,3,4,5,6 , 7 \r\n"), wanted);
  CHECK_EQUAL(read("1;2;3;4;5;6;7;\n2;2;3;4;5;6;7"), wanted);
  CHECK_EQUAL(read("1\t2\t3\t4\t5\t6\t7\n2\t 2\t3\t4\t5\t6\t7\t\n"), wanted);
  CHECK_EQUAL(read("  1 2   3 4 5 6 7  \n2\t2 3 4 \t 5 6 7\r\n"), wanted);
  CHECK_EQUAL(read("1,2,3,4,5,6,7\r2,2,3,4,5,6,7\r"), wanted);
  CHECK_EQUAL(read("\xef\xbb\xbf"
                   "1,2,3,4,5,6,7\n2,2,3,4,5,6,7"),
              wanted);
  // Tabs around a line are delimiters too.
  CHECK_EQUAL(read("1\t2\t3\t4\t5\t6\t7\t8\t\t\t\n2\t2\t3\t4\t5\t6\t7\t8\t\t\n"),
              fault(TrackFault::columns, 2, 0, 9, ""));
  CHECK_EQUAL(read("1\t2\t3\t4\t5\t6\n\t2\t3\t4\t5\t6\n"),
              fault(TrackFault::not_a_number, 2, 1, 0, ""));
  // Columns that are not read count, empty or not; one delimiter at the end does not.
  CHECK_EQUAL(read("1,2,3,4,5,6,7,8,,\n1,3,3,4,5,6,7,8,y,\n"),
              "9 columns; 1 2 (3 4 5 6) 7 8; 1 3 (3 4 5 6) 7 8");
}

void test_order() {
  // By frame, as in the text within a frame; the same with numbers far apart.
  CHECK_EQUAL(read("3,1,0,0,1,1\n1,9,0,0,1,1\n3,0,0,0,2,2\n1,4,0,0,1,1\n"),
              "6 columns; 1 9 (0 0 1 1); 1 4 (0 0 1 1); 3 1 (0 0 1 1); 3 0 (0 0 2 2)");
  CHECK_EQUAL(read("9007199254740992,1,0,0,1,1\n1,9,0,0,1,1\n2,9,3,4,1,1"),
              "6 columns; 1 9 (0 0 1 1); 2 9 (3 4 1 1); 9007199254740992 1 (0 0 1 1)");
}

void test_repeats() {
  // Blank lines count as lines. Track 5 is in lines 3, 5 and 6 of frame 2, track 1 in 1 and 7.
  const std::string text =
      "7,1,0,0,1,1\n\n2,5,0,0,1,1\n2,6,0,0,1,1\n2,5,0,0,1,1\n2,5,0,0,1,1\n7,1,0,0,1,1\n";
  const std::string got = read(text);
  CHECK_EQUAL(got.substr(got.rfind("; ")), "; 3 repeats, 5 in frame 2 lines 3 and 5");
  TrackTextRules rules;
  rules.region_classes = {13};
  // Areas may repeat, objects beside them may not.
  CHECK_EQUAL(read("1,5,0,0,1,1,1,13\n1,5,0,0,1,1,1,13\n1,5,0,0,1,1,1,1\n", rules).find("repeats"),
              std::string::npos);
  CHECK(read("1,5,0,0,1,1,1,2\n1,5,0,0,1,1,1,13\n1,5,0,0,1,1,1,1\n", rules)
            .ends_with("; 1 repeats, 5 in frame 1 lines 1 and 3"));
}

void test_faults() {
  using enum TrackFault;
  CHECK_EQUAL(read("\xff\xfe"
                   "1\0,"),
              fault(encoding, 1, 0, 0, ""));
  CHECK_EQUAL(read("\n1|2|3|4|5|6\n"), fault(columns, 2, 0, 1, ""));
  CHECK_EQUAL(read("1,2,3,4,5,6\n\n\n1,2,3,4,5\n"), fault(columns, 4, 0, 5, ""));
  CHECK_EQUAL(read("1,2,3,4,5,6\n1,3,3,4,5,6,7\n"), fault(columns, 2, 0, 7, ""));
  CHECK_EQUAL(read("1,2,3,,5,6\n"), fault(not_a_number, 1, 4, 0, ""));
  CHECK_EQUAL(read("1,2,3,0x4,5,6\n"), fault(not_a_number, 1, 4, 0, "0x4"));
  CHECK_EQUAL(read("1,2,3,4,5,6,7,8z\n"), fault(not_a_number, 1, 8, 0, "8z"));
  CHECK_EQUAL(read("1,2,3,4,inf,6\n"), fault(not_finite, 1, 5, 0, "inf"));
  CHECK_EQUAL(read("1,2,3,4,1e999,6\n"), fault(not_finite, 1, 5, 0, "1e999"));
  CHECK_EQUAL(read("1,2,3,4,5,6,NaN\n"), fault(not_finite, 1, 7, 0, "NaN"));
  CHECK_EQUAL(read("1.5,2,3,4,5,6\n"), fault(not_whole, 1, 1, 0, "1.5"));
  CHECK_EQUAL(read("1,1.5,3,4,5,6\n"), fault(not_whole, 1, 2, 0, "1.5"));
  CHECK_EQUAL(read("1,2.000001,3,4,5,6\n"), fault(not_whole, 1, 2, 0, "2.000001"));
  CHECK_EQUAL(read("1,9223372036854775808,3,4,5,6\n"),
              fault(too_wide, 1, 2, 0, "9223372036854775808"));
  CHECK_EQUAL(read("1,9007199254740994.0,3,4,5,6\n"),
              fault(too_wide, 1, 2, 0, "9007199254740994.0"));
  CHECK_EQUAL(read("1,2,3,4,5,6,1,1e300\n"), fault(too_wide, 1, 8, 0, "1e300"));
  CHECK_EQUAL(read("1,2,3,4,5,6\n0,2,3,4,5,6\n"), fault(frame_too_early, 2, 1, 0, "0"));
  CHECK_EQUAL(read("1,2,3,4,-0.5,6\n"), fault(negative_size, 1, 5, 0, "-0.5"));
  CHECK_EQUAL(read("1,2,3,4,-0.0,0\n"), "6 columns; 1 2 (3 4 -0 0)");
  TrackTextRules rules;
  rules.first_frame = 0;
  rules.last_frame = 9;
  CHECK_EQUAL(read("0,2,3,4,5,6\n9,2,3,4,5,6\n10,2,3,4,5,6\n", rules),
              fault(frame_too_late, 3, 1, 0, "10"));
}

void test_long_lines() {
  using enum TrackFault;
  const std::string row = "1,2,3,4,5,6\n";
  const std::string blanks(kLongestTrackLine, ' ');
  CHECK_EQUAL(read_in_pieces(row + blanks + "\n" + "2,2,3,4,5,6", {}, 1 << 18),
              "6 columns; 1 2 (3 4 5 6); 2 2 (3 4 5 6)");
  for (const std::size_t piece : {std::size_t{1} << 18, std::size_t{1} << 24}) {
    for (const bool short_ways : {true, false}) {
      TrackTextRules rules;
      rules.short_ways = short_ways;
      CHECK_EQUAL(read_in_pieces(row + " " + blanks + "\n", rules, piece),
                  fault(long_line, 2, 0, 0, ""));
      CHECK_EQUAL(read_in_pieces(row + "1," + blanks + "7,3,4,5,6\n", rules, piece),
                  fault(long_line, 2, 0, 0, ""));
      CHECK_EQUAL(read_in_pieces(std::string(kLongestTrackLine + 1, 'x'), rules, piece),
                  fault(long_line, 1, 0, 0, ""));
    }
  }
}

}  // namespace

int main() {
  test_columns();
  test_delimiters();
  test_order();
  test_repeats();
  test_faults();
  test_long_lines();
  return testing::report();
}
