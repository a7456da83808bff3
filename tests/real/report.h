// GoogleTest's XML reports of one suite, told apart test by test.
//
// Two runs of a suite are to give the same report. When they do not, what
// matters is which test it was, and what became of it in either run:
//
//   Report plain = ReadReport(plain_xml);
//   Report isolated = ReadReport(isolated_xml);
//   if (std::string text = Differences(plain, isolated); !text.empty()) {
//     std::cerr << text;  // test by test, "-" as in plain, "+" as in isolated
//   }
//
// The comparison is one of text, line by line, not one of XML: both reports
// come from GoogleTest's own writer, so that equal reports have equal lines, and
// a difference that a reader of XML would overlook is one to be told.

#ifndef TESTS_REAL_REPORT_H_
#define TESTS_REAL_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

namespace isolate::real {

// The lines of a report that belong together: those of one test, or those of a
// test suite or of the whole report around them.
struct Section {
  // "Suite.Test" for a test, "test suite Suite", or "the report".
  std::string name;
  // What became of a test, "passed", "failed", "skipped" or "did not run";
  // empty for a section that is not a test's.
  std::string outcome;
  // As they stand, but without times, time stamps and host names.
  std::vector<std::string> lines;
};

struct Report {
  std::vector<Section> sections;
  // Whether its last line is there; it is not when the runner died.
  bool complete = false;

  // How many tests had that outcome.
  int Count(std::string_view outcome) const;
};

Report ReadReport(std::string_view xml);

// What a reader needs to know to find out why the reports are not the same;
// empty if they are.
std::string Differences(const Report& plain, const Report& isolated);

}  // namespace isolate::real

#endif  // TESTS_REAL_REPORT_H_
