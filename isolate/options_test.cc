#include "isolate/options.h"

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolation.h"

namespace isolate {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* name;
  std::function<void(Options&)> change;
  const char* message = "";  // of the error: the field, or what is right
};

std::ostream& operator<<(std::ostream& out, const Case& change) { return out << change.name; }

const auto kName = [](const auto& test) { return std::string(test.param.name); };

TEST(Validate, TakesTheDefaults) { EXPECT_EQ(Validate(Options()), absl::OkStatus()); }

class RightOptions : public ::testing::TestWithParam<Case> {};

TEST_P(RightOptions, AreTaken) {
  Options options;
  GetParam().change(options);
  EXPECT_EQ(Validate(options), absl::OkStatus());
}

INSTANTIATE_TEST_SUITE_P(
    Validate, RightOptions,
    ::testing::Values(
        Case{"NoNamespaceAtAll",
             [](Options& o) {
               o.pid_namespace = o.ipc_namespace = o.uts_namespace = o.mount_namespace = false;
               o.network = Network::kHost;
             }},
        Case{"LongestHostname", [](Options& o) { o.hostname = std::string(64, 'x'); }},
        Case{"HostnameOfEveryKindOfCharacter", [](Options& o) { o.hostname = "aZ-09.example"; }},
        Case{"AnyHostnameWhereItIsNotSet",
             [](Options& o) {
               o.uts_namespace = false;
               o.hostname = "not a name";
             }},
        Case{"NegativeTimeOffset", [](Options& o) { o.time_offset = -absl::Hours(1); }},
        Case{"Scratch", [](Options& o) { o.scratch = "/tmp/scratch"; }},
        Case{"ExtraPaths",
             [](Options& o) {
               o.read_only_paths = {"/usr"};
               o.writable_paths = {"/var/cache/x"};
             }},
        Case{"EmptyValueOfAVariable",
             [](Options& o) {
               o.environment = {{"A", ""}};
             }},
        Case{"SignInTheValueOfAVariable",
             [](Options& o) {
               o.environment = {{"A", "b=c"}};
             }},
        Case{"SmallestTimeout", [](Options& o) { o.timeout = absl::Nanoseconds(1); }},
        Case{"NoGrace", [](Options& o) { o.grace = absl::ZeroDuration(); }},
        Case{"NoOutput", [](Options& o) { o.output_limit_bytes = 0; }}),
    kName);

class WrongOptions : public ::testing::TestWithParam<Case> {};

