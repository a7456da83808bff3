#include "isolate/command/run_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest_plugin/flag_values.h"
#include "gtest_plugin/leak_policy.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/options.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

enum Id {
  kPid = 256,  // above every character, which getopt_long(3) gives for short options
  kNoPid,
  kNet,
  kNoNet,
  kIpc,
  kNoIpc,
  kUts,
  kNoUts,
  kMount,
  kNoMount,
  kUser,
  kNoUser,
  kCgroup,
  kNoCgroup,
  kTime,
  kNoTime,
  kNetwork,
  kHostname,
  kScratch,
  kTmpfsSize,
  kReadOnly,
  kWritable,
  kMemory,
  kTimeout,
  kGrace,
  kLeaks,
  kReport,
  kAudit,
  kPrefer,
  kRequire,
  kVerbose,
  kHelp,
};

struct Option {
  Id id;
  const char* name;
  int has_arg;           // as of getopt_long(3)
  const char* value;     // as --help shows it
  const char* variable;  // of the environment, for a program that is given no options; or null
  const char* help;      // null: it stands with the one before
};

constexpr Option kOptions[] = {
    {kPid, "pid", no_argument, "", nullptr,
     "a pid namespace: nothing but the command and what it starts is seen, and all of it ends with "
     "the command (default)"},
    {kNoPid, "no-pid", no_argument, "", nullptr, nullptr},
    {kNet, "net", no_argument, "", nullptr,
     "a network of its own, with a loopback that is up and nothing else (default)"},
    {kNoNet, "no-net", no_argument, "", nullptr, nullptr},
    {kIpc, "ipc", no_argument, "", nullptr,
     "System V IPC and POSIX message queues of its own (default)"},
    {kNoIpc, "no-ipc", no_argument, "", nullptr, nullptr},
    {kUts, "uts", optional_argument, "[=NAME]", nullptr,
     "a host name of its own, which resolves (default, as \"isolate\")"},
    {kNoUts, "no-uts", no_argument, "", nullptr, nullptr},
    {kMount, "mount", no_argument, "", nullptr,
     "mounts of its own, with private /tmp, /var/tmp, /dev/shm and scratch folder, and fresh /proc "
     "and /sys (default); without them --no-pid, too"},
    {kNoMount, "no-mount", no_argument, "", nullptr, nullptr},
    {kUser, "user", no_argument, "", nullptr,
     "a user namespace, with the same uid and gid; --no-user: never; default: only where the other "
     "namespaces cannot be had without"},
    {kNoUser, "no-user", no_argument, "", nullptr, nullptr},
    {kCgroup, "cgroup", no_argument, "", nullptr,
     "a cgroup namespace: the caller's cgroup is the root"},
    {kNoCgroup, "no-cgroup", no_argument, "", nullptr, nullptr},
    {kTime, "time", optional_argument, "[=OFFSET]", nullptr,
     "a time namespace, with the monotonic clocks shifted by OFFSET, as 24h or -10s"},
    {kNoTime, "no-time", no_argument, "", nullptr, nullptr},
    {kNetwork, "network", required_argument, "=KIND", "ISOLATE_NETWORK",
     "loopback, as --net; none: the loopback is down, too; host, as --no-net"},
    {kHostname, "hostname", required_argument, "=NAME", "ISOLATE_HOSTNAME",
     "the same as --uts=NAME"},
    {kScratch, "scratch", required_argument, "=FOLDER", nullptr,
     "the scratch folder, which TMPDIR and TEST_TMPDIR point at (default: theirs, or /tmp)"},
    {kTmpfsSize, "tmpfs-size", required_argument, "=SIZE", "ISOLATE_TMP_SIZE",
     "the limit of each private folder, as 512M (default: half of the memory)"},
    {kReadOnly, "read-only", required_argument, "=PATH", nullptr,
     "a path that cannot be written to, and stays visible in a private folder"},
    {kWritable, "writable", required_argument, "=PATH", nullptr,
     "a path in a private folder that stays visible"},
    {kMemory, "memory", required_argument, "=SIZE", "ISOLATE_MEMORY",
     "how much memory of its own each process may have, as 1G"},
    {kTimeout, "timeout", required_argument, "=TIME", "ISOLATE_TIMEOUT",
     "sends SIGTERM after TIME, as 10s, and exits with 124"},
    {kGrace, "grace", required_argument, "=TIME", "ISOLATE_GRACE",
     "from that SIGTERM to the end of the sandbox (default: 2s)"},
    {kLeaks, "leaks", required_argument, "=POLICY", "ISOLATE_LEAKS",
     "what becomes of what the command leaves behind: report (default), fail (exit code 1) or off; "
     "by kind as ports:fail,files:off"},
    {kReport, "report", required_argument, "=FILE", "ISOLATE_REPORT",
     "writes what became of the command, as JSON"},
    {kAudit, "audit", required_argument, "=WHAT", "ISOLATE_AUDIT",
     "names: the report has every shared name that was used; off (default)"},
    {kPrefer, "prefer", required_argument, "=KINDS", "ISOLATE_PREFER",
     "goes on without these kinds of isolation, as sys,mqueue or all, where the host refuses them, "
     "and says so (default: none)"},
    {kRequire, "require", required_argument, "=KINDS", "ISOLATE_REQUIRE",
     "kinds without which nothing runs, whatever --prefer says"},
    {kVerbose, "verbose", no_argument, "", nullptr,
     "says on stderr what the sandbox was like, and what became of the command"},
    {kHelp, "help", no_argument, "", nullptr, "prints this"},
};

