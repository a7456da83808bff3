// A main that is a workspace's own, and installs isolate.

#include "gtest/gtest.h"
#include "gtest_plugin/plugin.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  isolate::gtest::Install(&argc, argv);
  return RUN_ALL_TESTS();
}
