#include "gtest_plugin/stand_in.h"

#include <memory>
#include <new>

#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"

namespace isolate::gtest {
namespace {

using ::testing::TestInfo;
using ::testing::internal::TestFactoryBase;

void SetFactory(const TestInfo& test, TestFactoryBase* factory) {
  // The member is const; it is given another value as the C++ object that it
  // is, and read again only through the TestInfo.
  const auto& member = test.*MemberOf(internal::Factory{});
  new (const_cast<TestFactoryBase**>(&member))(TestFactoryBase*)(factory);
}

}  // namespace

class StandIn::StandInTest : public ::testing::Test {
 public:
  StandInTest(StandIn& stand_in, const TestInfo& test) : stand_in_(stand_in), test_(test) {}

 private:
  void TestBody() override {
    stand_in_.ran_ = true;
    stand_in_.body_(test_);
  }

  StandIn& stand_in_;
  const TestInfo& test_;
};

class StandIn::StandInFactory : public TestFactoryBase {
 public:
  StandInFactory(StandIn& stand_in, const TestInfo& test) : stand_in_(stand_in), test_(test) {}

  ::testing::Test* CreateTest() override {
    SetFactory(test_, stand_in_.own_factory_);
    return new StandInTest(stand_in_, test_);
  }

 private:
  StandIn& stand_in_;
  const TestInfo& test_;
};

void StandIn::Start(const TestInfo& test) {
  ran_ = false;
  own_factory_ = test.*MemberOf(internal::Factory{});
  factory_ = std::make_unique<StandInFactory>(*this, test);
  SetFactory(test, factory_.get());
}

void StandIn::End(const TestInfo& test) {
  SetFactory(test, own_factory_);
  factory_.reset();
}

}  // namespace isolate::gtest
