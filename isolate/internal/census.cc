#include "isolate/internal/census.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/numbers_in.h"
#include "isolate/result.h"

namespace isolate::internal {
namespace {

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// /proc/PID/status or /proc/PID/task/TID/status (proc(5)).
class Status {
 public:
  explicit Status(const std::string& folder) : text_(Contents(folder + "/status")) {
    for (const absl::string_view line : absl::StrSplit(text_, '\n')) {
      const std::pair<absl::string_view, absl::string_view> field =
          absl::StrSplit(line, absl::MaxSplits(':', 1));
      fields_.emplace(field.first, absl::StripAsciiWhitespace(field.second));
    }
  }

  // Empty where there is no such field.
  absl::string_view Field(absl::string_view name) const {
    const auto field = fields_.find(name);
    return field != fields_.end() ? field->second : absl::string_view();
  }

  // The id in the innermost pid namespace, or 0.
  pid_t InnerId() const {
    pid_t id = 0;
    const absl::string_view ids = Field("NSpid");
    return absl::SimpleAtoi(ids.substr(ids.find_last_of('\t') + 1), &id) ? id : 0;
  }

 private:
  const std::string text_;
  absl::flat_hash_map<absl::string_view, absl::string_view> fields_;
};

Thread LookAtThread(const std::string& folder) {
  const Status status(folder);
  Thread thread;
  thread.id = status.InnerId();
  thread.name = std::string(status.Field("Name"));
  if (const absl::string_view state = status.Field("State"); !state.empty()) {
    thread.state = state.front();
  }
  // "0" for one that runs, and where the kernel does not tell.
  if (const std::string function = Contents(folder + "/wchan"); function != "0") {
    thread.waits_in = function;
  }
  return thread;
}

}  // namespace

std::vector<Process> TakeCensus(ino_t pid_namespace) {
  std::vector<Process> processes;
  std::vector<pid_t> parents;                   // as the caller sees them
  absl::flat_hash_map<pid_t, pid_t> inner_ids;  // by what the caller sees
  for (const pid_t pid : NumbersIn("/proc")) {
    const std::string folder = absl::StrCat("/proc/", pid);
    struct stat space;
    if (stat((folder + "/ns/pid").c_str(), &space) != 0 || space.st_ino != pid_namespace) {
      continue;
    }
    const Status status(folder);
    const pid_t inner_id = status.InnerId();
    inner_ids.emplace(pid, inner_id);
    if (inner_id <= 1) {
      continue;
    }
    Process process;
    process.id = inner_id;
    const std::string arguments = Contents(folder + "/cmdline");
    process.command = std::string(absl::StripTrailingAsciiWhitespace(
        absl::StrReplaceAll(arguments, {{absl::string_view("\0", 1), " "}})));
    for (const pid_t thread : NumbersIn(folder + "/task")) {
      process.threads.push_back(LookAtThread(absl::StrCat(folder, "/task/", thread)));
    }
    pid_t parent = 0;
    (void)absl::SimpleAtoi(status.Field("PPid"), &parent);
    parents.push_back(parent);
    processes.push_back(std::move(process));
  }
  for (size_t i = 0; i < processes.size(); ++i) {
    const auto parent = inner_ids.find(parents[i]);
    processes[i].parent = parent != inner_ids.end() ? parent->second : 0;
  }
  return processes;
}

}  // namespace isolate::internal