// Text with line breaks, each line behind as many blanks.
std::string Wrap(absl::string_view text, size_t indent) {
  constexpr size_t kWidth = 79;
  const std::string blanks(indent, ' ');
  std::string wrapped;
  std::string line = blanks;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() > indent && line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&wrapped, line, "\n");
      line = blanks;
    }
    absl::StrAppend(&line, line.size() > indent ? " " : "", word);
  }
  return absl::StrCat(wrapped, line, "\n");
}

// Reads a value as the flags of the gtest plugin do, so that the same ones are right.
template <typename Value>
absl::Status Read(absl::string_view option, absl::string_view text, Value* value) {
  using gtest::AbslParseFlag;
  std::string error;
  return AbslParseFlag(text, value, &error)
             ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat(option, "=", text, ": ", error));
}

// An existing path, made absolute.
absl::Status ReadPath(absl::string_view option, absl::string_view text, std::string* path) {
  std::error_code error;
  *path = fs::absolute(std::string(text), error).lexically_normal().string();
  if (text.empty() || !fs::exists(*path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", text, ": there is no such path; name one that exists"));
  }
  return absl::OkStatus();
}

absl::Status ReadFolder(absl::string_view option, absl::string_view text, std::string* path) {
  absl::Status status = ReadPath(option, text, path);
  std::error_code error;
  if (status.ok() && !fs::is_directory(*path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", text, ": that is no folder; name one that exists"));
  }
  return status;
}

absl::Status ReadPaths(absl::string_view option, absl::string_view text,
                       std::vector<std::string>* paths) {
  std::string path;
  absl::Status status = ReadPath(option, text, &path);
  if (status.ok()) {
    paths->push_back(path);
  }
  return status;
}

absl::Status ReadDuration(absl::string_view option, absl::string_view text, bool positive,
                          absl::Duration* duration) {
  gtest::TimeSpan span;
  absl::Status status = Read(option, text, &span);
  if (status.ok() && span.duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", text, ": a time cannot be negative; give one as 10s"));
  }
  if (status.ok() && positive && span.duration == absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", text, ": expected more than 0, as 10s"));
  }
  *duration = span.duration;
  return status;
}

// The kernel's own bounds of a shifted clock (proc_timens_set_offset, kernel/time/namespace.c).
absl::Status CheckOffset(absl::string_view option, absl::string_view text, absl::Duration offset) {
  // The one that stands still while the machine is suspended, and the one that does not.
  timespec slow = {};
  timespec fast = {};
  clock_gettime(CLOCK_MONOTONIC, &slow);
  clock_gettime(CLOCK_BOOTTIME, &fast);
  const absl::Duration least = -absl::DurationFromTimespec(slow);
  const absl::Duration most = absl::Nanoseconds(INT64_MAX / 2) - absl::DurationFromTimespec(fast);
  if (offset >= least && offset <= most) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(option, "=", text, ": the clocks cannot be shifted so far here; expected from ",
                   absl::ToInt64Seconds(least), "s to ", absl::ToInt64Hours(most), "h"));
}

absl::Status ReadOffset(absl::string_view option, absl::string_view text, Options* sandbox) {
  gtest::TimeSpan span;
  absl::Status status = Read(option, text, &span);
  if (status.ok() &&
      (span.duration == absl::InfiniteDuration() || span.duration == -absl::InfiniteDuration())) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", text, ": an offset is finite, as 24h or -10s"));
  }
  if (status.ok()) {
    status = CheckOffset(option, text, span.duration);
  }
  sandbox->time_offset = span.duration;
  return status;
}

absl::Status ReadReport(absl::string_view option, absl::string_view text, std::string* report) {
  *report = std::string(text);
  if (report->empty() || absl::EndsWith(*report, ".html")) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, "=", text, ": expected the name of a file that is to get JSON, as report.json"));
  }
  return absl::OkStatus();
}

