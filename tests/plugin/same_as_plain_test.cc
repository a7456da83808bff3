// What gtest prints and writes is the same with the plugin as without it, but
// for times.  One thing is let pass everywhere: gtest_main says which file its
// main comes from, and the plugin's main does not.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/plain_cases.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

// A way to isolate.
struct Way {
  const char* name;
  std::vector<std::string> args;
};

// The first is what most people use; the others are a test target of their own.
const Way kWays[] = {
    {"Usual", {"--isolate_jobs=8"}},
    {"OneJob", {"--isolate_jobs=1"}},
    {"SuiteScope", {"--isolate_jobs=4", "--isolate_scope=suite"}},
    {"Snapshot", {"--isolate_jobs=4", "--isolate_suite_setup=snapshot"}},
    {"Exec", {"--isolate_jobs=4", "--isolate_spawn=exec"}},
};

void PrintTo(const Way& way, std::ostream* os) { *os << way.name; }

// Of which a binary under `isolate gtest` would print something else.
std::vector<Case> Cases() {
  return PlainCasesAnd({
      {"Suites", "suites"},
      {"DeathTestsForked",
       "deaths",
       {"--gtest_death_test_style=threadsafe", "--gtest_death_test_use_fork"}},
      {"ExceptionsByTheFlag",
       "throws",
       {"--gtest_catch_exceptions=1"},
       {{"GTEST_CATCH_EXCEPTIONS", "0"}}},
      {"NothingThrown", "fixtures", {"--gtest_catch_exceptions=0"}},
      {"MocksThatDoNotWarn", "mocks", {"--gmock_verbose=error"}},
      {"MocksThatRefuse", "mocks", {"--gmock_default_mock_behavior=2"}},
      {"Environments", "environments"},
      {"EnvironmentFails", "environments", {}, {{"ENVIRONMENT", "fails"}}},
      {"EnvironmentFailsFatally", "environments", {}, {{"ENVIRONMENT", "fails fatally"}}},
      {"EnvironmentSkips", "environments", {}, {{"ENVIRONMENT", "skips"}}},
      {"EnvironmentFailsAtTheEnd", "environments", {}, {{"ENVIRONMENT", "fails at the end"}}},
      {"EnvironmentsOnce",
       "environments",
       {"--gtest_repeat=2", "--gtest_recreate_environments_when_repeating=0"}},
      {"EnvironmentsAnew",
       "environments",
       {"--gtest_repeat=2", "--gtest_recreate_environments_when_repeating=1"}},
      {"RepeatUntilAnEnvironmentExits",
       "environments",
       {"--gtest_repeat=-1"},
       {{"ENVIRONMENT", "exits at the third end"}}},
      {"RepeatOfSuites", "suites", {"--gtest_repeat=3"}},
      {"RepeatOfProperties", "properties", {"--gtest_repeat=2"}},
      {"FilterInPlaceOfBazels",
       "kinds",
       {"--gtest_filter=Simple.*"},
       {{"TESTBRIDGE_TEST_ONLY", "Fixture.*"}}},
      {"FailFastInSetUp", "suites", {"--gtest_fail_fast"}},
      {"Variables",
       "variables",
       {},
       {{"TEST_TARGET", "//a:test"},
        {"TEST_WARNINGS_OUTPUT_FILE", "test.warnings"},
        {"TEST_INFRASTRUCTURE_FAILURE_FILE", "test.infrastructure_failure"},
        {"TEST_UNUSED_RUNFILES_LOG_FILE", "test.unused_runfiles_log"},
        {"TEST_LOGSPLITTER_OUTPUT_FILE", "test.raw_splitlogs/test.splitlogs"},
        {"TESTBRIDGE_TEST_ONLY", "Variables.*"}}},
      {"OwnMain", "listeners"},
      {"ListenerBefore", "listeners", {}, {{"LISTENER", "before"}}},
      {"ListenerAfter", "listeners", {}, {{"LISTENER", "after"}}},
      {"ListenerBeforeAndAfter", "listeners", {}, {{"LISTENER", "both"}}},
      {"ListenerInsteadOfThePrinter", "listeners", {}, {{"LISTENER", "instead"}}},
  });
}

