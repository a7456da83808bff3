// Every way to declare a test.

#include <stdio.h>

#include <string>

#include "gtest/gtest.h"

namespace {

TEST(Simple, Passes) {}
TEST(Simple, Fails) { EXPECT_EQ(1, 2); }
TEST(Simple, DISABLED_Fails) { FAIL(); }
TEST(DISABLED_Suite, Fails) { FAIL(); }

class Fixture : public ::testing::Test {
 protected:
  int value_ = 5;
};

TEST_F(Fixture, HasItsMembers) { EXPECT_EQ(value_++, 5); }
TEST_F(Fixture, HasThemFresh) { EXPECT_EQ(value_, 5); }

// gtest refuses the second of these.
TEST(TwoClasses, Plain) {}
class TwoClassesFixture : public ::testing::Test {};
using TwoClasses = TwoClassesFixture;
GTEST_TEST_(TwoClasses, WithAFixture, TwoClassesFixture,
            ::testing::internal::GetTypeId<TwoClassesFixture>()) {}

class Parameter : public ::testing::TestWithParam<int> {};
TEST_P(Parameter, IsOdd) { EXPECT_EQ(GetParam() % 2, 1); }
TEST_P(Parameter, IsSmall) { EXPECT_LT(GetParam(), 4); }
INSTANTIATE_TEST_SUITE_P(Numbers, Parameter, ::testing::Range(1, 6));
INSTANTIATE_TEST_SUITE_P(Named, Parameter, ::testing::Values(7),
                         [](const auto& test) { return "Value" + std::to_string(test.param); });

template <typename T>
class Typed : public ::testing::Test {};
using Types = ::testing::Types<char, int, double>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, IsOneByte) { EXPECT_EQ(sizeof(TypeParam), 1U); }
TYPED_TEST(Typed, StartsAtZero) { EXPECT_EQ(TypeParam(), TypeParam(0)); }

template <typename T>
class TypeParameter : public ::testing::Test {};
TYPED_TEST_SUITE_P(TypeParameter);
TYPED_TEST_P(TypeParameter, IsSigned) { EXPECT_LT(TypeParam(-1), TypeParam(0)); }
REGISTER_TYPED_TEST_SUITE_P(TypeParameter, IsSigned);
using Integers = ::testing::Types<int, unsigned>;
INSTANTIATE_TYPED_TEST_SUITE_P(Mine, TypeParameter, Integers);

class Registered : public ::testing::Test {
 public:
  explicit Registered(int value) : value_(value) {}

 private:
  void TestBody() override {
    printf("value %d\n", value_);
    EXPECT_NE(value_, 2);
  }
  const int value_;
};

[[maybe_unused]] const bool kRegistered = [] {
  for (int value = 0; value < 4; ++value) {
    const std::string name = "Number" + std::to_string(value);
    ::testing::RegisterTest("Registered", name.c_str(), nullptr, nullptr, "generated.cc", value,
                            [value]() -> ::testing::Test* { return new Registered(value); });
  }
  return true;
}();

}  // namespace
