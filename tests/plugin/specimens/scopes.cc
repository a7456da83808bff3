// Tests that tell what they share: the memory, the files and the set-ups of their suite.

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

__attribute__((noinline, noreturn)) void WaitForEver() {
  for (;;) {
    pause();
  }
}

void AppendTo(const std::string& file, const char* text) {
  FILE* stream = fopen((::testing::TempDir() + "/" + file).c_str(), "a");
  ASSERT_NE(stream, nullptr);
  fputs(text, stream);
  fclose(stream);
}

std::string Contents(const std::string& file) {
  std::string text;
  if (FILE* stream = fopen((::testing::TempDir() + "/" + file).c_str(), "r")) {
    for (int c; (c = getc(stream)) != EOF;) {
      text.push_back(static_cast<char>(c));
    }
    fclose(stream);
  }
  return text;
}

int the_memory = 0;

class Sharing : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    printf("set up\n");
    the_memory = 10;
    AppendTo("file", "s");
  }
  static void TearDownTestSuite() { printf("torn down: memory %d\n", the_memory); }

  static void Use() {
    ++the_memory;
    AppendTo("file", "t");
    printf("memory %d, file %s\n", the_memory, Contents("file").c_str());
  }
};

TEST_F(Sharing, First) { Use(); }
TEST_F(Sharing, Second) { Use(); }
TEST_F(Sharing, Crashes) {
  Use();
  abort();
}
TEST_F(Sharing, Fourth) { Use(); }
TEST_F(Sharing, WaitsForEver) {
  Use();
  if (const char* descriptor = getenv("TELL_FD")) {
    ASSERT_EQ(write(atoi(descriptor), "x", 1), 1);
  }
  WaitForEver();
}
TEST_F(Sharing, Sixth) { Use(); }

// Set-ups that a fork cannot copy.

class LeavesAThread : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static std::atomic<bool> named{false};
    std::thread([] {
      pthread_setname_np(pthread_self(), "stayer");
      named = true;
      WaitForEver();
    }).detach();
    while (!named) {
      std::this_thread::yield();
    }
  }
};

TEST_F(LeavesAThread, First) {}
TEST_F(LeavesAThread, Second) {}

class Listens : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(8080);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(listen(server, 1), 0);
  }
};

TEST_F(Listens, First) {}
TEST_F(Listens, Second) {}

// The folder that it works in is copied with the rest.
class Moves : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = ::testing::TempDir() + "/folder";
    ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
    ASSERT_EQ(chdir(folder.c_str()), 0);
  }
  static void Use() { EXPECT_EQ(mkdir("made", 0755), 0); }
};

TEST_F(Moves, First) { Use(); }
TEST_F(Moves, Second) { Use(); }

class HangsAtTheEnd : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {}
  static void TearDownTestSuite() { WaitForEver(); }
};

TEST_F(HangsAtTheEnd, First) {}
TEST_F(HangsAtTheEnd, Second) {}

class KillsAll : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {}
};

TEST_F(KillsAll, First) { kill(-1, SIGTERM); }
TEST_F(KillsAll, Second) { printf("second\n"); }

TEST(Bystander, Passes) {}

}  // namespace
