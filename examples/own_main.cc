// A test program with a main of its own: one line more.
//
//   tools/bazel run //examples:own_main
//   tools/bazel run //examples:own_main -- --isolate_jobs=4 --isolate_hostname=node-1

#include <unistd.h>

#include <cstdio>

#include "gtest/gtest.h"
#include "gtest_plugin/plugin.h"

namespace {

// A global Environment runs once, in the program itself, before any test.  Each
// test sees the memory that it left as a copy of its own.
int settings_loaded = 0;

class LoadsSettings : public testing::Environment {
 public:
  void SetUp() override { ++settings_loaded; }
};

TEST(OwnMain, SeesWhatTheEnvironmentDid) { EXPECT_EQ(settings_loaded, 1); }

TEST(OwnMain, ChangesNoOtherTestsCopy) {
  EXPECT_EQ(settings_loaded, 1);
  settings_loaded = 2;
}

TEST(OwnMain, HasAHostNameThatResolves) {
  char hostname[65] = "";
  ASSERT_EQ(gethostname(hostname, sizeof(hostname)), 0);
  printf("This test runs on %s.\n", hostname);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  isolate::gtest::Install(&argc, argv);
  testing::AddGlobalTestEnvironment(new LoadsSettings);
  return RUN_ALL_TESTS();
}
