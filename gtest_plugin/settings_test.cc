#include "gtest_plugin/settings.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/scoped_variable.h"
#include "isolate/isolation.h"
#include "isolate/options.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::ScopedVariable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const char* const kVariables[] = {"ISOLATE",          "ISOLATE_JOBS",     "ISOLATE_NETWORK",
                                  "ISOLATE_HOSTNAME", "ISOLATE_TMP_SIZE", "ISOLATE_TIMEOUT",
                                  "ISOLATE_GRACE",    "BAZEL_TEST",       "TEST_TARGET"};

// An argv as main gets it.
class Arguments {
 public:
  explicit Arguments(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
    for (std::string& argument : arguments_) {
      argv_.push_back(argument.data());
    }
    argc_ = static_cast<int>(argv_.size());
    argv_.push_back(nullptr);
  }

  absl::StatusOr<Settings> Parse() { return ParseSettings(&argc_, argv_.data()); }

  std::vector<std::string> left() const {
    EXPECT_EQ(argv_[static_cast<size_t>(argc_)], nullptr);
    return {argv_.begin(), argv_.begin() + argc_};
  }

 private:
  std::vector<std::string> arguments_;
  std::vector<char*> argv_;
  int argc_;
};

// Starts from an environment and flags that nobody has set.
class ParseSettingsTest : public ::testing::Test {
 protected:
  ParseSettingsTest() {
    for (const char* name : kVariables) {
      variables_.emplace_back(name, nullptr);
    }
  }

  static absl::StatusOr<Settings> Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "program");
    return Arguments(arguments).Parse();
  }

 private:
  std::vector<ScopedVariable> variables_;
  absl::FlagSaver flags_;
};

TEST_F(ParseSettingsTest, GivesTheLibrarysDefaults) {
  const auto settings = Parse({});
  ASSERT_EQ(settings.status(), absl::OkStatus());
  EXPECT_TRUE(settings->isolate);
  const Options defaults;
  EXPECT_EQ(settings->options.network, defaults.network);
  EXPECT_EQ(settings->options.hostname, defaults.hostname);
  EXPECT_EQ(settings->options.tmpfs_size_bytes, defaults.tmpfs_size_bytes);
  EXPECT_EQ(settings->options.timeout, defaults.timeout);
  EXPECT_EQ(settings->options.grace, defaults.grace);
}

TEST_F(ParseSettingsTest, RunsATestForEachCoreAtOnce) {
  EXPECT_EQ(Parse({})->jobs, std::max(1u, std::thread::hardware_concurrency()));
}

TEST_F(ParseSettingsTest, RunsOneTestAtATimeUnderBazelUnlessTold) {
  for (const char* name : {"BAZEL_TEST", "TEST_TARGET"}) {
    const ScopedVariable variable(name, "1");
    EXPECT_EQ(Parse({})->jobs, 1);
    EXPECT_EQ(Parse({"--isolate_jobs=3"})->jobs, 3);
    EXPECT_EQ(Parse({"--isolate_jobs=auto"})->jobs, 1);
  }
}

struct ValueCase {
  const char* name;
  const char* flag;
  const char* value;
  std::function<bool(const Settings&)> holds = nullptr;  // a right value
  const char* message = "";                              // a wrong one: what is right
};

std::ostream& operator<<(std::ostream& out, const ValueCase& value) { return out << value.name; }

const auto kName = [](const auto& test) { return std::string(test.param.name); };

std::string Variable(const ValueCase& value) { return absl::AsciiStrToUpper(value.flag); }

class RightValue : public ParseSettingsTest, public ::testing::WithParamInterface<ValueCase> {};

TEST_P(RightValue, IsTakenFromTheFlag) {
  for (const char* dashes : {"--", "-"}) {
    const auto settings = Parse({absl::StrCat(dashes, GetParam().flag, "=", GetParam().value)});
    ASSERT_EQ(settings.status(), absl::OkStatus());
    EXPECT_TRUE(GetParam().holds(*settings));
  }
}

