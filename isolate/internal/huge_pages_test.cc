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

// An entry of smaps: of a mapping of 8 MB with so many kB of its own.
std::string Entry(const std::string& header, int own_kilobytes, int huge_kilobytes = 0,
                  const std::string& flags = "rd wr mr mw me ac", int shared_kilobytes = 0) {
  return header + "\nSize:               8192 kB\nRss:                8192 kB\n" +
         "Shared_Clean:          0 kB\nShared_Dirty:      " + std::to_string(shared_kilobytes) +
         " kB\nPrivate_Clean:         0 kB\n" +
         "Private_Dirty:      " + std::to_string(own_kilobytes) + " kB\n" +
         "AnonHugePages:      " + std::to_string(huge_kilobytes) + " kB\n" +
         "THPeligible:           1\nVmFlags: " + flags + " \n";
}

constexpr char kHeap[] = "00401000-00c01000 rw-p 00000000 00:00 0    [heap]";

TEST(MappingsForHugePagesTest, WholeHugePagesOfWhatIsThere) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192)), ElementsAre(Is(0x600000, 0xc00000)));
}

TEST(MappingsForHugePagesTest, NotWhatIsNearlyEmpty) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 2048)), ElementsAre(Is(0x600000, 0xc00000)));
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 2044)), IsEmpty()) << "no huge page";
  const std::string large = "100000000000-110000000000 rw-p 00000000 00:00 0 ";
  EXPECT_THAT(MappingsForHugePages(Entry(large, 8192)), IsEmpty());
}

TEST(MappingsForHugePagesTest, NotWhatOthersHaveToo) {
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 6144, 0, "rd wr", 2048)),
              ElementsAre(Is(0x600000, 0xc00000)));
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 6140, 0, "rd wr", 2052)), IsEmpty());
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
  EXPECT_THAT(MappingsForHugePages(Entry(kHeap, 8192, 6146)), IsEmpty());
}

TEST(MappingsForHugePagesTest, OddInput) {
  EXPECT_THAT(MappingsForHugePages(""), IsEmpty());
  EXPECT_THAT(MappingsForHugePages("Private_Dirty:\n\n-\n"), IsEmpty());
}

// Memory of its own, every byte written.
class HugePagesTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 16 * kMegabyte;

  HugePagesTest()
      : memory_(static_cast<char*>(
            mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    memset(memory_, 'a', kSize);
  }
  ~HugePagesTest() override { munmap(memory_, kSize); }

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

TEST_F(HugePagesTest, NotWhatIsNotThere) {
  // Of each huge page half.
  for (size_t at = 0; at < kSize; at += 2 * kMegabyte) {
    madvise(memory() + at, kMegabyte, MADV_DONTNEED);
  }
  HugePages().Use(kManyForks);
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
  const size_t before = HugeKilobytes();
  HugePages().Use(kManyForks);
  EXPECT_LT(HugeKilobytes(), before + kSize / 1024);
}

}  // namespace
}  // namespace isolate::internal
