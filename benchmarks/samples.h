#ifndef BENCHMARKS_SAMPLES_H_
#define BENCHMARKS_SAMPLES_H_

// What was measured of several subjects, by turns, in several rounds.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace isolate::benchmarks {

// Something that a number can be had of, round after round.
struct Subject {
  std::string name;
  std::function<absl::StatusOr<double>()> measure;
  // The subject of the same section that it is compared with; empty: none.
  std::string base;
  std::vector<double> values;
  std::string failure;  // why there is no number, or no more
};

struct Section {
  std::string name;
  std::string about;  // what is measured, and in which unit
  std::vector<Subject> subjects;
};

double Median(std::vector<double> values);

// Measures each subject once.  One that fails is not measured again.
void MeasureRound(Section& section);

// Nothing where it was not measured.
absl::optional<double> MedianOf(const Section& section, const std::string& subject);

// The medians' ratio; nothing where one of them was not measured.
absl::optional<double> Ratio(const Section& section, const std::string& subject,
                             const std::string& base);

// A table: median, minimum, maximum, and the ratio to the base.
std::string Text(const Section& section);

nlohmann::json ToJson(const Section& section);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_SAMPLES_H_
