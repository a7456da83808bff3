#ifndef ISOLATE_REPORTER_H_
#define ISOLATE_REPORTER_H_

// How a sandboxed function tells the caller more than its exit code.
//
//   absl::StatusOr<isolate::Result> result =
//       isolate::Run({}, [](isolate::Reporter& reporter) {
//         return reporter.Send("half way").ok() ? 0 : 1;
//       });
//   // result->messages[0].payload == "half way"
//
// A message arrives the moment it is sent: a crash after it does not lose it.
// Lives in the sandboxed process; not to be used in the caller's.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/own_descriptor.h"

namespace isolate {

class Reporter {
 public:
  // The largest message, in bytes; and how many a function may send, and how large
  // they may be together.
  static constexpr size_t kMaxMessageSize = size_t{16} << 20;
  static constexpr uint32_t kMaxMessages = 250'000;
  static constexpr size_t kMaxTotalSize = size_t{192} << 20;
  // How often it may set its time limit.
  static constexpr uint32_t kMaxTimeLimits = 250'000;

  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Sends a message to the caller, where it stands in Result::messages with the
  // position in the output at which it was sent.  Flushes stdout, so that this
  // position is true.  Any thread may call it.
  //
  // InvalidArgument for a message that is too large; ResourceExhausted for one too
  // many; FailedPrecondition in a process that was forked from the function's (its
  // messages would be taken for the function's own); Unavailable where the function
  // closed descriptors that it did not open; otherwise the write's errno.
  //
  // Costs two writes and two fstats.
  absl::Status Send(absl::string_view message);

  // Lets the function's time limit begin anew: it is over when `limit` has passed from now on.
  // The errors are Send's.
  absl::Status SetTimeLimit(absl::Duration limit);

  // Of descriptors, ports, threads, mappings and the process's state, what is there now is no leak:
  // for a function that first sets something up that is to stay.  Files, IPC objects and processes
  // that are there now are leaks.  Nothing, where Options::leaks is empty.  Costs what
  // Options::leaks says.
  void BeginLeakCheck();

  // Where a thread of this process stands; empty where that is not known.
  struct Stand {
    std::string function;  // the innermost one that is the program's own
    std::string stack;     // a line for each frame
  };
  // Has leaks of threads say it: `stand_of` is asked, of each that still runs, when the function
  // has returned.
  void SetStandOf(std::function<Stand(pid_t thread)> stand_of);

  // Ends a stretch of the function, as one test of several, and begins the next; the first is 0.
  // Leak::stretch says in which one what the function left appeared.  Costs as much, and O(leaks).
  void NextStretch();

  // From now on the shared names that this process and its children use belong to this stretch, or
  // to none.  Nothing, without Options::audit_names; else it costs 10 us.
  static void BeginFootprint(absl::optional<uint32_t> stretch);

  // Send for a handler of a signal that ends the process: takes no lock,
  // allocates nothing and leaves stdio alone.  The message stands at the output's
  // end, whatever is printed later.  False where Send would not be OK.
  bool SendLast(absl::string_view message) const;

  // Whether a message would arrive: this is the function's own process, and it has
  // not closed the descriptors.  Takes no lock, as SendLast.
  bool connected() const;

  // Ends the process as if the function had returned `code`: what was printed gets out, coverage is
  // written, and destructors of static objects do not run.
  [[noreturn]] void Finish(int code);

  // For a program that takes the function's place by execve(2): lets the descriptors survive
  // that, and gives what TakeOver needs there.
  std::string HandOver();

  // In that program.  InvalidArgument for what HandOver did not give.
  static absl::StatusOr<std::unique_ptr<Reporter>> TakeOver(absl::string_view handed_over);

 private:
  friend class Executor;

  Reporter(int report, int mark, const internal::Nonce& nonce, internal::LeakPlan leaks);

  // The first and the last frame of the report.  `files`: LeakCheck::Enter.
  absl::Status Begin(int64_t files);
  absl::Status End(int code);
  void BeginLeakCheck(bool fresh);
  void TellLeaks();

  // Tells that `program` could not be executed, from errno, and ends the process.
  [[noreturn]] void FailExec(const char* program);

  bool IsOwnProcess() const;
  // What Send and End ask for.
  absl::Status Check() const;

  const pid_t process_;
  const int generation_;
  const bool captured_;  // there is an output to put marks in
  const internal::OwnDescriptor report_;
  const internal::OwnDescriptor mark_;
  const internal::Nonce nonce_;
  internal::LeakCheck leak_check_;
  std::mutex mutex_;          // not absl::Mutex: see fd.cc
  uint32_t sent_ = 0;         // under mutex_
  size_t sent_bytes_ = 0;     // under mutex_
  uint32_t time_limits_ = 0;  // under mutex_
};

}  // namespace isolate

#endif  // ISOLATE_REPORTER_H_
