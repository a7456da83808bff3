#include "gtest_plugin/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "gtest_plugin/flag_values.h"
#include "gtest_plugin/leak_policy.h"
#include "gtest_plugin/traits.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/options.h"

ABSL_FLAG(isolate::gtest::OnOff, isolate, isolate::gtest::OnOff::kOn,
          "on: every test in a sandbox of its own; off: as without isolate. Under a debugger it "
          "is off unless it is given.");
ABSL_FLAG(isolate::gtest::Jobs, isolate_jobs, isolate::gtest::Jobs{},
          "How many tests run at once. auto: one for each core, and 1 under Bazel, which runs "
          "tests side by side itself.");
ABSL_FLAG(isolate::gtest::Scope, isolate_scope, isolate::gtest::Scope::kTest,
          "test: a sandbox for each test, in which its suite's set-up runs, too; suite: one for a "
          "suite, whose tests run one after another in it, after one set-up.");
ABSL_FLAG(
    isolate::gtest::SuiteSetUp, isolate_suite_setup, isolate::gtest::SuiteSetUp::kEach,
    "each: a suite's set-up runs in every sandbox; snapshot: it runs once, and each test starts "
    "with the memory and the files that it left, as a copy; threads cannot be copied.");
ABSL_FLAG(
    isolate::gtest::Spawn, isolate_spawn, isolate::gtest::Spawn::kFork,
    "fork: a test runs in a fork of the program; exec: the program is executed again for each "
    "test, with its threads, its main and its Environments.");
ABSL_FLAG(isolate::gtest::NetworkKind, isolate_network, isolate::gtest::NetworkKind{},
          "loopback: a network of the test's own, with lo up and nothing else; none: lo is down "
          "too; host: the network outside.");
ABSL_FLAG(
    isolate::gtest::IsolationKinds, isolate_prefer, isolate::gtest::IsolationKinds{},
    "Kinds of isolation, as network,sys, that the tests run without where the host refuses them, "
    "which is said then: pid, network, sys, ipc, mqueue, uts, mount, cgroup; or all. What needs "
    "one of them has to be named, too (docs/troubleshooting.md).");
ABSL_FLAG(
    isolate::gtest::IsolationKinds, isolate_require, isolate::gtest::IsolationKinds{},
    "Kinds of isolation without which no test runs, whatever isolate_prefer says; all: none of "
    "them. What isolate_prefer does not name is required in any case.");
ABSL_FLAG(std::string, isolate_hostname, "isolate", "The host name that a test sees.");
ABSL_FLAG(isolate::gtest::TmpSize, isolate_tmp_size, isolate::gtest::TmpSize{},
          "The size limit of each private folder (/tmp, /var/tmp, /dev/shm, the scratch folder).");
ABSL_FLAG(isolate::gtest::MemoryLimit, isolate_memory, isolate::gtest::MemoryLimit{},
          "How much memory of its own each process of a test may have, with what it has from the "
          "program; more is std::bad_alloc there.");
ABSL_FLAG(isolate::gtest::OutputLimit, isolate_output_limit, isolate::gtest::OutputLimit{},
          "How much of what a test prints to each of stdout and stderr is kept, half of it from "
          "the beginning and half from the end.");
ABSL_FLAG(isolate::gtest::TimeSpan, isolate_timeout,
          isolate::gtest::TimeSpan{absl::InfiniteDuration()},
          "The time limit of each test, as 10s or 500ms; inf: none. Bazel's for the whole program "
          "(TEST_TIMEOUT) holds in any case: the run ends in time to write its report.");
ABSL_FLAG(isolate::gtest::TimeSpan, isolate_slow, isolate::gtest::TimeSpan{absl::Seconds(60)},
          "A test that is still running after this time is named, and again each time that it has "
          "run for twice as long; inf: never.");
ABSL_FLAG(isolate::gtest::TimeSpan, isolate_grace, isolate::gtest::TimeSpan{absl::Seconds(2)},
          "How long a test that is over its time limit has between SIGTERM and the end of its "
          "sandbox.");
ABSL_FLAG(
    isolate::gtest::KeepWhat, isolate_keep, isolate::gtest::KeepWhat{},
    "failed: the sandbox of a test that failed stays until Enter is pressed, for 10 minutes at "
    "most, with the command that enters it (failed:TIME: for another time); without a "
    "terminal its files are copied to TEST_UNDECLARED_OUTPUTS_DIR.");
ABSL_FLAG(isolate::gtest::LeakPolicies, isolate_leaks, isolate::gtest::LeakPolicies{},
          "What becomes of what a test leaves behind, by kind, as ports:fail,files:off: off, it is "
          "not looked for; report, it is told of; fail, and the test has failed. The kinds: ports, "
          "time_wait, sysv, posix, processes, threads, fds, files, state, ipc (sysv and posix), "
          "all (docs/leaks.md).");
ABSL_FLAG(std::string, isolate_allow_leaks, "",
          "Leaks that are meant: KIND:PATTERN for the name that is told, or KIND[TESTS]:PATTERN, "
          "with commas between several, as fds:*/app.log; or @FILE, with one on each line.");
