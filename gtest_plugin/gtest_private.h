#ifndef GTEST_PLUGIN_GTEST_PRIVATE_H_
#define GTEST_PLUGIN_GTEST_PRIVATE_H_

// GoogleTest's private members that the plugin reaches, all of them, each with
// its reason.  Nothing else in the project touches gtest's insides.
//
// The access rules do not apply to the arguments of an explicit instantiation
// ([temp.spec.general] paragraph 6), so a template may be instantiated with a
// pointer to a private member and hand it out.  A member that a version of
// gtest does not have, or has with another type, fails to compile here, with
// its name in the message.
//
// .ci/run checks it with gtest 1.12.1 and 1.18.0; 1.16.0 was tried by hand.

#include <string>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

namespace testing::internal {
GTEST_API_ extern bool g_help_flag;  // NOLINT(readability-redundant-declaration)
}  // namespace testing::internal

namespace isolate::gtest::internal {

using ::testing::TestEventListeners;
using ::testing::TestInfo;
using ::testing::TestResult;
using ::testing::TestSuite;
using ::testing::UnitTest;

template <typename Tag, typename Tag::Type member>
struct Expose {
  friend typename Tag::Type MemberOf(Tag) { return member; }
};

// The arguments are names, which parentheses would spoil.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define ISOLATE_EXPOSE(name, type, member) \
  struct name {                            \
    using Type = type;                     \
    friend Type MemberOf(name);            \
  };                                       \
  template struct Expose<name, &member>
// NOLINTEND(bugprone-macro-parentheses)

// What creates a test's object.  In the runner it is replaced, from a test's
// start to its end, by one that creates a stand-in, which replays a report.
using FactoryMember = ::testing::internal::TestFactoryBase* const TestInfo::*;
ISOLATE_EXPOSE(Factory, FactoryMember, TestInfo::factory_);

// Which class a test's fixture is, for traits that are set for a class.
using FixtureClassMember = const ::testing::internal::TypeId TestInfo::*;
ISOLATE_EXPOSE(FixtureClass, FixtureClassMember, TestInfo::fixture_class_id_);

// SetUpTestSuite and TearDownTestSuite.  They run in the test processes only;
// in the runner, functions that replay their reports stand in their place.
using SuiteFunctionMember = void (*TestSuite::*)();
ISOLATE_EXPOSE(SetUpFunction, SuiteFunctionMember, TestSuite::set_up_tc_);
ISOLATE_EXPOSE(TearDownFunction, SuiteFunctionMember, TestSuite::tear_down_tc_);

// Runs a suite in a test process, with gtest's own order of set-up, fixture,
// body and tear-down, and its own handling of exceptions.
using SuiteRunMember = void (TestSuite::*)();
ISOLATE_EXPOSE(RunSuite, SuiteRunMember, TestSuite::Run);

// The suites in the order in which they run; the public GetTestSuite shows them
// as they were before they were shuffled.
using SuiteAtMember = TestSuite* (UnitTest::*)(int);
ISOLATE_EXPOSE(SuiteAt, SuiteAtMember, UnitTest::GetMutableTestSuite);

// Makes gtest forget, in a test process, what the runner was doing when it was
// forked: which test it was in, and what had become of the suite.
using SkipTestMember = void (TestInfo::*)();
ISOLATE_EXPOSE(SkipTest, SkipTestMember, TestInfo::Skip);
using ClearResultMember = void (TestSuite::*)();
ISOLATE_EXPOSE(ClearResult, ClearResultMember, TestSuite::ClearResult);

// The tests of a suite.  For a test process they are cut down to the one that it
// runs: in constant time, where clearing should_run_ in all others would write
// to, and so copy, the memory of every one of them.
using TestListMember = std::vector<TestInfo*> TestSuite::*;
ISOLATE_EXPOSE(TestList, TestListMember, TestSuite::test_info_list_);
using TestIndicesMember = std::vector<int> TestSuite::*;
ISOLATE_EXPOSE(TestIndices, TestIndicesMember, TestSuite::test_indices_);

// Guards the properties of a result, which any thread of a test may record while
// they are read.
using PropertiesMutexMember = ::testing::internal::Mutex TestResult::*;
ISOLATE_EXPOSE(PropertiesMutex, PropertiesMutexMember, TestResult::test_properties_mutex_);

// Sets the time that a test took to what it took in its own process.
using SetElapsedMember = void (TestResult::*)(::testing::TimeInMillis);
ISOLATE_EXPOSE(SetElapsedTime, SetElapsedMember, TestResult::set_elapsed_time);

// The object that passes events on to the listeners.  In a test process it is
// exchanged for one that has our listener alone: the user's listeners and
// gtest's printers live in the runner.
using RepeaterMember = ::testing::internal::TestEventRepeater* TestEventListeners::*;
ISOLATE_EXPOSE(Repeater, RepeaterMember, TestEventListeners::repeater_);

#undef ISOLATE_EXPOSE

// Calls `function` while `mutex`, one of gtest's, is held.
template <typename Mutex, typename Function>
void WithLock(Mutex& mutex, Function function) {
  using ::testing::internal::MutexLock;
  // Since 1.18 it takes a reference.
  if constexpr (std::is_constructible_v<MutexLock, Mutex*>) {
    const MutexLock lock(&mutex);
    function();
  } else {
    const MutexLock lock(mutex);
    function();
  }
}

// Whether gtest printed its help in place of running tests; it does so for flags that
// look like its own, too.  No public function tells.
inline bool PrintedHelp() { return ::testing::internal::g_help_flag; }

// The arguments that main had, gtest's flags among them.
inline std::vector<std::string> ArgumentsOfProgram() { return ::testing::internal::GetArgvs(); }

// Has threadsafe death tests, which execute this program again with the arguments that
// gtest keeps, give it one more.
inline void AddArgumentOfDeathTests(const std::string& argument) {
  std::vector<std::string> arguments = ::testing::internal::GetInjectableArgvs();
  arguments.push_back(argument);
  ::testing::internal::SetInjectableArgvs(arguments);
}

}  // namespace isolate::gtest::internal

#endif  // GTEST_PLUGIN_GTEST_PRIVATE_H_
