#include "isolate/internal/coverage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace isolate::internal {
namespace {

int written = 0;
int reset = 0;
int signal_while_writing = 0;

}  // namespace
}  // namespace isolate::internal

// In place of gcov's.
extern "C" {
void __gcov_dump();
void __gcov_reset();

void __gcov_dump() {
  ++isolate::internal::written;
  if (isolate::internal::signal_while_writing == SIGABRT) {
    abort();
  }
  if (isolate::internal::signal_while_writing != 0) {
    raise(isolate::internal::signal_while_writing);
  }
  ++isolate::internal::written;
}

void __gcov_reset() { ++isolate::internal::reset; }
}

namespace isolate::internal {
namespace {

TEST(Coverage, IsResetAndWritten) {
  ResetCoverage();
  EXPECT_EQ(reset, 1);
  written = 0;
  WriteCoverage();
  EXPECT_EQ(written, 2);
}

// In a handler, as a crash is.
class TryingToWrite : public ::testing::TestWithParam<int> {
 protected:
  static void TryIn(int signal) {
    struct sigaction action = {};
    action.sa_flags = SA_RESETHAND;
    action.sa_handler = [](int) { TryToWriteCoverage(); };
    struct sigaction before;
    ASSERT_EQ(sigaction(signal, &action, &before), 0);
    raise(signal);
    struct sigaction after;
    ASSERT_EQ(sigaction(signal, &before, &after), 0);
    EXPECT_EQ(after.sa_handler, SIG_DFL);
    EXPECT_EQ(alarm(0), 0U) << "an alarm is set";
  }
};

TEST_P(TryingToWrite, GivesUpAtASignalAndAtNothingElse) {
  for (const int outer : {SIGSEGV, SIGABRT, SIGTERM}) {
    written = 0;
    signal_while_writing = GetParam();
    TryIn(outer);
    EXPECT_EQ(written, GetParam() == 0 ? 2 : 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Signals, TryingToWrite,
                         ::testing::Values(0, SIGALRM, SIGABRT, SIGSEGV, SIGBUS),
                         [](const auto& test) {
                           return test.param == 0 ? "None" : sigabbrev_np(test.param);
                         });

}  // namespace
}  // namespace isolate::internal
