#include "isolate/command/alive_sandboxes.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest_plugin/running_test.h"
#include "gtest_plugin/running_tests.h"
#include "isolate/internal/numbers_in.h"
#include "isolate/internal/result_json.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

using internal::KindsThatDiffer;
using internal::NamespacesOf;
using internal::NumbersIn;

constexpr absl::string_view kInitName = "isolate-init";

std::string Folder(pid_t pid) { return absl::StrCat("/proc/", pid); }

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> ArgumentsOf(pid_t pid) {
  const std::string text = Contents(Folder(pid) + "/cmdline");
  return absl::StrSplit(absl::StripSuffix(text, absl::string_view("\0", 1)), '\0');
}

std::string NameOf(pid_t pid) {
  return std::string(absl::StripAsciiWhitespace(Contents(Folder(pid) + "/comm")));
}

// A line of /proc/PID/status (proc(5)); empty where there is none.
std::string StatusOf(pid_t pid, absl::string_view name) {
  const std::string text = Contents(Folder(pid) + "/status");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, ":")) {
      return std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return "";
}

// Of which nobody has taken notice yet.
bool HasEnded(pid_t pid) {
  const std::string state = StatusOf(pid, "State");
  return state.empty() || state[0] == 'Z' || state[0] == 'X';
}

// "Uid" or "Gid".  The owner of /proc/PID would be root where a process lets nobody look into it.
uint32_t EffectiveIdOf(pid_t pid, absl::string_view kind) {
  const std::string text = StatusOf(pid, kind);
  const std::vector<std::string> ids = absl::StrSplit(text, '\t');
  uint32_t id = 0;
  return ids.size() > 1 && absl::SimpleAtoi(ids[1], &id) ? id : kNoId;
}

pid_t ParentOf(pid_t pid) {
  pid_t parent = 0;
  return absl::SimpleAtoi(StatusOf(pid, "PPid"), &parent) ? parent : 0;
}

// Its numbers in the pid namespaces that it is in, from ours inwards.
std::vector<pid_t> IdsOf(pid_t pid) {
  const std::string text = StatusOf(pid, "NSpid");
  std::vector<pid_t> ids;
  for (absl::string_view word : absl::StrSplit(text, '\t', absl::SkipEmpty())) {
    pid_t id = 0;
    ids.push_back(absl::SimpleAtoi(word, &id) ? id : 0);
  }
  return ids;
}

pid_t InnermostIdOf(pid_t pid) {
  const std::vector<pid_t> ids = IdsOf(pid);
  return ids.empty() ? 0 : ids.back();
}

// From field 22 of its stat, in ticks since the start of the machine, as /proc/uptime is.
absl::Time StartOf(pid_t pid) {
  const std::string stat = Contents(Folder(pid) + "/stat");
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ', absl::SkipEmpty());
  const std::string uptime = Contents("/proc/uptime");
  double ticks = 0;
  double now = 0;
  if (fields.size() <= 19 || !absl::SimpleAtod(fields[19], &ticks) ||
      !absl::SimpleAtod(uptime.substr(0, uptime.find(' ')), &now)) {
    return absl::InfinitePast();
  }
  const double started = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  return absl::Now() - absl::Seconds(std::max(now - started, 0.0));
}

// "Suite.Test" of --gtest_filter=Suite.Test, which names one test and no pattern.
std::string TestOf(const std::vector<std::string>& arguments) {
  for (absl::string_view argument : arguments) {
    if (absl::ConsumePrefix(&argument, "--gtest_filter=") &&
        argument.find_first_of("*?:-") == absl::string_view::npos &&
        absl::StrContains(argument, '.')) {
      return std::string(argument);
    }
  }
  return "";
}

// A process is in a pid namespace or not; in a sandbox without one, it has all of its kinds.
bool IsInside(const Namespaces& process, const AliveSandbox& sandbox) {
  if (absl::c_linear_search(sandbox.kinds, "pid")) {
    return process.pid == sandbox.namespaces.pid;
  }
  return KindsThatDiffer(sandbox.namespaces, process).empty();
}

