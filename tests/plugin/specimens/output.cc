// Output between failures, through everything that prints.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "gtest/gtest.h"

namespace {

void Write(int descriptor, const std::string& text) {
  fflush(stdout);
  EXPECT_EQ(write(descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(Output, OfStdio) {
  printf("first\n");
  EXPECT_TRUE(false) << "one";
  printf("second\n");
  EXPECT_TRUE(false) << "two";
  printf("third, with no end of line");
}

TEST(Output, OfIostreams) {
  std::cout << "first\n";
  EXPECT_TRUE(false) << "one";
  std::cout << "second" << std::endl;
  std::cerr << "to stderr\n";
  EXPECT_TRUE(false) << "two";
  std::clog << "to stderr, too\n";
}

TEST(Output, OfTheSystemCall) {
  Write(STDOUT_FILENO, "first\n");
  EXPECT_TRUE(false) << "one";
  Write(STDERR_FILENO, "to stderr\n");
  Write(STDOUT_FILENO, "second\n");
}

TEST(Output, OfAChild) {
  printf("before\n");
  fflush(stdout);
  EXPECT_EQ(system("echo from a child; echo from a child to stderr >&2"), 0);
  EXPECT_TRUE(false) << "between";
  EXPECT_EQ(system("echo from another child"), 0);
  printf("after\n");
}

TEST(Output, OfBytesThatAreNotText) {
  Write(STDOUT_FILENO, std::string("\0\xff\x80\x1b[1m\r\n", 9));
}

TEST(Output, ThatLooksLikeGtest) {
  printf("[       OK ] Output.ThatLooksLikeGtest (0 ms)\n[ RUN      ] Output.Forged\n");
}

TEST(Output, OfNothing) {}

// What comes first depends on stdout's buffer.

TEST(Buffered, ByStdio) {
  printf("to stdout\n");
  fprintf(stderr, "to stderr\n");
}

TEST(Buffered, OfManyKinds) {
  for (int round = 0; round < 3; ++round) {
    printf("stdio %d\n", round);
    std::cout << "iostream " << round << "\n";
    fprintf(stderr, "stderr %d\n", round);
    Write(STDOUT_FILENO, "call " + std::to_string(round) + "\n");
    EXPECT_LT(round, 1);
  }
}

}  // namespace
