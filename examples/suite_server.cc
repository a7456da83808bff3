// A suite whose SetUpTestSuite starts a server in a thread, on a fixed port.
//
//   tools/bazel run //examples:suite_server
//
// The suite's set-up runs in the sandbox of each test, and so does the thread:
// every test talks to a server of its own, although all are on port 9090.  What
// a test tells its server, no other test can see.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

constexpr int kPort = 9090;

sockaddr_in Address() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Answers each connection with how many there were so far.
class CountingServer {
 public:
  // False if the port is taken.
  bool Start() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Address();
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 8) != 0) {
      return false;
    }
    thread_ = std::thread([this] { Serve(); });
    return true;
  }

  void Stop() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

 private:
  void Serve() {
    for (;;) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) {
        return;
      }
      const std::string answer = std::to_string(++count_);
      if (write(connection, answer.data(), answer.size()) < 0) {
        return;
      }
      close(connection);
    }
  }

  int listener_ = -1;
  std::atomic<int> count_{0};
  std::thread thread_;
};

class SuiteServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new CountingServer;
    ASSERT_TRUE(server_->Start()) << "port " << kPort << " is taken";
  }

  static void TearDownTestSuite() {
    server_->Stop();
    delete server_;
  }

  static std::string Ask() {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Address();
    EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    char answer[16];
    const ssize_t size = read(connection, answer, sizeof(answer));
    close(connection);
    return std::string(answer, size > 0 ? static_cast<size_t>(size) : 0);
  }

  static CountingServer* server_;
};

CountingServer* SuiteServer::server_ = nullptr;

TEST_F(SuiteServer, CountsTheFirstConnection) { EXPECT_EQ(Ask(), "1"); }

TEST_F(SuiteServer, CountsFromOneForEveryTest) {
  EXPECT_EQ(Ask(), "1");
  EXPECT_EQ(Ask(), "2");
}

}  // namespace
