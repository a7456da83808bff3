#ifndef GTEST_PLUGIN_HISTORY_H_
#define GTEST_PLUGIN_HISTORY_H_

// How long each test took in earlier runs, --isolate_history: a file that a run reads, to start the
// longest tests first, and writes anew.  Lives in the runner.

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace isolate::gtest {

class History {
 public:
  // Reads the file; one that is not there yet is a history of nothing.  InvalidArgument that names
  // the file where it cannot be read, holds something else, or its folder is not there.
  static absl::StatusOr<std::unique_ptr<History>> Read(absl::string_view path);

  // In the runs before this one.
  absl::optional<absl::Duration> DurationOf(const ::testing::TestInfo& test) const;

  // In this one.
  void Add(const ::testing::TestInfo& test, absl::Duration duration);

  // Writes the file: what this run has seen over what stands there now, as another one of the
  // same program may have ended meanwhile (of two that end at the same moment one is lost); without
  // tests that the program does not have.  In its place at once, so that nobody reads half of it.
  // An error with the file's name and its errno.
  absl::Status Write() const;

 private:
  using Durations = absl::flat_hash_map<std::string, absl::Duration>;

  explicit History(std::string path) : path_(std::move(path)) {}

  static absl::StatusOr<Durations> Load(const std::string& path);

  const std::string path_;
  Durations earlier_;
  Durations now_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_HISTORY_H_
