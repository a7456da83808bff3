#ifndef GTEST_PLUGIN_STAND_IN_H_
#define GTEST_PLUGIN_STAND_IN_H_

// Has gtest's loop create another test in place of the one that it has come to.

#include <functional>
#include <memory>

#include "gtest/gtest.h"

namespace isolate::gtest {

// One test at a time, in one process.  A fork of the process that is made while the
// stand-in's body runs has the test's own code again.
class StandIn {
 public:
  // `body` is what runs as the test's body.
  explicit StandIn(std::function<void(const ::testing::TestInfo&)> body) : body_(std::move(body)) {}
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  // To be called by a listener, in its OnTestStart and its OnTestEnd.
  void Start(const ::testing::TestInfo& test);
  void End(const ::testing::TestInfo& test);

  // Whether gtest ran the body since Start; it skips tests, too, with the same events.
  bool ran() const { return ran_; }

 private:
  class StandInTest;
  class StandInFactory;

  const std::function<void(const ::testing::TestInfo&)> body_;
  bool ran_ = false;
  ::testing::internal::TestFactoryBase* own_factory_ = nullptr;
  std::unique_ptr<::testing::internal::TestFactoryBase> factory_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_STAND_IN_H_
