#include "gtest_plugin/stacks.h"

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdint>
#include <fstream>
#include <string>

#include "absl/debugging/symbolize.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest_plugin/signal_safe_text.h"

namespace isolate::gtest {
namespace {

constexpr int kMaxFrames = 64;
constexpr int kMaxThreads = 128;
constexpr int kMaxProcesses = 128;
constexpr int64_t kThreadsHaveMs = 1000;
constexpr int64_t kThreadHasMs = 100;
constexpr int64_t kProcessesHaveMs = 500;
constexpr int64_t kProcessHasMs = 100;
// How a process that was forked from the test's tells our SIGTERM from one that the
// test sends it.
constexpr int kAskedToTell = 0x150a7e11;

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

// A thread's stack.  By the unwind tables: libc, in which abort() ends, has no frame
// pointers.
struct Stack {
  void* frames[kMaxFrames];
  int count = 0;
  void* interrupted = nullptr;

  void Take(const void* context) {
    interrupted = ProgramCounter(context);
    count = backtrace(frames, kMaxFrames);
  }

  // Without the frames of the handler.
  void** begin() {
    void** const first = std::find(frames, end(), interrupted);
    return first != end() ? first : frames;
  }
  void** end() { return frames + count; }

  // The others are where a call returns to, which may be the next function.
  const char* PlaceOf(void** frame) const {
    return static_cast<const char*>(*frame) - (*frame == interrupted ? 0 : 1);
  }

  // Without those that are the runner's.
  void AppendTo(SignalSafeText& text) {
    for (void** frame = begin(); frame != end(); ++frame) {
      char symbol[512];
      const bool known = absl::Symbolize(PlaceOf(frame), symbol, sizeof(symbol));
      if (known && strcmp(symbol, "isolate::gtest::RunTests()") == 0) {
        return;
      }
      text.Append("\n    @ %p  %s", *frame, known ? symbol : "(unknown)");
    }
  }
};

int64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// The numbers among the names in a folder, at most `most`; how many there are.
int ListNumbers(const char* folder, pid_t* numbers, int most) {
  const int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int count = 0;
  alignas(dirent64) char buffer[4096];
  ssize_t size;
  // readdir allocates.
  while ((size = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0) {
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      at += entry->d_reclen;
      const int number = atoi(entry->d_name);
      if (number > 0 && count < most) {
        numbers[count++] = number;
      }
    }
  }
  close(directory);
  return count;
}

// The beginning of a file of a process's or a thread's, without its last end of line.
struct Beginning {
  char text[256];

