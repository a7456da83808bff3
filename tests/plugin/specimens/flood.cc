// Tests that print much, through everything that prints.

#include <stdio.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "gtest/gtest.h"

namespace {

class Flood : public ::testing::TestWithParam<int> {};

TEST_P(Flood, IsInOrder) {
  for (int line = 0; line < 200; ++line) {
    const std::string text =
        "test " + std::to_string(GetParam()) + " line " + std::to_string(line) + "\n";
    switch (line % 3) {
      case 0:
        printf("%s", text.c_str());
        break;
      case 1:
        std::cout << text;
        break;
      default:
        fflush(stdout);
        ASSERT_EQ(write(STDOUT_FILENO, text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forty, Flood, ::testing::Range(0, 40));

}  // namespace
