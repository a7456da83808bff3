// What a system call costs whose names are recorded (Options::audit_names), and what one costs that
// uses none: both in a sandbox, with and without the record, by turns.
//
//   tools/bazel run -c opt //benchmarks:audit

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "isolate/isolate.h"

namespace {

constexpr int kRounds = 7;
constexpr int kCalls = 5000;

struct Subject {
  const char* name;
  void (*call)();
};

void Open(int flags) { close(open("/tmp/file", flags | O_CLOEXEC, 0600)); }

void Bind(uint16_t port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  (void)!bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  close(bound);
}

constexpr Subject kSubjects[] = {
    {"recorded: open(O_CREAT), close", [] { Open(O_CREAT | O_RDWR); }},
    {"recorded: mkdir", [] { (void)!mkdir("/tmp", 0700); }},
    {"recorded: unlink", [] { unlink("/tmp/nothing"); }},
    {"recorded: socket, bind, close", [] { Bind(8080); }},
    {"recorded: socket, bind to port 0, close", [] { Bind(0); }},
    {"not recorded: open(O_RDONLY), close", [] { Open(O_RDONLY); }},
    {"not recorded: fcntl(F_GETFL)", [] { (void)!fcntl(0, F_GETFL); }},
    {"not recorded: getppid", [] { (void)getppid(); }},
};

// Nanoseconds a call, of each subject.
std::vector<double> Measure(bool audit) {
  isolate::Options options;
  options.audit_names = audit;
  const absl::StatusOr<isolate::Result> result =
      isolate::Run(options, [](isolate::Reporter& reporter) {
        Open(O_CREAT | O_RDWR);
        for (const Subject& subject : kSubjects) {
          const absl::Time begin = absl::Now();
          for (int i = 0; i < kCalls; ++i) {
            subject.call();
          }
          const double nanoseconds = absl::ToDoubleNanoseconds(absl::Now() - begin) / kCalls;
          if (!reporter.Send(absl::StrCat(nanoseconds)).ok()) {
            return 1;
          }
        }
        return 0;
      });
  std::vector<double> costs;
  if (!result.ok() || !result->ok()) {
    fprintf(stderr, "%s\n",
            result.ok() ? "the sandbox's process failed"
                        : std::string(result.status().message()).c_str());
    return costs;
  }
  for (const isolate::Message& message : result->messages) {
    double cost = 0;
    (void)absl::SimpleAtod(message.payload, &cost);
    costs.push_back(cost);
  }
  return costs;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  constexpr size_t kCount = sizeof(kSubjects) / sizeof(kSubjects[0]);
  std::vector<double> costs[2][kCount];
  for (int round = 0; round < kRounds; ++round) {
    for (const bool audit : {false, true}) {
      const std::vector<double> measured = Measure(audit);
      if (measured.size() != kCount) {
        return 3;
      }
      for (size_t i = 0; i < kCount; ++i) {
        costs[audit ? 1 : 0][i].push_back(measured[i]);
      }
    }
  }
  printf("medians of %d rounds of %d calls, in microseconds\n%-42s %8s %8s %8s\n", kRounds, kCalls,
         "", "off", "on", "more");
  for (size_t i = 0; i < kCount; ++i) {
    const double off = Median(costs[0][i]) / 1000;
    const double on = Median(costs[1][i]) / 1000;
    printf("%-42s %8.3f %8.3f %8.3f\n", kSubjects[i].name, off, on, on - off);
  }
  return 0;
}
