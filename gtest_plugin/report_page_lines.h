#ifndef GTEST_PLUGIN_REPORT_PAGE_LINES_H_
#define GTEST_PLUGIN_REPORT_PAGE_LINES_H_

// report_page.html as the build makes C++ of it: line by line, as compilers limit a string's
// length.  For report_page.cc alone.

namespace isolate::gtest {

// Without their ends; a null pointer comes last.
extern const char* const kReportPageLines[];

// The line that the report's JSON stands in place of.
inline constexpr char kReportPlace[] = "REPORT";

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_REPORT_PAGE_LINES_H_
