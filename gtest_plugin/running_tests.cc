#include "gtest_plugin/running_tests.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest_plugin/running_test.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/numbers_in.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::AboveStandardStreams;
using ::isolate::internal::Fd;

constexpr char kName[] = "isolate-tests";

// A page, so that places that were never used take no memory.
constexpr size_t kPlaceSize = 4096;

// As many as --isolate_jobs may be; a file of somebody else's may have any size.
constexpr size_t kMaxPlaces = 1024;

// A write takes less time than a read, and is far from the next one of that place.
constexpr int kMaxReads = 10;

std::string TargetOf(const std::string& link) {
  char target[64];  // longer than the one that is looked for
  const ssize_t size = readlink(link.c_str(), target, sizeof(target));
  return std::string(target, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

// Not valid where it holds none.
Fd FileOf(pid_t runner) {
  const std::string folder = absl::StrCat("/proc/", runner, "/fd");
  for (const int descriptor : isolate::internal::NumbersIn(folder)) {
    const std::string link = absl::StrCat(folder, "/", descriptor);
    if (TargetOf(link) == absl::StrCat("/memfd:", kName, " (deleted)")) {
      // Another kind of file may have that name, too: it is not waited for.
      return Fd(open(link.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    }
  }
  return Fd();
}

absl::optional<RunningTest> Read(const Fd& file, size_t place) {
  char bytes[kPlaceSize];
  for (int i = 0; i < kMaxReads; ++i) {
    const ssize_t size =
        pread(file.get(), bytes, sizeof(bytes), static_cast<off_t>(place * kPlaceSize));
    if (size <= 0) {
      break;
    }
    absl::optional<RunningTest> running =
        DecodeRunningTest(absl::string_view(bytes, static_cast<size_t>(size)));
    if (running.has_value()) {
      return running;
    }
  }
  return absl::nullopt;
}

}  // namespace

RunningTests::RunningTests() : file_(AboveStandardStreams(Fd(memfd_create(kName, MFD_CLOEXEC)))) {
  struct stat file;
  if (file_.valid() && fstat(file_.get(), &file) == 0) {
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
}

// The runner's main may have closed it, and opened a file of its own in its place.  Beyond the
// limit the kernel would end the runner (SIGXFSZ).
bool RunningTests::MayWrite(off_t end) const {
  struct stat file;
  rlimit limit;
  return file_.valid() && fstat(file_.get(), &file) == 0 && file.st_dev == device_ &&
         file.st_ino == inode_ && getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
         static_cast<rlim_t>(end) <= limit.rlim_cur;
}

void RunningTests::Set(size_t place, const RunningTest& running) {
  std::string record = Encode(running);
  if (record.size() > kPlaceSize) {
    record = Encode(RunningTest());
  }
  const auto begin = static_cast<off_t>(place * kPlaceSize);
  if (MayWrite(begin + static_cast<off_t>(record.size()))) {
    // Where memory lacks, what is there has no name: its checksum is wrong, or its process gone.
    [[maybe_unused]] const ssize_t size = pwrite(file_.get(), record.data(), record.size(), begin);
  }
}

std::vector<RunningTest> RunningTestsOf(pid_t runner) {
  std::vector<RunningTest> tests;
  const Fd file = FileOf(runner);
  struct stat status;
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return tests;
  }
  const size_t places =
      std::min((static_cast<size_t>(status.st_size) + kPlaceSize - 1) / kPlaceSize, kMaxPlaces);
  for (size_t place = 0; place < places; ++place) {
    absl::optional<RunningTest> running = Read(file, place);
    if (running.has_value() && running->process > 0) {
      tests.push_back(*std::move(running));
    }
  }
  return tests;
}

}  // namespace isolate::gtest
