#include "gtest_plugin/keep.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/outputs_folder.h"
#include "isolate/internal/monotonic.h"
#include "isolate/kept_sandbox.h"

namespace isolate::gtest {

using ::isolate::internal::MonotonicNow;

namespace {

bool IsInForeground() { return tcgetpgrp(STDIN_FILENO) == getpgrp(); }

// Somebody can read there what is printed, and answer.
bool HasTerminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 && IsInForeground();
}

extern "C" void OnContinue(int) {}

// In the background nobody can answer, until SIGCONT says that this may have changed.  An
// interruption ends the wait, too; signals come in nowhere but in ppoll, so that none is missed.
void WaitForEnter(absl::Duration limit) {
  const absl::Time end = MonotonicNow() + limit;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct sigaction on_continue = {};
  struct sigaction on_continue_before = {};
  on_continue.sa_handler = OnContinue;
  sigaction(SIGCONT, &on_continue, &on_continue_before);
  for (bool waits = true; waits && Interruption() == 0;) {
    pollfd input = {IsInForeground() ? STDIN_FILENO : -1, POLLIN, 0};
    const absl::Duration left = std::max(end - MonotonicNow(), absl::ZeroDuration());
    const timespec timeout = absl::ToTimespec(left);
    const int ready =
        ppoll(&input, 1, left == absl::InfiniteDuration() ? nullptr : &timeout, &before);
    char line[256];
    waits = ready < 0 || (ready > 0 && read(STDIN_FILENO, line, sizeof(line)) < 0);
  }
  sigaction(SIGCONT, &on_continue_before, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// A folder that is not there yet, so that the files of earlier runs stay as they are.
std::string FreeFolder(const std::string& parent) {
  std::string folder = absl::StrCat(parent, "/files");
  std::error_code error;
  for (int number = 2; std::filesystem::exists(folder, error); ++number) {
    folder = absl::StrCat(parent, "/files-", number);
  }
  return folder;
}

}  // namespace

absl::Status CheckThatSandboxesCanBeKept(const std::string& outputs) {
  if (HasTerminal() || !outputs.empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "--isolate_keep=failed: there is no terminal to wait at; set TEST_UNDECLARED_OUTPUTS_DIR to "
      "a folder to which the files of tests that fail are copied");
}

void Keep(const ::testing::TestInfo& test, const KeptSandbox& sandbox, absl::Duration limit,
          const std::string& outputs) {
  const std::string name = absl::StrCat(test.test_suite_name(), ".", test.name());
  fflush(stdout);
  if (HasTerminal()) {
    tcflush(STDIN_FILENO, TCIFLUSH);  // what was typed before is no answer
    fprintf(
        stderr,
        "isolate: %s failed, and its sandbox is kept for %s. To enter it:\n  %s\nPress Enter here "
        "to go on.\n",
        name.c_str(), absl::FormatDuration(limit).c_str(), sandbox.EnterCommand().c_str());
    WaitForEnter(limit);
    return;
  }
  if (outputs.empty()) {
    fprintf(stderr,
            "isolate: nothing of %s is kept: the terminal is gone, and TEST_UNDECLARED_OUTPUTS_DIR "
            "names no folder\n",
            name.c_str());
    return;
  }
  const std::string folder = FreeFolder(FolderOf(test, outputs));
  const absl::Status status = sandbox.CopyFilesTo(folder);
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    fprintf(stderr, "isolate: the files that %s left are in %s\n", name.c_str(), folder.c_str());
  }
  if (!status.ok()) {
    fprintf(stderr, "isolate: not all files that %s left were copied: %s\n", name.c_str(),
            std::string(status.message()).c_str());
  }
}

}  // namespace isolate::gtest