ABSL_FLAG(
    isolate::gtest::Audit, isolate_audit, isolate::gtest::Audit{},
    "names: the shared names that each test uses, as ports, keys and files, are recorded, and "
    "at the end stands which tests would fight without isolation (docs/footprints.md); off.");
ABSL_FLAG(
    std::string, isolate_report, "",
    "A file that gets a report (docs/report.md): as JSON, or, if its name ends in .html, as a "
    "page for a browser; or several, with commas between them. Where "
    "TEST_UNDECLARED_OUTPUTS_DIR is set, a relative path begins there.");
ABSL_FLAG(std::string, isolate_trace, "",
          "A file that gets the run as a picture for https://ui.perfetto.dev or chrome://tracing: "
          "workers, tests, the making of sandboxes (docs/trace.md); a path as for "
          "isolate_report.");
ABSL_FLAG(std::string, isolate_history, "",
          "A file in which a run notes how long each test took, and which the next one reads, to "
          "start the longest first; the reports stay in gtest's order. One for each program; it "
          "need not be there yet.");
ABSL_FLAG(isolate::gtest::Verbose, isolate_verbose, isolate::gtest::Verbose{},
          "timing: at the end stands, on stderr, where the time went, step by step; off.");

namespace isolate::gtest {
namespace {

constexpr absl::string_view kFlagNames[] = {
    "isolate",         "isolate_jobs",         "isolate_scope",    "isolate_suite_setup",
    "isolate_spawn",   "isolate_network",      "isolate_hostname", "isolate_tmp_size",
    "isolate_memory",  "isolate_output_limit", "isolate_timeout",  "isolate_slow",
    "isolate_leaks",   "isolate_allow_leaks",  "isolate_audit",    "isolate_grace",
    "isolate_keep",    "isolate_report",       "isolate_trace",    "isolate_history",
    "isolate_verbose", "isolate_prefer",       "isolate_require",
};

struct Assignment {
  std::string source;  // "--isolate_jobs" or "ISOLATE_JOBS"
  std::string name;
  std::string value;
};

// The part of "--isolate_jobs=4" between the dashes and the sign, if the
// argument is one of ours.  gtest takes one dash or two, and so do we.
absl::optional<absl::string_view> OurFlag(absl::string_view argument) {
  if (!absl::ConsumePrefix(&argument, "--") && !absl::ConsumePrefix(&argument, "-")) {
    return absl::nullopt;
  }
  const absl::string_view name = argument.substr(0, argument.find('='));
  if (name == "isolate" || absl::StartsWith(name, "isolate_")) {
    return argument;
  }
  return absl::nullopt;
}

absl::Status Assign(const Assignment& assignment) {
  absl::CommandLineFlag* flag = nullptr;
  if (std::find(std::begin(kFlagNames), std::end(kFlagNames), assignment.name) !=
      std::end(kFlagNames)) {
    flag = absl::FindCommandLineFlag(assignment.name);
  }
  if (flag == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(assignment.source,
                                                   ": there is no such flag; there are: --",
                                                   absl::StrJoin(kFlagNames, ", --")));
  }
  std::string error;
  if (!flag->ParseFrom(assignment.value, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(assignment.source, "=", assignment.value, ": ", error));
  }
  return absl::OkStatus();
}

// What isolated_cc_test sets, as ISOLATE_DEFAULT_JOBS for isolate_jobs.  From 7.2 on Bazel prefers
// a target's own variables to --test_env, which should win here.
constexpr absl::string_view kDefaultPrefix = "ISOLATE_DEFAULT";

std::string FlagOfDefault(absl::string_view variable) {
  return absl::StrCat("isolate",
                      absl::AsciiStrToLower(absl::StripPrefix(variable, kDefaultPrefix)));
}

int DefaultJobs() {
  // Bazel's test-setup.sh sets it, and --run_under and shards inherit it.
  if (getenv("BAZEL_TEST") != nullptr || getenv("TEST_TARGET") != nullptr) {
    return 1;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::Duration BazelTimeLimit() {
  const char* text = getenv("TEST_TIMEOUT");
  int seconds = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &seconds) || seconds <= 0) {
    return absl::InfiniteDuration();
  }
  return absl::Seconds(seconds);
}

}  // namespace