void ExpectSame(const Finished& plain, const Finished& isolated) {
  EXPECT_EQ(plain.exit_code, isolated.exit_code);
  EXPECT_EQ(plain.signal, isolated.signal);
  EXPECT_EQ(WithoutTimes(WithoutMainsFile(plain.out)), WithoutTimes(isolated.out));
  EXPECT_EQ(WithoutTimes(plain.err), WithoutTimes(isolated.err));
  EXPECT_EQ(WithoutTimesInReport(plain.report), WithoutTimesInReport(isolated.report));
}

// Its main, its Environments or its listeners print something.
bool TellsHowOftenItIsExecuted(const std::string& specimen) {
  return specimen == "environments" || specimen == "listeners";
}

class SameAsPlain : public ::testing::TestWithParam<std::tuple<Way, Case>> {
 protected:
  static void Compare(bool merge_streams, const std::string& report) {
    const auto& [way, test_case] = GetParam();
    if (kHasThreadOfASanitizer && test_case.specimen == absl::string_view("deaths")) {
      GTEST_SKIP() << "gtest warns of the sanitizer's thread before it forks a death test";
    }
    if (way.name == absl::string_view("Exec") && TellsHowOftenItIsExecuted(test_case.specimen)) {
      GTEST_SKIP() << "the specimen tells how often it is executed";
    }
    Command command = CommandOf(test_case, merge_streams, report);
    const Finished plain = Execute(command);
    // Otherwise there is nothing to compare.
    ASSERT_NE(plain.exit_code, 127) << plain.err;
    ASSERT_NE(plain.out, "");
    command.build = Build::kIsolated;
    command.args.insert(command.args.end(), way.args.begin(), way.args.end());
    ExpectSame(plain, Execute(command));
  }
};

TEST_P(SameAsPlain, OnOneStreamAndInXml) { Compare(true, "xml"); }
TEST_P(SameAsPlain, OnTwoStreamsAndInJson) { Compare(false, "json"); }

INSTANTIATE_TEST_SUITE_P(
    , SameAsPlain, ::testing::Combine(::testing::ValuesIn(kWays), ::testing::ValuesIn(Cases())),
    [](const auto& test) {
      return absl::StrCat(std::get<0>(test.param).name, "_", std::get<1>(test.param).name);
    });

// That much output is the same follows from the above; this says what it is.
TEST(MuchOutput, StaysTogetherAndInOrder) {
  const Finished finished = Execute({"flood", Build::kIsolated, {"--isolate_jobs=8"}});
  const auto sections = Sections(finished.out);
  ASSERT_EQ(sections.size(), 40U);
  for (int test = 0; test < 40; ++test) {
    std::string expected;
    for (int line = 0; line < 200; ++line) {
      absl::StrAppend(&expected, "test ", test, " line ", line, "\n");
    }
    EXPECT_EQ(sections.at(absl::StrCat("Forty/Flood.IsInOrder/", test)).text, expected);
  }
}

// With a report for each of two runs that write into the same folder.
TEST(ReportFolder, HasTheSameFiles) {
  std::vector<std::string> reports;
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    const fs::path folder = fs::path(::testing::TempDir()) /
                            (build == Build::kPlain ? "plain_reports" : "isolated_reports");
    Command command{"fixtures", build, {"--gtest_output=xml:" + folder.string() + "/"}};
    command.environment = {{"ISOLATE_JOBS", "4"}};
    Execute(command);
    Execute(command);
    for (const char* name : {"fixtures.xml", "fixtures_1.xml"}) {
      std::ifstream file(folder / name);
      ASSERT_TRUE(file.is_open()) << folder / name;
      reports.push_back(
          WithoutTimesInReport(std::string(std::istreambuf_iterator<char>(file), {})));
    }
    fs::remove_all(folder);
  }
  EXPECT_THAT(reports[0], HasSubstr("</testsuites>"));
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0], reports[2]);
  EXPECT_EQ(reports[0], reports[3]);
}

