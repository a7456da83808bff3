#ifndef GTEST_PLUGIN_REPORT_PAGE_H_
#define GTEST_PLUGIN_REPORT_PAGE_H_

// The page that shows a report, report_page.html, which the build puts into the program.  It is
// the head, the report's JSON, and the tail; a browser shows it without the tail, too.  Pure.

#include <string>

#include "absl/strings/string_view.h"

namespace isolate::gtest {

// All that the page is made of; some 70 KiB.
std::string ReportPageHead();
std::string ReportPageTail();

// The same JSON, or a part of it, without a "<", which only strings have: nothing that a test is
// called ends the script element that it stands in, or begins another one.
std::string JsonForPage(absl::string_view json);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_REPORT_PAGE_H_
