// The limit on a process's own memory.

#include <stdlib.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
#define SKIP_WITH_SHADOW_MEMORY() GTEST_SKIP() << "a sanitizer's shadow memory is over any limit"
#else
#define SKIP_WITH_SHADOW_MEMORY() (void)0
#endif

namespace isolate {
namespace {

constexpr int64_t kMega = int64_t{1} << 20;

Options WithLimit(int64_t bytes) {
  Options options;
  options.memory_limit_bytes = bytes;
  return options;
}

std::string Allocate(int64_t bytes) {
  void* volatile memory = malloc(static_cast<size_t>(bytes));  // or the compiler knows better
  const bool had = memory != nullptr;
  free(memory);
  return had ? "had" : "not had";
}

std::string LimitOfData() {
  rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "none" : absl::StrCat(limit.rlim_cur);
}

TEST(MemoryLimit, IsTheCallersByDefault) {
  EXPECT_EQ(Inside({}, LimitOfData), LimitOfData());
  EXPECT_EQ(InCaller([] {
              const rlimit limit = {RLIM_INFINITY - 1, RLIM_INFINITY};
              setrlimit(RLIMIT_DATA, &limit);
              return Inside({}, LimitOfData);
            }),
            absl::StrCat(RLIM_INFINITY - 1));
}

TEST(MemoryLimit, LetsAProcessHaveSoMuchAndNoMore) {
  SKIP_WITH_SHADOW_MEMORY();
  EXPECT_EQ(Inside(WithLimit(512 * kMega), [] { return Allocate(256 * kMega); }), "had");
  EXPECT_EQ(Inside(WithLimit(512 * kMega), [] { return Allocate(513 * kMega); }), "not had");
}

TEST(MemoryLimit, HoldsForEveryProcess) {
  SKIP_WITH_SHADOW_MEMORY();
  const absl::StatusOr<Result> result =
      RunCommand(WithLimit(512 * kMega), {"sh", "-c", "ulimit -d; sh -c 'ulimit -d'"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, "524288\n524288\n");
}

// Which is gone when a program is executed.
TEST(MemoryLimit, OfACommandDoesNotCountWhatTheCallerHas) {
  SKIP_WITH_SHADOW_MEMORY();
  EXPECT_EQ(InCaller([] {
              const std::string large(static_cast<size_t>(64 * kMega), 'x');
              const absl::StatusOr<Result> result =
                  RunCommand(WithLimit(32 * kMega), {"sh", "-c", "ulimit -d"});
              return absl::StrCat(large.size() / kMega, " ",
                                  result.ok() ? result->out : Told(result));
            }),
            "64 32768\n");
}

TEST(MemoryLimit, DoesNotRaiseTheCallersOwn) {
  SKIP_WITH_SHADOW_MEMORY();
  EXPECT_EQ(InCaller([] {
              const rlimit limit = {512 * kMega, RLIM_INFINITY};
              setrlimit(RLIMIT_DATA, &limit);
              return Inside(WithLimit(1024 * kMega), LimitOfData);
            }),
            absl::StrCat(512 * kMega));
}

TEST(MemoryLimit, ThatIsPassedAlreadyIsAFailureOfTheSetUp) {
  EXPECT_EQ(Told(isolate::Run(WithLimit(1), [](Reporter&) { return 0; })),
            "limit the memory: ENOMEM");
}

}  // namespace
}  // namespace isolate