TEST_P(RightValue, IsTakenFromTheEnvironment) {
  const ScopedVariable variable(Variable(GetParam()), GetParam().value);
  const auto settings = Parse({});
  ASSERT_EQ(settings.status(), absl::OkStatus());
  EXPECT_TRUE(GetParam().holds(*settings));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, RightValue,
    ::
        testing::
            Values(
                ValueCase{"On", "isolate", "on", [](const Settings& s) { return s.isolate; }},
                ValueCase{"Off", "isolate", "off", [](const Settings& s) { return !s.isolate; }},
                ValueCase{"OneJob", "isolate_jobs", "1",
                          [](const Settings& s) { return s.jobs == 1; }},
                ValueCase{"MostJobs", "isolate_jobs", "1024",
                          [](const Settings& s) { return s.jobs == 1024; }},
                ValueCase{
                    "LoopbackNetwork", "isolate_network", "loopback",
                    [](const Settings& s) { return s.options.network == Network::kLoopback; }},
                ValueCase{"NoNetwork", "isolate_network", "none",
                          [](const Settings& s) { return s.options.network == Network::kNone; }},
                ValueCase{"HostNetwork", "isolate_network", "host",
                          [](const Settings& s) { return s.options.network == Network::kHost; }},
                ValueCase{"NoPreference", "isolate_prefer", "none",
                          [](const Settings& s) { return s.options.preferred.none(); }},
                ValueCase{"AllPreferred", "isolate_prefer", "all",
                          [](const Settings& s) { return s.options.preferred.all(); }},
                ValueCase{"SomePreferred", "isolate_prefer", "network,sys",
                          [](const Settings& s) {
                            return NamesOf(s.options.preferred) == "network,sys";
                          }},
                ValueCase{"RequiredAlone", "isolate_require", "network",
                          [](const Settings& s) { return s.options.preferred.none(); }},
                ValueCase{"Hostname", "isolate_hostname", "node-1",
                          [](const Settings& s) { return s.options.hostname == "node-1"; }},
                ValueCase{"TmpSizeInBytes", "isolate_tmp_size", "4096",
                          [](const Settings& s) { return s.options.tmpfs_size_bytes == 4096; }},
                ValueCase{"TmpSizeInKilobytes", "isolate_tmp_size", "3K",
                          [](const Settings& s) { return s.options.tmpfs_size_bytes == 3 << 10; }},
                ValueCase{"TmpSizeInMegabytes", "isolate_tmp_size", "64M",
                          [](const Settings& s) { return s.options.tmpfs_size_bytes == 64 << 20; }},
                ValueCase{"TmpSizeInGigabytes", "isolate_tmp_size", "5G",
                          [](const Settings& s) {
                            return s.options.tmpfs_size_bytes == int64_t{5} << 30;
                          }},
                ValueCase{"LargestTmpSize", "isolate_tmp_size", "8589934591G",
                          [](const Settings& s) {
                            return s.options.tmpfs_size_bytes == int64_t{8589934591} << 30;
                          }},
                ValueCase{"TmpSizeOfHalfTheMemory", "isolate_tmp_size", "half",
                          [](const Settings& s) { return s.options.tmpfs_size_bytes == 0; }},
                ValueCase{"MemoryLimit", "isolate_memory", "2G",
                          [](const Settings& s) {
                            return s.options.memory_limit_bytes == int64_t{2} << 30;
                          }},
                ValueCase{"NoMemoryLimit", "isolate_memory", "none",
                          [](const Settings& s) { return s.options.memory_limit_bytes == 0; }},
                ValueCase{"OutputLimit", "isolate_output_limit", "2K",
                          [](const Settings& s) { return s.options.output_limit_bytes == 2048; }},
                ValueCase{
                    "TimeoutInSeconds", "isolate_timeout", "10s",
                    [](const Settings& s) { return s.options.timeout == absl::Seconds(10); }},
                ValueCase{
                    "TimeoutInParts", "isolate_timeout", "1m1.5s",
                    [](const Settings& s) { return s.options.timeout == absl::Seconds(61.5); }},
                ValueCase{
                    "NoTimeout", "isolate_timeout", "inf",
                    [](const Settings&
                           s) { return s.options.timeout == absl::InfiniteDuration(); }},
                ValueCase{
                    "Keep", "isolate_keep", "failed",
                    [](const Settings&
                           s) { return s.options.keep_failed && s.keep_failed == absl::Minutes(10); }},
                ValueCase{"KeepForLong", "isolate_keep", "failed:1h",
                          [](const Settings& s) { return s.keep_failed == absl::Hours(1); }},
                ValueCase{"KeepNothing", "isolate_keep",
                          "none", [](const Settings& s) { return !s.options.keep_failed; }},
                ValueCase{"LeaksOfAKind", "isolate_leaks", "ports:fail,ipc:off",
                          [](const Settings& s) {
                            return s.leaks.Of(LeakKind::kPort) == LeakPolicy::kFail &&
                                   s.leaks.Of(LeakKind::kPosix) == LeakPolicy::kOff &&
                                   s.leaks.Of(LeakKind::kFile) == LeakPolicy::kReport &&
                                   !Has(s.options.leaks, LeakKind::kSysv) &&
                                   Has(s.options.leaks, LeakKind::kPort);
                          }},
                ValueCase{"NoLeaks", "isolate_leaks", "off",
                          [](const Settings& s) { return s.options.leaks.none(); }},
                ValueCase{"AllowedLeaks", "isolate_allow_leaks", "fds:*.log,ports[A.*]:tcp *",
                          [](const Settings& s) {
                            return s.allowed_leaks == "fds:*.log,ports[A.*]:tcp *";
                          }},
                ValueCase{"AuditOfNames", "isolate_audit", "names",
                          [](const Settings& s) { return s.options.audit_names; }},
                ValueCase{"NoAudit", "isolate_audit", "off",
                          [](const Settings& s) { return !s.options.audit_names; }},
                ValueCase{"Report", "isolate_report", "a b/report.json",
                          [](const Settings& s) { return s.report == "a b/report.json"; }},
                ValueCase{"Trace", "isolate_trace", "a b/trace.json",
                          [](const Settings& s) { return s.trace == "a b/trace.json"; }},
                ValueCase{
                    "Grace", "isolate_grace", "500ms",
                    [](const Settings& s) { return s.options.grace == absl::Milliseconds(500); }},
                ValueCase{
                    "NoGrace", "isolate_grace", "0",
                    [](const Settings& s) { return s.options.grace == absl::ZeroDuration(); }}),
    kName);

