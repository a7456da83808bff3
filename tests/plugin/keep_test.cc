// --isolate_keep=failed, with a terminal and without.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// --- without a terminal ----------------------------------------------------------

class KeptFiles : public ::testing::Test {
 protected:
  KeptFiles() { fs::create_directory(outputs_); }
  ~KeptFiles() override { fs::remove_all(outputs_); }

  Finished Run(std::vector<std::string> args) const {
    args.emplace_back("--isolate_keep=failed");
    Command command{"keeps", Build::kIsolated, std::move(args)};
    command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", outputs_}};
    return Execute(command);
  }

  // "folder of the test: name of the file" of each file that is kept.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(outputs_)) {
      if (entry.is_regular_file()) {
        const fs::path path = entry.path().lexically_relative(outputs_);
        auto part = path.begin();
        const std::string test = part->string();
        files.push_back(
            absl::StrCat(test, "/", (++part)->string(), ": ", path.filename().string()));
      }
    }
    return files;
  }

  // Not in the scratch folder, where Bazel has another place: it would be mounted there, and an
  // ordinary user cannot have a copy of a folder in which something is mounted.
  static std::string Outputs() {
    const char* bazels = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
    return fs::path((bazels != nullptr ? bazels : ::testing::TempDir()) + std::string("/kept"))
        .lexically_normal();
  }
  const std::string outputs_ = Outputs();
};

TEST_F(KeptFiles, AreThoseOfTestsThatFailed) {
  const Finished finished = Run({"--gtest_filter=Leaves.*"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(Files(), UnorderedElementsAre("Leaves.AndFails/files: of_failed",
                                            "Leaves.AndCrashes/files: of_crashed"));
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr(absl::StrCat("isolate: the files that Leaves.AndFails left are in ",
                                           outputs_, "/Leaves.AndFails/files\n")),
                    Not(HasSubstr("AndPasses")), Not(HasSubstr("NothingAndFails"))));
}

TEST_F(KeptFiles, OfEarlierRunsStay) {
  Run({"--gtest_filter=Leaves.AndFails", "--gtest_repeat=2"});
  EXPECT_THAT(Files(), UnorderedElementsAre("Leaves.AndFails/files: of_failed",
                                            "Leaves.AndFails/files-2: of_failed"));
}

TEST_F(KeptFiles, AreTheSuitesWhereThatSharesASandbox) {
  Run({"--gtest_filter=LeavesInSetUp.*", "--isolate_scope=suite"});
  EXPECT_THAT(Files(), UnorderedElementsAre("LeavesInSetUp.AndFails/files: of_suite",
                                            "LeavesInSetUp.AndFails/files: of_test"));
}

TEST_F(KeptFiles, AreTheSuitesWithATestsOwnInASnapshot) {
  for (const char* scope : {"--isolate_scope=test", "--isolate_scope=suite"}) {
    Run({"--gtest_filter=LeavesInSetUp.*", "--isolate_suite_setup=snapshot", scope});
    EXPECT_THAT(Files(), UnorderedElementsAre("LeavesInSetUp.AndFails/files: of_suite",
                                              "LeavesInSetUp.AndFails/files: of_test"))
        << scope;
    fs::remove_all(outputs_);
    fs::create_directory(outputs_);
  }
}

TEST_F(KeptFiles, AreThereOfAProgramThatIsExecutedAgain) {
  Run({"--gtest_filter=Leaves.AndFails:Leaves.AndPasses", "--isolate_spawn=exec"});
  EXPECT_THAT(Files(), ElementsAre("Leaves.AndFails/files: of_failed"));
}

TEST_F(KeptFiles, AreThereOfASetUpThatFailed) {
  Run({"--gtest_filter=FailsInSetUp.*"});
  EXPECT_THAT(Files(), ElementsAre("FailsInSetUp.First/files: of_failed_suite"));
}

