#include "isolate/options.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace isolate {
namespace {

constexpr size_t kHostnameMax = 64;  // __NEW_UTS_LEN, sethostname(2)

absl::Status CheckPath(absl::string_view field, absl::string_view path) {
  if (!absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": \"", path, "\" must be an absolute path"));
  }
  if (path.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": a path must not contain a NUL byte"));
  }
  if (absl::StrJoin(absl::StrSplit(path, '/', absl::SkipEmpty()), "/").empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": the root folder cannot be named; name a folder in it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const Options& options) {
  if (options.pid_namespace && !options.mount_namespace) {
    return absl::InvalidArgumentError(
        "pid_namespace needs mount_namespace: /proc has to be mounted afresh, and files named by a "
        "pid would collide");
  }
  if (options.audit_names && !options.pid_namespace) {
    return absl::InvalidArgumentError(
        "audit_names needs pid_namespace: whoever records the names ends with the sandbox, and "
        "nobody may go on without");
  }
  if (options.uts_namespace &&
      (options.hostname.empty() || options.hostname.size() > kHostnameMax ||
       options.hostname.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-.") != std::string::npos)) {
    return absl::InvalidArgumentError(absl::StrCat("hostname: \"", options.hostname,
                                                   "\" must be 1 to ", kHostnameMax,
                                                   " letters, digits, hyphens or dots"));
  }
  if (options.time_offset.has_value() && (*options.time_offset == absl::InfiniteDuration() ||
                                          *options.time_offset == -absl::InfiniteDuration())) {
    return absl::InvalidArgumentError("time_offset: must be finite");
  }
  if (!options.scratch.empty()) {
    if (absl::Status status = CheckPath("scratch", options.scratch); !status.ok()) {
      return status;
    }
  }
  if (!options.full_output_folder.empty()) {
    if (absl::Status status = CheckPath("full_output_folder", options.full_output_folder);
        !status.ok()) {
      return status;
    }
  }
  for (const std::string& path : options.read_only_paths) {
    if (absl::Status status = CheckPath("read_only_paths", path); !status.ok()) {
      return status;
    }
  }
  for (const std::string& path : options.writable_paths) {
    if (absl::Status status = CheckPath("writable_paths", path); !status.ok()) {
      return status;
    }
  }
  if ((!options.read_only_paths.empty() || !options.writable_paths.empty()) &&
      !options.mount_namespace) {
    return absl::InvalidArgumentError("read_only_paths and writable_paths need mount_namespace");
  }
  for (const auto& [name, value] : options.environment) {
    if (name.empty() || name.find_first_of(absl::string_view("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("environment: \"", name, "\" is not the name of a variable"));
    }
  }
  for (const std::string& name : options.hidden_environment) {
    if (name.empty() || name.find_first_of(absl::string_view("=\0", 2)) != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("hidden_environment: \"", name, "\" is not the name of a variable"));
    }
  }
  if (options.streams == Streams::kInherited &&
      (options.merge_stderr || !options.full_output_folder.empty())) {
    return absl::InvalidArgumentError(
        "streams: merge_stderr and full_output_folder need captured streams");
  }
  if (options.tmpfs_size_bytes < 0) {
    return absl::InvalidArgumentError("tmpfs_size_bytes: must not be negative");
  }
  if (options.memory_limit_bytes < 0) {
    return absl::InvalidArgumentError("memory_limit_bytes: must not be negative");
  }
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("timeout: must be positive");
  }
  if (options.grace < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("grace: must not be negative");
  }
  if (options.output_limit_bytes < 0) {
    return absl::InvalidArgumentError("output_limit_bytes: must not be negative");
  }
  return absl::OkStatus();
}

}  // namespace isolate