class WrongValue : public ParseSettingsTest, public ::testing::WithParamInterface<ValueCase> {
 protected:
  static void ExpectRefused(const absl::StatusOr<Settings>& settings, const std::string& source) {
    EXPECT_TRUE(absl::IsInvalidArgument(settings.status())) << settings.status();
    EXPECT_THAT(settings.status().message(), HasSubstr(source));
    EXPECT_THAT(settings.status().message(), HasSubstr(GetParam().message));
  }
};

TEST_P(WrongValue, IsRefusedWithTheFlagAndWhatIsRight) {
  Arguments arguments({"program", "--isolate_jobs=2", "other",
                       absl::StrCat("--", GetParam().flag, "=", GetParam().value)});
  const std::vector<std::string> before = arguments.left();
  ExpectRefused(arguments.Parse(), absl::StrCat("--", GetParam().flag));
  EXPECT_EQ(arguments.left(), before) << "argv is not touched";
}

TEST_P(WrongValue, IsRefusedInTheEnvironment) {
  const ScopedVariable variable(Variable(GetParam()), GetParam().value);
  ExpectRefused(Parse({}), "");
}

INSTANTIATE_TEST_SUITE_P(
    Settings, WrongValue,
    ::testing::Values(
        ValueCase{"YesForOn", "isolate", "yes", nullptr, "on or off"},
        ValueCase{"NothingForOn", "isolate", "", nullptr, "on or off"},
        ValueCase{"CapitalOn", "isolate", "ON", nullptr, "on or off"},
        ValueCase{"NoJobs", "isolate_jobs", "0", nullptr, "auto, or a number from 1 to 1024"},
        ValueCase{"TooManyJobs", "isolate_jobs", "1025", nullptr,
                  "auto, or a number from 1 to 1024"},
        ValueCase{"NegativeJobs", "isolate_jobs", "-1", nullptr,
                  "auto, or a number from 1 to 1024"},
        ValueCase{"JobsThatOverflow", "isolate_jobs", "4294967297", nullptr,
                  "auto, or a number from 1 to 1024"},
        ValueCase{"JobsInWords", "isolate_jobs", "two", nullptr,
                  "auto, or a number from 1 to 1024"},
        ValueCase{"UnknownPreference", "isolate_prefer", "net", nullptr,
                  "none, all, or some of pid, network, sys, ipc, mqueue, uts, mount, cgroup"},
        ValueCase{"UnknownRequirement", "isolate_require", "pid,", nullptr,
                  "none, all, or some of pid"},
        ValueCase{"UnknownNetwork", "isolate_network", "bridge", nullptr, "loopback, none or host"},
        ValueCase{"EmptyHostname", "isolate_hostname", "", nullptr, "must be 1 to 64 letters"},
        ValueCase{"HostnameWithABlank", "isolate_hostname", "a b", nullptr,
                  "must be 1 to 64 letters, digits, hyphens or dots"},
        ValueCase{"NoTmpSize", "isolate_tmp_size", "0", nullptr, "a number of bytes"},
        ValueCase{"NoMemory", "isolate_memory", "0", nullptr, "none, or a number of bytes"},
        ValueCase{"NoOutputLimit", "isolate_output_limit", "0", nullptr, "a number of bytes"},
        ValueCase{"HalfAnOutputLimit", "isolate_output_limit", "half", nullptr,
                  "a number of bytes"},
        ValueCase{"NegativeTmpSize", "isolate_tmp_size", "-1K", nullptr, "a number of bytes"},
        ValueCase{"TmpSizeOfAnotherUnit", "isolate_tmp_size", "1T", nullptr, "K, M or G"},
        ValueCase{"UnknownScope", "isolate_scope", "class", nullptr, "test or suite"},
        ValueCase{"UnknownSuiteSetUp", "isolate_suite_setup", "once", nullptr, "each or snapshot"},
        ValueCase{"UnknownSpawn", "isolate_spawn", "thread", nullptr, "fork or exec"},
        ValueCase{"TmpSizeOfTwoUnits", "isolate_tmp_size", "1KM", nullptr, "K, M or G"},
        ValueCase{"TmpSizeWithoutDigits", "isolate_tmp_size", "K", nullptr, "half"},
        ValueCase{"TmpSizeThatOverflows", "isolate_tmp_size", "8589934592G", nullptr,
                  "a number of bytes"},
        ValueCase{"TimeoutWithoutAUnit", "isolate_timeout", "10", nullptr, "10s"},
        ValueCase{"TimeoutInWords", "isolate_timeout", "soon", nullptr, "inf"},
        ValueCase{"EmptyTimeout", "isolate_timeout", "", nullptr, "10s"},
        ValueCase{"TimeoutOfZero", "isolate_timeout", "0", nullptr, "must be positive"},
        ValueCase{"NegativeTimeout", "isolate_timeout", "-1s", nullptr, "must be positive"},
        ValueCase{"SlowOfZero", "isolate_slow", "0s", nullptr, "more than 0"},
        ValueCase{"SlowWithoutAUnit", "isolate_slow", "60", nullptr, "10s"},
        ValueCase{"AuditOfAll", "isolate_audit", "all", nullptr, "names or off"},
        ValueCase{"AuditWithoutAValue", "isolate_audit", "", nullptr, "names or off"},
        ValueCase{"KeepPassed", "isolate_keep", "passed", nullptr, "none, failed"},
        ValueCase{"KeepForNoTime", "isolate_keep", "failed:0s", nullptr, "failed:1h"},
        ValueCase{"KeepWithoutAUnit", "isolate_keep", "failed:10", nullptr, "failed:1h"},
        ValueCase{"GraceWithoutAUnit", "isolate_grace", "2", nullptr, "500ms"},
        ValueCase{"NegativeGrace", "isolate_grace", "-1s", nullptr, "must not be negative"}),
    kName);

