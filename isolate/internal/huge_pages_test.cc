#include "isolate/internal/huge_pages.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::internal {

namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr size_t kMegabyte = size_t{1} << 20;
constexpr size_t kManyForks = 1'000'000;

auto Is(uintptr_t begin, uintptr_t end) {
  return AllOf(Field(&AddressRange::begin, begin), Field(&AddressRange::end, end));
}

// An entry of smaps: of a mapping of 8 MB of which so many kB are there.
std::string Entry(const std::string& header, int kilobytes, int huge_kilobytes = 0,
                  const std::string& flags = "rd wr mr mw me ac") {
  return header + "\nSize:               8192 kB\nRss:                8192 kB\n" +
         "Anonymous:          " + std::to_string(kilobytes) + " kB\n" +
         "AnonHugePages:      " + std::to_string(huge_kilobytes) + " kB\n" +
         "THPeligible:           1\nVmFlags: " + flags + " \n";
}

constexpr char kHeap[] = "00401000-00c01000 rw-p 00000000 00:00 0    [heap]";

TEST(MappingsForHugePagesTest, WholeHugePagesOfWhatIsThere) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192)), ElementsAre(Is(0x600000, 0xc00000)));
}

TEST(MappingsForHugePagesTest, NotWhatIsNearlyEmpty) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 1536)), ElementsAre(Is(0x600000, 0xc00000)));
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 1532)), IsEmpty()) << "no huge page";
  const std::string large = "100000000000-110000000000 rw-p 00000000 00:00 0 ";
  EXPECT_THAT(MappingsForHugePages(Entry(large, 8192)), IsEmpty());
}

TEST(MappingsForHugePagesTest, EachMapping) {
  EXPECT_THAT(
      MappingsForHugePages(
          Entry(kHeap, 8192) + Entry("7f0000000000-7f0000800000 rw-p 00000000 00:00 0 ", 8192) +
          Entry("7f1000000000-7f1000800000 rw-p 00000000 00:00 0    [anon:malloc]", 8192)),
      ElementsAre(Is(0x600000, 0xc00000), Is(0x7f0000000000, 0x7f0000800000),
                  Is(0x7f1000000000, 0x7f1000800000)));
}

TEST(MappingsForHugePagesTest, NotWhatIsSomethingElse) {
  for (const char* const header : {
           "00400000-00c00000 rw-p 00000000 08:01 42   /usr/bin/program",
           "00400000-00c00000 rw-s 00000000 00:01 7    /dev/zero (deleted)",
           "00400000-00c00000 r--p 00000000 00:00 0 ",
           "00400000-00c00000 ---p 00000000 00:00 0 ",
           "00400000-00c00000 rw-p 00000000 00:00 0    [stack]",
       }) {
    EXPECT_THAT(MappingsForHugePages(Entry(header, 8192)), IsEmpty()) << header;
  }
}

TEST(MappingsForHugePagesTest, NotWhatIsKeptFromIt) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 0, "rd wr mr mw me dc ac")), IsEmpty());
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 0, "rd wr mr mw me wf ac")), IsEmpty());
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 0, "rd wr mr mw me ac nh")), IsEmpty());
}

TEST(MappingsForHugePagesTest, NotWhatIsInHugePages) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 4096)), ElementsAre(Is(0x600000, 0xc00000)));
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 7168)), IsEmpty());
}

TEST(MappingsForHugePagesTest, OddInput) {
  EXPECT_THAT(MappingsForHugePages(""), IsEmpty());
  EXPECT_THAT(MappingsForHugePages("Anonymous:\n\n-\n  \nVmFlags:\n"), IsEmpty());
}

