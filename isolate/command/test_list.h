#ifndef ISOLATE_COMMAND_TEST_LIST_H_
#define ISOLATE_COMMAND_TEST_LIST_H_

// The tests that a GoogleTest binary lists (--gtest_list_tests).  Pure code.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate::command {

struct ListedTest {
  std::string suite;
  std::string name;
  absl::optional<std::string> type_param;
  absl::optional<std::string> value_param;
  // Of the test's definition; the text list does not tell.
  absl::optional<std::string> file;
  int line = -1;
};

// From what --gtest_output=json:FILE has written meanwhile; nothing where it is no such list.
absl::optional<std::vector<ListedTest>> ParseJsonList(absl::string_view json);

// From what was printed, for versions that only print it; what else a program prints before is
// overlooked, and nothing is found where no line is a test's.
absl::optional<std::vector<ListedTest>> ParseTextList(absl::string_view out);

// The pattern that means the test.  --gtest_filter knows no way to quote its special characters, so
// "?" stands for each of them.
std::string FilterOf(absl::string_view suite, absl::string_view name);

// InvalidArgument where the pattern of one means another one, too, as that of A.b-c means A.b+c;
// it names both.
absl::Status CheckThatFiltersTellThemApart(const std::vector<ListedTest>& tests);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_TEST_LIST_H_