TEST_F(ParseSettingsTest, NamesTheVariableOfAWrongValue) {
  const ScopedVariable variable("ISOLATE_JOBS", "many");
  EXPECT_THAT(std::string(Parse({}).status().message()), StartsWith("ISOLATE_JOBS=many: "));
}

TEST_F(ParseSettingsTest, AFlagWinsOverItsVariable) {
  const ScopedVariable variable("ISOLATE_JOBS", "3");
  EXPECT_EQ(Parse({"--isolate_jobs=5"})->jobs, 5);
}

TEST_F(ParseSettingsTest, AVariableWinsOverItsDefault) {
  const ScopedVariable of_target("ISOLATE_DEFAULT_JOBS", "3");
  EXPECT_EQ(Parse({})->jobs, 3);
  const ScopedVariable variable("ISOLATE_JOBS", "5");
  EXPECT_EQ(Parse({})->jobs, 5);
}

TEST_F(ParseSettingsTest, TheFlagWithoutANameHasADefaultToo) {
  const ScopedVariable of_target("ISOLATE_DEFAULT", "off");
  EXPECT_FALSE(Parse({})->isolate);
  EXPECT_TRUE(Parse({"--isolate=on"})->isolate);
}

TEST_F(ParseSettingsTest, NamesTheDefaultOfAWrongValue) {
  const ScopedVariable of_target("ISOLATE_DEFAULT_JOBS", "many");
  EXPECT_THAT(std::string(Parse({}).status().message()), StartsWith("ISOLATE_DEFAULT_JOBS=many: "));
}

