#include "gtest_plugin/crash.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest_plugin/signal_safe_text.h"
#include "gtest_plugin/stacks.h"
#include "gtest_plugin/test_report.h"
#include "isolate/internal/coverage.h"
#include "isolate/reporter.h"

// There where a sanitizer is linked in.  Clang's own header need not be installed.
#if __has_include(<sanitizer/common_interface_defs.h>)
#include <sanitizer/common_interface_defs.h>
#else
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif
#pragma weak __sanitizer_set_death_callback

namespace isolate::gtest {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTERM};
constexpr unsigned kUnwindSeconds = 10;
constexpr size_t kSignalStackSize = size_t{128} << 10;

const Reporter* the_reporter = nullptr;
volatile sig_atomic_t the_signal = 0;
char the_core_folder[PATH_MAX] = "";

// The name that sigaction(2) has for the cause of a signal of the kernel's.
const char* CauseName(int signal, int code) {
  static constexpr struct {
    int signal;
    int code;
    const char* name;
  } kCauses[] = {
      {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR, address not mapped"},
      {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR, no permission for the address"},
      {SIGSEGV, SI_KERNEL, "SI_KERNEL, such as an address that cannot exist"},
      {SIGBUS, BUS_ADRALN, "BUS_ADRALN, invalid alignment"},
      {SIGBUS, BUS_ADRERR, "BUS_ADRERR, nothing behind the address, such as a file cut short"},
      {SIGBUS, BUS_OBJERR, "BUS_OBJERR, hardware error"},
      {SIGFPE, FPE_INTDIV, "FPE_INTDIV, integer division by zero"},
      {SIGFPE, FPE_INTOVF, "FPE_INTOVF, integer overflow"},
      {SIGFPE, FPE_FLTDIV, "FPE_FLTDIV, division by zero"},
      {SIGILL, ILL_ILLOPC, "ILL_ILLOPC, illegal opcode"},
      {SIGILL, ILL_ILLOPN, "ILL_ILLOPN, illegal operand"},
      {SIGILL, ILL_PRVOPC, "ILL_PRVOPC, privileged opcode"},
  };
  for (const auto& cause : kCauses) {
    if (cause.signal == signal && cause.code == code) {
      return cause.name;
    }
  }
  return nullptr;
}

// Sends a piece of the crash event; they are put together where they arrive.
void TellRunner(absl::string_view piece) {
  static SignalSafeText event;
  event.Clear();
  event.AppendBytes({kCrashPrefix, sizeof(kCrashPrefix)});
  event.AppendBytes(piece);
  the_reporter->SendLast(event.view());
}

void TellStderr(absl::string_view piece) {
  (void)!write(STDERR_FILENO, piece.data(), piece.size());
}

// Unwinding hangs: what the signal interrupted may hold the loader's lock.  Then the
// process dies without its stack, and of the signal all the same.
extern "C" void OnAlarm(int) {
  signal(the_signal, SIG_DFL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, the_signal);
  sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  raise(the_signal);
}

void SetAlarm() {
  struct sigaction action = {};
  action.sa_handler = OnAlarm;
  sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm_signal;
  sigemptyset(&alarm_signal);
  sigaddset(&alarm_signal, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarm_signal, nullptr);
  alarm(kUnwindSeconds);
}

// Tells of a process whose time is over, or of one that crashed.  Static: the stack may
// have little room.  A second thread that crashes meanwhile spoils the text, no more.
void TellOfEnd(int signal, const siginfo_t& info, const void* context, Tell tell) {
  static SignalSafeText text;
  if (const char* cause = CauseName(signal, info.si_code)) {
    text.Append("%s, at address %p", cause, info.si_addr);
    tell(text.view());
    text.Clear();
  }
  AppendStack(context, text);
  tell(text.view());
  if (signal == SIGTERM) {
    TellOtherThreads(tell);
  }
}

// Once its report is printed.  In the runner there is nobody to tell.
extern "C" void OnDeathBySanitizer() {
  if (the_reporter == nullptr) {
    return;
  }
  the_reporter->SendLast({kSanitizerEvent, sizeof(kSanitizerEvent)});
}

extern "C" void OnSignal(int signal, siginfo_t* info, void* context) {
  the_signal = signal;
  SetAlarm();
  if (the_reporter->connected()) {
    TellOfEnd(signal, *info, context, TellRunner);
    if (signal == SIGTERM) {
      AskOtherProcesses();
    }
  } else if (IsAskedToTell(*info)) {
    static SignalSafeText title;
    title.Append("\nisolate: process %d, which the test forked, stands here:", getpid());
    TellStderr(title.view());
    TellOfEnd(signal, *info, context, TellStderr);
    TellStderr("\n");
  }
  alarm(0);
  isolate::internal::TryToWriteCoverage();
  // A process that the test forked is none of ours, and would leave a core of a death test that
  // passed.
  if (the_core_folder[0] != '\0' && signal != SIGTERM && the_reporter->connected()) {
    mkdir(the_core_folder, 0777);  // it may be there, of a test that was run before
    (void)!chdir(the_core_folder);
  }
  // SA_RESETHAND: a fault happens again when this returns; what somebody sent, abort()
  // among them, is sent again.
  if (info->si_code <= 0) {
    raise(signal);
  }
}

}  // namespace

// gcc's sanitizers are libraries, each with a callback of its own, of which a program that has two
// of them sees one by name.
void PrepareForSanitizers() {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(OnDeathBySanitizer);
  }
  std::vector<std::string> libraries;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* names) {
        if (strstr(info->dlpi_name, "san.so") != nullptr) {
          static_cast<std::vector<std::string>*>(names)->emplace_back(info->dlpi_name);
        }
        return 0;
      },
      &libraries);
  for (const std::string& name : libraries) {
    if (void* const library = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD)) {
      if (void* const set = dlsym(library, "__sanitizer_set_death_callback")) {
        reinterpret_cast<void (*)(void (*)())>(set)(OnDeathBySanitizer);
      }
      dlclose(library);
    }
  }
}

void ReleaseTermination() {
  struct sigaction now = {};
  if (sigaction(SIGTERM, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
      now.sa_sigaction == OnSignal) {
    signal(SIGTERM, SIG_DFL);
  }
}

void SetCoreFolder(const std::string& folder) {
  if (folder.size() < sizeof(the_core_folder)) {
    memcpy(the_core_folder, folder.c_str(), folder.size() + 1);
  }
}

void ReportCrashes(const Reporter& reporter) {
  the_reporter = &reporter;
  // For an overflow of the main thread's own stack.
  static char signal_stack[kSignalStackSize];
  stack_t before = {};
  if (sigaltstack(nullptr, &before) == 0 && (before.ss_flags & SS_DISABLE) != 0) {
    stack_t stack = {};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof(signal_stack);
    sigaltstack(&stack, nullptr);
  }
  for (const int signal : kSignals) {
    struct sigaction now = {};
    if (sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
        now.sa_handler == SIG_DFL) {
      struct sigaction action = {};
      action.sa_sigaction = OnSignal;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
      sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace isolate::gtest