absl::StatusOr<Settings> ParseSettings(int* argc, char** argv) {
  std::vector<Assignment> assignments;
  // Those of no flag, too: a setting in a BUILD file must not be without effect.
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::pair<absl::string_view, absl::string_view> variable =
        absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    if (absl::StartsWith(variable.first, kDefaultPrefix)) {
      assignments.push_back({std::string(variable.first), FlagOfDefault(variable.first),
                             std::string(variable.second)});
    }
  }
  for (const absl::string_view name : kFlagNames) {
    const std::string variable = absl::AsciiStrToUpper(name);
    if (const char* value = getenv(variable.c_str())) {
      assignments.push_back({variable, std::string(name), value});
    }
  }
  std::vector<char*> others;
  bool flags_over = false;
  for (int i = 0; i < *argc; ++i) {
    const absl::string_view argument = argv[i];
    flags_over = flags_over || argument == "--";
    const absl::optional<absl::string_view> ours =
        i == 0 || flags_over ? absl::nullopt : OurFlag(argument);
    if (!ours.has_value()) {
      others.push_back(argv[i]);
      continue;
    }
    const size_t sign = ours->find('=');
    if (sign == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(argument, ": a value is missing; write ", argument, "=VALUE"));
    }
    const absl::string_view name = ours->substr(0, sign);
    assignments.push_back(
        {absl::StrCat("--", name), std::string(name), std::string(ours->substr(sign + 1))});
  }
  for (const Assignment& assignment : assignments) {
    if (absl::Status status = Assign(assignment); !status.ok()) {
      return status;
    }
  }

  Settings settings;
  settings.isolate = absl::GetFlag(FLAGS_isolate) == OnOff::kOn;
  settings.isolate_given =
      std::any_of(assignments.begin(), assignments.end(),
                  [](const Assignment& assignment) { return assignment.name == "isolate"; });
  settings.jobs = absl::GetFlag(FLAGS_isolate_jobs).count;
  if (settings.jobs == 0) {
    settings.jobs = DefaultJobs();
  }
  settings.scope = absl::GetFlag(FLAGS_isolate_scope);
  settings.suite_setup = absl::GetFlag(FLAGS_isolate_suite_setup);
  settings.spawn = absl::GetFlag(FLAGS_isolate_spawn);
  if (settings.spawn == Spawn::kExec && settings.suite_setup == SuiteSetUp::kSnapshot) {
    return absl::InvalidArgumentError(
        "--isolate_spawn=exec: not with --isolate_suite_setup=snapshot, whose tests are forks");
  }
  settings.options.network = absl::GetFlag(FLAGS_isolate_network).network;
  settings.options.preferred =
      absl::GetFlag(FLAGS_isolate_prefer).kinds & ~absl::GetFlag(FLAGS_isolate_require).kinds;
  settings.options.hostname = absl::GetFlag(FLAGS_isolate_hostname);
  settings.options.tmpfs_size_bytes = absl::GetFlag(FLAGS_isolate_tmp_size).bytes;
  settings.options.memory_limit_bytes = absl::GetFlag(FLAGS_isolate_memory).bytes;
  settings.options.output_limit_bytes = absl::GetFlag(FLAGS_isolate_output_limit).bytes;
  settings.options.timeout = absl::GetFlag(FLAGS_isolate_timeout).duration;
  settings.slow = absl::GetFlag(FLAGS_isolate_slow).duration;
  if (settings.slow <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--isolate_slow=", absl::FormatDuration(settings.slow), ": expected inf, or more than 0"));
  }
  settings.keep_failed = absl::GetFlag(FLAGS_isolate_keep).failed;
  settings.options.keep_failed = settings.keep_failed > absl::ZeroDuration();
  settings.leaks = absl::GetFlag(FLAGS_isolate_leaks);
  settings.options.leaks = settings.leaks.Wanted();
  settings.allowed_leaks = absl::GetFlag(FLAGS_isolate_allow_leaks);
  settings.options.audit_names = absl::GetFlag(FLAGS_isolate_audit).names;
  settings.report = absl::GetFlag(FLAGS_isolate_report);
  settings.trace = absl::GetFlag(FLAGS_isolate_trace);
  settings.history = absl::GetFlag(FLAGS_isolate_history);
  settings.tells_timing = absl::GetFlag(FLAGS_isolate_verbose).timing;
  settings.run_limit = BazelTimeLimit();
  settings.options.grace = absl::GetFlag(FLAGS_isolate_grace).duration;
  if (absl::Status status = Validate(settings.options); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--isolate_", status.message()));
  }
  // Who leaves a process could not be told otherwise.
  if (settings.leaks.Of(LeakKind::kProcess) == LeakPolicy::kFail) {
    Remove(Isolation::kPid, settings.options.preferred);
  }
  if (absl::Status status = CheckRequired("--isolate_require", absl::GetFlag(FLAGS_isolate_require),
                                          settings.options);
      !status.ok()) {
    return status;
  }
  std::copy(others.begin(), others.end(), argv);
  *argc = static_cast<int>(others.size());
  argv[*argc] = nullptr;
  return settings;
}

absl::Span<const absl::string_view> FlagNames() { return kFlagNames; }

std::string FlagsHelp() {
  std::string help = "Isolation, each test in a sandbox of its own:\n";
  for (const absl::string_view name : kFlagNames) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    absl::StrAppend(&help, "  --", name, "=", flag->DefaultValue(), "\n      ", flag->Help(), "\n");
  }
  absl::StrAppend(&help,
                  "  Each flag has an environment variable of the same name in capitals, as\n"
                  "  ISOLATE_JOBS; the flag wins.\n");
  return help;
}

}  // namespace isolate::gtest
