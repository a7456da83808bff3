#include "benchmarks/commands.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "benchmarks/program.h"
#include "benchmarks/samples.h"

namespace isolate::benchmarks {
namespace {

constexpr int kExecutions = 100;
constexpr const char* kOurs = "isolate run";  // what the others are compared with

// One after another.
absl::StatusOr<double> MeasureCommand(const std::string& command) {
  const std::vector<Program> programs(kExecutions, Program{absl::StrSplit(command, ' '), {}});
  const absl::StatusOr<absl::Duration> took = RunAll(programs, /*in_flight=*/1);
  if (!took.ok()) {
    return took.status();
  }
  return absl::ToDoubleMicroseconds(*took) / kExecutions;
}

Subject Command(const std::string& name, const std::string& command, const std::string& base) {
  return {name, [=] { return MeasureCommand(command); }, base, {}, ""};
}

}  // namespace

std::vector<Subject> Commands() {
  const std::string program = "isolate/command/isolate run ";
  std::vector<Subject> subjects = {
      Command(kOurs, program + "-- true", ""),
      Command("isolate run, no leak checks", program + "--leaks=off -- true", kOurs),
      Command("no isolation", "true", kOurs)};
  if (IsOnPath("unshare")) {
    const std::string user = geteuid() == 0 ? "" : "--user --map-current-user ";
    subjects.push_back(Command(
        "unshare",
        absl::StrCat("unshare ", user, "--fork --pid --net --ipc --uts --mount --mount-proc true"),
        kOurs));
  }
  if (IsOnPath("bwrap")) {
    subjects.push_back(
        Command("bwrap", "bwrap --unshare-all --bind / / --dev /dev --proc /proc --tmpfs /tmp true",
                kOurs));
  }
  return subjects;
}

}  // namespace isolate::benchmarks
