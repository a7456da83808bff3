#include "benchmarks/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace isolate::benchmarks {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(100);
// The kernel goes on freeing namespaces for a moment.
constexpr absl::Duration kSettle = absl::Milliseconds(200);
// What a machine with nothing to do does all the same.
constexpr double kMostWhenIdle = 0.10;

std::string ModelOfProcessor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "model name")) {
      return std::string(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)));
    }
  }
  return "unknown";
}

struct Ticks {
  int64_t all = 0;
  int64_t idle = 0;
};

// "cpu  user nice system idle iowait irq softirq steal ..." (proc(5)).
Ticks ReadTicks() {
  std::ifstream file("/proc/stat");
  std::string label;
  file >> label;
  Ticks ticks;
  constexpr int kIdle = 3;
  constexpr int kWaitsForInput = 4;
  constexpr int kSteal = 7;
  for (int field = 0; field <= kSteal; ++field) {
    int64_t value = 0;
    file >> value;
    ticks.all += value;
    ticks.idle += field == kIdle || field == kWaitsForInput ? value : 0;
  }
  return ticks;
}

}  // namespace

std::string DescribeMachine() {
  utsname names = {};
  uname(&names);
  constexpr double kGibibyte = double{1 << 30};
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE)) / kGibibyte;
  return absl::StrFormat("%s %s, %s, %d processors (%s), %.0f GiB", names.sysname, names.release,
                         names.machine, sysconf(_SC_NPROCESSORS_ONLN), ModelOfProcessor(), memory);
}

void Watch::Look() {
  absl::SleepFor(kSettle);
  const Ticks before = ReadTicks();
  absl::SleepFor(kLook);
  const Ticks after = ReadTicks();
  const int64_t all = std::max<int64_t>(after.all - before.all, 1);
  busiest_ = std::max(busiest_,
                      1 - static_cast<double>(after.idle - before.idle) / static_cast<double>(all));
}

std::string Watch::Doubt() const {
  if (busiest_ <= kMostWhenIdle) {
    return "";
  }
  return absl::StrFormat(
      "Do not trust these figures: between the measurements up to %.0f %% of the processors were "
      "used by others.",
      100 * busiest_);
}

}  // namespace isolate::benchmarks
