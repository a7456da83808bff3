#include "gtest_plugin/running_tests.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "gtest_plugin/running_test.h"

namespace isolate::gtest {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Told() {
  std::vector<std::string> told;
  for (const RunningTest& running : RunningTestsOf(getpid())) {
    told.push_back(absl::StrCat(running.process, " ", running.suite, ".", running.test));
  }
  return told;
}

// The only one that this process has.
int Descriptor() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) == "/memfd:isolate-tests (deleted)") {
      return std::stoi(entry.path().filename());
    }
  }
  return -1;
}

std::ptrdiff_t CountDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(RunningTests, AreToldWhileTheyRun) {
  RunningTests tests;
  EXPECT_THAT(Told(), IsEmpty());
  tests.Set(0, {7, "Server", "Starts"});
  tests.Set(3, {8, "Server", "Stops"});
  EXPECT_THAT(Told(), ElementsAre("7 Server.Starts", "8 Server.Stops"));
  tests.Set(0, {9, "A", "B"});
  EXPECT_THAT(Told(), ElementsAre("9 A.B", "8 Server.Stops"));
  tests.Clear(3);
  EXPECT_THAT(Told(), ElementsAre("9 A.B"));
}

TEST(RunningTests, OfAProcessThatRunsNoneAreNone) {
  EXPECT_THAT(RunningTestsOf(getpid()), IsEmpty());
  EXPECT_THAT(RunningTestsOf(-1), IsEmpty());
}

TEST(RunningTests, HaveAWholeNameOrNone) {
  RunningTests tests;
  tests.Set(0, {7, "Server", std::string(4000, 'x')});
  EXPECT_THAT(Told(), ElementsAre("7 Server." + std::string(4000, 'x')));
  tests.Set(0, {7, "Server", std::string(4096, 'x')});
  EXPECT_THAT(Told(), IsEmpty());
}

TEST(RunningTests, HaveAWholeNameWhileItIsWritten) {
  RunningTests tests;
  const RunningTest a{7, "Server", std::string(3000, 'a')};
  const RunningTest b{8, "Client", std::string(3500, 'b')};
  tests.Set(0, a);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      tests.Set(0, b);
      tests.Set(0, a);
    }
  });
  std::set<std::string> seen;
  for (int i = 0; i < 4000; ++i) {
    for (const std::string& told : Told()) {
      seen.insert(told);
    }
  }
  done = true;
  writer.join();
  EXPECT_THAT(seen, AllOf(Not(IsEmpty()), Each(AnyOf("7 Server." + a.test, "8 Client." + b.test))));
}

TEST(RunningTests, LeaveNoDescriptor) {
  const std::ptrdiff_t before = CountDescriptors();
  {
    RunningTests tests;
    tests.Set(0, {7, "Server", "Starts"});
    EXPECT_EQ(CountDescriptors(), before + 1);
    EXPECT_EQ(fcntl(Descriptor(), F_GETFD), FD_CLOEXEC);
    EXPECT_GT(Descriptor(), STDERR_FILENO);
  }
  EXPECT_EQ(CountDescriptors(), before);
}

TEST(RunningTests, AreNotWrittenIntoAFileOfTheUsers) {
  RunningTests tests;
  const std::string path = ::testing::TempDir() + "/users";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  const int descriptor = Descriptor();
  ASSERT_EQ(dup2(file, descriptor), descriptor);
  close(file);
  tests.Set(0, {7, "Server", "Starts"});
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
}

TEST(RunningTests, AreNoReasonToEndAtALimit) {
  RunningTests tests;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  tests.Set(0, {7, "Server", "Starts"});
  tests.Set(1, {8, "Server", "Stops"});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(Told(), ElementsAre("7 Server.Starts"));
}

}  // namespace
}  // namespace isolate::gtest
