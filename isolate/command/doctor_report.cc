#include "isolate/command/doctor_report.h"

#include <string.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "isolate/command/checkup.h"
#include "isolate/internal/restrictions.h"
#include "isolate/internal/result_json.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::command {
namespace {

using internal::FilteredCall;
using internal::Json;
using internal::Restrictions;
using State = StepCheck::State;

absl::string_view NameOf(State state) {
  switch (state) {
    case State::kWorks:
      return "works";
    case State::kFails:
      return "fails";
    case State::kNotNeeded:
      return "not needed";
    case State::kNotReached:
      return "not reached";
  }
  return "";
}

absl::string_view WhatIs(Isolation kind) {
  switch (kind) {
    case Isolation::kPid:
      return "processes, with a fresh /proc";
    case Isolation::kNetwork:
      return "ports and interfaces, with a loopback of its own";
    case Isolation::kSys:
      return "a fresh /sys";
    case Isolation::kIpc:
      return "System V objects and POSIX message queues";
    case Isolation::kMqueue:
      return "a fresh /dev/mqueue";
    case Isolation::kUts:
      return "the host name";
    case Isolation::kMount:
      return "private folders: /tmp, /var/tmp, /dev/shm, scratch";
    case Isolation::kCgroup:
      return "what /proc shows of cgroups";
  }
  return "";
}

std::string ErrnoName(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : absl::StrCat("errno ", error);
}

// "network,sys", of what the default sandbox has.
Isolations LostOf(const Checkup& checkup) {
  return IsolationOf(Options()) & ~checkup.remaining.value_or(Isolations());
}

// --- text ----------------------------------------------------------------------------

constexpr int kWidth = 60;

std::string Line(absl::string_view what, absl::string_view state) {
  return absl::StrFormat("  %-*s  %s\n", kWidth, what, state);
}

std::string StepText(const StepCheck& check) {
  if (!check.ailment.has_value()) {
    return Line(StepName(check.step), NameOf(check.state));
  }
  const SetupFailure& failure = check.ailment->failure;
  return absl::StrCat(
      Line(failure.detail.empty() ? std::string(StepName(check.step))
                                  : absl::StrCat(StepName(check.step), " (", failure.detail, ")"),
           absl::StrCat("fails: ", ErrnoName(failure.error))),
      "    ", check.ailment->explanation.meaning, "\n    ", check.ailment->explanation.remedy,
      "\n");
}

std::string KindText(const KindCheck& check) {
  return Line(absl::StrFormat("%-8s %s", NameOf(check.kind), WhatIs(check.kind)),
              check.ailment.has_value()
                  ? absl::StrCat("refused: cannot ", StepName(check.ailment->failure.step))
                  : "works");
}

std::string RemainingText(const Checkup& checkup) {
  if (checkup.has_default_sandbox) {
    return "";
  }
  if (!checkup.remaining.has_value()) {
    return "What remains: nothing, as not even a process without isolation can be started.\n";
  }
  if (checkup.remaining->none()) {
    return "What remains: no isolation; --isolate=off runs tests without.\n";
  }
  return absl::StrCat("What remains: ", NamesOf(*checkup.remaining),
                      "\n  --isolate_prefer=", NamesOf(LostOf(checkup)),
                      " runs tests with that, as does ISOLATE_PREFER=", NamesOf(LostOf(checkup)),
                      ".\n");
}

std::string Limit(int64_t limit) { return limit < 0 ? "none" : absl::StrCat(limit); }

std::string ListOf(const std::vector<std::string>& list) {
  return list.empty() ? "none" : absl::StrJoin(list, ", ");
}

std::string FactsText(const Restrictions& facts) {
  const std::string filtered =
      absl::StrJoin(facts.filtered, ", ", [](std::string* out, const FilteredCall& call) {
        absl::StrAppend(out, call.name, " (", call.error == 0 ? "kills" : ErrnoName(call.error),
                        ")");
      });
  std::string text = "Facts:\n";
  const auto add = [&](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text, absl::StrFormat("  %-48s  %s\n", name, value));
  };
  add("user",
      absl::StrCat(facts.uid, facts.may_administer ? ", with" : ", without", " CAP_SYS_ADMIN"));
  add("capabilities (CapEff)", absl::StrFormat("%016x", facts.capabilities));
  add("no_new_privs", facts.no_new_privileges ? "yes" : "no");
  add("seccomp mode", absl::StrCat(facts.seccomp_mode));
  add("system calls that a filter answers", filtered.empty() ? "none" : filtered);
  add("security label", facts.security_label.empty() ? "none" : facts.security_label);
  add("in a chroot", facts.in_chroot ? "yes" : "no");
  add("in a user namespace", facts.in_user_namespace ? "yes" : "no");
  add("in a container", facts.container.empty() ? "no sign of one" : facts.container);
  add("covered in /proc", ListOf(facts.covered_proc));
  add("covered in /sys", ListOf(facts.covered_sys));
  add("/dev/null", facts.has_null_device ? "can be opened" : "cannot be opened");
  for (const auto& [name, value] : facts.sysctls) {
    add(name, absl::StrCat(value));
  }
  add("limit on processes of the user (RLIMIT_NPROC)", Limit(facts.max_processes));
  add("limit on processes of the cgroup (pids.max)", Limit(facts.max_pids));
  add("limit on descriptors (RLIMIT_NOFILE)", Limit(facts.max_descriptors));
  return text;
}

