// Tests that fight, side by side.
//
//   tools/bazel run //examples:quickstart
//
// Every test below uses a name that another one uses too: a port, a file, a
// System V key, a global variable.  Each runs in a sandbox of its own, so all
// pass, in any order and several at once.
//
//   tools/bazel run //examples:quickstart -- --isolate=off
//
// Without isolation the tests run in one process, one after another, and the
// second of each pair fails: the first still holds the port (its socket is
// never closed), the file and the System V segment are there already, and the
// counter is 1.  The last test fails too: the process, the interfaces and the
// host name that it sees are the machine's.  (The segment that such a run
// leaves on the machine goes with `ipcrm -M 0x150150`.)

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::ElementsAre;

// Listens on 127.0.0.1:8080, and never lets go.
void ListenOn8080() {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_GE(server, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(8080);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << "127.0.0.1:8080 is taken";
  ASSERT_EQ(listen(server, 1), 0);
}

TEST(Port, FirstServer) { ListenOn8080(); }
TEST(Port, SecondServer) { ListenOn8080(); }

// Creates a file that must not be there yet.
void WriteNewFile() {
  const int file = open("/tmp/isolate_quickstart", O_CREAT | O_EXCL | O_WRONLY, 0600);
  ASSERT_GE(file, 0) << "/tmp/isolate_quickstart is there already";
  EXPECT_EQ(write(file, "mine", 4), 4);
  close(file);
}

TEST(File, FirstWriter) { WriteNewFile(); }
TEST(File, SecondWriter) { WriteNewFile(); }

// Creates a shared memory segment that must not be there yet.
void CreateSegment() {
  const int segment = shmget(0x150150, 4096, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_GE(segment, 0) << "the System V key 0x150150 is taken";
}

TEST(SystemV, FirstSegment) { CreateSegment(); }
TEST(SystemV, SecondSegment) { CreateSegment(); }

int counter = 0;

TEST(Global, FirstUser) { EXPECT_EQ(counter++, 0); }
TEST(Global, SecondUser) { EXPECT_EQ(counter++, 0); }

// What there is to see: a pid namespace with an init and this test, a network
// with a loopback and nothing else, a host name.
TEST(Sandbox, HasNothingElseInIt) {
  std::vector<std::string> interfaces;
  struct if_nameindex* all = if_nameindex();
  ASSERT_NE(all, nullptr);
  for (auto* one = all; one->if_index != 0; ++one) {
    interfaces.emplace_back(one->if_name);
  }
  if_freenameindex(all);
  EXPECT_THAT(interfaces, ElementsAre("lo"));

  std::vector<int> processes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      processes.push_back(std::stoi(name));
    }
  }
  EXPECT_THAT(processes, ::testing::UnorderedElementsAre(1, getpid()));

  char hostname[65] = "";
  ASSERT_EQ(gethostname(hostname, sizeof(hostname)), 0);
  EXPECT_STREQ(hostname, "isolate");
}

}  // namespace
