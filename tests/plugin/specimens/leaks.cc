// Memory that nobody frees: for LeakSanitizer.

#include <memory>

#include "gtest/gtest.h"

namespace {

class Leaks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { suites_ = new int[100]; }
  static void TearDownTestSuite() { delete[] suites_; }

  // Written over before the test ends, so that no register holds the address.
  void Leak() {
    lost_ = new int[1234];
    lost_ = nullptr;
  }

  std::unique_ptr<int> fixtures_ = std::make_unique<int>(1);
  int* volatile lost_ = nullptr;
  static int* suites_;
};

int* Leaks::suites_ = nullptr;

TEST_F(Leaks, AreNotThere) {}
TEST_F(Leaks, AreThere) { Leak(); }
TEST_F(Leaks, AreNotThereAgain) {}

}  // namespace
