// Installs the plugin in a program whose main() is not ours to change: the linker
// lets the program's calls of InitGoogleTest come here (--wrap, in BUILD).

#include <utility>

#include "gtest/gtest.h"
#include "gtest_plugin/plugin.h"

namespace isolate::googletest_tests {

// testing::InitGoogleTest(int*, char**), under the names that the linker gives.
void RealInit(int* argc, char** argv) __asm__("__real__ZN7testing14InitGoogleTestEPiPPc");
void WrappedInit(int* argc, char** argv) __asm__("__wrap__ZN7testing14InitGoogleTestEPiPPc");

void WrappedInit(int* argc, char** argv) {
  RealInit(argc, argv);
  // It may be called again, and does nothing then.
  static bool installed = false;
  if (!std::exchange(installed, true)) {
    isolate::gtest::Install(argc, argv);
  }
}

}  // namespace isolate::googletest_tests
