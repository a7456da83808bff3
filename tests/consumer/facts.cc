// What a test finds around it, compared with what the variables of its target say it should.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;

std::string Variable(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? value : otherwise;
}

bool IsIsolated() { return Variable("EXPECT_ISOLATION", "on") == "on"; }

sockaddr_in LoopbackPort(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string Hostname() {
  char name[65] = "";
  gethostname(name, sizeof(name));
  return name;
}

const fs::path kPidNamespaceAtStart = fs::read_symlink("/proc/self/ns/pid");

TEST(Facts, HostnameIsTheOneAskedFor) {
  if (!IsIsolated()) {
    EXPECT_NE(Hostname(), "isolate");
    return;
  }
  EXPECT_EQ(Hostname(), Variable("EXPECT_HOSTNAME", "isolate"));
}

TEST(Facts, NetworkIsTheOneAskedFor) {
  const std::string network = Variable("EXPECT_NETWORK", IsIsolated() ? "loopback" : "host");
  // The parent of a sandbox is outside, and so cannot be asked: the plain run in the same place
  // can.
  const int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackPort(9);
  const bool is_up =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  EXPECT_EQ(is_up, network != "none");
}

TEST(Facts, FoldersHaveTheSizeAskedFor) {
  struct statvfs tmp = {};
  ASSERT_EQ(statvfs("/tmp", &tmp), 0);
  const std::string megabytes = std::to_string((tmp.f_blocks * tmp.f_frsize) >> 20);
  EXPECT_EQ(megabytes, Variable("EXPECT_TMP_MEGABYTES", megabytes.c_str()));
  EXPECT_NE(megabytes, "0");
}

TEST(Facts, ProgramWasStartedWhereItWasAskedFor) {
  const bool same = kPidNamespaceAtStart == fs::read_symlink("/proc/self/ns/pid");
  EXPECT_EQ(same, !IsIsolated() || Variable("EXPECT_SPAWN", "fork") == "exec");
}

// Where a test can see what another one left.
class Sharing : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::ofstream(fs::path(Variable("TEST_UNDECLARED_OUTPUTS_DIR", ".")) / "set_ups", std::ios::app)
        << "x";
  }

  // In a folder that every sandbox has of its own.
  static std::string Path() { return ::testing::TempDir() + "isolate_consumer"; }

  static bool LeavesAFile() {
    const int file = open(Path().c_str(), O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0600);
    if (file >= 0) {
      close(file);
    }
    return file >= 0;
  }
};

TEST_F(Sharing, FirstLeavesAFile) {
  if (!IsIsolated()) {
    unlink(Path().c_str());
  }
  EXPECT_TRUE(LeavesAFile());
}

TEST_F(Sharing, SecondSeesItOnlyInTheSameSandbox) {
  const bool shares = !IsIsolated() || Variable("EXPECT_SCOPE", "test") == "suite";
  EXPECT_EQ(LeavesAFile(), !shares);
}

TEST(SharingEnd, SuiteWasSetUpAsOftenAsAskedFor) {
  std::ifstream file(fs::path(Variable("TEST_UNDECLARED_OUTPUTS_DIR", ".")) / "set_ups");
  const std::string set_ups((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  EXPECT_EQ(std::to_string(set_ups.size()), Variable("EXPECT_SET_UPS", IsIsolated() ? "2" : "1"));
}

}  // namespace
