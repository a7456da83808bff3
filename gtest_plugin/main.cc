// In place of gtest_main: the same main, with the plugin installed.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "gtest_plugin/plugin.h"

int main(int argc, char** argv) {
  // gtest_main, too, initialises gmock, and gtest with it.
  testing::InitGoogleMock(&argc, argv);
  isolate::gtest::Install(&argc, argv);
  return RUN_ALL_TESTS();
}