TEST_P(WrongOptions, AreRefusedByName) {
  Options options;
  GetParam().change(options);
  const absl::Status status = Validate(options);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Validate, WrongOptions,
    ::testing::Values(
        Case{"PidNamespaceWithoutMountNamespace", [](Options& o) { o.mount_namespace = false; },
             "pid_namespace needs mount_namespace"},
        Case{"EmptyHostname", [](Options& o) { o.hostname = ""; },
             "hostname: \"\" must be 1 to 64"},
        Case{"LongHostname", [](Options& o) { o.hostname = std::string(65, 'x'); }, "hostname: "},
        Case{"HostnameWithABlank", [](Options& o) { o.hostname = "a b"; },
             "hostname: \"a b\" must be 1 to 64 letters, digits, hyphens or dots"},
        Case{"HostnameWithANewline", [](Options& o) { o.hostname = "a\nb"; }, "hostname: "},
        Case{"HostnameWithAnUnderscore", [](Options& o) { o.hostname = "a_b"; }, "hostname: "},
        Case{"InfiniteTimeOffset", [](Options& o) { o.time_offset = absl::InfiniteDuration(); },
             "time_offset: must be finite"},
        Case{"InfiniteNegativeTimeOffset",
             [](Options& o) { o.time_offset = -absl::InfiniteDuration(); },
             "time_offset: must be finite"},
        Case{"RelativeScratch", [](Options& o) { o.scratch = "scratch"; },
             "scratch: \"scratch\" must be an absolute path"},
        Case{"RootAsScratch", [](Options& o) { o.scratch = "/"; }, "scratch: the root folder"},
        Case{"RelativeFolderOfOutputs", [](Options& o) { o.full_output_folder = "outputs"; },
             "full_output_folder: \"outputs\" must be an absolute path"},
        Case{"RootOfManySlashes", [](Options& o) { o.scratch = "///"; },
             "scratch: the root folder"},
        Case{"NulInAPath", [](Options& o) { o.scratch = std::string("/a\0b", 4); },
             "scratch: a path must not contain a NUL byte"},
        Case{"RelativeReadOnlyPath",
             [](Options& o) {
               o.read_only_paths = {"/usr", "data"};
             },
             "read_only_paths: \"data\" must be an absolute path"},
        Case{"EmptyReadOnlyPath", [](Options& o) { o.read_only_paths = {""}; },
             "read_only_paths: \"\" must be an absolute path"},
        Case{"RelativeWritablePath", [](Options& o) { o.writable_paths = {"../data"}; },
             "writable_paths: \"../data\" must be an absolute path"},
        Case{"ExtraPathWithoutMountNamespace",
             [](Options& o) {
               o.pid_namespace = o.mount_namespace = false;
               o.writable_paths = {"/data"};
             },
             "read_only_paths and writable_paths need mount_namespace"},
        Case{"HiddenVariableWithAnEqualsSign", [](Options& o) { o.hidden_environment = {"A=b"}; },
             "hidden_environment: \"A=b\" is not the name of a variable"},
        Case{"VariableWithoutAName",
             [](Options& o) {
               o.environment = {{"", "x"}};
             },
             "environment: \"\" is not the name of a variable"},
        Case{"SignInTheNameOfAVariable",
             [](Options& o) {
               o.environment = {{"A=B", "x"}};
             },
             "environment: \"A=B\" is not the name of a variable"},
        Case{"NulInTheNameOfAVariable",
             [](Options& o) {
               o.environment = {{std::string("A\0B", 3), "x"}};
             },
             "environment: "},
        Case{"NulInTheValueOfAVariable",
             [](Options& o) {
               o.environment = {{"A", std::string("\0", 1)}};
             },
             "environment: \"A\""},
        Case{"NegativeTmpfsSize", [](Options& o) { o.tmpfs_size_bytes = -1; },
             "tmpfs_size_bytes: must not be negative"},
        Case{"NegativeMemoryLimit", [](Options& o) { o.memory_limit_bytes = -1; },
             "memory_limit_bytes: must not be negative"},
        Case{"NoTimeout", [](Options& o) { o.timeout = absl::ZeroDuration(); },
             "timeout: must be positive"},
        Case{"NegativeGrace", [](Options& o) { o.grace = -absl::Nanoseconds(1); },
             "grace: must not be negative"},
        Case{"NegativeOutputLimit", [](Options& o) { o.output_limit_bytes = -1; },
             "output_limit_bytes: must not be negative"}),
    kName);

TEST(IsolationOf, IsAllButTheCgroupUnlessSomethingElseIsSaid) {
  EXPECT_EQ(NamesOf(IsolationOf(Options())), "pid,network,sys,ipc,mqueue,uts,mount");
  Options options;
  options.cgroup_namespace = true;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  EXPECT_EQ(NamesOf(IsolationOf(options)), "pid,uts,mount,cgroup");
}

TEST(Without, LeavesTheRestAndHolds) {
  for (const Isolation kind : kIsolationKinds) {
    Isolations kinds;
    Add(kind, kinds);
    Options options;
    options.cgroup_namespace = true;
    const Options less = Without(options, kinds);
    EXPECT_EQ(IsolationOf(less), AllIsolations() & ~WithDependents(kinds)) << NameOf(kind);
    EXPECT_TRUE(Validate(less).ok()) << NameOf(kind);
  }
  EXPECT_TRUE(IsolationOf(Without(Options(), AllIsolations())).none());
}

}  // namespace
}  // namespace isolate
