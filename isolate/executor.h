#ifndef ISOLATE_EXECUTOR_H_
#define ISOLATE_EXECUTOR_H_

// Runs functions and commands in sandboxes, several at once.
//
//   absl::StatusOr<std::unique_ptr<isolate::Executor>> executor =
//       isolate::Executor::Create({});
//   if (!executor.ok()) return executor.status();   // no sandbox can be had
//   for (const Job& job : jobs) {
//     absl::StatusOr<isolate::Executor::Id> id =
//         (*executor)->Start([&](isolate::Reporter&) { return job.Run(); });
//     if (!id.ok()) return id.status();
//   }
//   while ((*executor)->running() > 0) {
//     isolate::Executor::Finished finished = (*executor)->WaitAny();
//     if (!finished.result.ok()) return finished.result.status();
//     std::cout << finished.id << " " << finished.result->out;
//   }
//
// A function runs in a fork of the calling process: it sees all memory as it
// was, and nothing that it changes comes back.  Sandboxes are made ahead by a
// helper process, so create an Executor early: before the heap grows, and
// before there are threads.
//
// An Executor lives in the process that created it; in a forked child it must
// not be used, and its destructor does nothing.  One thread at a time may use
// it.  If the process that owns it dies, however it dies, every sandbox dies with
// it, and with a sandbox all that runs in it; of a sandbox without a pid namespace
// only the function's own process.
//
// At-fork handlers (pthread_atfork(3)) of the caller's run as at any fork, but those
// for the parent in a short-lived process that shares the caller's memory: there
// getpid() is another one, and no thread can be started.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "isolate/kept_sandbox.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/result.h"

namespace isolate {

class Executor {
 public:
  using Id = int64_t;
  // Which kind of sandbox: kDefaultKind, or what AddKind gave.
  using Kind = size_t;
  static constexpr Kind kDefaultKind = 0;
  using Function = absl::FunctionRef<int(Reporter&)>;

  struct Finished {
    Id id = 0;
    // Not OK: the process could not enter its sandbox, and nothing of the
    // function ran.  With a SetupFailure, or Unavailable where something killed
    // it on the way.
    absl::StatusOr<Result> result;
    // With Options::keep_failed, of what failed.  To be destroyed before the Executor.
    std::unique_ptr<KeptSandbox> sandbox;
  };

  // Starts the helper and has the first sandbox made, so that a host that
  // refuses is found out here: InvalidArgument for options that do not hold,
  // Unavailable where something killed the helper, otherwise the status of a
  // SetupFailure.  Keeps `ready` sandboxes made ahead
  // (0: each is made when it is wanted).  Costs about a millisecond.
  static absl::StatusOr<std::unique_ptr<Executor>> Create(const Options& options, int ready = 1);

  // Kills whatever runs, and waits until nothing is left.
  ~Executor();

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Makes sandboxes of another kind available, for what is to run in another one than the rest.
  // They are made when they are wanted, by a helper of their own.  The errors and the cost are
  // Create's.
  absl::StatusOr<Kind> AddKind(const Options& options);

  // Runs `function` in a sandbox of its own.  Waits until a sandbox is ready
  // (not, if one was made ahead); does not wait for the function.  Its value,
  // of which the low 8 bits are the exit code too, ends the process, after
  // stdio was flushed; destructors of static objects do not run.  An exception
  // that leaves it terminates the process.
  //
  // Costs one copy of the calling process's page tables.
  //
  // InvalidArgument for a kind that AddKind did not give.  Otherwise
  // the errors are those of a sandbox that could not be had (Create's), or EMFILE's,
  // ENFILE's or EAGAIN's as a SetupFailure where the caller may have no more
  // descriptors (eight for each that runs) or processes: then try again after a
  // WaitAny.  Time limits run from here.
  absl::StatusOr<Id> Start(Function function, Kind kind = kDefaultKind);

  // Executes a command, found by the PATH that it will see, in a sandbox of its own.
  // InvalidArgument for an empty `argv` or a NUL byte in it; otherwise as Start.
  // That the command cannot be executed is told by WaitAny, as a SetupFailure.
  absl::StatusOr<Id> StartCommand(const std::vector<std::string>& argv);

  // Waits until one of those started has ended, and gives what became of it.
  // FailedPrecondition where running() is 0; Cancelled after Interrupt; DeadlineExceeded where
  // none has ended within `limit`.  What they write is read, and their time limits are enforced,
  // only in here: until it is called, a process that writes more than a pipe holds (64 KiB)
  // waits, and its time stands still.
  Finished WaitAny(absl::Duration limit = absl::InfiniteDuration());

  // Makes the WaitAny that waits now, or else the next one, give Cancelled at once.
  // Async-signal-safe, and for any thread.
  void Interrupt();

  // Ends a process as if its time limit were over; WaitAny gives what became of it.
  // Nothing, if it has ended.
  void Terminate(Id id);

  // Kills a sandbox; the result is lost.  Nothing, if it has ended.
  void Cancel(Id id);

  // Its process, a child of the caller's, for signals: that number is nobody else's until WaitAny
  // or Cancel is called.  0: it has ended, or there was none.
  pid_t ProcessOf(Id id) const;

  // How many were started and not yet given out by WaitAny.
  size_t running() const;

 private:
  class Impl;
  explicit Executor(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace isolate

#endif  // ISOLATE_EXECUTOR_H_
