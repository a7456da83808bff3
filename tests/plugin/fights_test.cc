// Tests that fight over something pass when each has a sandbox of its own.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

constexpr const char* kThings[] = {"Port", "AbstractSocket", "File", "SystemVKey", "Variable"};

// A port that nobody has.
int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(descriptor);
  return ntohs(address.sin_port);
}

Finished Fight(Build build, const std::vector<std::string>& args) {
  Command command{"fights", build, args};
  command.environment = {{"FIGHT_NUMBER", std::to_string(getpid())},
                         {"FIGHT_PORT", std::to_string(FreePort())}};
  return Execute(command);
}

void ExpectSecondsLose(const Finished& finished) {
  EXPECT_EQ(finished.exit_code, 1);
  const auto sections = Sections(finished.out);
  for (const std::string thing : kThings) {
    EXPECT_EQ(sections.at(thing + ".First").ending, "OK") << thing;
    EXPECT_EQ(sections.at(thing + ".Second").ending, "FAILED") << thing;
  }
}

TEST(Fights, AreLostByTheSecondInAPlainRun) { ExpectSecondsLose(Fight(Build::kPlain, {})); }

TEST(Fights, AreLostByTheSecondWithIsolationOff) {
  ExpectSecondsLose(Fight(Build::kIsolated, {"--isolate=off"}));
}

TEST(Fights, DoNotHappenInSandboxes) {
  for (const char* jobs : {"1", "4", "10"}) {
    const Finished finished =
        Fight(Build::kIsolated, {std::string("--isolate_jobs=") + jobs, "--gtest_repeat=2"});
    EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
    EXPECT_EQ(Count(finished.out, "[  PASSED  ] 10 tests."), 2);
  }
}

}  // namespace
}  // namespace isolate::plugin_tests