  Beginning(pid_t process, const char* file) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", process, file);
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(descriptor, text, sizeof(text) - 1);
    close(descriptor);
    text[std::max<ssize_t>(size, 0)] = '\0';
    if (size > 0 && text[size - 1] == '\n') {
      text[size - 1] = '\0';
    }
  }
};

// What a thread is asked for.
struct Question {
  Stack stack;
  pid_t thread = 0;
  std::atomic<int> answered{0};  // a futex
};

Question the_questions[kMaxThreads];
std::atomic<int> the_question_count{0};

extern "C" void OnQuestion(int, siginfo_t*, void* context) {
  const pid_t self = gettid();
  for (int i = 0; i < the_question_count; ++i) {
    Question& question = the_questions[i];
    if (question.thread == self && question.answered == 0) {
      question.stack.Take(context);
      question.answered = 1;
      syscall(SYS_futex, &question.answered, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    }
  }
}

void WaitForAnswer(Question& question, int64_t until_ms) {
  for (int64_t left = until_ms - NowMs(); question.answered == 0 && left > 0;
       left = until_ms - NowMs()) {
    const timespec timeout = {left / 1000, left % 1000 * 1'000'000};
    syscall(SYS_futex, &question.answered, FUTEX_WAIT_PRIVATE, 0, &timeout, nullptr, 0);
  }
}

pid_t ParentOf(pid_t process) {
  // Behind the name, which ends at the last parenthesis: the state and the parent (proc(5)).
  const Beginning stat(process, "stat");
  const char* name_end = strrchr(stat.text, ')');
  return name_end != nullptr && strlen(name_end) > 4 ? atoi(name_end + 4) : 0;
}

bool DescendsFrom(pid_t process, pid_t ancestor) {
  while (process > 1 && process != ancestor) {
    process = ParentOf(process);
  }
  return process == ancestor;
}

// Whether a process belongs to this one's test: all do in a sandbox that is the test's alone, and
// its parent is outside then.
bool IsOfThisTest(pid_t process) {
  if (process == 1 || process == getpid()) {
    return false;
  }
  return getppid() == 0 || DescendsFrom(process, getpid());
}

// Whether all processes that /proc shows are in our sandbox.
bool IsInSandbox() { return strcmp(Beginning(1, "comm").text, "isolate-init") == 0; }

}  // namespace

void PrepareStacks(const char* program) {
  absl::InitializeSymbolizer(program);
  // The first call loads a library, and allocates.
  void* frame;
  backtrace(&frame, 1);
}

void AppendStack(const void* context, SignalSafeText& text) {
  Stack stack;
  stack.Take(context);
  stack.AppendTo(text);
}

void TellOtherThreads(Tell tell) {
  static pid_t threads[kMaxThreads + 1];
  const int thread_count = ListNumbers("/proc/self/task", threads, kMaxThreads + 1);
  int count = 0;
  for (int i = 0; i < thread_count && count < kMaxThreads; ++i) {
    if (threads[i] != gettid()) {
      the_questions[count++].thread = threads[i];
    }
  }
  the_question_count = count;
  struct sigaction action = {};
  action.sa_sigaction = OnQuestion;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(SIGURG, &action, nullptr);
  for (int i = 0; i < count; ++i) {
    tgkill(getpid(), the_questions[i].thread, SIGURG);
  }
  const int64_t until_ms = NowMs() + kThreadsHaveMs;
  static SignalSafeText text;
  for (int i = 0; i < count; ++i) {
    Question& question = the_questions[i];
    WaitForAnswer(question, until_ms);
    text.Clear();
    text.Append("\n  thread %d (%s)", question.thread, Beginning(question.thread, "comm").text);
    if (question.answered != 0) {
      text.Append(":");
      question.stack.AppendTo(text);
    } else {
      const Beginning function(question.thread, "wchan");
      text.Append(" does not answer, as one that blocks signals; it %s%s",
                  strcmp(function.text, "0") == 0 ? "runs" : "waits in ",
                  strcmp(function.text, "0") == 0 ? "" : function.text);
    }
    tell(text.view());
  }
  if (thread_count > kMaxThreads) {
    text.Clear();
    text.Append("\n  and more threads");
    tell(text.view());
  }
}

// Of the C or C++ library, whether that is linked dynamically or not.
static bool IsOfALibrary(const char* place, absl::string_view symbol) {
  Dl_info object;
  if (dladdr(place, &object) != 0 && object.dli_fname != nullptr) {
    const absl::string_view path = object.dli_fname;
    const absl::string_view file = path.substr(path.rfind('/') + 1);
    for (const absl::string_view library :
         {"libc.", "libc-", "libstdc++", "libc++", "libpthread", "ld-linux", "libgcc"}) {
      if (absl::StartsWith(file, library)) {
        return true;
      }
    }
  }
  return absl::StartsWith(symbol, "std::") || absl::StartsWith(symbol, "__");
}

static bool Blocks(pid_t thread, int signal) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "SigBlk:")) {
      return (strtoull(line.c_str() + strlen("SigBlk:"), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
  }
  return true;  // it is gone
}

ThreadStand StandOf(pid_t thread) {
  ThreadStand stand;
  if (Blocks(thread, SIGURG)) {
    return stand;
  }
  Question& question = the_questions[0];
  question.thread = thread;
  question.answered = 0;
  the_question_count = 1;
  struct sigaction action = {};
  struct sigaction before;
  action.sa_sigaction = OnQuestion;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(SIGURG, &action, &before);
  tgkill(getpid(), thread, SIGURG);
  WaitForAnswer(question, NowMs() + kThreadHasMs);
  the_question_count = 0;
  sigaction(SIGURG, &before, nullptr);
  if (question.answered == 0) {
    return stand;
  }
  Stack& stack = question.stack;
  for (void** frame = stack.begin(); frame != stack.end(); ++frame) {
    char symbol[512] = "";
    const char* const place = stack.PlaceOf(frame);
    const bool known = absl::Symbolize(place, symbol, sizeof(symbol));
    if (known && stand.function.empty() && !IsOfALibrary(place, symbol)) {
      stand.function = symbol;
    }
    absl::StrAppend(&stand.stack, stand.stack.empty() ? "" : "\n", known ? symbol : "(unknown)");
  }
  return stand;
}

void AskOtherProcesses() {
  if (!IsInSandbox()) {
    return;
  }
  static pid_t processes[kMaxProcesses];
  const int count = ListNumbers("/proc", processes, kMaxProcesses);
  const int64_t until_ms = NowMs() + kProcessesHaveMs;
  for (int i = 0; i < count; ++i) {
    if (!IsOfThisTest(processes[i])) {
      continue;
    }
    // One after another, so that they do not print at once.
    pollfd ended = {static_cast<int>(syscall(SYS_pidfd_open, processes[i], 0)), POLLIN, 0};
    sigval value;
    value.sival_int = kAskedToTell;
    if (ended.fd >= 0 && sigqueue(processes[i], SIGTERM, value) == 0) {
      const int64_t left_ms = std::max<int64_t>(until_ms - NowMs(), 0);
      poll(&ended, 1, static_cast<int>(std::min(left_ms, kProcessHasMs)));
    }
    close(ended.fd);
  }
}

bool IsAskedToTell(const siginfo_t& info) {
  return info.si_code == SI_QUEUE && info.si_value.sival_int == kAskedToTell;
}

}  // namespace isolate::gtest
