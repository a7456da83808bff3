#include "gtest_plugin/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>

#include "absl/debugging/symbolize.h"
#include "absl/strings/string_view.h"
#include "gtest_plugin/test_report.h"
#include "isolate/reporter.h"

namespace isolate::gtest {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTERM};
constexpr int kMaxFrames = 64;
constexpr unsigned kUnwindSeconds = 10;
constexpr size_t kSignalStackSize = size_t{128} << 10;

const Reporter* the_reporter = nullptr;

// A crash event, composed in a place that is there before the crash.  vsnprintf:
// glibc's takes no lock and, for these formats, no memory; absl's own failure handler
// counts on that, too.
class CrashEvent {
 public:
  CrashEvent() { memcpy(bytes_, kCrashPrefix, size_); }

  __attribute__((format(printf, 2, 3))) void Append(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(bytes_ + size_, sizeof(bytes_) - size_, format, arguments);
    va_end(arguments);
    size_ += std::min(static_cast<size_t>(std::max(size, 0)), sizeof(bytes_) - size_ - 1);
  }

  absl::string_view bytes() const { return {bytes_, size_}; }

 private:
  char bytes_[16384];
  size_t size_ = sizeof(kCrashPrefix);
};

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

// Where the interrupted code stood; null where this architecture's context is not
// known here.
void* ProgramCounter(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(machine.pc);
#else
  (void)machine;
  return nullptr;
#endif
}

// By the unwind tables: libc, in which abort() ends, has no frame pointers.
void AppendStack(const void* context, CrashEvent& event) {
  void* frames[kMaxFrames];
  const int count = backtrace(frames, kMaxFrames);
  // Without the frames of this handler, and without those that are the runner's.
  void** const end = frames + count;
  void** const interrupted = std::find(frames, end, ProgramCounter(context));
  for (void** frame = interrupted != end ? interrupted : frames; frame != end; ++frame) {
    char symbol[512];
    // The others are where a call returns to, which may be the next function.
    const char* at = static_cast<const char*>(*frame) - (frame == interrupted ? 0 : 1);
    const bool known = absl::Symbolize(at, symbol, sizeof(symbol));
    if (known && strcmp(symbol, "isolate::gtest::RunTest()") == 0) {
      return;
    }
    event.Append("\n    @ %p  %s", *frame, known ? symbol : "(unknown)");
  }
}

extern "C" void OnCrash(int signal, siginfo_t* info, void* context) {
  // Static: the stack may have little room.  A second thread that crashes meanwhile
  // spoils the text, no more.
  static CrashEvent event;
  if (const char* cause = CauseName(signal, info->si_code)) {
    event.Append("%s, at address %p", cause, info->si_addr);
  }
  // What the crash interrupted may hold the loader's lock, which unwinding takes.
  alarm(kUnwindSeconds);
  AppendStack(context, event);
  alarm(0);
  the_reporter->SendLast(event.bytes());
  // SA_RESETHAND: a fault happens again when this returns; what somebody sent, abort()
  // among them, is sent again.
  if (info->si_code <= 0) {
    raise(signal);
  }
}

}  // namespace

void PrepareStacks(const char* program) {
  absl::InitializeSymbolizer(program);
  // The first call loads a library, and allocates.
  void* frame;
  backtrace(&frame, 1);
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
      action.sa_sigaction = OnCrash;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
      sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace isolate::gtest
