#include "gtest_plugin/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "isolate/internal/raw.h"
#include "nlohmann/json.hpp"

namespace isolate::gtest {

using ::testing::TestInfo;
using ::testing::UnitTest;

namespace {

constexpr const char* kMark = "isolate_history";
constexpr int kVersion = 1;
constexpr double kMicrosecondsOfMillisecond = 1000;

std::string NameOf(const TestInfo& test) {
  return absl::StrCat(test.test_suite_name(), ".", test.name());
}

absl::flat_hash_set<std::string> TestsOfProgram() {
  absl::flat_hash_set<std::string> names;
  const UnitTest& unit_test = *UnitTest::GetInstance();
  for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *unit_test.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      names.insert(NameOf(*suite.GetTestInfo(k)));
    }
  }
  return names;
}

// That of the file that is there, or what the umask leaves of a new one.
mode_t ModeOf(const std::string& path) {
  struct stat there;
  if (stat(path.c_str(), &there) == 0) {
    return there.st_mode & 07777;
  }
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

absl::StatusOr<History::Durations> History::Load(const std::string& path) {
  Durations durations;
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return durations;
    }
    return absl::InvalidArgumentError(absl::StrCat("it cannot be read: ", strerror(errno)));
  }
  // Not to wait for a pipe, nor to read for ever.
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError("it is no regular file");
  }
  std::ifstream file(path);
  std::ostringstream contents;
  contents << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    return absl::InvalidArgumentError(absl::StrCat("it cannot be read: ", strerror(errno)));
  }
  const std::string text = contents.str();
  const nlohmann::json history = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!history.is_object() || !history.contains(kMark) || history[kMark] != kVersion ||
      !history.contains("milliseconds") || !history["milliseconds"].is_object()) {
    return absl::InvalidArgumentError(
        "this is no history that an earlier run wrote; give another name, or remove the file");
  }
  for (const auto& [name, milliseconds] : history["milliseconds"].items()) {
    if (milliseconds.is_number()) {
      durations.emplace(name, absl::Milliseconds(milliseconds.get<double>()));
    }
  }
  return durations;
}

absl::StatusOr<std::unique_ptr<History>> History::Read(absl::string_view path) {
  std::error_code error;
  // The runner may change its working directory.
  const std::filesystem::path whole = std::filesystem::absolute(std::string(path), error);
  if (error || !std::filesystem::is_directory(whole.parent_path(), error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the folder ", whole.parent_path().string(), " is not there"));
  }
  std::unique_ptr<History> history(new History(whole.string()));
  absl::StatusOr<Durations> earlier = Load(history->path_);
  if (!earlier.ok()) {
    return earlier.status();
  }
  history->earlier_ = *std::move(earlier);
  return history;
}

absl::optional<absl::Duration> History::DurationOf(const TestInfo& test) const {
  const auto found = earlier_.find(NameOf(test));
  return found != earlier_.end() ? absl::make_optional(found->second) : absl::nullopt;
}

void History::Add(const TestInfo& test, absl::Duration duration) {
  now_.insert_or_assign(NameOf(test), duration);
}

absl::Status History::Write() const {
  // What became no history meanwhile is not ours to overwrite.
  absl::StatusOr<Durations> durations = Load(path_);
  if (!durations.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(path_, ": ", durations.status().message()));
  }
  for (const auto& [name, duration] : now_) {
    durations->insert_or_assign(name, duration);
  }
  const absl::flat_hash_set<std::string> known = TestsOfProgram();
  nlohmann::json milliseconds = nlohmann::json::object();
  for (const auto& [name, duration] : *durations) {
    if (known.contains(name)) {
      milliseconds[name] =
          std::round(absl::ToDoubleMicroseconds(duration)) / kMicrosecondsOfMillisecond;
    }
  }
  const nlohmann::json history = {{kMark, kVersion}, {"milliseconds", milliseconds}};
  const std::string text =
      history.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // A link stays one.
  std::error_code unknown;
  std::string path = std::filesystem::weakly_canonical(path_, unknown).string();
  if (unknown) {
    path = path_;
  }
  std::string unfinished = path + ".XXXXXX";
  const int file = mkostemp(unfinished.data(), O_CLOEXEC);
  if (file < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  bool written = ::isolate::internal::raw::WriteAll(file, text.data(), text.size()) == 0 &&
                 fchmod(file, ModeOf(path)) == 0;
  int error = errno;
  if (close(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written && rename(unfinished.c_str(), path.c_str()) != 0) {
    written = false;
    error = errno;
  }
  if (!written) {
    unlink(unfinished.c_str());
    return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path_));
  }
  return absl::OkStatus();
}

}  // namespace isolate::gtest