// What runners say of the processes that they have forked; each is asked once.
class Names {
 public:
  // Puts the name in, if there is one; it is surer than that of a command line, which forks share.
  void Tell(AliveProcess& process) {
    const pid_t runner = ParentOf(process.pid);
    const auto [running, is_new] = running_.try_emplace(runner);
    if (is_new) {
      running->second = gtest::RunningTestsOf(runner);
    }
    if (running->second.empty()) {
      return;
    }
    // The runner knows it by its number in the runner's own namespace.
    const size_t depth = IdsOf(runner).size();
    const std::vector<pid_t> ids = IdsOf(process.pid);
    if (depth == 0 || depth > ids.size()) {
      return;
    }
    for (const gtest::RunningTest& test : running->second) {
      if (test.process == ids[depth - 1]) {
        const bool several = test.test.empty();
        process.test = several ? "" : absl::StrCat(test.suite, ".", test.test);
        process.suite = several ? test.suite : "";
      }
    }
  }

 private:
  std::map<pid_t, std::vector<gtest::RunningTest>> running_;
};

AliveProcess Look(pid_t pid, Names& names) {
  const std::vector<std::string> arguments = ArgumentsOf(pid);
  AliveProcess process{pid, InnermostIdOf(pid), absl::StrJoin(arguments, " "), TestOf(arguments),
                       ""};
  names.Tell(process);
  return process;
}

// Whose helpers, which have such names, made the init.
pid_t RunnerOf(pid_t init) {
  pid_t runner = ParentOf(init);
  while (runner != 0 && absl::StartsWith(NameOf(runner), "isolate-")) {
    runner = ParentOf(runner);
  }
  return runner;
}

AliveSandbox LookAtInit(pid_t init, const Namespaces& namespaces) {
  AliveSandbox sandbox;
  sandbox.init = init;
  sandbox.namespaces = namespaces;
  sandbox.since = StartOf(init);
  sandbox.uid = EffectiveIdOf(init, "Uid");
  sandbox.gid = EffectiveIdOf(init, "Gid");
  sandbox.runner = RunnerOf(init);
  if (sandbox.runner != 0) {
    sandbox.runner_command = absl::StrJoin(ArgumentsOf(sandbox.runner), " ");
    const Namespaces outside = NamespacesOf(Folder(sandbox.runner));
    if (outside.mnt != 0) {
      sandbox.kinds = KindsThatDiffer(namespaces, outside);
    }
  }
  return sandbox;
}

}  // namespace

AliveSandboxes FindAliveSandboxes() {
  AliveSandboxes alive;
  std::vector<std::pair<pid_t, Namespaces>> others;
  for (const pid_t pid : NumbersIn("/proc")) {
    const Namespaces namespaces = NamespacesOf(Folder(pid));
    if (pid == 1 && NameOf(pid) == kInitName) {
      continue;  // of the sandbox in which we are, of which nothing outside is to be seen
    }
    if (NameOf(pid) != kInitName) {
      others.emplace_back(pid, namespaces);
    } else if (namespaces.mnt == 0) {
      alive.hidden += HasEnded(pid) ? 0 : 1;
    } else {
      alive.sandboxes.push_back(LookAtInit(pid, namespaces));
    }
  }
  Names names;
  for (AliveSandbox& sandbox : alive.sandboxes) {
    for (const auto& [pid, namespaces] : others) {
      if (!sandbox.kinds.empty() && namespaces.mnt != 0 && IsInside(namespaces, sandbox)) {
        sandbox.processes.push_back(Look(pid, names));
      }
    }
  }
  std::stable_sort(alive.sandboxes.begin(), alive.sandboxes.end(),
                   [](const AliveSandbox& a, const AliveSandbox& b) { return a.since < b.since; });
  return alive;
}

}  // namespace isolate::command
