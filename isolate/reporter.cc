#include "isolate/reporter.h"

#include <errno.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/enter.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/wire.h"
#include "isolate/setup_failure.h"

namespace isolate {
namespace {

using ::isolate::internal::Encoder;
using ::isolate::internal::FrameHeader;
using ::isolate::internal::Tag;

static_assert(Reporter::kMaxMessageSize == internal::kMaxPayload, "a message is a payload");

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

Reporter::Reporter(int report, int mark, const internal::Nonce& nonce)
    : process_(getpid()), report_(report), mark_(mark), nonce_(nonce) {}

absl::Status Reporter::Begin() {
  return WriteFrame(report_, Tag::kHello, Encoder().U32(internal::kWireVersion).bytes());
}

absl::Status Reporter::Send(absl::string_view message) {
  if (message.size() > kMaxMessageSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message of ", message.size(), " bytes is larger than ", kMaxMessageSize));
  }
  if (getpid() != process_) {
    return absl::FailedPreconditionError("only the sandboxed function's own process may send");
  }
  const absl::MutexLock lock(&mutex_);
  fflush(stdout);
  if (absl::Status status = WriteFrame(report_, Tag::kMessage, message); !status.ok()) {
    return status;
  }
  const auto mark = internal::Mark(nonce_, sent_++);
  if (internal::raw::WriteAll(mark_, mark.data(), mark.size()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot write to the captured output");
  }
  return absl::OkStatus();
}

absl::Status Reporter::End(int code) {
  if (getpid() != process_) {
    return absl::FailedPreconditionError("only the sandboxed function's own process may send");
  }
  const absl::MutexLock lock(&mutex_);
  return WriteFrame(report_, Tag::kEnd, Encoder().U32(static_cast<uint32_t>(code)).bytes());
}

void Reporter::FailExec(const char* program) { internal::FailSetup(report_, Step::kExec, program); }

}  // namespace isolate
