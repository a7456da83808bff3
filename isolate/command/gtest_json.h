#ifndef ISOLATE_COMMAND_GTEST_JSON_H_
#define ISOLATE_COMMAND_GTEST_JSON_H_

// The JSON that GoogleTest writes, of any version, which is not always JSON: it puts bytes that are
// no UTF-8 into strings as they are, or escapes each byte as if it were a character.  Pure code.
//
//   absl::optional<nlohmann::ordered_json> report = ParseGtestJson(text);
//   if (!report.has_value()) return ...;   // not GoogleTest's, or cut off
//   absl::optional<std::string> name = StringOf((*report)["testsuites"][0], "name");

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace isolate::command {

// A report of GoogleTest's: an object with an array "testsuites", in the order of the text.  A
// byte above 127 is a character of that number in its strings.
absl::optional<nlohmann::ordered_json> ParseGtestJson(absl::string_view text);

// The bytes of a string in what ParseGtestJson gave.
std::string BytesOf(const std::string& text);

// The member's bytes, number or elements; nothing, or no element, where there is no such member of
// that type.
absl::optional<std::string> StringOf(const nlohmann::ordered_json& object, const char* key);
absl::optional<int64_t> NumberOf(const nlohmann::ordered_json& object, const char* key);
const nlohmann::ordered_json& ElementsOf(const nlohmann::ordered_json& object, const char* key);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_GTEST_JSON_H_