TEST_F(ParseSettingsTest, RefusesADefaultOfNoFlag) {
  const ScopedVariable of_target("ISOLATE_DEFAULT_JOB", "3");
  EXPECT_THAT(std::string(Parse({}).status().message()),
              StartsWith("ISOLATE_DEFAULT_JOB: there is no such flag; there are: --isolate, "));
}

TEST_F(ParseSettingsTest, TheLastOfEqualFlagsWins) {
  EXPECT_EQ(Parse({"--isolate_jobs=5", "--isolate_jobs=6"})->jobs, 6);
}

TEST_F(ParseSettingsTest, AValueMayHaveASignInIt) {
  EXPECT_THAT(Parse({"--isolate_hostname=a=b"}).status().message(), HasSubstr("\"a=b\""));
}

TEST_F(ParseSettingsTest, RefusesAFlagWithoutAValue) {
  for (const std::string flag : {"--isolate", "--isolate_jobs", "-isolate_jobs"}) {
    const absl::Status status = Parse({flag}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(),
                HasSubstr(absl::StrCat(flag, ": a value is missing; write ", flag)));
  }
}

TEST_F(ParseSettingsTest, RequiresWhatIsPreferredAndRequired) {
  const auto settings = Parse({"--isolate_prefer=all", "--isolate_require=network,mount"});
  ASSERT_EQ(settings.status(), absl::OkStatus());
  EXPECT_EQ(NamesOf(settings->options.preferred), "pid,sys,ipc,mqueue,uts,cgroup");
}

