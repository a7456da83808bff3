// What the kernel asks for, from a program of the size of a test's, as a fork costs more the more
// there is to copy.  Prints microseconds, of the mean of COUNT or the median:
//
//   price fork COUNT              plain forks that end at once
//   price sandbox IN_FLIGHT COUNT the kernel's sandboxes (floor.h)
//   price first_line_fork COUNT   from the wish for a process until its first line: a plain fork
//   price first_line COUNT        ...and Executor::Start, with a sandbox that is ready

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/floor.h"
#include "benchmarks/heap.h"
#include "gtest/gtest.h"
#include "isolate/executor.h"

namespace {

// Long enough for a sandbox to be made.
constexpr absl::Duration kPause = absl::Milliseconds(4);

absl::Duration Median(std::vector<absl::Duration> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Where a child puts the time.
absl::StatusOr<int64_t*> SharedTime() {
  void* const page =
      mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return absl::ResourceExhaustedError("no memory");
  }
  return new (page) int64_t(0);
}

// `run` starts a child that puts the time at its first line there, and waits for its end.
absl::StatusOr<absl::Duration> MeasureFirstLines(
    int count, absl::FunctionRef<absl::Status(int64_t* time)> run) {
  const absl::StatusOr<int64_t*> time = SharedTime();
  if (!time.ok()) {
    return time.status();
  }
  std::vector<absl::Duration> values;
  for (int i = 0; i < count; ++i) {
    absl::SleepFor(kPause);
    const absl::Time begin = absl::Now();
    if (absl::Status status = run(*time); !status.ok()) {
      return status;
    }
    values.push_back(absl::FromUnixNanos(**time) - begin);
  }
  return Median(values);
}

absl::Status Fork(int64_t* time) {
  const pid_t pid = fork();
  if (pid == 0) {
    *time = absl::GetCurrentTimeNanos();
    _exit(0);
  }
  waitpid(pid, nullptr, 0);
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> MeasureFirstLine(int count) {
  absl::StatusOr<std::unique_ptr<isolate::Executor>> executor = isolate::Executor::Create({});
  if (!executor.ok()) {
    return executor.status();
  }
  return MeasureFirstLines(count, [&](int64_t* time) {
    const auto id = (*executor)->Start([&](isolate::Reporter&) {
      *time = absl::GetCurrentTimeNanos();
      return 0;
    });
    return id.ok() ? (*executor)->WaitAny().result.status() : id.status();
  });
}

absl::StatusOr<absl::Duration> Measure(const std::vector<std::string>& arguments) {
  std::vector<int> numbers;
  for (size_t i = 1; i < arguments.size(); ++i) {
    int number = 0;
    if (!absl::SimpleAtoi(arguments[i], &number) || number <= 0) {
      return absl::InvalidArgumentError("not a number: " + arguments[i]);
    }
    numbers.push_back(number);
  }
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "fork" && numbers.size() == 1) {
    return isolate::benchmarks::MeasureFork(numbers[0]);
  }
  if (what == "sandbox" && numbers.size() == 2) {
    return isolate::benchmarks::MeasureSandbox(numbers[0], numbers[1]);
  }
  if (what == "first_line_fork" && numbers.size() == 1) {
    return MeasureFirstLines(numbers[0], Fork);
  }
  if (what == "first_line" && numbers.size() == 1) {
    return MeasureFirstLine(numbers[0]);
  }
  return absl::InvalidArgumentError(
      "give: fork COUNT, sandbox IN_FLIGHT COUNT, first_line_fork COUNT, or first_line COUNT");
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!isolate::benchmarks::FillHeap()) {
    fprintf(stderr, "price: there is not as much memory as BENCHMARK_HEAP_MB says\n");
    return 3;
  }
  const absl::StatusOr<absl::Duration> price =
      Measure(std::vector<std::string>(argv + 1, argv + argc));
  if (!price.ok()) {
    fprintf(stderr, "price: %s\n", std::string(price.status().message()).c_str());
    return absl::IsInvalidArgument(price.status()) ? 2 : 3;
  }
  printf("%.2f\n", absl::ToDoubleMicroseconds(*price));
  return 0;
}
