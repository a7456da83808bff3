// Each way of using a shared name, one by one.

#include "tests/footprints/catalogue.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "isolate/footprint.h"
#include "isolate/isolate.h"

namespace isolate {
namespace {

class OfCatalogue : public testing::TestWithParam<FootprintCase> {};

TEST_P(OfCatalogue, IsToldExactly) {
  Options options;
  options.audit_names = true;
  const absl::StatusOr<Result> result =
      isolate::Run(options, [](Reporter&) { return GetParam().run() ? 0 : 1; });
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->outcome, Outcome::kReturned) << result->out << result->err;
  if (result->code != 0) {
    GTEST_SKIP() << "this user may not do that here";
  }
  std::vector<std::string> told;
  for (const NameUse& use : result->footprint.names) {
    told.push_back(Describe(use));
  }
  EXPECT_EQ(Differences(GetParam(), told), "");
  EXPECT_EQ(result->footprint.untold, 0);
}

INSTANTIATE_TEST_SUITE_P(Names, OfCatalogue, testing::ValuesIn(Catalogue()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace isolate
