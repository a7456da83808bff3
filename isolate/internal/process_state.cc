#include "isolate/internal/process_state.h"

#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/directory.h"

namespace isolate::internal {
namespace {

// Indexed by the kernel's numbers, which are the same on x86-64 and arm64 (getrlimit(2)).
constexpr const char* kLimitNames[] = {
    "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
    "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
static_assert(RLIMIT_NOFILE == 7 && RLIMIT_RTTIME == 15, "that is their order");

constexpr const char* kTimerNames[] = {"timer REAL (alarm)", "timer VIRTUAL", "timer PROF"};
static_assert(ITIMER_REAL == 0 && ITIMER_VIRTUAL == 1 && ITIMER_PROF == 2, "that is their order");

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", signal);
}

std::string Text(const sigset_t& signals) {
  std::vector<std::string> names;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigismember(&signals, signal) == 1) {
      names.push_back(SignalName(signal));
    }
  }
  return names.empty() ? "none" : absl::StrJoin(names, " ");
}

std::string Text(void (*handler)(int)) {
  return handler == SIG_DFL ? "default"
         : handler == SIG_IGN
             ? "ignored"
             : absl::StrCat("handled at 0x", absl::Hex(reinterpret_cast<uintptr_t>(handler)));
}

std::string Text(const rlimit& limit) {
  const auto text = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::string("unlimited") : absl::StrCat(value);
  };
  return absl::StrCat(text(limit.rlim_cur), " of ", text(limit.rlim_max));
}

std::string Text(mode_t mask) { return absl::StrCat("0", mask >> 6 & 7, mask >> 3 & 7, mask & 7); }

mode_t ReadUmask(bool other_threads) {
  char text[4096];
  const char* line = nullptr;
  if (other_threads && ReadFile(AT_FDCWD, "/proc/self/status", text, sizeof(text)) > 0) {
    line = strstr(text, "\nUmask:\t");
  }
  if (line != nullptr) {
    return static_cast<mode_t>(strtoul(line + strlen("\nUmask:\t"), nullptr, 8));
  }
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

// "ID: 0\nsignal: 14/0000...\nnotify: signal/pid.5\nClockID: 0\n" for each (proc(5)).
std::map<std::string, std::string> ParseTimers(const std::string& text) {
  std::map<std::string, std::string> timers;
  std::string id;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, "ID: ")) {
      id = absl::StrCat("POSIX timer ", line.substr(strlen("ID: ")));
    } else if (absl::StartsWith(line, "notify: ")) {
      timers.emplace(id, line.substr(strlen("notify: ")));
    }
  }
  return timers;
}

// Adds what differs between the two, "" where one has no such value.
void CompareMaps(const std::map<std::string, std::string>& before,
                 const std::map<std::string, std::string>& after,
                 std::vector<ProcessState::Change>& changes) {
  for (const auto& [what, value] : before) {
    const auto now = after.find(what);
    if (now == after.end() || now->second != value) {
      changes.push_back({what, value, now != after.end() ? now->second : ""});
    }
  }
  for (const auto& [what, value] : after) {
    if (before.find(what) == before.end()) {
      changes.push_back({what, "", value});
    }
  }
}

}  // namespace

// What is text is made only where something differs: this runs twice in every test's process.
ProcessState ProcessState::Capture(bool other_threads, bool posix_timers) {
  ProcessState state;
  char text[PATH_MAX];
  state.working_directory_ = getcwd(text, sizeof(text)) != nullptr ? text : "(removed)";
  utsname names;
  if (uname(&names) == 0) {
    state.host_name_ = names.nodename;
  }
  if (const char* locale = setlocale(LC_ALL, nullptr)) {
    state.locale_ = locale;
  }
  state.umask_ = ReadUmask(other_threads);
  sigprocmask(SIG_SETMASK, nullptr, &state.blocked_);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0) {
      state.handlers_[static_cast<size_t>(signal)] = action.sa_handler;
    }
  }
  for (int i = 0; i < kLimits; ++i) {
    getrlimit(static_cast<decltype(RLIMIT_CORE)>(i), &state.limits_[static_cast<size_t>(i)]);
  }
  // A copy: the program may free what it put there.
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    state.environment_.append(*variable, strlen(*variable) + 1);
  }
  for (size_t i = 0; i < state.interval_timers_.size(); ++i) {
    itimerval now;
    state.interval_timers_[i] = getitimer(static_cast<decltype(ITIMER_REAL)>(i), &now) == 0 &&
                                (now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0);
  }
  if (posix_timers && internal::ReadFile(AT_FDCWD, "/proc/self/timers", text, sizeof(text)) > 0) {
    state.posix_timers_ = text;
  }
  return state;
}

void ProcessState::CompareEnvironment(const ProcessState& after,
                                      std::vector<Change>& changes) const {
  if (environment_ == after.environment_) {
    return;
  }
  const auto map = [](absl::string_view environment) {
    std::map<std::string, std::string> variables;
    for (const absl::string_view variable : absl::StrSplit(environment, '\0', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(variable, absl::MaxSplits('=', 1));
      variables.emplace(absl::StrCat("variable ", parts.first),
                        absl::StrCat("\"", parts.second, "\""));
    }
    return variables;
  };
  CompareMaps(map(environment_), map(after.environment_), changes);
}

void ProcessState::CompareTimers(const ProcessState& after, std::vector<Change>& changes) const {
  for (size_t i = 0; i < interval_timers_.size(); ++i) {
    if (interval_timers_[i] != after.interval_timers_[i]) {
      changes.push_back({kTimerNames[i], interval_timers_[i] ? "set" : "",
                         after.interval_timers_[i] ? "set" : ""});
    }
  }
  if (posix_timers_ != after.posix_timers_) {
    CompareMaps(ParseTimers(posix_timers_), ParseTimers(after.posix_timers_), changes);
  }
}

std::vector<ProcessState::Change> ProcessState::ChangesTo(const ProcessState& after) const {
  std::vector<Change> changes;
  const auto compare = [&](const std::string& what, const auto& before, const auto& now) {
    if (before != now) {
      changes.push_back({what, Text(before), Text(now)});
    }
  };
  const auto compare_text = [&](const char* what, const std::string& before,
                                const std::string& now) {
    if (before != now) {
      changes.push_back({what, before, now});
    }
  };
  compare_text("working directory", working_directory_, after.working_directory_);
  compare_text("host name", host_name_, after.host_name_);
  compare_text("locale", locale_, after.locale_);
  compare("umask", umask_, after.umask_);
  if (memcmp(&blocked_, &after.blocked_, sizeof(blocked_)) != 0) {
    changes.push_back({"blocked signals", Text(blocked_), Text(after.blocked_)});
  }
  for (size_t signal = 1; signal < handlers_.size(); ++signal) {
    if (handlers_[signal] != after.handlers_[signal]) {
      compare(SignalName(static_cast<int>(signal)), handlers_[signal], after.handlers_[signal]);
    }
  }
  for (size_t i = 0; i < limits_.size(); ++i) {
    const rlimit& before = limits_[i];
    const rlimit& now = after.limits_[i];
    if (before.rlim_cur != now.rlim_cur || before.rlim_max != now.rlim_max) {
      changes.push_back({absl::StrCat("limit ", kLimitNames[i]), Text(before), Text(now)});
    }
  }
  CompareEnvironment(after, changes);
  CompareTimers(after, changes);
  return changes;
}

}  // namespace isolate::internal
