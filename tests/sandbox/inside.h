#ifndef TESTS_SANDBOX_INSIDE_H_
#define TESTS_SANDBOX_INSIDE_H_

// Looking around in a sandbox, and comparing it with outside.
//
//   EXPECT_EQ(Inside({}, [] { return ReadFile("/proc/1/comm"); }), "isolate-init\n");
//
// The looks are for both sides, and tell what they see as a string.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "isolate/isolate.h"

namespace isolate {

// No process can join a time namespace that has a second thread, and ThreadSanitizer
// starts one in every fork.
#ifdef ABSL_HAVE_THREAD_SANITIZER
inline constexpr bool kCanJoinTimeNamespaces = false;
#else
inline constexpr bool kCanJoinTimeNamespaces = true;
#endif

// What `look` returned in a sandbox, byte for byte; or "not isolated: ..." or
// what became of the process otherwise.
std::string Inside(const Options& options, absl::FunctionRef<std::string()> look);

// The same, with the rest of the result: `look` is the only message.
absl::StatusOr<Result> ResultInside(const Options& options, absl::FunctionRef<std::string()> look);

// A result or a status in a few words: "returned 0", or the failed step and its
// errno as in "mount a fresh /proc: EPERM".
std::string Told(const absl::StatusOr<Result>& result);
std::string Told(const absl::Status& status);

// "OK" for 0, otherwise the name of errno: for the value of a system call.
std::string Called(long value);

std::string ReadFile(const std::string& path);  // or the name of errno
std::string MakeFile(const std::string& path);  // "OK" or the name of errno
bool Exists(const std::string& path);
// The names in a folder, sorted, with spaces between.
std::string List(const std::string& folder);
// Device, inode and mode: "the same file" in one comparison.  Not the owner: in
// a user namespace of an ordinary user, that of others is nobody.
std::string Identity(const std::string& path);
// The inode of a namespace of the calling process's, as "net"; 0 without such a kind.
ino_t Inode(const std::string& kind);
// The numbers among the names in /proc.
std::vector<pid_t> ProcessesInProc();
// A line of /proc/self/status, as "CapEff".
std::string StatusLine(absl::string_view name);

// A folder with a name of its own, removed with all that is in it.
class Folder {
 public:
  explicit Folder(const std::string& parent = "/tmp");
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace isolate

#endif  // TESTS_SANDBOX_INSIDE_H_
