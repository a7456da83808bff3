#ifndef ISOLATE_INTERNAL_RESULT_JSON_H_
#define ISOLATE_INTERNAL_RESULT_JSON_H_

// What became of something that ran in a sandbox, as reports have it: docs/report.md says what the
// keys mean.  Lives in the runner.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "isolate/executor.h"
#include "isolate/footprint.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "nlohmann/json.hpp"

namespace isolate::internal {

using Json = nlohmann::ordered_json;

// On one line.  What is no UTF-8 has replacement characters.
std::string Text(const Json& json);

double Milliseconds(absl::Duration duration);

Json ToJson(const Usage& usage);
Json ToJson(const std::vector<Leak>& leaks);
Json ToJson(const Footprint& footprint);
Json ToJson(const Namespaces& namespaces);
Json ToJson(const Isolations& kinds);
Json ToJson(const std::vector<Executor::Loss>& losses);

// Those of the calling process.
Namespaces OwnNamespaces();
// Those of a process that may be looked into; 0s otherwise.
Namespaces NamespacesOf(const std::string& folder_in_proc);

// The kinds of namespaces, as "net", that are known and not the same.
std::vector<std::string> KindsThatDiffer(const Namespaces& inside, const Namespaces& outside);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_RESULT_JSON_H_