template <typename Value, typename Field>
absl::Status ReadAs(absl::string_view option, absl::string_view text, Field Value::*field,
                    Field* to) {
  Value value;
  absl::Status status = Read(option, text, &value);
  *to = value.*field;
  return status;
}

// `name` is what the user wrote: an option with its dashes, or a variable.
absl::Status Apply(Id id, absl::string_view name, const char* text, RunOptions& options) {
  Options& sandbox = options.sandbox;
  const absl::string_view value = text != nullptr ? text : "";
  switch (id) {
    case kPid:
    case kNoPid:
      sandbox.pid_namespace = id == kPid;
      return absl::OkStatus();
    case kNet:
    case kNoNet:
      sandbox.network = id == kNet ? Network::kLoopback : Network::kHost;
      return absl::OkStatus();
    case kIpc:
    case kNoIpc:
      sandbox.ipc_namespace = id == kIpc;
      return absl::OkStatus();
    case kUts:
    case kNoUts:
      sandbox.uts_namespace = id == kUts;
      sandbox.hostname = text != nullptr ? text : sandbox.hostname;
      return absl::OkStatus();
    case kMount:
    case kNoMount:
      sandbox.mount_namespace = id == kMount;
      return absl::OkStatus();
    case kUser:
    case kNoUser:
      sandbox.user_namespace = id == kUser ? UserNamespace::kAlways : UserNamespace::kNever;
      return absl::OkStatus();
    case kCgroup:
    case kNoCgroup:
      sandbox.cgroup_namespace = id == kCgroup;
      return absl::OkStatus();
    case kTime:
      return ReadOffset(name, text != nullptr ? text : "0", &sandbox);
    case kNoTime:
      sandbox.time_offset.reset();
      return absl::OkStatus();
    case kNetwork:
      return ReadAs(name, value, &gtest::NetworkKind::network, &sandbox.network);
    case kHostname:
      sandbox.uts_namespace = true;
      sandbox.hostname = std::string(value);
      return absl::OkStatus();
    case kScratch:
      return ReadFolder(name, value, &sandbox.scratch);
    case kTmpfsSize:
      return ReadAs(name, value, &gtest::TmpSize::bytes, &sandbox.tmpfs_size_bytes);
    case kReadOnly:
      return ReadPaths(name, value, &sandbox.read_only_paths);
    case kWritable:
      return ReadPaths(name, value, &sandbox.writable_paths);
    case kMemory:
      return ReadAs(name, value, &gtest::MemoryLimit::bytes, &sandbox.memory_limit_bytes);
    case kTimeout:
      return ReadDuration(name, value, /*positive=*/true, &sandbox.timeout);
    case kGrace:
      return ReadDuration(name, value, /*positive=*/false, &sandbox.grace);
    case kLeaks:
      return Read(name, value, &options.leaks);
    case kReport:
      return ReadReport(name, value, &options.report);
    case kAudit:
      return ReadAs(name, value, &gtest::Audit::names, &sandbox.audit_names);
    case kPrefer:
      return ReadAs(name, value, &gtest::IsolationKinds::kinds, &sandbox.preferred);
    case kRequire:
      return Read(name, value, &options.required);
    case kVerbose:
      options.verbose = true;
      return absl::OkStatus();
    case kHelp:
      options.help = true;
      return absl::OkStatus();
  }
  return absl::InternalError("an option of which nothing is known");
}

// Of the options together.
absl::Status Check(RunOptions& options) {
  options.sandbox.leaks = options.leaks.Wanted();
  options.sandbox.preferred &= ~options.required.kinds;
  if (options.sandbox.pid_namespace && !options.sandbox.mount_namespace) {
    return absl::InvalidArgumentError(
        "--no-mount: give --no-pid, too; /proc would show the processes outside, and files that "
        "are named by a pid would collide");
  }
  if (!options.sandbox.pid_namespace &&
      options.leaks.Of(LeakKind::kProcess) == gtest::LeakPolicy::kFail) {
    return absl::InvalidArgumentError(
        "--leaks: processes cannot be looked for with --no-pid; give processes:off");
  }
  if (!options.sandbox.mount_namespace &&
      (!options.sandbox.scratch.empty() || options.sandbox.tmpfs_size_bytes != 0)) {
    return absl::InvalidArgumentError(
        "--scratch and --tmpfs-size: not with --no-mount, where no folder is private");
  }
  if (options.sandbox.audit_names && !options.sandbox.pid_namespace) {
    return absl::InvalidArgumentError(
        "--audit=names: not with --no-pid; who records the names ends with the sandbox, and nobody "
        "may go on without");
  }
  if (absl::Status status = gtest::CheckRequired("--require", options.required, options.sandbox);
      !status.ok()) {
    return status;
  }
  // Who leaves a process could not be told otherwise.
  if (options.leaks.Of(LeakKind::kProcess) == gtest::LeakPolicy::kFail) {
    Add(Isolation::kPid, options.required.kinds);
    Remove(Isolation::kPid, options.sandbox.preferred);
  }
  return Validate(options.sandbox);
}

