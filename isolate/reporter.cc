#include "isolate/reporter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/internal/audit_mark.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/coverage.h"
#include "isolate/internal/enter.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/fork_generation.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/own_descriptor.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/streams.h"
#include "isolate/internal/wire.h"
#include "isolate/setup_failure.h"

namespace isolate {
namespace {

using ::isolate::internal::Encoder;
using ::isolate::internal::FrameHeader;
using ::isolate::internal::Tag;

static_assert(Reporter::kMaxMessageSize == internal::kMaxPayload, "a message is a payload");
// With the hello, the end, and a header for each.
static_assert(Reporter::kMaxMessages + Reporter::kMaxTimeLimits + 2 +
                      2 * internal::kEvidenceTypes * (internal::kMaxEvidence + 1) <=
                  internal::kMaxFrames,
              "each is a frame");
static_assert(Reporter::kMaxTotalSize + internal::kMaxFrames * (internal::kFrameHeaderSize + 1) <=
                  internal::kMaxReport - Reporter::kMaxTimeLimits * sizeof(uint64_t),
              "all of it goes into a report");

absl::Status WriteFrame(int fd, Tag tag, absl::string_view payload) {
  const auto header = FrameHeader(tag, payload.size());
  // One write for a frame of usual size.
  std::string frame(header.data(), header.size());
  frame.append(payload.data(), payload.size());
  if (internal::raw::WriteAll(fd, frame.data(), frame.size()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot write to the report pipe");
  }
  return absl::OkStatus();
}

}  // namespace

Reporter::Reporter(int report, int mark, const internal::Nonce& nonce, internal::LeakPlan leaks)
    : process_(getpid()),
      generation_(internal::ForkGeneration()),
      captured_(mark >= 0),
      report_(report),
      mark_(mark),
      nonce_(nonce),
      leak_check_(std::move(leaks)) {}

absl::Status Reporter::Begin(int64_t files) {
  leak_check_.Enter(files);
  const auto hello = internal::HelloPayload(internal::RealtimeNanoseconds());
  return WriteFrame(report_.get(), Tag::kHello, {hello.data(), hello.size()});
}

bool Reporter::IsOwnProcess() const {
  return getpid() == process_ && internal::ForkGeneration() == generation_;
}

bool Reporter::connected() const { return IsOwnProcess() && report_.IsOurs(); }

absl::Status Reporter::Check() const {
  if (!IsOwnProcess()) {
    return absl::FailedPreconditionError("only the sandboxed function's own process may send");
  }
  if (!report_.IsOurs() || (captured_ && !mark_.IsOurs())) {
    return absl::UnavailableError("the function closed the descriptors of its report");
  }
  return absl::OkStatus();
}

absl::Status Reporter::Send(absl::string_view message) {
  if (message.size() > kMaxMessageSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message of ", message.size(), " bytes is larger than ", kMaxMessageSize));
  }
  if (absl::Status status = Check(); !status.ok()) {
    return status;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sent_ >= kMaxMessages || sent_bytes_ + message.size() > kMaxTotalSize) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a function may send ", kMaxMessages, " messages, of ", kMaxTotalSize, " bytes together"));
  }
  sent_bytes_ += message.size();
  fflush(stdout);
  if (absl::Status status = WriteFrame(report_.get(), Tag::kMessage, message); !status.ok()) {
    return status;
  }
  const auto mark = internal::Mark(nonce_, sent_++);
  if (captured_ && internal::raw::WriteAll(mark_.get(), mark.data(), mark.size()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot write to the captured output");
  }
  return absl::OkStatus();
}

absl::Status Reporter::SetTimeLimit(absl::Duration limit) {
  if (absl::Status status = Check(); !status.ok()) {
    return status;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (time_limits_ >= kMaxTimeLimits) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a function may set its time limit ", kMaxTimeLimits, " times"));
  }
  ++time_limits_;
  const uint64_t nanoseconds =
      limit == absl::InfiniteDuration()
          ? internal::kNoLimit
          : static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Nanoseconds(limit), 0));
  return WriteFrame(report_.get(), Tag::kTimeLimit, Encoder().U64(nanoseconds).bytes());
}

void Reporter::BeginLeakCheck() { BeginLeakCheck(/*fresh=*/false); }

void Reporter::BeginLeakCheck(bool fresh) {
  const internal::ScopedAside aside;
  leak_check_.Begin(fresh);
}

void Reporter::SetStandOf(std::function<Stand(pid_t thread)> stand_of) {
  leak_check_.SetStandOf(
      [stand_of = std::move(stand_of)](pid_t thread) -> std::pair<std::string, std::string> {
        Stand stand = stand_of(thread);
        return {std::move(stand.function), std::move(stand.stack)};
      });
}

