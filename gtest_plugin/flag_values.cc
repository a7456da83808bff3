#include "gtest_plugin/flag_values.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/flags/marshalling.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest_plugin/traits.h"
#include "isolate/isolation.h"
#include "isolate/options.h"

namespace isolate::gtest {

bool AbslParseFlag(absl::string_view text, OnOff* value, std::string* error) {
  if (text == "on" || text == "off") {
    *value = text == "on" ? OnOff::kOn : OnOff::kOff;
    return true;
  }
  *error = "expected on or off";
  return false;
}

std::string AbslUnparseFlag(OnOff value) { return value == OnOff::kOn ? "on" : "off"; }

bool AbslParseFlag(absl::string_view text, Jobs* value, std::string* error) {
  if (text == "auto") {
    value->count = 0;
    return true;
  }
  if (absl::SimpleAtoi(text, &value->count) && value->count >= 1 && value->count <= 1024) {
    return true;
  }
  *error = "expected auto, or a number from 1 to 1024";
  return false;
}

std::string AbslUnparseFlag(Jobs value) {
  return value.count == 0 ? "auto" : absl::StrCat(value.count);
}

// A number of bytes, with its unit if wanted; nothing if it is none, or less than 1.
static absl::optional<int64_t> ParseBytes(absl::string_view text) {
  static constexpr struct {
    absl::string_view suffix;
    int shift;
  } kUnits[] = {{"K", 10}, {"M", 20}, {"G", 30}};
  int shift = 0;
  absl::string_view digits = text;
  for (const auto& unit : kUnits) {
    if (absl::EndsWith(text, unit.suffix)) {
      shift = unit.shift;
      digits.remove_suffix(1);
    }
  }
  int64_t count = 0;
  if (absl::SimpleAtoi(digits, &count) && count >= 1 &&
      count <= std::numeric_limits<int64_t>::max() >> shift) {
    return count << shift;
  }
  return absl::nullopt;
}

// A number of bytes, or a word that stands for 0.
static bool ParseBytesOr(absl::string_view word, absl::string_view what_right,
                         absl::string_view text, int64_t* bytes, std::string* error) {
  if (text == word) {
    *bytes = 0;
    return true;
  }
  if (const absl::optional<int64_t> parsed = ParseBytes(text)) {
    *bytes = *parsed;
    return true;
  }
  *error =
      absl::StrCat("expected ", what_right, ", or a number of bytes, with K, M or G if wanted");
  return false;
}

bool AbslParseFlag(absl::string_view text, TmpSize* value, std::string* error) {
  return ParseBytesOr("half", "half (of the memory)", text, &value->bytes, error);
}

std::string AbslUnparseFlag(TmpSize value) {
  return value.bytes == 0 ? "half" : absl::StrCat(value.bytes);
}

bool AbslParseFlag(absl::string_view text, MemoryLimit* value, std::string* error) {
  return ParseBytesOr("none", "none", text, &value->bytes, error);
}

std::string AbslUnparseFlag(MemoryLimit value) {
  return value.bytes == 0 ? "none" : absl::StrCat(value.bytes);
}

bool AbslParseFlag(absl::string_view text, OutputLimit* value, std::string* error) {
  if (const absl::optional<int64_t> bytes = ParseBytes(text)) {
    value->bytes = *bytes;
    return true;
  }
  *error = "expected a number of bytes, with K, M or G if wanted";
  return false;
}

std::string AbslUnparseFlag(OutputLimit value) {
  constexpr int64_t kMega = int64_t{1} << 20;
  return value.bytes % kMega == 0 ? absl::StrCat(value.bytes / kMega, "M")
                                  : absl::StrCat(value.bytes);
}

bool AbslParseFlag(absl::string_view text, NetworkKind* value, std::string* error) {
  if (text == "loopback") {
    value->network = Network::kLoopback;
  } else if (text == "none") {
    value->network = Network::kNone;
  } else if (text == "host") {
    value->network = Network::kHost;
  } else {
    *error = "expected loopback, none or host";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(NetworkKind value) {
  switch (value.network) {
    case Network::kLoopback:
      return "loopback";
    case Network::kNone:
      return "none";
    case Network::kHost:
      return "host";
  }
  return "";
}

bool AbslParseFlag(absl::string_view text, Scope* value, std::string* error) {
  if (text == "test" || text == "suite") {
    *value = text == "test" ? Scope::kTest : Scope::kSuite;
    return true;
  }
  *error = "expected test or suite";
  return false;
}

std::string AbslUnparseFlag(Scope value) { return value == Scope::kTest ? "test" : "suite"; }

bool AbslParseFlag(absl::string_view text, SuiteSetUp* value, std::string* error) {
  if (text == "each" || text == "snapshot") {
    *value = text == "each" ? SuiteSetUp::kEach : SuiteSetUp::kSnapshot;
    return true;
  }
  *error = "expected each or snapshot";
  return false;
}

std::string AbslUnparseFlag(SuiteSetUp value) {
  return value == SuiteSetUp::kEach ? "each" : "snapshot";
}

bool AbslParseFlag(absl::string_view text, Spawn* value, std::string* error) {
  if (text == "fork" || text == "exec") {
    *value = text == "fork" ? Spawn::kFork : Spawn::kExec;
    return true;
  }
  *error = "expected fork or exec";
  return false;
}

std::string AbslUnparseFlag(Spawn value) { return value == Spawn::kFork ? "fork" : "exec"; }

bool AbslParseFlag(absl::string_view text, KeepWhat* value, std::string* error) {
  constexpr absl::Duration kUsual = absl::Minutes(10);
  if (text == "none" || text == "failed") {
    value->failed = text == "none" ? absl::ZeroDuration() : kUsual;
    return true;
  }
  if (absl::ConsumePrefix(&text, "failed:") && absl::ParseDuration(text, &value->failed) &&
      value->failed > absl::ZeroDuration()) {
    return true;
  }
  *error = "expected none, failed, or failed and for how long, as failed:1h";
  return false;
}

std::string AbslUnparseFlag(KeepWhat value) {
  return value.failed == absl::ZeroDuration()
             ? "none"
             : absl::StrCat("failed:", absl::FormatDuration(value.failed));
}

bool AbslParseFlag(absl::string_view text, Audit* value, std::string* error) {
  if (text == "names" || text == "off") {
    value->names = text == "names";
    return true;
  }
  *error = "expected names or off";
  return false;
}

std::string AbslUnparseFlag(Audit value) { return value.names ? "names" : "off"; }

bool AbslParseFlag(absl::string_view text, Verbose* value, std::string* error) {
  if (text == "timing" || text == "off") {
    value->timing = text == "timing";
    return true;
  }
  *error = "expected timing or off";
  return false;
}

std::string AbslUnparseFlag(Verbose value) { return value.timing ? "timing" : "off"; }

bool AbslParseFlag(absl::string_view text, IsolationKinds* value, std::string* error) {
  if (const absl::optional<Isolations> kinds = IsolationsNamed(text)) {
    value->kinds = *kinds;
    return true;
  }
  *error = absl::StrCat("expected ", RightIsolations(), ", with commas between several");
  return false;
}

std::string AbslUnparseFlag(IsolationKinds value) { return NamesOf(value.kinds); }

absl::Status CheckRequired(absl::string_view flag, const IsolationKinds& required,
                           const Options& options) {
  const Isolations missing = required.kinds & ~IsolationOf(options);
  if (missing.none() || required.kinds == AllIsolations()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(flag, "=", NamesOf(required.kinds), ": a sandbox as it is asked for has no ",
                   NamesOf(missing), "; ask for that, too, or do not require it"));
}

bool AbslParseFlag(absl::string_view text, TimeSpan* value, std::string* error) {
  if (absl::ParseDuration(text, &value->duration)) {
    return true;
  }
  *error = "expected inf, or a number with its unit, such as 10s or 500ms";
  return false;
}

std::string AbslUnparseFlag(TimeSpan value) { return absl::FormatDuration(value.duration); }

}  // namespace isolate::gtest