std::vector<option> LongOptions() {
  std::vector<option> long_options;
  long_options.reserve(std::size(kOptions) + 1);
  for (const Option& known : kOptions) {
    long_options.push_back({known.name, known.has_arg, nullptr, known.id});
  }
  long_options.push_back({nullptr, 0, nullptr, 0});
  return long_options;
}

const Option* OptionOf(int id) {
  for (const Option& known : kOptions) {
    if (known.id == id) {
      return &known;
    }
  }
  return nullptr;
}

// What getopt_long(3) could not make sense of.
absl::Status Explain(int answer, int id, absl::string_view argument) {
  const Option* known = OptionOf(id);
  if (known == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        argument, ": there is no such option, or several begin so; see isolate run --help"));
  }
  if (answer == ':') {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", known->name, ": a value is missing; write --", known->name, known->value));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(argument, ": this option has no value; write --", known->name));
}

}  // namespace

absl::StatusOr<RunOptions> ParseRunOptions(int argc, char** argv) {
  RunOptions options;
  options.sandbox.streams = Streams::kInherited;
  const std::vector<option> long_options = LongOptions();
  opterr = 0;
  optind = 0;
  // '+': options of the command are not ours; ':': a missing value is told apart.
  for (int id; (id = getopt_long(argc, argv, "+:h", long_options.data(), nullptr)) != -1;) {
    if (id == '?' || id == ':') {
      return Explain(id, optopt, argv[optind - 1]);
    }
    const Option* known = OptionOf(id == 'h' ? kHelp : id);
    const absl::Status status = Apply(known->id, absl::StrCat("--", known->name), optarg, options);
    if (!status.ok()) {
      return status;
    }
  }
  if (options.help) {
    return options;
  }
  if (absl::Status status = Check(options); !status.ok()) {
    return status;
  }
  options.command.assign(argv + optind, argv + argc);
  if (options.command.empty()) {
    return absl::InvalidArgumentError(
        "a command is missing; write isolate run [OPTIONS] -- COMMAND [ARGUMENTS]");
  }
  return options;
}

absl::StatusOr<RunOptions> RunOptionsFromEnvironment() {
  RunOptions options;
  options.prefer_name = "ISOLATE_PREFER";
  options.sandbox.streams = Streams::kInherited;
  for (const Option& known : kOptions) {
    const char* value = known.variable != nullptr ? getenv(known.variable) : nullptr;
    if (value == nullptr) {
      continue;
    }
    if (absl::Status status = Apply(known.id, known.variable, value, options); !status.ok()) {
      return status;
    }
  }
  if (const char* value = getenv("ISOLATE_VERBOSE")) {
    absl::Status status =
        ReadAs("ISOLATE_VERBOSE", value, &gtest::Verbose::timing, &options.verbose);
    if (!status.ok()) {
      return status;
    }
  }
  if (absl::Status status = Check(options); !status.ok()) {
    return status;
  }
  return options;
}

std::string RunHelp() {
  std::string help =
      "usage: isolate run [OPTIONS] [--] COMMAND [ARGUMENTS]\n"
      "\n"
      "Runs a command in a Linux sandbox of its own, with the caller's standard\n"
      "streams, environment and working directory, and says on stderr what it left\n"
      "behind.  Everything in the sandbox ends with the command.\n"
      "\n";
  for (const Option& known : kOptions) {
    if (known.help == nullptr) {
      continue;
    }
    const Option* negation = &known + 1;
    absl::StrAppend(
        &help, "  --", known.name, known.value,
        known.id != kHelp && negation->help == nullptr ? absl::StrCat(", --", negation->name) : "",
        "\n", Wrap(known.help, 6));
  }
  absl::StrAppend(&help,
                  "\nThe exit code is the command's, or 128 + N where signal N ended it; 2: wrong\n"
                  "use; 3: no sandbox could be had, and nothing ran; 124: the time limit passed;\n"
                  "126: the command could not be executed; 127: there is no such command; 1: it\n"
                  "left what must not be left (--leaks=fail).\n");
  return help;
}

}  // namespace isolate::command