TEST_F(KeptFiles, AreNoneUnlessAskedFor) {
  Command command{"keeps", Build::kIsolated, {"--gtest_filter=Leaves.*"}};
  command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", outputs_}};
  Execute(command);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST(Keep, NeedsATerminalOrAFolder) {
  Command command{"keeps", Build::kIsolated, {"--isolate_keep=failed"}};
  command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", ""}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, HasSubstr("set TEST_UNDECLARED_OUTPUTS_DIR"));
}

// --- at a terminal -----------------------------------------------------------------

// Its other end is a specimen's stdin and stderr.
class Terminal {
 public:
  Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0) {
      name_ = ptsname(master_);
    }
  }
  ~Terminal() { close(master_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool valid() const { return !name_.empty(); }

  // To be called in the specimen's process.
  bool Take() const {
    setsid();
    const int slave = open(name_.c_str(), O_RDWR | O_CLOEXEC);
    return slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0 && dup2(slave, STDIN_FILENO) == 0 &&
           dup2(slave, STDERR_FILENO) == STDERR_FILENO;
  }

  // Reads until `text` has come, or nothing more can, or in a minute did not.
  std::string ReadUntil(const std::string& text) const {
    std::string read_so_far;
    pollfd ready = {master_, POLLIN, 0};
    char byte;
    while (!absl::StrContains(read_so_far, text) && poll(&ready, 1, 60'000) == 1 &&
           read(master_, &byte, 1) == 1) {
      read_so_far += byte;
    }
    return read_so_far;
  }

  void PressEnter() const { ASSERT_EQ(write(master_, "\n", 1), 1); }

 private:
  const int master_;
  std::string name_;
};

class AtATerminal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!terminal_.valid()) {
      GTEST_SKIP() << "no pseudoterminal can be had here";
    }
  }

  Command Keeping(const std::string& filter, const std::string& keep) const {
    Command command{"keeps",
                    Build::kIsolated,
                    {"--gtest_filter=" + filter, "--isolate_jobs=4", "--isolate_keep=" + keep}};
    command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", ""}};
    command.before_exec = [this] { return terminal_.Take(); };
    return command;
  }

  const Terminal terminal_;
};

TEST_F(AtATerminal, TheSandboxCanBeEnteredUntilEnterIsPressed) {
  Program program(Keeping("Leaves.And*", "failed"));
  for (const char* left : {"of_failed", "of_crashed"}) {
    const std::string told = terminal_.ReadUntil("Press Enter here to go on.\r\n");
    const size_t at = told.find("nsenter ");
    ASSERT_NE(at, std::string::npos) << told;
    const std::string enter = told.substr(at, told.find('\r', at) - at);
    const std::string look = enter + " sh -c 'ls /tmp /var/tmp \"$TEST_TMPDIR\"' 2>&1";
    FILE* stream = popen(look.c_str(), "re");
    char buffer[4096] = "";
    const size_t size = fread(buffer, 1, sizeof(buffer), stream);
    pclose(stream);
    EXPECT_THAT(std::string(buffer, size), HasSubstr(left));
    terminal_.PressEnter();
  }
  const Finished finished = program.Wait();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(Sections(finished.out).size(), 3U);
}

TEST_F(AtATerminal, NobodyHasToComeInTime) {
  Program program(Keeping("Leaves.AndFails", "failed:100ms"));
  EXPECT_THAT(terminal_.ReadUntil("Press Enter here to go on.\r\n"), HasSubstr("for 100ms"));
  EXPECT_EQ(program.Wait().exit_code, 1);
}

TEST_F(AtATerminal, AnInterruptionEndsTheWait) {
  Program program(Keeping("Leaves.And*", "failed"));
  terminal_.ReadUntil("Press Enter here to go on.\r\n");
  program.Kill(SIGINT);
  EXPECT_EQ(program.Wait().signal, SIGINT);
}

// As a job does that is sent to the background.
TEST_F(AtATerminal, NothingIsKeptWhereTheTerminalIsGone) {
  Command command = Keeping("Leaves.AndFails", "failed");

  command.environment.emplace_back("KEEPS_WITHOUT_TERMINAL", "1");
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(terminal_.ReadUntil("names no folder"),
              HasSubstr("nothing of Leaves.AndFails is kept"));
}

TEST_F(AtATerminal, ASnapshotsTestsNeedAFolder) {
  Command command = Keeping("LeavesInSetUp.*", "failed");
  command.args.emplace_back("--isolate_suite_setup=snapshot");
  Program program(command);
  EXPECT_EQ(program.Wait().exit_code, 2);
  EXPECT_THAT(terminal_.ReadUntil("are copied"), HasSubstr("TEST_UNDECLARED_OUTPUTS_DIR"));
}

}  // namespace
}  // namespace isolate::plugin_tests
