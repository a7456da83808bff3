#include "gtest_plugin/running_test.h"

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace isolate::gtest {
namespace {

std::string Text(const RunningTest& running) {
  return std::to_string(running.process) + " " + running.suite + "." + running.test;
}

std::string Decoded(absl::string_view bytes) {
  const absl::optional<RunningTest> running = DecodeRunningTest(bytes);
  return running.has_value() ? Text(*running) : "nothing";
}

TEST(RunningTest, ComesBackAsItWas) {
  for (const RunningTest& running :
       {RunningTest{}, RunningTest{31751, "Server", "Starts"}, RunningTest{2, "Server", ""},
        RunningTest{1 << 22, "All/Server/0", "Starts/with a space\n"}}) {
    EXPECT_EQ(Decoded(Encode(running)), Text(running));
  }
}

TEST(RunningTest, IsFollowedByAnything) {
  EXPECT_EQ(Decoded(Encode({7, "Server", "Starts"}) + "what a longer one left"), "7 Server.Starts");
}

TEST(RunningTest, IsOneOfTwoOrNothingWhileItIsOverwritten) {
  const std::string before = Encode({31751, "Several/Server", "StopsAtOnce/12"});
  for (const RunningTest& next :
       {RunningTest{31752, "Several/Server", "StopsAtOnce/13"}, RunningTest{8, "A", "B"},
        RunningTest{}, RunningTest{31753, "Several/Longer", "StopsAtOnceAndAgain/1"}}) {
    const std::string after = Encode(next);
    for (size_t written = 0; written <= after.size(); ++written) {
      std::string bytes = before;
      bytes.replace(0, written, after, 0, written);
      const std::string decoded = Decoded(bytes);
      EXPECT_TRUE(decoded == Text(next) || decoded == "nothing" || bytes == before)
          << decoded << " after " << written << " bytes";
    }
  }
}

TEST(RunningTest, IsNothingWhereThereIsNone) {
  EXPECT_EQ(Decoded(""), "nothing");
  EXPECT_EQ(Decoded(std::string(4096, '\0')), "nothing");
  EXPECT_EQ(Decoded(std::string(4096, '\xff')), "nothing");
  const std::string whole = Encode({7, "Server", "Starts"});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Decoded(absl::string_view(whole).substr(0, size)), "nothing");
  }
}

}  // namespace
}  // namespace isolate::gtest
