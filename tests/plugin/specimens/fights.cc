// Pairs of tests that fight over one thing, the second of which loses in a
// plain run.  FIGHT_NUMBER makes the things this run's own.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace {

int Number() { return atoi(getenv("FIGHT_NUMBER")); }
std::string Name() { return "isolate_fight_" + std::to_string(Number()); }

template <typename Address>
void BindForEver(int family, const Address& address) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

void TakePort() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(atoi(getenv("FIGHT_PORT"))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BindForEver(AF_INET, address);
}

void TakeAbstractSocket() {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  Name().copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  BindForEver(AF_UNIX, address);
}

void TakeFile() {
  const std::string path = "/tmp/" + Name();
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  EXPECT_GE(file, 0);
  close(file);
}

void TakeKey() { EXPECT_GE(shmget(Number(), 4096, IPC_CREAT | IPC_EXCL | 0600), 0); }

void TakeVariable() {
  static int counter = 0;
  EXPECT_EQ(counter++, 0);
}

TEST(Port, First) { TakePort(); }
TEST(Port, Second) { TakePort(); }
TEST(AbstractSocket, First) { TakeAbstractSocket(); }
TEST(AbstractSocket, Second) { TakeAbstractSocket(); }
TEST(File, First) { TakeFile(); }
TEST(File, Second) { TakeFile(); }
TEST(SystemVKey, First) { TakeKey(); }
TEST(SystemVKey, Second) { TakeKey(); }
TEST(Variable, First) { TakeVariable(); }
TEST(Variable, Second) { TakeVariable(); }

// Takes away what a plain run leaves on the machine.
class CleanUp : public ::testing::Environment {
  void TearDown() override {
    unlink(("/tmp/" + Name()).c_str());
    shmctl(shmget(Number(), 0, 0), IPC_RMID, nullptr);
  }
};

[[maybe_unused]] const auto* const kCleanUp = ::testing::AddGlobalTestEnvironment(new CleanUp);

}  // namespace