// Memory of its own, a mapping by itself, in small pages; every byte written.
class HugePagesTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 16 * kMegabyte;

  HugePagesTest()
      : mapping_(static_cast<char*>(
            mmap(nullptr, kSize + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        memory_(mapping_ + kGuard) {
    mprotect(memory_, kSize, PROT_READ | PROT_WRITE);
    // Where the machine puts everything into huge pages.
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    memset(memory_, 'a', kSize);
    prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  }
  ~HugePagesTest() override { munmap(mapping_, kSize + 2 * kGuard); }

  char* memory() { return memory_; }

  // Of the mapping that the memory is in; a sanitizer has others.
  size_t HugeKilobytes() {
    const auto address = reinterpret_cast<uintptr_t>(memory_);
    std::ifstream file("/proc/self/smaps");
    bool is_ours = false;
    for (std::string line; std::getline(file, line);) {
      uintptr_t begin = 0;
      uintptr_t end = 0;
      size_t kilobytes = 0;
      if (sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2) {
        is_ours = begin <= address && address < end;
      } else if (is_ours && sscanf(line.c_str(), "AnonHugePages: %zu kB", &kilobytes) == 1) {
        return kilobytes;
      }
    }
    return 0;
  }

  // Not of a kernel before 6.1, nor of one that has put the memory there already.
  bool CanBeSeen() { return HugeKilobytes() == 0 && KernelCan(); }

 private:
  static bool KernelCan() {
    constexpr size_t kTwo = 4 * kMegabyte;  // with a whole one in it
    void* const own =
        mmap(nullptr, kTwo, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(own, 'b', kTwo);
    const auto begin =
        (reinterpret_cast<uintptr_t>(own) + 2 * kMegabyte - 1) / (2 * kMegabyte) * (2 * kMegabyte);
    const bool can = madvise(reinterpret_cast<void*>(begin), 2 * kMegabyte, 25) == 0;
    munmap(own, kTwo);
    return can;
  }

  static constexpr size_t kGuard = size_t{64} << 10;

  char* const mapping_;
  char* const memory_;
};

TEST_F(HugePagesTest, PutsMemoryThereAndKeepsWhatItHolds) {
  if (!CanBeSeen()) {
    GTEST_SKIP() << "not with this kernel";
  }
  memory()[kSize / 2] = 'm';
  EXPECT_GT(HugePages().Use(kManyForks), 0);
  EXPECT_GT(HugeKilobytes(), 0);
  EXPECT_EQ(std::count(memory(), memory() + kSize, 'a'), kSize - 1);
  EXPECT_EQ(memory()[kSize / 2], 'm');
}

// A process with a copy of this one's memory, until it is ended.
class Fork {
 public:
  Fork() : pid_(fork()) {
    if (pid_ == 0) {
      pause();
      _exit(1);
    }
  }
  ~Fork() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Fork(const Fork&) = delete;
  Fork& operator=(const Fork&) = delete;

 private:
  const pid_t pid_;
};

TEST_F(HugePagesTest, RestoresWhatWasTakenApart) {
  if (!CanBeSeen()) {
    GTEST_SKIP() << "not with this kernel";
  }
  HugePages pages;
  pages.Use(kManyForks);
  const size_t huge = HugeKilobytes();
  {
    const Fork other;
    for (size_t at = 0; at < kSize; at += kMegabyte) {
      memory()[at] = 'm';
    }
  }
  const size_t left = HugeKilobytes();
  ASSERT_LT(left, huge);
  pages.Restore(1);
  EXPECT_EQ(HugeKilobytes(), left) << "one fork does not pay for it";
  pages.Restore(kManyForks);
  EXPECT_GT(HugeKilobytes(), left);
  EXPECT_EQ(std::count(memory(), memory() + kSize, 'm'), kSize / kMegabyte);
}

// Half of each huge page.
TEST_F(HugePagesTest, NotWhatIsNotThere) {
  for (size_t at = 0; at < kSize; at += 2 * kMegabyte) {
    madvise(memory() + at, kMegabyte, MADV_DONTNEED);
  }
  HugePages().Use(kManyForks);
  EXPECT_EQ(HugeKilobytes(), 0);
}

// A page of zeros takes no memory.
TEST_F(HugePagesTest, NotWhatWasOnlyRead) {
  size_t sum = 0;
  madvise(memory() + kSize / 2, kSize / 2, MADV_DONTNEED);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (size_t at = kSize / 2; at < kSize; at += 4096) {
    sum += static_cast<volatile char*>(memory())[at];
  }
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  ASSERT_EQ(sum, 0);
  HugePages().Use(kManyForks);
  EXPECT_LE(HugeKilobytes(), kSize / 2 / 1024);
}

TEST_F(HugePagesTest, NotWhatAForkHasToo) {
  const Fork other;
  HugePages().Use(kManyForks);
  EXPECT_EQ(HugeKilobytes(), 0);
}

// What the program has given back since then is not taken again.
TEST_F(HugePagesTest, RestoresNoMoreThanIsThere) {
  HugePages pages;
  pages.Use(kManyForks);
  madvise(memory(), kSize, MADV_DONTNEED);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (size_t at = 0; at < kSize; at += kMegabyte) {
    memory()[at] = 'm';
  }
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  pages.Restore(kManyForks);
  EXPECT_EQ(HugeKilobytes(), 0);
}

TEST_F(HugePagesTest, NotForFewForks) {
  const size_t before = HugeKilobytes();
  EXPECT_EQ(HugePages().Use(1), 0);
  EXPECT_EQ(HugeKilobytes(), before);
}

TEST_F(HugePagesTest, NotWhereTheProgramSaysNo) {
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
  EXPECT_EQ(HugePages().Use(kManyForks), 0);
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
}

TEST_F(HugePagesTest, NotWhatTheProgramKeepsFromIt) {
  madvise(memory(), kSize, MADV_NOHUGEPAGE);
  HugePages().Use(kManyForks);
  EXPECT_EQ(HugeKilobytes(), 0);
}

}  // namespace
}  // namespace isolate::internal
