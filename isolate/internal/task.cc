#include "isolate/internal/task.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/footprint.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/census.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/footprints.h"
#include "isolate/internal/ipc_objects.h"
#include "isolate/internal/leaks.h"
#include "isolate/internal/left_outside.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/overflow_file.h"
#include "isolate/internal/post_mortem.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/internal/wire.h"
#include "isolate/kept_sandbox.h"
#include "isolate/leak.h"
#include "isolate/options.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

// How long a process may take to die of SIGKILL, and an init to look at what was left:
// microseconds, or as long as a listing of the files takes.
constexpr absl::Duration kPatience = absl::Seconds(5);

// How long what a process writes may wait to be read.  Who listens is woken by every write, on the
// writer's processor (wake_up_interruptible_sync_poll in the kernel's fs/pipe.c), and keeps it from
// going on; a short test is over by then.
constexpr absl::Duration kQuiet = absl::Milliseconds(1);

// How much of a function's value becomes the exit code (exit(3)).
constexpr int kExitCodeMask = 0xff;

// Never block on a pipe that poll called readable: somebody may have been
// faster.
void MakeNonBlocking(const Fd& fd) {
  if (fd.valid()) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  }
}

// The arguments of this program, and of its forks, with spaces between.
std::string OwnCommand() {
  std::ifstream file("/proc/self/cmdline");
  std::string command(std::istreambuf_iterator<char>(file), {});
  std::replace(command.begin(), command.end(), '\0', ' ');
  return std::string(absl::StripTrailingAsciiWhitespace(command));
}

SetupFailure DecodeSetupFailure(absl::string_view payload) {
  // The reader has checked that all three are there.
  Decoder decoder(payload);
  // A number that is no step stays none when it is cut to the enum's size.
  const uint32_t step = std::min<uint32_t>(*decoder.U32(), std::numeric_limits<uint8_t>::max());
  const int error = static_cast<int>(*decoder.U32());
  return {static_cast<Step>(step), error, std::string(*decoder.String())};
}

}  // namespace

Task::Task(pid_t pid, Fd process, Sandbox sandbox, Pipes pipes, const Nonce& nonce,
           const Options& options, Ends ends, const std::vector<std::string>& passed_over)
    : pid_(pid),
      has_pid_namespace_(options.pid_namespace),
      keep_failed_(options.keep_failed),
      audits_names_(options.audit_names),
      tells_namespaces_(options.tell_namespaces),
      isolation_(IsolationOf(options)),
      hears_names_(options.audit_names),
      leak_kinds_(options.leaks),
      ends_(ends),
      grace_(options.grace),
      process_(std::move(process)),
      sandbox_(std::move(sandbox)),
      pipes_(std::move(pipes)),
      out_file_(options.full_output_folder, "stdout"),
      err_file_(options.full_output_folder, "stderr"),
      out_(nonce, static_cast<size_t>(options.output_limit_bytes),
           [this](absl::string_view bytes) { out_file_.Append(bytes); }),
      err_(nonce, static_cast<size_t>(options.output_limit_bytes),
           [this](absl::string_view bytes) { err_file_.Append(bytes); }),
      passed_over_(passed_over),
      started_(MonotonicNow()),
      deadline_(started_ + options.timeout),
      quiet_until_(started_ + kQuiet) {
  MakeNonBlocking(pipes_.report);
  MakeNonBlocking(pipes_.out);
  MakeNonBlocking(pipes_.err);
}

int Task::Descriptor(Source source) const {
  switch (source) {
    case kReport:
      return pipes_.report.get();
    case kOut:
      return pipes_.out.get();
    case kErr:
      return pipes_.err.get();
    case kProcess:
      return process_.get();
    case kPostMortem:
      // The names that are used come as they fill a buffer.
      return waits_for_post_mortem_ || (hears_names_ && !reaped_) ? sandbox_.post_mortem() : -1;
    case kInit:
      return waits_for_init_ ? sandbox_.init() : -1;
  }
  return -1;
}

Fd& Task::Pipe(Source source) {
  return source == kReport ? pipes_.report : source == kOut ? pipes_.out : pipes_.err;
}

void Task::OnReady(Source source) {
  switch (source) {
    case kReport:
    case kOut:
    case kErr:
      ReadOnce(source);
      break;
    case kProcess:
      if (TryReap(WNOHANG)) {
        Conclude();
      }
      break;
    case kPostMortem:
      ReadPostMortem();
      break;
    case kInit:
      // Everybody who could write is gone, so what is in the pipes is all that
      // there will ever be, even if a descriptor was handed out of the sandbox.
      ReadWhatIsThere();
      ClosePipes();
      Finish();
      break;
  }
  if (reaped_ && !waits_for_post_mortem_ && !pipes_.report.valid() && !pipes_.out.valid() &&
      !pipes_.err.valid()) {
    Finish();
  }
}