void Reporter::BeginFootprint(absl::optional<uint32_t> stretch) {
  internal::MarkStretch(stretch.value_or(internal::kNoStretch));
}

void Reporter::NextStretch() {
  if (IsOwnProcess()) {
    const internal::ScopedAside aside;
    leak_check_.EndStretch();
  }
}

// What cannot be told, as the runner is gone, nobody would hear.
void Reporter::TellLeaks() {
  if (!Check().ok()) {
    return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::optional<uint32_t> told;
  leak_check_.Tell([&](uint32_t stretch, absl::string_view record) {
    if (told != stretch) {
      told = stretch;
      (void)WriteFrame(report_.get(), Tag::kStretch, Encoder().U32(stretch).bytes());
    }
    (void)WriteFrame(report_.get(), Tag::kEvidence, record);
  });
  if (!told.has_value() && leak_check_.NothingIsLeft()) {
    (void)WriteFrame(report_.get(), Tag::kNothingLeft, "");
  }
}

bool Reporter::SendLast(absl::string_view message) const {
  if (message.size() > kMaxMessageSize || !connected()) {
    return false;
  }
  const auto header = FrameHeader(Tag::kMessage, message.size());
  return internal::raw::WriteAll(report_.get(), header.data(), header.size()) == 0 &&
         internal::raw::WriteAll(report_.get(), message.data(), message.size()) == 0;
}

absl::Status Reporter::End(int code) {
  if (absl::Status status = Check(); !status.ok()) {
    return status;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  return WriteFrame(report_.get(), Tag::kEnd, Encoder().U32(static_cast<uint32_t>(code)).bytes());
}

void Reporter::Finish(int code) {
  fflush(stdout);
  const internal::ScopedAside aside;
  TellLeaks();
  // Not OK in a process that the function forked and let return, or when the
  // runner is gone; there is nobody to tell then.
  (void)End(code);
  internal::FlushStreams();
  internal::WriteCoverage();
  _exit(code);
}

std::string Reporter::HandOver() {
  fcntl(report_.get(), F_SETFD, 0);
  if (captured_) {
    fcntl(mark_.get(), F_SETFD, 0);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  return Encoder()
      .U32(static_cast<uint32_t>(report_.get()))
      .U32(static_cast<uint32_t>(mark_.get()))
      .String({nonce_.data(), nonce_.size()})
      .U32(sent_)
      .U64(sent_bytes_)
      .U32(time_limits_)
      .String(internal::Encode(leak_check_.plan()))
      .U64(internal::AuditToken())
      .bytes();
}

absl::StatusOr<std::unique_ptr<Reporter>> Reporter::TakeOver(absl::string_view handed_over) {
  internal::Decoder decoder(handed_over);
  const auto report = decoder.U32();
  const auto mark = decoder.U32();
  const auto nonce_bytes = decoder.String();
  const auto sent = decoder.U32();
  const auto sent_bytes = decoder.U64();
  const auto time_limits = decoder.U32();
  const auto leaks = decoder.String();
  const auto audit_token = decoder.U64();
  internal::Nonce nonce;
  if (!decoder.complete() || nonce_bytes->size() != nonce.size()) {
    return absl::InvalidArgumentError("this is not what a reporter handed over");
  }
  absl::StatusOr<internal::LeakPlan> plan = internal::DecodeLeakPlan(*leaks);
  if (!plan.ok()) {
    return plan.status();
  }
  std::copy(nonce_bytes->begin(), nonce_bytes->end(), nonce.begin());
  for (const int pipe : {static_cast<int>(*report), static_cast<int>(*mark)}) {
    if (pipe >= 0 && fcntl(pipe, F_SETFD, FD_CLOEXEC) != 0) {
      return absl::ErrnoToStatus(errno, "the descriptors of the report are not open");
    }
  }
  internal::PrintLineByLine();
  internal::SetAuditToken(*audit_token);
  std::unique_ptr<Reporter> reporter(
      new Reporter(static_cast<int>(*report), static_cast<int>(*mark), nonce, *std::move(plan)));
  const std::lock_guard<std::mutex> lock(reporter->mutex_);
  reporter->sent_ = *sent;
  reporter->sent_bytes_ = *sent_bytes;
  reporter->time_limits_ = *time_limits;
  reporter->BeginLeakCheck();
  return reporter;
}

void Reporter::FailExec(const char* program) {
  internal::FailSetup(report_.get(), Step::kExec, program);
}

}  // namespace isolate
