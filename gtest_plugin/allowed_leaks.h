#ifndef GTEST_PLUGIN_ALLOWED_LEAKS_H_
#define GTEST_PLUGIN_ALLOWED_LEAKS_H_

// Leaks that are meant: what a library opens once, as its log file or a thread in the background.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "isolate/leak.h"

namespace isolate::gtest {

// KIND:PATTERN or KIND[TESTS]:PATTERN, as "fds:*/app.log", "ports[Server*.*]:tcp *:8080".  The
// pattern is for the leak's name, with "*" and "?"; TESTS is as --gtest_filter's.
struct AllowedLeak {
  std::string text;  // all of it, and where it stands
  LeakKinds kinds;
  std::string tests;
  std::string pattern;

  bool Matches(const Leak& leak, const std::string& test) const;
};

// InvalidArgument that names `text` and the right form.
absl::StatusOr<AllowedLeak> ParseAllowedLeak(absl::string_view text);

class AllowedLeaks {
 public:
  // Adds the value of --isolate_allow_leaks: such entries, with commas between them, or @FILE for a
  // file that has one on each line; there what follows a "#" is a comment.  InvalidArgument that
  // names what is wrong.
  absl::Status Add(absl::string_view value);

  // Adds an entry of some test's traits, which has been parsed before, if it is not there yet.
  void AddOfTraits(const std::string& text);

  // Whether one of them means this leak; of those of traits, one of the test's own, `traits`.
  bool Allow(const Leak& leak, const std::string& test, const std::vector<std::string>& traits);

  // Those that meant no leak so far, of these kinds.
  std::vector<std::string> Unused(const LeakKinds& kinds = AllLeakKinds()) const;

 private:
  struct Entry {
    AllowedLeak allowed;
    bool of_traits = false;
    bool used = false;
  };

  absl::Status AddFile(const std::string& path);

  std::vector<Entry> entries_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_ALLOWED_LEAKS_H_
