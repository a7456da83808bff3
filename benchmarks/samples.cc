#include "benchmarks/samples.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace isolate::benchmarks {
namespace {

const Subject* Find(const Section& section, const std::string& name) {
  const auto found = std::find_if(section.subjects.begin(), section.subjects.end(),
                                  [&](const Subject& subject) { return subject.name == name; });
  return found != section.subjects.end() && !found->values.empty() ? &*found : nullptr;
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void MeasureRound(Section& section) {
  for (Subject& subject : section.subjects) {
    if (!subject.failure.empty()) {
      continue;
    }
    const absl::StatusOr<double> value = subject.measure();
    if (value.ok()) {
      subject.values.push_back(*value);
    } else {
      subject.failure = std::string(value.status().message());
    }
  }
}

absl::optional<double> MedianOf(const Section& section, const std::string& subject) {
  const Subject* const found = Find(section, subject);
  return found != nullptr ? absl::make_optional(Median(found->values)) : absl::nullopt;
}

absl::optional<double> Ratio(const Section& section, const std::string& subject,
                             const std::string& base) {
  const absl::optional<double> above = MedianOf(section, subject);
  const absl::optional<double> below = MedianOf(section, base);
  return above.has_value() && below.has_value() ? absl::make_optional(*above / *below)
                                                : absl::nullopt;
}

std::string Text(const Section& section) {
  std::string text = absl::StrFormat("\n%s: %s\n%-40s %10s %10s %10s  %s\n", section.name,
                                     section.about, "", "median", "min", "max", "ratio");
  for (const Subject& subject : section.subjects) {
    if (subject.values.empty()) {
      absl::StrAppendFormat(&text, "%-40s %s\n", subject.name, subject.failure);
      continue;
    }
    const auto [least, most] = std::minmax_element(subject.values.begin(), subject.values.end());
    absl::StrAppendFormat(&text, "%-40s %10.1f %10.1f %10.1f", subject.name, Median(subject.values),
                          *least, *most);
    if (const auto ratio = Ratio(section, subject.name, subject.base); ratio.has_value()) {
      absl::StrAppendFormat(&text, "  %.2f x %s", *ratio, subject.base);
    }
    absl::StrAppend(&text, subject.failure.empty() ? "" : "  then: ", subject.failure, "\n");
  }
  return text;
}

nlohmann::json ToJson(const Section& section) {
  nlohmann::json subjects = nlohmann::json::array();
  for (const Subject& subject : section.subjects) {
    nlohmann::json entry = {{"name", subject.name}, {"values", subject.values}};
    if (!subject.values.empty()) {
      entry["median"] = Median(subject.values);
    }
    if (const auto ratio = Ratio(section, subject.name, subject.base); ratio.has_value()) {
      entry["base"] = subject.base;
      entry["ratio"] = *ratio;
    }
    if (!subject.failure.empty()) {
      entry["failure"] = subject.failure;
    }
    subjects.push_back(std::move(entry));
  }
  return {{"name", section.name}, {"about", section.about}, {"subjects", std::move(subjects)}};
}

}  // namespace isolate::benchmarks
