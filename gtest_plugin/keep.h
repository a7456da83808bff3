#ifndef GTEST_PLUGIN_KEEP_H_
#define GTEST_PLUGIN_KEEP_H_

// What --isolate_keep=failed does with the sandbox of a test that failed.

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/kept_sandbox.h"

namespace isolate::gtest {

// InvalidArgument where there is neither a terminal to wait at nor a folder of outputs.
absl::Status CheckThatSandboxesCanBeKept(const std::string& outputs);

// At a terminal: prints the command that enters the sandbox, and waits until Enter is pressed, the
// program is interrupted or `limit` has passed.  Without one: copies the files of the sandbox to
// the test's folder in `outputs`, and says where.
void Keep(const ::testing::TestInfo& test, const KeptSandbox& sandbox, absl::Duration limit,
          const std::string& outputs);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_KEEP_H_
