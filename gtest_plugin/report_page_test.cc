#include "gtest_plugin/report_page.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::gtest {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ReportPage, BeginsAndEndsAsAPage) {
  EXPECT_THAT(ReportPageHead(), StartsWith("<!DOCTYPE html>\n<html lang=\"en\">\n"));
  EXPECT_THAT(ReportPageTail(), EndsWith("</body>\n</html>\n"));
}

// A browser closes what is open at the end of a file that has none, but makes up nothing.
TEST(ReportPage, HasBehindTheReportOnlyWhatABrowserMakesUp) {
  EXPECT_THAT(ReportPageHead(), EndsWith("<script type=\"application/json\" id=\"report\">\n"));
  EXPECT_EQ(ReportPageTail(), "</script>\n</body>\n</html>\n");
}

TEST(ReportPage, LoadsNothing) {
  for (const char* reference : {"http:", "https:", "//cdn", "src=", "@import", "url(", "fetch(",
                                "XMLHttpRequest", "import("}) {
    EXPECT_THAT(ReportPageHead(), Not(HasSubstr(reference)));
  }
  // Nor may the browser, whatever a report has in it.
  EXPECT_THAT(ReportPageHead(), HasSubstr("content=\"default-src 'none';"));
}

// What tests are called and what they print is for textContent, which makes no elements of it.
TEST(ReportPage, MakesNoMarkupOfText) {
  for (const char* maker : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                            "DOMParser", "createContextualFragment", "eval(", "Function("}) {
    EXPECT_THAT(ReportPageHead(), Not(HasSubstr(maker)));
  }
}

TEST(JsonForPage, HasNoBeginningOfATag) {
  EXPECT_EQ(JsonForPage(R"({"name":"</script><!--<script>"})"),
            R"({"name":"\u003c/script>\u003c!--\u003cscript>"})");
  EXPECT_EQ(JsonForPage(""), "");
  EXPECT_EQ(JsonForPage(R"({"a":[1,"\\u003c>&\""]})"), R"({"a":[1,"\\u003c>&\""]})");
}

}  // namespace
}  // namespace isolate::gtest