void Task::Finish() {
  finished_ = true;
  sandbox_.times().over = RealtimeNow();
}

// How many bytes that were.
size_t Task::ReadOnce(Source source) {
  char buffer[16384];
  Fd& pipe = Pipe(source);
  const ssize_t size = read(pipe.get(), buffer, sizeof(buffer));
  if (size > 0) {
    OnBytes(source, absl::string_view(buffer, static_cast<size_t>(size)));
    GoQuiet(static_cast<size_t>(size));
    return static_cast<size_t>(size);
  }
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
    pipe.Reset();
  }
  return 0;
}

// Who writes much may be waiting for room in a pipe: not within a while of that.
void Task::GoQuiet(size_t read) {
  constexpr size_t kMuch = 2048;  // less than the smallest pipe holds
  if (reaped_) {
    return;
  }
  const absl::Time now = MonotonicNow();
  if (read >= kMuch) {
    read_much_ = now;
    quiet_until_ = absl::InfinitePast();
  } else if (now - read_much_ > kQuiet) {
    quiet_until_ = now + kQuiet;
  }
}

// No more than that: somebody else may go on writing for ever.
void Task::ReadWhatIsThere() {
  for (const Source source : {kReport, kOut, kErr}) {
    const Fd& pipe = Pipe(source);
    int left = 0;
    if (!pipe.valid() || ioctl(pipe.get(), FIONREAD, &left) != 0) {
      continue;
    }
    while (left > 0 && pipe.valid()) {
      left -= static_cast<int>(ReadOnce(source));
    }
    if (pipe.valid()) {
      ReadOnce(source);  // its end, most often
    }
  }
}

void Task::ClosePipes() {
  for (const Source source : {kReport, kOut, kErr}) {
    Pipe(source).Reset();
  }
}

void Task::OnBytes(Source source, absl::string_view bytes) {
  switch (source) {
    case kReport:
      // Goes on after damage, which the reader remembers, so that the writer neither
      // blocks nor gets a SIGPIPE.
      {
        const size_t first = frames_.size();
        (void)reader_.Feed(bytes, frames_);
        TakeTimeLimits(first);
      }
      break;
    case kOut:
      out_.Append(bytes);
      break;
    case kErr:
      err_.Append(bytes);
      break;
    case kProcess:
    case kPostMortem:
    case kInit:
      break;
  }
}

// Follows those among the frames from `first` on, and takes them out.
void Task::TakeTimeLimits(size_t first) {
  const auto end = std::remove_if(
      frames_.begin() + static_cast<std::ptrdiff_t>(first), frames_.end(),
      [this](const Frame& frame) {
        if (frame.tag != Tag::kTimeLimit) {
          return false;
        }
        const uint64_t nanoseconds = *Decoder(frame.payload).U64();
        if (!timed_out_ && !reaped_) {
          deadline_ = nanoseconds > std::numeric_limits<int64_t>::max()
                          ? absl::InfiniteFuture()
                          : MonotonicNow() + absl::Nanoseconds(static_cast<int64_t>(nanoseconds));
        }
        return true;
      });
  frames_.erase(end, frames_.end());
}

bool Task::TryReap(int flags) {
  int status = 0;
  rusage usage = {};
  pid_t waited;
  do {
    waited = wait4(pid_, &status, flags, &usage);
  } while (waited < 0 && errno == EINTR);
  if (waited == 0) {
    return false;
  }
  ended_ = MonotonicNow();
  sandbox_.times().ended = RealtimeNow();
  reaped_ = true;
  process_.Reset();
  deadline_ = absl::InfiniteFuture();
  quiet_until_ = absl::InfinitePast();
  if (waited == pid_) {
    wait_status_ = status;
    usage_.user = absl::DurationFromTimeval(usage.ru_utime);
    usage_.system = absl::DurationFromTimeval(usage.ru_stime);
    usage_.peak_memory_bytes = int64_t{usage.ru_maxrss} * 1024;
  }
  return true;
}

// As its process saw before it ended, which it did as it said it would: nobody else was there who
// could leave something since.
bool Task::LeftNothing() const {
  return reader_.finished() && frames_.size() >= 2 &&
         frames_[frames_.size() - 2].tag == Tag::kNothingLeft && wait_status_.has_value() &&
         WIFEXITED(*wait_status_) && !timed_out_ && !audits_names_ &&
         HasNoQueues(sandbox_.queues());
}

