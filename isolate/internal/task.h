#ifndef ISOLATE_INTERNAL_TASK_H_
#define ISOLATE_INTERNAL_TASK_H_

// A process that runs in a sandbox, as the runner sees it: its pipes, what came
// over them, its time limit and its end.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/footprint.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/leaks.h"
#include "isolate/internal/overflow_file.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/internal/wire.h"
#include "isolate/kept_sandbox.h"
#include "isolate/leak.h"
#include "isolate/options.h"
#include "isolate/result.h"

namespace isolate::internal {

// How a process ends that goes all its way.
enum class Ends { kByReturning, kByExiting };

class Task {
 public:
  // The runner's ends of the pipes; `err` is invalid where stderr is merged, and `out`, too, where
  // the streams are the caller's.
  struct Pipes {
    Fd report;
    Fd out;
    Fd err;
  };

  // What the runner waits for.
  enum Source { kReport, kOut, kErr, kProcess, kPostMortem, kInit };
  static constexpr int kSourceCount = 6;

  // `passed_over` must outlive it: folders whose files are no names of a test's (footprints.h).
  Task(pid_t pid, Fd process, Sandbox sandbox, Pipes pipes, const Nonce& nonce,
       const Options& options, Ends ends, const std::vector<std::string>& passed_over);

  // The process; 0 once it is reaped.
  pid_t pid() const { return reaped_ ? 0 : pid_; }

  // The descriptor of a source; -1 where it has ended or is not waited for.
  int Descriptor(Source source) const;

  // To be called when a source has become readable.
  void OnReady(Source source);

  // Until then nobody has to listen to its pipes, which hold what comes; but for its end.
  absl::Time quiet_until() const { return quiet_until_; }
  static bool IsPipe(Source source) { return source <= kErr; }

  // When OnDeadline has to be called.
  absl::Time deadline() const { return deadline_; }
  void OnDeadline(absl::Time now);

  // The same ahead of time; nothing, if the time limit was over before.
  void Terminate(absl::Time now);

  // Puts the deadline off: for a time in which nobody read the pipes.
  void Postpone(absl::Duration away);
  absl::Time started() const { return started_; }

  // The process was reaped, and nothing more can come.
  bool finished() const { return finished_; }

  // What became of it; to be called once, when finished.
  absl::StatusOr<Result> Take();

  // Its sandbox, if that was kept; to be called once, when finished.
  std::unique_ptr<KeptSandbox> TakeKept();

  // Kills the sandbox at once.
  void Kill();

  // Waits for the process to be dead, and reaps it.  After Kill.
  void Reap();

 private:
  void Finish();
  size_t ReadOnce(Source source);
  void GoQuiet(size_t read);
  void ReadWhatIsThere();
  void ClosePipes();
  bool Succeeded() const;
  void OnBytes(Source source, absl::string_view bytes);
  void TakeTimeLimits(size_t first);
  bool TryReap(int flags);
  bool LeftNothing() const;
  void Conclude();
  void ReadPostMortem();
  void AddLeaks(const std::vector<Frame>& frames, Leaks& leaks);
  Footprint TakeFootprint();
  void EndSandbox();
  Times TakeTimes();
  Fd& Pipe(Source source);

  const pid_t pid_;
  const bool has_pid_namespace_;
  const bool keep_failed_;
  const bool audits_names_;
  const bool tells_namespaces_;
  bool hears_names_;  // from its init, which has not ended yet
  const LeakKinds leak_kinds_;
  const Ends ends_;
  const absl::Duration grace_;
  Fd process_;  // pidfd; invalid once the process is reaped
  Sandbox sandbox_;
  Pipes pipes_;
  FrameReader reader_;
  FrameReader post_mortem_reader_;
  OverflowFile out_file_;
  OverflowFile err_file_;
  Capture out_;
  Capture err_;
  std::vector<Frame> frames_;
  std::vector<Frame> post_mortem_;
  const std::vector<std::string>& passed_over_;  // by footprints
  std::vector<Process> processes_;

  absl::Time started_;
  absl::Time ended_;
  absl::Time deadline_;
  absl::Time quiet_until_;
  absl::Time read_much_ = absl::InfinitePast();
  bool timed_out_ = false;
  bool killed_ = false;  // the process alone, after its grace
  bool waits_for_post_mortem_ = false;
  bool waits_for_init_ = false;
  bool kept_ = false;
  bool finished_ = false;
  bool reaped_ = false;
  absl::optional<int> wait_status_;  // nothing: somebody else took it
  Usage usage_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_TASK_H_
