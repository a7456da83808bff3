#ifndef ISOLATE_COMMAND_TRANSLATION_H_
#define ISOLATE_COMMAND_TRANSLATION_H_

// What a GoogleTest binary told of a test, in its JSON and on its console, as the events of a test
// process (gtest_plugin/test_report.h).  Pure code.

#include <string>

#include "absl/strings/string_view.h"
#include "isolate/result.h"

namespace isolate::command {

// `result`: of RunBinary, with that test as the only one.  The events come in the order in which
// the output was printed, in which they were found; what is not found there comes behind it.
isolate::Result Translate(absl::string_view suite, absl::string_view name, isolate::Result result);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_TRANSLATION_H_
