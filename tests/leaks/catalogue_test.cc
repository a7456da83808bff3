// Every leak of the catalogue is found, by kind and name, and nothing is found that is none.

#include "tests/leaks/catalogue.h"

#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/leaks/compare.h"

namespace isolate {
namespace {

// The code of a case that the host does not let run.
constexpr int kNotHere = 77;

class CatalogueTest : public ::testing::TestWithParam<LeakCase> {};

TEST_P(CatalogueTest, IsTold) {
  const absl::StatusOr<Result> result =
      isolate::Run({}, [](Reporter&) { return GetParam().run() ? 0 : kNotHere; });
  ASSERT_TRUE(result.ok()) << result.status();
  if (result->outcome == Outcome::kReturned && result->code == kNotHere) {
    GTEST_SKIP() << "this user may not do that";
  }
  EXPECT_TRUE(result->ok()) << Describe(result->outcome, result->code) << result->err;
  EXPECT_EQ(Text(Compare(GetParam().leaks, result->leaks)), "");
}

INSTANTIATE_TEST_SUITE_P(Leaks, CatalogueTest, ::testing::ValuesIn(Catalogue()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace isolate
