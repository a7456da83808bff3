#include "isolate/command/list.h"

#include <getopt.h>
#include <pwd.h>
#include <sys/types.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "isolate/command/alive_sandboxes.h"
#include "isolate/command/exit_codes.h"
#include "isolate/internal/result_json.h"

namespace isolate::command {
namespace {

using internal::Json;

std::string UserOf(uid_t uid) {
  const passwd* user = getpwuid(uid);
  return user != nullptr ? user->pw_name : absl::StrCat(uid);
}

// As ps(1) shows it: what another user named must not move the cursor, or look like a line of ours.
std::string Printable(std::string text) {
  std::replace_if(text.begin(), text.end(), absl::ascii_iscntrl, '?');
  return text;
}

std::string NameOf(const AliveProcess& process) {
  return !process.test.empty()    ? absl::StrCat(", test ", Printable(process.test))
         : !process.suite.empty() ? absl::StrCat(", suite ", Printable(process.suite))
                                  : "";
}

void Print(const AliveSandbox& sandbox) {
  std::cout << "init " << sandbox.init << ", for "
            << absl::FormatDuration(absl::Trunc(absl::Now() - sandbox.since, absl::Seconds(1)))
            << ", of " << UserOf(sandbox.uid);
  if (sandbox.runner != 0) {
    std::cout << ", run by " << sandbox.runner << ": " << Printable(sandbox.runner_command);
  }
  const Json namespaces = internal::ToJson(sandbox.namespaces);
  std::cout << "\n  namespaces: "
            << absl::StrJoin(sandbox.kinds, ", ",
                             [&](std::string* out, const std::string& kind) {
                               absl::StrAppend(out, kind, " ", namespaces[kind].get<ino_t>());
                             })
            << "\n";
  for (const AliveProcess& process : sandbox.processes) {
    std::cout << "  process " << process.pid << " (" << process.inside << " inside)"
              << NameOf(process) << ": " << Printable(process.command) << "\n";
  }
  if (sandbox.processes.empty()) {
    std::cout << "  nothing runs in it\n";
  }
}

Json ToJson(const AliveSandbox& sandbox) {
  Json processes = Json::array();
  for (const AliveProcess& process : sandbox.processes) {
    Json json = {{"pid", process.pid}, {"inside", process.inside}, {"command", process.command}};
    if (!process.test.empty()) {
      json["test"] = process.test;
    }
    if (!process.suite.empty()) {
      json["suite"] = process.suite;
    }
    processes.push_back(std::move(json));
  }
  Json json = {{"init", sandbox.init},
               {"runner", sandbox.runner},
               {"runner_command", sandbox.runner_command},
               {"uid", sandbox.uid},
               {"user", UserOf(sandbox.uid)},
               {"since", absl::FormatTime(absl::RFC3339_sec, sandbox.since, absl::UTCTimeZone())},
               {"namespaces", internal::ToJson(sandbox.namespaces)}};
  json["isolated"] = sandbox.kinds;
  json["processes"] = std::move(processes);
  return json;
}

void PrintJson(const AliveSandboxes& alive) {
  Json list = Json::array();
  for (const AliveSandbox& sandbox : alive.sandboxes) {
    list.push_back(ToJson(sandbox));
  }
  const Json json = {{"version", 1}, {"sandboxes", list}, {"hidden", alive.hidden}};
  std::cout << internal::Text(json) << "\n";
}

void PrintText(const AliveSandboxes& alive) {
  for (const AliveSandbox& sandbox : alive.sandboxes) {
    Print(sandbox);
  }
  if (alive.sandboxes.empty()) {
    std::cout << "no sandbox is alive\n";
  }
  if (alive.hidden > 0) {
    std::cout << "not shown: " << alive.hidden << " of other users\n";
  }
}

}  // namespace

std::string ListHelp() {
  return "usage: isolate list [--json]\n"
         "\n"
         "Lists the sandboxes that are alive on this machine, and that the caller may\n"
         "look into: who runs them, their namespaces, by inode, and what runs in them,\n"
         "with the names of GoogleTest's tests.\n"
         "\n"
         "  --json\n"
         "      prints JSON\n"
         "  --help\n"
         "      prints this\n"
         "\n"
         "The exit code is 0; 2: wrong use.\n";
}

int List(int argc, char** argv) {
  static constexpr option kOptions[] = {{"json", no_argument, nullptr, 'j'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {nullptr, 0, nullptr, 0}};
  bool json = false;
  opterr = 0;
  optind = 0;
  for (int id; (id = getopt_long(argc, argv, "+h", kOptions, nullptr)) != -1;) {
    if (id == 'h') {
      std::cout << ListHelp();
      return 0;
    }
    if (id == '?') {
      std::cerr << "isolate list: " << argv[optind - 1]
                << ": there is no such option; there are --json and --help\n";
      return kWrongUseExitCode;
    }
    json = true;
  }
  if (optind < argc) {
    std::cerr << "isolate list: " << argv[optind]
              << ": no argument is expected; write isolate list [--json]\n";
    return kWrongUseExitCode;
  }
  const AliveSandboxes alive = FindAliveSandboxes();
  json ? PrintJson(alive) : PrintText(alive);
  return 0;
}

}  // namespace isolate::command
