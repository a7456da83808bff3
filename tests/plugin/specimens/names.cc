// Tests that use names which other tests use, too; and what they are expected to collide on.

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace {

void Touch(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0) << path;
  close(file);
}

void MakeNew(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0) << path;
  close(file);
}

// Binds a TCP port, and gives the socket.
int Bind(in_addr_t host, uint16_t port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  EXPECT_EQ(bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return bound;
}

// --- ports: the first two meet, and the third meets nobody

TEST(Ports, OnAllAddresses) { close(Bind(INADDR_ANY, 8080)); }
TEST(Ports, OnOneAddress) { close(Bind(INADDR_LOOPBACK, 8080)); }
TEST(Ports, OnAnotherPort) { close(Bind(INADDR_LOOPBACK, 8081)); }
TEST(Ports, OnAPortOfTheKernels) { close(Bind(INADDR_LOOPBACK, 0)); }
TEST(Ports, OnAnotherPortOfTheKernels) { close(Bind(INADDR_LOOPBACK, 0)); }

// --- who leaves what another one needs

TEST(Left, Port) { Bind(INADDR_LOOPBACK, 9090); }
TEST(Left, PortOfOther) { close(Bind(INADDR_LOOPBACK, 9090)); }
TEST(Left, File) { Touch("/tmp/left"); }
TEST(Left, FileOfOther) {
  MakeNew("/tmp/left");
  unlink("/tmp/left");
}
TEST(Left, Segment) { ASSERT_GE(shmget(0x77, 100, IPC_CREAT | 0600), 0); }
TEST(Left, SegmentOfOther) { shmctl(shmget(0x77, 100, IPC_CREAT | 0600), IPC_RMID, nullptr); }

// --- names that only look alike

// As a pid file, or a log by its process.
void TouchByPid() { Touch("/tmp/by_pid." + std::to_string(getpid())); }
TEST(ByPid, One) { TouchByPid(); }
TEST(ByPid, Other) { TouchByPid(); }

void TouchByChance() {
  char path[] = "/tmp/by_chance.XXXXXX";
  close(mkstemp(path));
}
TEST(ByChance, One) { TouchByChance(); }
TEST(ByChance, Other) { TouchByChance(); }

// Who removes what is not there meets nobody.
TEST(Removed, One) { unlink("/tmp/removed"); }
TEST(Removed, Other) { unlink("/tmp/removed"); }

// --- ends

TEST(Ends, ByCrash) {
  Touch("/tmp/ends");
  abort();
}
TEST(Ends, ByTimeLimit) {
  Touch("/tmp/ends");
  for (;;) {
    pause();
  }
}
TEST(Ends, Well) { unlink("/tmp/ends"); }

// --- a suite in one process, or in a snapshot's forks

class Shared : public testing::Test {
 protected:
  static void SetUpTestSuite() { Touch("/tmp/shared_set_up"); }
  static void TearDownTestSuite() { Touch("/tmp/shared_torn_down"); }
};
TEST_F(Shared, First) { Touch("/tmp/shared"); }
TEST_F(Shared, Second) { Touch("/tmp/second"); }
TEST_F(Shared, Third) { unlink("/tmp/shared"); }

// --- in the working directory, which all share

TEST(WorkingDirectory, Left) { Touch("isolate_left_in_cwd"); }
TEST(WorkingDirectory, Removed) {
  Touch("isolate_removed_from_cwd");
  unlink("isolate_removed_from_cwd");
}

TEST(Nothing, IsUsed) {}

}  // namespace
