// Tests that need something else than the others do, and tell what they got.

#include "gtest_plugin/traits.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/options.h"

namespace {

using ::isolate::gtest::Scope;
using ::isolate::gtest::SetTraits;
using ::isolate::gtest::SuiteSetUp;
using ::isolate::gtest::Traits;

void TellWhereItIs() {
  char host[65] = "";
  gethostname(host, sizeof(host));
  char network[64] = "";
  (void)!readlink("/proc/self/ns/net", network, sizeof(network) - 1);
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  printf("host %s, %s, years %d, may write %d\n", host, network,
         static_cast<int>(now.tv_sec / (int64_t{365} * 24 * 3600)),
         access("/usr", W_OK) == 0 ? 1 : 0);
}

TEST(Usual, Is) { TellWhereItIs(); }

TEST(Outside, IsInTheHostsNetwork) { TellWhereItIs(); }
TEST(Outside, IsNotAsItsNameIsTakenOut) { TellWhereItIs(); }
[[maybe_unused]] const bool kOutside = SetTraits("Outside.*-*TakenOut", [](Traits& traits) {
  traits.network = isolate::Network::kHost;
  traits.hostname = "overwritten-below";
});
[[maybe_unused]] const bool kNamed =
    SetTraits("Nothing.?:*HostsNetwork", [](Traits& traits) { traits.hostname = "named"; });

class Later : public ::testing::TestWithParam<int> {};
TEST_P(Later, Is) { TellWhereItIs(); }
INSTANTIATE_TEST_SUITE_P(Some, Later, ::testing::Values(1));
[[maybe_unused]] const bool kLater = SetTraits<Later>([](Traits& traits) {
  traits.time_offset = absl::Hours(24 * 365 * 70);
  traits.read_only_paths = {"/usr"};
});

int the_memory = 0;

class Together : public ::testing::Test {};
TEST_F(Together, First) { EXPECT_EQ(++the_memory, 1); }
TEST_F(Together, Second) { EXPECT_EQ(++the_memory, 2); }
TEST_F(Together, ThirdIsAlone) { EXPECT_EQ(++the_memory, 1); }
TEST_F(Together, Fourth) { EXPECT_EQ(++the_memory, 3); }
[[maybe_unused]] const bool kTogether =
    SetTraits<Together>([](Traits& traits) { traits.scope = Scope::kSuite; });
[[maybe_unused]] const bool kAlone =
    SetTraits("Together.ThirdIsAlone", [](Traits& traits) { traits.scope = Scope::kTest; });

class Copied : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { the_memory = 10; }
};
TEST_F(Copied, First) { EXPECT_EQ(++the_memory, 11); }
TEST_F(Copied, Second) { EXPECT_EQ(++the_memory, 11); }
[[maybe_unused]] const bool kCopied =
    SetTraits<Copied>([](Traits& traits) { traits.suite_setup = SuiteSetUp::kSnapshot; });

TEST(Short, Waits) {
  for (;;) {
    pause();
  }
}
[[maybe_unused]] const bool kShort =
    SetTraits("Short.*", [](Traits& traits) { traits.timeout = absl::Seconds(1); });

TEST(Small, HasLittleMemory) { EXPECT_EQ(malloc(size_t{513} << 20), nullptr); }
TEST(Small, HasEnoughMemory) {
  void* memory = malloc(size_t{513} << 20);
  EXPECT_NE(memory, nullptr);
  free(memory);
}
[[maybe_unused]] const bool kSmall = SetTraits("Small.HasLittleMemory", [](Traits& traits) {
  traits.memory_limit_bytes = int64_t{512} << 20;
});

// What is wrong is set when it is asked for.
[[maybe_unused]] const bool kWrong = [] {
  const char* pattern = getenv("WRONG_PATTERN");
  if (pattern != nullptr) {
    SetTraits(pattern, [](Traits&) {});
  }
  if (getenv("WRONG_FIXTURE") != nullptr) {
    SetTraits<std::string>([](Traits&) {});
  }
  if (getenv("WRONG_HOST") != nullptr) {
    SetTraits("Usual.Is", [](Traits& traits) { traits.hostname = "no host"; });
  }
  if (getenv("WRONG_PATH") != nullptr) {
    SetTraits("Usual.Is", [](Traits& traits) { traits.writable_paths = {"/no/such/path"}; });
  }
  if (getenv("WRONG_TIMEOUT") != nullptr) {
    SetTraits("Usual.Is", [](Traits& traits) { traits.timeout = absl::ZeroDuration(); });
  }
  return true;
}();

}  // namespace
