// The page of --isolate_report=FILE.html in a browser, Chromium, which must be installed.

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Path(const std::string& name) { return absl::StrCat(::testing::TempDir(), "/", name); }

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string PageOf(const std::string& specimen, std::vector<std::string> args) {
  args.push_back(absl::StrCat("--isolate_report=", Path("page.html"), ",", Path("page.json")));
  Execute({specimen, Build::kIsolated, std::move(args)});
  return Read(Path("page.html"));
}

// What the browser makes of a page, as HTML.  A word of its console fails the test: the page says
// none.
std::string Shown(const std::string& page) {
  std::ofstream(Path("shown.html")) << page;
  const std::string command = absl::StrCat(
      // No sandbox, for the test's user may be root.  The time is the page's own, and costs none.
      "chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
      "--user-data-dir='",
      Path("chromium"), "' --enable-logging=stderr --virtual-time-budget=5000 --dump-dom 'file://",
      Path("shown.html"), "' 2>'", Path("log"), "' >'", Path("dom"), "'");
  EXPECT_EQ(system(command.c_str()), 0) << Read(Path("log"));
  EXPECT_THAT(Read(Path("log")), Not(HasSubstr("CONSOLE")));
  const std::string dom = Read(Path("dom"));
  // Without what stands in the page itself.
  const size_t body = dom.find("<body>");
  const size_t report = dom.find("<script type=\"application/json\"");
  EXPECT_LT(body, report) << dom;
  return body < report ? dom.substr(body, report - body) : "";
}

// The same page of another report.
std::string WithReport(const std::string& page, const json& report) {
  const std::string beginning = "id=\"report\">\n";
  const size_t begin = page.find(beginning) + beginning.size();
  return absl::StrCat(page.substr(0, begin), absl::StrReplaceAll(report.dump(), {{"<", "\\u003c"}}),
                      page.substr(page.find("</script>", begin)));
}

TEST(Page, HasARowForEveryTest) {
  const std::string shown = Shown(PageOf("results", {}));
  const json report = json::parse(Read(Path("page.json")));
  ASSERT_GT(report["tests"].size(), 5);
  for (const json& test : report["tests"]) {
    EXPECT_THAT(shown, HasSubstr(absl::StrCat(">", test["suite"].get<std::string>(), ".",
                                              test["name"].get<std::string>(), "</span>")));
  }
  EXPECT_EQ(Count(shown, "<td class=\"outcome\">"), report["tests"].size());
  EXPECT_THAT(shown, AllOf(HasSubstr("Nothing was left behind."), HasSubstr("--isolate_audit")));
}

TEST(Page, HasEveryLeak) {
  const std::string shown = Shown(PageOf("remains", {"--gtest_filter=Leaky.InItsBody"}));
  EXPECT_THAT(shown, HasSubstr("1 leak in 1 test."));
  EXPECT_THAT(shown, HasSubstr("aria-label=\"Leaky.InItsBody: 1 ports\""));
}

TEST(Page, MakesNoMarkupOfWhatTestsAreCalled) {
  const std::string name = "</script><img src=x>";
  const json test = {{"suite", name}, {"name", "<b>"}, {"outcome", "passed"}, {"elapsed_ms", 1}};
  const std::string shown = Shown(
      WithReport(PageOf("results", {"--gtest_filter=Passed.*"}),
                 {{"arguments", {name}}, {"tests", {test}}, {"error", name}, {"wall_ms", 1}}));
  EXPECT_THAT(shown, HasSubstr("could be isolated: &lt;/script&gt;&lt;img src=x&gt;"));
  EXPECT_THAT(shown, HasSubstr(">&lt;/script&gt;&lt;img src=x&gt;.&lt;b&gt;</span>"));
  EXPECT_THAT(shown, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("<b>"))));
}

TEST(Page, HasATimelineAndCollisionsWhereTheReportHas) {
  json report = {{"arguments", {"program"}}, {"wall_ms", 9}, {"audit", "names"}};
  for (const char* name : {"A", "B"}) {
    report["tests"].push_back({{"suite", "Suite"},
                               {"name", name},
                               {"outcome", "passed"},
                               {"elapsed_ms", 1},
                               {"start_ms", 2},
                               {"worker", 0}});
  }
  const auto user = [](const char* test) -> json {
    return {{"test", test}, {"names", {"tcp 127.0.0.1:8080"}}, {"how", {"bound"}}};
  };
  report["collisions"] = {
      {{"kind", "ports"}, {"name", "tcp 8080"}, {"tests", {user("Suite.A"), user("Suite.B")}}}};
  report["predictions"] = {{{"kind", "ports"},
                            {"name", "tcp 8080"},
                            {"polluters", {"Suite.A"}},
                            {"victims", {"Suite.A", "Suite.B"}},
                            {"effect", "breaks"}}};
  report["parallel"] = {{"safe", json::array()}, {"unsafe", {"Suite.A", "Suite.B"}}};
  const std::string shown =
      Shown(WithReport(PageOf("results", {"--gtest_filter=Passed.*"}), report));
  EXPECT_THAT(shown, HasSubstr("Timeline of 2 tests over 1 worker"));
  EXPECT_THAT(shown, HasSubstr("aria-label=\"tcp 8080: Suite.B bound\""));
  EXPECT_THAT(shown, HasSubstr("<td>would break</td>"));
  EXPECT_THAT(shown, HasSubstr("Not safe side by side: 2"));
}

// Wherever the run was killed.
TEST(Page, SaysThatAReportHasNoEnd) {
  const std::string page = PageOf("results", {"--gtest_filter=Passed.*"});
  const size_t tests = page.find("\"tests\":[");
  const size_t second = page.find("\"suite\"", page.find("\"suite\"", tests) + 1);
  const size_t end = page.find("\"failed_suites\"");
  ASSERT_LT(second, end);
  const struct {
    size_t size;
    int tests;
  } cuts[] = {{tests - 20, 0}, {tests + 9, 0}, {second + 30, 1}, {end + 5, 2}};
  for (const auto& cut : cuts) {
    const std::string shown = Shown(page.substr(0, cut.size));
    EXPECT_THAT(shown, HasSubstr("The report has no end")) << cut.size;
    EXPECT_EQ(Count(shown, "<td class=\"outcome\">"), cut.tests) << cut.size;
  }
  EXPECT_THAT(Shown(page.substr(0, page.find("{\"version\""))),
              HasSubstr("There is no report in this file"));
}

}  // namespace
}  // namespace isolate::plugin_tests
