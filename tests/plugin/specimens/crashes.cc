// Crashes of different causes, each in a function with a name to look for.

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "gtest/gtest.h"

namespace {

__attribute__((noinline)) void WriteTo(uintptr_t address) {
  *reinterpret_cast<volatile int*>(address) = 1;
}

// NOLINTNEXTLINE(misc-no-recursion): it is what this is for.
__attribute__((noinline)) int Recurse(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Recurse(depth + 1) + frame[0];
}

__attribute__((noinline)) void AbortHere() { abort(); }

TEST(Crash, OfAnUnmappedAddress) { WriteTo(0x10); }

TEST(Crash, OfAReadOnlyAddress) {
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  WriteTo(reinterpret_cast<uintptr_t>(page));
}

TEST(Crash, OfAnOverflowOfAThreadsStack) {
  std::thread([] { Recurse(0); }).join();
}
TEST(Crash, OfAnOverflowOfTheStack) { EXPECT_EQ(Recurse(0), 0); }

TEST(Crash, OfAnAbort) { AbortHere(); }

TEST(Crash, OfARaisedSignal) { raise(SIGABRT); }

TEST(Crash, OfASentSignal) { kill(getpid(), SIGSEGV); }

TEST(Crash, OfAnAbortInAThread) { std::thread(AbortHere).join(); }

// Its child's crash is what it wants.
TEST(DeathTest, OfACrashTellsNothing) { EXPECT_DEATH(WriteTo(0x10), ""); }

}  // namespace