// The path of a file that a program is to write: each kind of build has a folder of
// its own.
std::string PathFor(Build build, const std::string& name) {
  const fs::path folder =
      fs::path(::testing::TempDir()) / (build == Build::kPlain ? "plain" : "isolated");
  fs::create_directories(folder);
  return folder / name;
}

// A file that gtest writes because a variable names it: what Bazel asks for.
TEST(FileOfAVariable, IsTheSameReport) {
  std::vector<std::string> reports;
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    Command command{"properties", build};
    const std::string path = PathFor(build, "report.xml");
    command.environment = {{"XML_OUTPUT_FILE", path}, {"ISOLATE_JOBS", "4"}};
    Execute(command);
    std::ifstream file(path);
    reports.push_back(WithoutTimesInReport(std::string(std::istreambuf_iterator<char>(file), {})));
  }
  EXPECT_THAT(reports[0], HasSubstr("</testsuites>"));
  EXPECT_EQ(reports[0], reports[1]);
}

TEST(FileOfAVariable, TellsThatThereWereShards) {
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    const std::string path = PathFor(build, "shards");
    Command command{"variables", build};
    // As Bazel has them, which sets gtest's own as well.
    command.environment = {{"TEST_TOTAL_SHARDS", "2"},
                           {"TEST_SHARD_INDEX", "0"},
                           {"GTEST_TOTAL_SHARDS", "2"},
                           {"GTEST_SHARD_INDEX", "0"},
                           {"GTEST_SHARD_STATUS_FILE", path}};
    EXPECT_THAT(Execute(command).out, HasSubstr("GTEST_SHARD_STATUS_FILE is there"));
    EXPECT_TRUE(fs::exists(path));
  }
}

// It is left where the program ends before gtest does, and only there.
TEST(FileOfAVariable, TellsThatTheProgramEndedTooEarly) {
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    for (const bool exits : {false, true}) {
      SCOPED_TRACE(exits);
      const std::string path = PathFor(build, "premature_exit");
      Command command{"variables", build};
      command.environment = {{"TEST_PREMATURE_EXIT_FILE", path},
                             {"VARIABLES", exits ? "exits" : ""}};
      const Finished finished = Execute(command);
      EXPECT_EQ(finished.exit_code, exits ? 9 : 0);
      EXPECT_EQ(Count(finished.out, "TEST_PREMATURE_EXIT_FILE is there"), 2) << finished.out;
      EXPECT_EQ(fs::exists(path), exits);
    }
  }
}

