#include "tests/sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "isolate/isolate.h"

namespace isolate {
namespace {

namespace fs = std::filesystem;

std::string ErrnoName(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : absl::StrCat("errno ", error);
}

}  // namespace

absl::StatusOr<Result> ResultInside(const Options& options, absl::FunctionRef<std::string()> look) {
  return Run(options, [&](Reporter& reporter) { return reporter.Send(look()).ok() ? 0 : 1; });
}

std::string Inside(const Options& options, absl::FunctionRef<std::string()> look) {
  const absl::StatusOr<Result> result = ResultInside(options, look);
  if (!result.ok()) {
    return absl::StrCat("not isolated: ", result.status().message());
  }
  if (!result->ok() || result->messages.size() != 1) {
    return absl::StrCat(Told(result), ", with ", result->messages.size(), " messages\n",
                        result->out, result->err);
  }
  return result->messages[0].payload;
}

std::string Told(const absl::Status& status) {
  if (status.ok()) {
    return "OK";
  }
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  return failure.has_value()
             ? absl::StrCat(StepName(failure->step), ": ", ErrnoName(failure->error))
             : absl::StrCat("without a SetupFailure: ", status.message());
}

std::string Told(const absl::StatusOr<Result>& result) {
  if (!result.ok()) {
    return Told(result.status());
  }
  return absl::StrCat(Describe(result->outcome, result->code),
                      result->report_error.empty() ? "" : ", ", result->report_error);
}

std::string Called(long value) { return value >= 0 ? "OK" : ErrnoName(errno); }

std::string ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  char buffer[4096];
  ssize_t size = fd;
  while (size >= 0 && (size = read(fd, buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(size));
  }
  if (size < 0) {
    text = ErrnoName(errno);
  }
  close(fd);
  return text;
}

std::string MakeFile(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) {
    return ErrnoName(errno);
  }
  close(fd);
  return "OK";
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string List(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    names.insert(entry.path().filename());
  }
  return error ? error.message() : absl::StrJoin(names, " ");
}

std::string Identity(const std::string& path) {
  struct stat now;
  if (stat(path.c_str(), &now) != 0) {
    return ErrnoName(errno);
  }
  return absl::StrCat(now.st_dev, ":", now.st_ino, " ", absl::Hex(now.st_mode));
}

ino_t Inode(const std::string& kind) {
  struct stat now;
  return stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &now) == 0 ? now.st_ino : 0;
}

std::vector<pid_t> ProcessesInProc() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    pid_t pid;
    if (absl::SimpleAtoi(entry.path().filename().string(), &pid)) {
      pids.push_back(pid);
    }
  }
  return pids;
}

std::string StatusLine(absl::string_view name) {
  const std::string status = ReadFile("/proc/self/status");
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, ":")) {
      return std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return "none";
}

Folder::Folder(const std::string& parent) : path_(absl::StrCat(parent, "/isolate-XXXXXX")) {
  if (mkdtemp(path_.data()) == nullptr) {
    abort();
  }
  // As mkdir under the usual umask would have it.
  chmod(path_.c_str(), 0755);
}

Folder::~Folder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

}  // namespace isolate
