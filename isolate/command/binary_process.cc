#include "isolate/command/binary_process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/wire.h"
#include "isolate/reporter.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

using ::isolate::internal::Decoder;
using ::isolate::internal::Encoder;
using ::isolate::internal::Fd;

constexpr size_t kPieceSize = size_t{1} << 20;

// Starts it with the signal mask that this process had; gives 0 or an errno.
int Spawn(std::vector<std::string> command, const sigset_t& mask, pid_t& child) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& argument : command) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Of its own, so that a test that signals its group does not end the process that tells of it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &mask);
  const int error = posix_spawn(&child, argv[0], nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  return error;
}

// Waits for the child, and passes SIGTERM on to it; both signals of `awaited` are blocked.
int WaitFor(pid_t child, const sigset_t& awaited) {
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    siginfo_t info;
    if (sigwaitinfo(&awaited, &info) == SIGTERM) {
      kill(child, SIGTERM);
    }
  }
  return status;
}

void SendEnd(int execute_error, int status, int file, Reporter& reporter) {
  Encoder head;
  head.U32(static_cast<uint32_t>(execute_error)).U32(static_cast<uint32_t>(status));
  // Not OK where the runner has gone, too.
  (void)reporter.Send(head.bytes());
  std::string piece(kPieceSize, '\0');
  off_t position = 0;
  for (ssize_t size; (size = pread(file, piece.data(), piece.size(), position)) > 0;) {
    (void)reporter.Send(absl::string_view(piece.data(), static_cast<size_t>(size)));
    position += size;
  }
}

}  // namespace

int RunBinary(const CommandFor& command, Reporter& reporter) {
  // Until the process ends: closed before, it would be a change of the process's state.
  static const auto* const kFile = new Fd(memfd_create("isolate-gtest", MFD_CLOEXEC));
  const std::string path = absl::StrCat("/proc/", getpid(), "/fd/", kFile->get());
  // Where SIGCHLD is ignored, nobody can be waited for.
  signal(SIGCHLD, SIG_DFL);
  sigset_t awaited;
  sigset_t mask;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigprocmask(SIG_BLOCK, &awaited, &mask);
  reporter.BeginLeakCheck();
  pid_t child = -1;
  int status = 0;
  const int execute_error = kFile->valid() ? Spawn(command(path), mask, child) : errno;
  if (execute_error == 0) {
    status = WaitFor(child, awaited);
  }
  SendEnd(execute_error, status, kFile->get(), reporter);
  return execute_error == 0 && status == 0 ? 0 : 1;
}

BinaryEnd TakeBinaryEnd(Result& result) {
  BinaryEnd end;
  const std::vector<Message> messages = std::move(result.messages);
  result.messages.clear();
  if (messages.empty()) {
    return end;
  }
  Decoder head(messages.front().payload);
  const auto execute_error = head.U32();
  const auto status = head.U32();
  if (!head.complete()) {
    return end;
  }
  end.known = true;
  end.execute_error = static_cast<int>(*execute_error);
  end.wait_status = static_cast<int>(*status);
  std::for_each(messages.begin() + 1, messages.end(),
                [&](const Message& message) { end.json += message.payload; });
  return end;
}

}  // namespace isolate::command