// The process is gone: have its init look at what it left.
void Task::Conclude() {
  ReadWhatIsThere();
  if (LeftNothing()) {
    EndSandbox();
    return;
  }
  // Its leaks, if it had any, came before its end.
  const bool told = reader_.finished();
  const char request =
      keep_failed_ ? (told ? kLookAndStay : kLookAlone) : (told ? kLookAndEnd : kLookAloneAndEnd);
  if (sandbox_.post_mortem() >= 0 &&
      send(sandbox_.post_mortem(), &request, sizeof(request), MSG_NOSIGNAL) == 1) {
    waits_for_post_mortem_ = true;
    deadline_ = ended_ + kPatience;
    return;
  }
  EndSandbox();
}

void Task::ReadPostMortem() {
  char buffer[16384];
  const ssize_t size = recv(sandbox_.post_mortem(), buffer, sizeof(buffer), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  const bool over =
      size <= 0 ||
      !post_mortem_reader_.Feed(absl::string_view(buffer, static_cast<size_t>(size)), post_mortem_)
           .ok() ||
      post_mortem_reader_.finished();
  if (over) {
    hears_names_ = false;
  }
  if (over && waits_for_post_mortem_) {
    EndSandbox();
  }
}

// Ends what it left, and sees that nothing of its output is missed, whoever still holds the pipes.
void Task::EndSandbox() {
  if (waits_for_post_mortem_) {
    sandbox_.times().looked = RealtimeNow();
  }
  waits_for_post_mortem_ = false;
  deadline_ = absl::InfiniteFuture();
  if (keep_failed_) {
    ReadWhatIsThere();
    if (!Succeeded()) {
      kept_ = true;
      Finish();
      return;
    }
  }
  sandbox_.Kill();
  if (has_pid_namespace_) {
    waits_for_init_ = true;
  } else {
    // Nobody knows who was left; what they write from now on is lost.
    ReadWhatIsThere();
    ClosePipes();
    Finish();
  }
}

// Or there is nothing to look at, as it never entered its sandbox.
bool Task::Succeeded() const {
  if (timed_out_ || !wait_status_.has_value() || WIFSIGNALED(*wait_status_)) {
    return false;
  }
  for (const Frame& frame : frames_) {
    if (frame.tag == Tag::kSetupFailure) {
      return true;
    }
    if (frame.tag == Tag::kEnd) {
      return *Decoder(frame.payload).U32() == 0;
    }
  }
  return ends_ == Ends::kByExiting && WEXITSTATUS(*wait_status_) == 0;
}

std::unique_ptr<KeptSandbox> Task::TakeKept() {
  if (!kept_) {
    return nullptr;
  }
  std::vector<Fd> pipes;
  for (const Source source : {kReport, kOut, kErr}) {
    pipes.push_back(std::move(Pipe(source)));
  }
  return std::make_unique<KeptSandbox>(std::move(sandbox_), std::move(pipes));
}

void Task::Terminate(absl::Time now) {
  if (!timed_out_ && !reaped_) {
    OnDeadline(now);
  }
}

void Task::Postpone(absl::Duration away) { deadline_ += away; }

void Task::OnDeadline(absl::Time now) {
  if (waits_for_post_mortem_) {
    EndSandbox();
  } else if (killed_) {
    // Somebody in the sandbox holds its end back, as a debugger can.
    deadline_ = absl::InfiniteFuture();
    Kill();
  } else if (!timed_out_) {
    timed_out_ = true;
    deadline_ = now + grace_;
    if (has_pid_namespace_) {
      processes_ = TakeCensus(sandbox_.namespaces().pid);
    }
    raw::PidfdSendSignal(process_.get(), SIGTERM);
  } else {
    killed_ = true;
    deadline_ = now + kPatience;
    // The rest of the sandbox is to be looked at.
    if (keep_failed_ || sandbox_.post_mortem() >= 0) {
      raw::PidfdSendSignal(process_.get(), SIGKILL);
    } else {
      deadline_ = absl::InfiniteFuture();
      Kill();
    }
  }
}

void Task::Kill() {
  sandbox_.Kill();
  // Without a pid namespace the init's end is not the process's.
  if (process_.valid()) {
    raw::PidfdSendSignal(process_.get(), SIGKILL);
  }
}

void Task::Reap() {
  if (!reaped_) {
    TryReap(0);
  }
}

void Task::AddLeaks(const std::vector<Frame>& frames, Leaks& leaks) {
  absl::optional<uint32_t> stretch;
  for (const Frame& frame : frames) {
    if (frame.tag == Tag::kStretch) {
      stretch = Decoder(frame.payload).U32();
    } else if (frame.tag == Tag::kEvidence) {
      // What cannot be read, a hostile test wrote.
      (void)leaks.Add(frame.payload, stretch);
    }
  }
}

Footprint Task::TakeFootprint() {
  FootprintBuilder builder(passed_over_);
  for (const Frame& frame : post_mortem_) {
    if (frame.tag == Tag::kName) {
      (void)builder.Add(frame.payload);
    }
  }
  return builder.Take();
}

// In order: the clock may have been set back, and the process has told one of them.
Times Task::TakeTimes() {
  Times times = std::move(sandbox_.times());
  absl::Time last = times.started;
  for (absl::Time* time : {&times.forked, &times.ended, &times.looked, &times.over}) {
    if (*time != absl::InfinitePast()) {
      last = *time = std::max(*time, last);
    }
  }
  if (times.entered != absl::InfinitePast()) {
    times.entered = std::min(std::max(times.entered, times.forked), times.ended);
  }
  last = absl::InfinitePast();
  for (StepTime& step : times.set_up) {
    step.begun = std::max(step.begun, last);
    last = step.ended = std::max(step.ended, step.begun);
  }
  return times;
}

absl::StatusOr<Result> Task::Take() {
  Result result;
  if (const absl::Status status = reader_.Finish(); !status.ok()) {
    result.report_error = std::string(status.message());
  }
  Captured out = out_.Take();
  Captured err = err_.Take();
  result.out = std::move(out.text);
  result.err = std::move(err.text);
  result.omitted_bytes = out.omitted_bytes + err.omitted_bytes;

  const auto inherited = [] { return NamelessMappings(); };
  const auto own_command = [] { return OwnCommand(); };
  Leaks leaks(leak_kinds_, inherited, own_command);
  AddLeaks(frames_, leaks);
  AddLeaks(post_mortem_, leaks);
  result.leaks = leaks.Take();
  if (audits_names_) {
    result.footprint = TakeFootprint();
    if (Has(leak_kinds_, LeakKind::kFile)) {
      for (Leak& leak : FilesLeftOutside(result.footprint, sandbox_.tmpfs_folders())) {
        result.leaks.push_back(std::move(leak));
      }
    }
  }

  absl::optional<int> returned;
  for (Frame& frame : frames_) {
    switch (frame.tag) {
      case Tag::kHello: {
        Decoder hello(frame.payload);
        hello.U32();
        sandbox_.times().entered = absl::FromUnixNanos(static_cast<int64_t>(*hello.U64()));
        break;
      }
      case Tag::kTimeLimit:
      case Tag::kEvidence:
      case Tag::kStretch:
      case Tag::kName:
      case Tag::kNothingLeft:
        break;
      case Tag::kSetupFailure: {
        const SetupFailure failure = DecodeSetupFailure(frame.payload);
        if (IsStep(static_cast<int>(failure.step))) {
          return ToStatus(failure);
        }
        result.report_error = "the report is damaged: it names an unknown step";
        break;
      }
      case Tag::kMessage: {
        const auto mark = out.marks.find(static_cast<uint32_t>(result.messages.size()));
        result.messages.push_back(
            {std::move(frame.payload), mark != out.marks.end() ? mark->second : result.out.size()});
        break;
      }
      case Tag::kEnd:
        returned = static_cast<int>(*Decoder(frame.payload).U32());
        break;
    }
  }

  if (frames_.empty() && result.report_error.empty() && !timed_out_) {
    return absl::UnavailableError(
        "cannot isolate: the process ended before it was in its sandbox; something killed it, or "
        "its sandbox");
  }

  const bool signaled = wait_status_.has_value() && WIFSIGNALED(*wait_status_);
  if (timed_out_) {
    result.outcome = Outcome::kTimedOut;
    result.code = signaled ? WTERMSIG(*wait_status_) : 0;
  } else if (signaled) {
    result.outcome = Outcome::kSignaled;
    result.code = WTERMSIG(*wait_status_);
  } else if (returned.has_value() && (!wait_status_.has_value() ||
                                      WEXITSTATUS(*wait_status_) == (*returned & kExitCodeMask))) {
    result.outcome = Outcome::kReturned;
    result.code = *returned;
  } else if (wait_status_.has_value()) {
    result.outcome = Outcome::kExited;
    result.code = WEXITSTATUS(*wait_status_);
    result.returned = returned.has_value();
  }
  result.out_file = out_file_.Keep();
  result.err_file = err_file_.Keep();
  result.full_output_error =
      std::string((out_file_.status().ok() ? err_file_ : out_file_).status().message());
  result.processes = std::move(processes_);
  result.usage = usage_;
  result.usage.wall = ended_ - started_;
  result.times = TakeTimes();
  if (tells_namespaces_) {
    result.namespaces = sandbox_.namespaces();
  }
  result.isolation = isolation_;
  return result;
}

}  // namespace isolate::internal
