#include "gtest_plugin/report_page.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gtest_plugin/report_page_lines.h"

namespace isolate::gtest {

std::string ReportPageHead() {
  std::string head;
  for (const char* const* line = kReportPageLines;
       *line != nullptr && absl::string_view(*line) != kReportPlace; ++line) {
    absl::StrAppend(&head, *line, "\n");
  }
  return head;
}

std::string ReportPageTail() {
  std::string tail;
  bool is_tail = false;
  for (const char* const* line = kReportPageLines; *line != nullptr; ++line) {
    if (is_tail) {
      absl::StrAppend(&tail, *line, "\n");
    }
    is_tail = is_tail || absl::string_view(*line) == kReportPlace;
  }
  return tail;
}

std::string JsonForPage(absl::string_view json) {
  return absl::StrReplaceAll(json, {{"<", "\\u003c"}});
}

}  // namespace isolate::gtest
