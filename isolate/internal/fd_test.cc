#include "isolate/internal/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/open_files.h"

namespace isolate::internal {
namespace {

using ::testing::ExitedWithCode;

int NewFile() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsCloseOnExec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

TEST(Fd, HoldsNothingAtFirst) {
  const Fd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(Fd, ClosesWhatItHolds) {
  const int file = NewFile();
  {
    const Fd fd(file);
    EXPECT_TRUE(fd.valid());
    EXPECT_EQ(fd.get(), file);
    EXPECT_TRUE(IsOpen(file));
  }
  EXPECT_FALSE(IsOpen(file));
}

TEST(Fd, GivesItsDescriptorUpUnclosed) {
  const int file = NewFile();
  {
    Fd fd(file);
    EXPECT_EQ(fd.Release(), file);
    EXPECT_FALSE(fd.valid());
  }
  EXPECT_TRUE(IsOpen(file));
  close(file);
}

TEST(Fd, MovesWithoutClosing) {
  const int file = NewFile();
  Fd from(file);
  const Fd to(std::move(from));
  EXPECT_EQ(to.get(), file);
  EXPECT_FALSE(from.valid());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_TRUE(IsOpen(file));
}

TEST(Fd, ClosesWhatItHeldWhenAnotherIsMovedIn) {
  const int first = NewFile();
  const int second = NewFile();
  Fd fd(first);
  fd = Fd(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_TRUE(IsOpen(second));
  EXPECT_EQ(fd.get(), second);
}

TEST(Fd, SurvivesAMoveToItself) {
  const int file = NewFile();
  Fd fd(file);
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), file);
  EXPECT_TRUE(IsOpen(file));
}

TEST(Fd, ClosesOnReset) {
  const int first = NewFile();
  const int second = NewFile();
  Fd fd(first);
  fd.Reset(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(fd.get(), second);
  fd.Reset();
  EXPECT_FALSE(IsOpen(second));
  EXPECT_FALSE(fd.valid());
}

TEST(MakePipe, CarriesBytesFromTheirsToOurs) {
  const FdPair pipe = MakePipe();
  ASSERT_TRUE(pipe.valid());
  ASSERT_EQ(write(pipe.theirs.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe.ours.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(MakeSeqpacketPair, CarriesWholeMessagesBothWays) {
  const FdPair pair = MakeSeqpacketPair();
  ASSERT_TRUE(pair.valid());
  for (const auto& [from, to] : {std::make_pair(pair.ours.get(), pair.theirs.get()),
                                 std::make_pair(pair.theirs.get(), pair.ours.get())}) {
    ASSERT_EQ(send(from, "one", 3, 0), 3);
    ASSERT_EQ(send(from, "two", 3, 0), 3);
    char bytes[8] = {};
    EXPECT_EQ(recv(to, bytes, sizeof(bytes), 0), 3);
    EXPECT_STREQ(bytes, "one");
  }
}

// What holds for both kinds of pairs.
struct PairCase {
  const char* name;
  FdPair (*make)();
};

std::ostream& operator<<(std::ostream& out, const PairCase& pair) { return out << pair.name; }

class PairTest : public ::testing::TestWithParam<PairCase> {};

TEST_P(PairTest, IsCloseOnExec) {
  const FdPair pair = GetParam().make();
  ASSERT_TRUE(pair.valid());
  EXPECT_TRUE(IsCloseOnExec(pair.ours.get()));
  EXPECT_TRUE(IsCloseOnExec(pair.theirs.get()));
}

TEST_P(PairTest, IsAboveStandardStreamsWhicheverAreClosed) {
  const auto make = [](int closed) {
    const auto is_closed = [&](int stream) { return (closed & 1 << stream) != 0; };
    for (int stream = 0; stream <= 2; ++stream) {
      if (is_closed(stream)) {
        close(stream);
      }
    }
    const FdPair pair = GetParam().make();
    bool right = pair.ours.get() > 2 && pair.theirs.get() > 2 && IsCloseOnExec(pair.ours.get()) &&
                 IsCloseOnExec(pair.theirs.get());
    for (int stream = 0; stream <= 2; ++stream) {
      right = right && IsOpen(stream) != is_closed(stream);
    }
    _exit(right ? 0 : 1);
  };
  for (int closed = 1; closed < 8; ++closed) {
    EXPECT_EXIT(make(closed), ExitedWithCode(0), "") << closed;
  }
}

TEST_P(PairTest, IsAnErrorWhereTheTableIsFull) {
  const ScopedFileLimit limit(0);
  const FdPair pair = GetParam().make();
  EXPECT_EQ(errno, EMFILE);
  EXPECT_FALSE(pair.valid());
}

TEST_P(PairTest, IsAnErrorAndLeavesNothingOpenWhereNoPlaceIsLeftAboveStandardStreams) {
  const auto make = [](int closed) {
    (void)NewFile();  // above the limit F_DUPFD would say EINVAL
    for (int stream = 0; stream < closed; ++stream) {
      close(stream);
    }
    const ScopedFileLimit limit(2);
    const std::vector<int> before = OpenFiles();
    const FdPair pair = GetParam().make();
    const bool right = errno == EMFILE && !pair.valid() && OpenFiles() == before;
    _exit(right ? 0 : 1);
  };
  // Of the pair one end has to move, or both.
  for (const int closed : {1, 2}) {
    EXPECT_EXIT(make(closed), ExitedWithCode(0), "") << closed;
  }
}

INSTANTIATE_TEST_SUITE_P(Fd, PairTest,
                         ::testing::Values(PairCase{"Pipe", &MakePipe},
                                           PairCase{"SeqpacketPair", &MakeSeqpacketPair}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(AboveStandardStreams, LeavesADescriptorThatIsAbove) {
  const int file = NewFile();
  ASSERT_GT(file, 2);
  EXPECT_EQ(AboveStandardStreams(Fd(file)).get(), file);
}

TEST(AboveStandardStreams, GivesNothingForNothing) {
  errno = EBADF;
  EXPECT_FALSE(AboveStandardStreams(Fd()).valid());
  EXPECT_EQ(errno, EBADF) << "the errno of the call that failed is still there";
}

}  // namespace
}  // namespace isolate::internal