TEST_F(ParseSettingsTest, RefusesToRequireWhatIsNotAskedFor) {
  const absl::Status status =
      Parse({"--isolate_network=host", "--isolate_require=network,mount"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(),
              HasSubstr("--isolate_require=network,mount: a sandbox as it is asked for has no "
                        "network;"));
  EXPECT_EQ(Parse({"--isolate_network=host", "--isolate_require=all"}).status(), absl::OkStatus());
}

TEST_F(ParseSettingsTest, RefusesAnUnknownFlagOfOursWithTheListOfFlags) {
  Arguments arguments({"program", "--isolate_job=4"});
  const absl::Status status = arguments.Parse().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(status.message(),
            "--isolate_job: there is no such flag; there are: --isolate, --isolate_jobs, "
            "--isolate_scope, --isolate_suite_setup, --isolate_spawn, --isolate_network, "
            "--isolate_hostname, "
            "--isolate_tmp_size, "
            "--isolate_memory, --isolate_output_limit, --isolate_timeout, --isolate_slow, "
            "--isolate_leaks, --isolate_allow_leaks, --isolate_audit, --isolate_grace, "
            "--isolate_keep, --isolate_report, --isolate_trace, --isolate_history, "
            "--isolate_verbose, --isolate_prefer, --isolate_require");
  EXPECT_THAT(arguments.left(), ElementsAre("program", "--isolate_job=4"));
}

TEST_F(ParseSettingsTest, LeavesWhatIsNotOursInItsOrder) {
  Arguments arguments({"program", "one", "--gtest_filter=a", "--isolate_jobs=2", "--unknown", "-x",
                       "--isolated=1", "---isolate_jobs=1", "isolate_jobs=1", "-", "",
                       "--isolate=off", "two"});
  const auto settings = arguments.Parse();
  ASSERT_EQ(settings.status(), absl::OkStatus());
  EXPECT_EQ(settings->jobs, 2);
  EXPECT_FALSE(settings->isolate);
  EXPECT_THAT(arguments.left(),
              ElementsAre("program", "one", "--gtest_filter=a", "--unknown", "-x", "--isolated=1",
                          "---isolate_jobs=1", "isolate_jobs=1", "-", "", "two"));
}

TEST_F(ParseSettingsTest, LeavesEverythingFromTwoDashesOn) {
  Arguments arguments({"program", "--isolate_jobs=2", "--", "--isolate_jobs=3", "--isolate_wrong"});
  const auto settings = arguments.Parse();
  ASSERT_EQ(settings.status(), absl::OkStatus());
  EXPECT_EQ(settings->jobs, 2);
  EXPECT_THAT(arguments.left(),
              ElementsAre("program", "--", "--isolate_jobs=3", "--isolate_wrong"));
}

TEST_F(ParseSettingsTest, LeavesTheProgramsNameWhateverItIs) {
  Arguments arguments({"--isolate_jobs=2"});
  ASSERT_EQ(arguments.Parse().status(), absl::OkStatus());
  EXPECT_THAT(arguments.left(), ElementsAre("--isolate_jobs=2"));
}

TEST_F(ParseSettingsTest, TakesAnArgvWithNothingInIt) {
  Arguments arguments({});
  EXPECT_EQ(arguments.Parse().status(), absl::OkStatus());
}

TEST(FlagsHelp, NamesEveryFlagWithItsDefault) {
  for (const char* flag :
       {"--isolate=on", "--isolate_jobs=auto", "--isolate_network=loopback", "--isolate_scope=test",
        "--isolate_suite_setup=each", "--isolate_spawn=fork", "--isolate_hostname=isolate",
        "--isolate_tmp_size=half", "--isolate_memory=none", "--isolate_timeout=inf",
        "--isolate_slow=1m", "--isolate_grace=2s", "--isolate_keep=none",
        "--isolate_leaks=all:report", "--isolate_allow_leaks=", "--isolate_audit=off",
        "--isolate_report=", "--isolate_trace="}) {
    EXPECT_THAT(FlagsHelp(), HasSubstr(absl::StrCat("  ", flag, "\n")));
  }
}

// The rule's attributes are written down once more, as Starlark cannot ask the program.
TEST(IsolatedCcTest, HasAnAttributeForEachFlag) {
  std::ifstream file("gtest_plugin/defs.bzl");
  const std::string rule((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::vector<std::string> lines = absl::StrSplit(FlagsHelp(), '\n');
  int flags = 0;
  for (absl::string_view line : lines) {
    if (!absl::ConsumePrefix(&line, "  --isolate")) {
      continue;
    }
    ++flags;
    absl::string_view name = line.substr(0, line.find('='));
    absl::ConsumePrefix(&name, "_");
    const absl::string_view attribute = name.empty()        ? "isolate"
                                        : name == "timeout" ? "test_timeout"
                                                            : name;
    EXPECT_THAT(rule, HasSubstr(absl::StrCat("\n        ", attribute, " = None,\n")));
  }
  EXPECT_GT(flags, 20);
}

}  // namespace
}  // namespace isolate::gtest
