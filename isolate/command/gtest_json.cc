#include "isolate/command/gtest_json.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace isolate::command {

using ::nlohmann::ordered_json;

namespace {

// As if each byte were a character of ISO 8859-1, in UTF-8: any bytes are text then.
std::string Utf8OfBytes(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return text;
}

// GoogleTest 1.12 forgets the comma before what failed in no suite.
std::string WithComma(absl::string_view text) {
  constexpr absl::string_view kOuterSuite = "{\n      \"name\": \"NonTestSuiteFailure\"";
  const size_t outer = text.rfind(kOuterSuite);
  return outer == absl::string_view::npos
             ? std::string(text)
             : absl::StrCat(text.substr(0, outer), ",", text.substr(outer));
}

ordered_json Parse(absl::string_view text) {
  return ordered_json::parse(Utf8OfBytes(text), nullptr, /*allow_exceptions=*/false);
}

}  // namespace

absl::optional<ordered_json> ParseGtestJson(absl::string_view text) {
  ordered_json report = Parse(text);
  if (report.is_discarded()) {
    report = Parse(WithComma(text));
  }
  if (!report.is_object() || !report.contains("testsuites") || !report["testsuites"].is_array()) {
    return absl::nullopt;
  }
  return report;
}

// GoogleTest escapes no character above 255, so two bytes of UTF-8 are one here.
std::string BytesOf(const std::string& text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if ((first & 0xFC) == 0xC0 && i + 1 < text.size()) {
      const auto second = static_cast<unsigned char>(text[++i]);
      bytes.push_back(static_cast<char>(((first & 0x03) << 6) | (second & 0x3F)));
    } else {
      bytes.push_back(text[i]);
    }
  }
  return bytes;
}

absl::optional<std::string> StringOf(const ordered_json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) {
    return absl::nullopt;
  }
  return BytesOf(object[key].get<std::string>());
}

absl::optional<int64_t> NumberOf(const ordered_json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number_integer()) {
    return absl::nullopt;
  }
  return object[key].get<int64_t>();
}

const ordered_json& ElementsOf(const ordered_json& object, const char* key) {
  static const auto* const kNone = new ordered_json(ordered_json::array());
  if (!object.is_object() || !object.contains(key) || !object[key].is_array()) {
    return *kNone;
  }
  return object[key];
}

}  // namespace isolate::command