// --- JSON ----------------------------------------------------------------------------

void AddAilment(const absl::optional<Ailment>& ailment, Json& json) {
  if (ailment.has_value()) {
    json["failed_step"] = StepName(ailment->failure.step);
    json["errno"] = ErrnoName(ailment->failure.error);
    json["detail"] = ailment->failure.detail;
    json["cause"] = ailment->explanation.meaning;
    json["remedy"] = ailment->explanation.remedy;
  }
}

Json LimitOrNull(int64_t limit) { return limit < 0 ? Json() : Json(limit); }

Json Facts(const Restrictions& facts) {
  Json filtered = Json::object();
  for (const FilteredCall& call : facts.filtered) {
    filtered[call.name] = call.error == 0 ? "kills" : ErrnoName(call.error);
  }
  return {{"uid", facts.uid},
          {"cap_sys_admin", facts.may_administer},
          {"capabilities", absl::StrFormat("%016x", facts.capabilities)},
          {"no_new_privs", facts.no_new_privileges},
          {"seccomp_mode", facts.seccomp_mode},
          {"filtered_calls", filtered},
          {"security_label", facts.security_label},
          {"in_chroot", facts.in_chroot},
          {"in_user_namespace", facts.in_user_namespace},
          {"container", facts.container},
          {"covered_proc", facts.covered_proc},
          {"covered_sys", facts.covered_sys},
          {"has_null_device", facts.has_null_device},
          {"sysctls", facts.sysctls},
          {"max_processes", LimitOrNull(facts.max_processes)},
          {"max_pids", LimitOrNull(facts.max_pids)},
          {"max_descriptors", LimitOrNull(facts.max_descriptors)}};
}

}  // namespace

std::string TextOf(const Checkup& checkup) {
  std::string text = checkup.has_default_sandbox
                         ? "The default sandbox can be had here.\n\nSteps:\n"
                         : "The default sandbox cannot be had here.\n\nSteps:\n";
  for (const StepCheck& check : checkup.steps) {
    text += StepText(check);
  }
  text += "\nKinds of isolation:\n";
  for (const KindCheck& check : checkup.kinds) {
    text += KindText(check);
  }
  absl::StrAppend(&text, "\n", RemainingText(checkup), checkup.has_default_sandbox ? "" : "\n",
                  FactsText(checkup.restrictions));
  return text;
}

std::string JsonOf(const Checkup& checkup) {
  Json steps = Json::array();
  for (const StepCheck& check : checkup.steps) {
    Json json = {{"step", StepName(check.step)}, {"state", NameOf(check.state)}};
    AddAilment(check.ailment, json);
    steps.push_back(std::move(json));
  }
  Json kinds = Json::array();
  for (const KindCheck& check : checkup.kinds) {
    Json json = {{"kind", NameOf(check.kind)}, {"works", !check.ailment.has_value()}};
    AddAilment(check.ailment, json);
    kinds.push_back(std::move(json));
  }
  Json json = {{"version", 1},
               {"default_sandbox", checkup.has_default_sandbox},
               {"steps", std::move(steps)},
               {"kinds", std::move(kinds)}};
  json["remaining"] = checkup.remaining.has_value() ? internal::ToJson(*checkup.remaining) : Json();
  json["lost"] = internal::ToJson(LostOf(checkup));
  json["facts"] = Facts(checkup.restrictions);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace isolate::command
