// 200 tests that want the same port: each has a server there, sends it a message over a connection
// and gets it back, and waits 5 ms, as for an answer that takes its time.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

constexpr int kTests = 200;
constexpr int kPort = 18'080;

class Port : public ::testing::TestWithParam<int> {};

TEST_P(Port, IsTheTestsOwn) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* any_address = reinterpret_cast<const sockaddr*>(&address);
  ASSERT_EQ(bind(server, any_address, sizeof(address)), 0);
  ASSERT_EQ(listen(server, 1), 0);

  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(client, any_address, sizeof(address)), 0);
  const int connection = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(connection, 0);
  const std::string message = "message " + std::to_string(GetParam());
  ASSERT_EQ(send(client, message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
  char received[64];
  const ssize_t size = recv(connection, received, sizeof(received), 0);
  EXPECT_EQ(std::string(received, static_cast<size_t>(size)), message);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));

  // The client first, so that what is left in TIME_WAIT is on its side, and not on the port.
  close(client);
  close(connection);
  close(server);
}

INSTANTIATE_TEST_SUITE_P(Fixed, Port, testing::Range(0, kTests));

}  // namespace