// Runs the command with a terminal as its standard output and error.
std::string RunOnTerminal(Command command) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
    ADD_FAILURE() << "no terminal can be had";
    return "";
  }
  const std::string other_end = ptsname(terminal);
  command.before_exec = [other_end] {
    const int opened = open(other_end.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return opened >= 0 && dup2(opened, STDOUT_FILENO) >= 0 && dup2(opened, STDERR_FILENO) >= 0;
  };
  command.environment.emplace_back("TERM", "xterm");
  // Without an open other end, reading would fail until the program opens one.
  const int held = open(other_end.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  Program program(command);
  std::string text;
  char buffer[4096];
  // Its end is marked by the program's: what it prints fits into no pipe.
  close(held);
  for (;;) {
    const ssize_t size = read(terminal, buffer, sizeof(buffer));
    if (size <= 0) {
      break;  // EIO: nobody has the other end any more
    }
    text.append(buffer, static_cast<size_t>(size));
  }
  close(terminal);
  program.Wait();
  return WithoutTimes(text);
}

TEST(Terminal, ShowsTheSame) {
  for (const bool colours : {true, false}) {
    const std::string flag = colours ? "--gtest_color=auto" : "--gtest_color=no";
    std::string plain = RunOnTerminal({"output", Build::kPlain, {flag}});
    plain.erase(0, plain.find('\n') + 1);  // the main's file
    EXPECT_THAT(plain, HasSubstr(colours ? "\x1b[0;31m[  FAILED  ]" : "\n[  FAILED  ]"));
    for (const char* jobs : {"1", "4"}) {
      Command command{"output", Build::kIsolated, {flag}};
      command.environment = {{"ISOLATE_JOBS", jobs}};
      EXPECT_EQ(plain, RunOnTerminal(command));
    }
  }
}

// A server on the loopback, to which gtest streams.
class StreamTarget {
 public:
  StreamTarget() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // on a port of the kernel's choice
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(server_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(server_, SOMAXCONN), 0);
    EXPECT_EQ(getsockname(server_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    flag_ = absl::StrCat("--gtest_stream_result_to=127.0.0.1:", ntohs(address.sin_port));
  }
  ~StreamTarget() { close(server_); }
  StreamTarget(const StreamTarget&) = delete;
  StreamTarget& operator=(const StreamTarget&) = delete;

  const std::string& flag() const { return flag_; }

  // What came over each connection, once the program has ended.
  std::vector<std::string> Received() {
    std::vector<std::string> received;
    for (int connection; (connection = accept4(server_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      std::string& text = received.emplace_back();
      char buffer[4096];
      for (ssize_t size; (size = read(connection, buffer, sizeof(buffer))) > 0;) {
        text.append(buffer, static_cast<size_t>(size));
      }
      close(connection);
    }
    return received;
  }

 private:
  const int server_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::string flag_;
};

// What is streamed fits into the kernel's buffers, so nobody has to read meanwhile.  Also
// where the tests could reach the server, it is the program that speaks to it.  In a
// plain run the children of threadsafe death tests say hello, too.
TEST(Stream, IsTheSameOnOneConnection) {
  for (const char* specimen : {"fixtures", "kinds", "properties", "deaths"}) {
    if (kHasThreadOfASanitizer && specimen == absl::string_view("deaths")) {
      continue;  // as above
    }
    SCOPED_TRACE(specimen);
    StreamTarget target;
    const Finished plain = Execute({specimen, Build::kPlain, {target.flag()}});
    const std::vector<std::string> expected = target.Received();
    ASSERT_FALSE(expected.empty());
    EXPECT_THAT(expected[0], HasSubstr("event=TestProgramEnd"));
    for (const char* network : {"loopback", "host"}) {
      SCOPED_TRACE(network);
      const Finished isolated = Execute(
          {specimen,
           Build::kIsolated,
           {target.flag(), "--isolate_jobs=4", absl::StrCat("--isolate_network=", network)}});
      ExpectSame(plain, isolated);
      const std::vector<std::string> received = target.Received();
      ASSERT_EQ(received.size(), 1U);
      EXPECT_EQ(WithoutTimesInStream(received[0]), WithoutTimesInStream(expected[0]));
    }
  }
}

TEST(Help, IsGtestsWithOursBelow) {
  const Finished plain = Execute({"results", Build::kPlain, {"--help"}});
  const Finished isolated = Execute({"results", Build::kIsolated, {"--help"}});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_EQ(isolated.exit_code, 0);
  EXPECT_EQ(isolated.err, "");
  const std::string theirs = WithoutMainsFile(plain.out);
  ASSERT_EQ(isolated.out.substr(0, theirs.size()), theirs);
  const std::string ours = isolated.out.substr(theirs.size());
  for (const char* flag : {"--isolate=on", "--isolate_jobs=auto", "--isolate_network=loopback",
                           "--isolate_timeout=inf", "ISOLATE_JOBS"}) {
    EXPECT_THAT(ours, HasSubstr(flag));
  }
  EXPECT_EQ(Count(isolated.out, "[ RUN "), 0);
}

}  // namespace
}  // namespace isolate::plugin_tests
