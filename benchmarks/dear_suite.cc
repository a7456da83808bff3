// 100 tests of a suite whose set-up takes 200 ms and 50 MB.

#include <stddef.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace {

constexpr int kTests = 100;

class Dear : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    data_ = std::make_unique<std::vector<char>>(size_t{50} << 20, 'x');
  }
  static void TearDownTestSuite() { data_.reset(); }

  static std::unique_ptr<std::vector<char>> data_;
};

std::unique_ptr<std::vector<char>> Dear::data_;

TEST_P(Dear, HasItsData) { EXPECT_EQ(data_->at(static_cast<size_t>(GetParam())), 'x'); }

INSTANTIATE_TEST_SUITE_P(All, Dear, testing::Range(0, kTests));

}  // namespace
