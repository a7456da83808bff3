#ifndef ISOLATE_REPORTER_H_
#define ISOLATE_REPORTER_H_

// How a sandboxed function tells the caller more than its exit code.
//
//   isolate::Run({}, [](isolate::Reporter& reporter) {
//     reporter.Send("half way");
//     return 0;
//   });
//
// A message arrives the moment it is sent: a crash after it does not lose it.
// Lives in the sandboxed process; not to be used in the caller's.

#include <sys/types.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "isolate/internal/capture.h"

namespace isolate {

class Reporter {
 public:
  // The largest message, in bytes.
  static constexpr size_t kMaxMessageSize = size_t{16} << 20;

  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Sends a message to the caller, where it stands in Result::messages with the
  // position in the output at which it was sent.  Flushes stdout, so that this
  // position is true.  Any thread may call it.
  //
  // InvalidArgument for a message that is too large; FailedPrecondition in a
  // process that was forked from the function's (its messages would be taken
  // for the function's own); otherwise the write's errno.
  //
  // Costs two writes.
  absl::Status Send(absl::string_view message);

 private:
  friend class Executor;

  Reporter(int report, int mark, const internal::Nonce& nonce);

  // The first and the last frame of the report.
  absl::Status Begin();
  absl::Status End(int code);

  // Tells that `program` could not be executed, from errno, and ends the process.
  [[noreturn]] void FailExec(const char* program);

  const pid_t process_;
  const int report_;
  const int mark_;
  const internal::Nonce nonce_;
  absl::Mutex mutex_;
  uint32_t sent_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace isolate

#endif  // ISOLATE_REPORTER_H_
