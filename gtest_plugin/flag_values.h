#ifndef GTEST_PLUGIN_FLAG_VALUES_H_
#define GTEST_PLUGIN_FLAG_VALUES_H_

// The types of flags whose right values are few, or have a form of their own.  Each has the two
// functions by which abseil reads and writes it (absl/flags/marshalling.h); what is wrong with a
// value is told with what is right.  Pure.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest_plugin/traits.h"
#include "isolate/isolation.h"
#include "isolate/options.h"

namespace isolate::gtest {

enum class OnOff { kOn, kOff };
bool AbslParseFlag(absl::string_view text, OnOff* value, std::string* error);
std::string AbslUnparseFlag(OnOff value);

struct Jobs {
  int count = 0;  // 0: as many as fit
};
bool AbslParseFlag(absl::string_view text, Jobs* value, std::string* error);
std::string AbslUnparseFlag(Jobs value);

struct TmpSize {
  int64_t bytes = 0;  // 0: no limit of our own
};
bool AbslParseFlag(absl::string_view text, TmpSize* value, std::string* error);
std::string AbslUnparseFlag(TmpSize value);

struct MemoryLimit {
  int64_t bytes = 0;  // 0: none
};
bool AbslParseFlag(absl::string_view text, MemoryLimit* value, std::string* error);
std::string AbslUnparseFlag(MemoryLimit value);

struct OutputLimit {
  int64_t bytes = int64_t{64} << 20;
};
bool AbslParseFlag(absl::string_view text, OutputLimit* value, std::string* error);
std::string AbslUnparseFlag(OutputLimit value);

struct NetworkKind {
  Network network = Network::kLoopback;
};
bool AbslParseFlag(absl::string_view text, NetworkKind* value, std::string* error);
std::string AbslUnparseFlag(NetworkKind value);

bool AbslParseFlag(absl::string_view text, Scope* value, std::string* error);
std::string AbslUnparseFlag(Scope value);

bool AbslParseFlag(absl::string_view text, SuiteSetUp* value, std::string* error);
std::string AbslUnparseFlag(SuiteSetUp value);

// What a test process is.
enum class Spawn {
  kFork,  // a fork of the program as it is before its first test
  kExec,  // the program, executed again
};
bool AbslParseFlag(absl::string_view text, Spawn* value, std::string* error);
std::string AbslUnparseFlag(Spawn value);

struct KeepWhat {
  absl::Duration failed;  // how long the sandbox of a test that failed is kept; 0: not
};
bool AbslParseFlag(absl::string_view text, KeepWhat* value, std::string* error);
std::string AbslUnparseFlag(KeepWhat value);

struct Audit {
  bool names = false;  // record the shared names that are used
};
bool AbslParseFlag(absl::string_view text, Audit* value, std::string* error);
std::string AbslUnparseFlag(Audit value);

struct Verbose {
  bool timing = false;  // say at the end where the time went
};
bool AbslParseFlag(absl::string_view text, Verbose* value, std::string* error);
std::string AbslUnparseFlag(Verbose value);

// Some kinds of isolation.
struct IsolationKinds {
  Isolations kinds;
};
bool AbslParseFlag(absl::string_view text, IsolationKinds* value, std::string* error);
std::string AbslUnparseFlag(IsolationKinds value);

// InvalidArgument where one of them is required that `options` do not ask for; `all` is all that
// they do.  `flag` is what required it.
absl::Status CheckRequired(absl::string_view flag, const IsolationKinds& required,
                           const Options& options);

// A duration, whose own error does not say what is right.
struct TimeSpan {
  absl::Duration duration;
};
bool AbslParseFlag(absl::string_view text, TimeSpan* value, std::string* error);
std::string AbslUnparseFlag(TimeSpan value);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_FLAG_VALUES_H_
