#include "benchmarks/peers.h"

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "benchmarks/program.h"
#include "benchmarks/samples.h"

namespace isolate::benchmarks {
namespace {

constexpr int kTests = 1000;    // of the suite
constexpr int kExecuted = 200;  // of them, where a program is executed for each
constexpr const char* kFolder = "benchmarks/";

double Microseconds(absl::Duration duration) { return absl::ToDoubleMicroseconds(duration); }

// One execution for each of the first tests, two at once; microseconds a test.
absl::StatusOr<double> MeasureEach(const std::vector<std::string>& words) {
  std::vector<Program> programs;
  for (int test = 0; test < kExecuted; ++test) {
    Program program;
    for (const std::string& word : words) {
      program.argv.push_back(
          absl::StrReplaceAll(word, {{"{binary}", absl::StrCat(kFolder, "empty_plain")},
                                     {"{test}", absl::StrCat("Suite", test / 10, ".Test", test)},
                                     {"{jobs}", "2"}}));
    }
    programs.push_back(std::move(program));
  }
  const absl::StatusOr<absl::Duration> took = RunAll(programs, /*in_flight=*/2);
  if (!took.ok()) {
    return took.status();
  }
  return Microseconds(*took) / kExecuted;
}

// One execution for all.
absl::StatusOr<double> MeasureWhole(const std::vector<std::string>& words) {
  Program program;
  for (const std::string& word : words) {
    program.argv.push_back(absl::StrReplaceAll(
        word, {{"{binary}", absl::StrCat(kFolder, "empty_plain")}, {"{jobs}", "2"}}));
  }
  const absl::StatusOr<absl::Duration> took = RunAll({program}, /*in_flight=*/1);
  if (!took.ok()) {
    return took.status();
  }
  return Microseconds(*took) / kTests;
}

Subject Peer(const std::string& name, const std::string& command, const std::string& base) {
  const std::vector<std::string> words = absl::StrSplit(command, ' ');
  const bool each = absl::StrContains(command, "{test}");
  return {name, [=] { return each ? MeasureEach(words) : MeasureWhole(words); }, base, {}, ""};
}

}  // namespace

std::vector<Subject> Peers(const std::vector<std::string>& others, const std::string& base) {
  const std::string filter = "{binary} --gtest_filter={test}";
  const std::string shared = absl::StrCat(kFolder, "empty_plain_dynamic --gtest_filter={test}");
  std::vector<Subject> peers = {Peer("program executed per test", filter, base),
                                Peer("the same, shared libraries", shared, base)};
  const std::string user = geteuid() == 0 ? "" : "--user --map-current-user ";
  if (IsOnPath("unshare")) {
    peers.push_back(
        Peer("unshare per test",
             absl::StrCat("unshare ", user, "--fork --pid --net --ipc --uts --mount --mount-proc ",
                          filter),
             base));
  }
  if (IsOnPath("bwrap")) {
    peers.push_back(
        Peer("bwrap per test",
             absl::StrCat("bwrap --unshare-all --bind / / --dev /dev --proc /proc --tmpfs /tmp ",
                          filter),
             base));
  }
  for (const std::string& peer : others) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(peer, absl::MaxSplits('=', 1));
    peers.push_back(Peer(parts.first, parts.second, base));
  }
  return peers;
}

}  // namespace isolate::benchmarks
