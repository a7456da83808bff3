#include "isolate/internal/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/open_files.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

ControlMessage Ready() {
  ControlMessage message;
  message.ready = true;
  message.namespaces.pid = 4026531836;
  message.namespaces.cgroup = 7;
  message.in_user_namespace = true;
  return message;
}

bool IsSameFile(int a, int b) {
  struct stat of_a;
  struct stat of_b;
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

class Control : public ::testing::Test {
 protected:
  int Send(const ControlMessage& message, int descriptor) {
    return SendControl(sockets_.theirs.get(), message, descriptor);
  }

  // Takes the next message into `received_` and `descriptor_`.
  int Receive() {
    int descriptor = -2;
    errno = 0;
    const int result = ReceiveControl(sockets_.ours.get(), &received_, &descriptor);
    // Whoever gets an error does not look at it, so nothing may be in it.
    descriptor_.Reset(descriptor);
    return result;
  }

  FdPair sockets_ = MakeSeqpacketPair().value();
  FdPair pipe_ = MakePipe().value();
  ControlMessage received_;
  Fd descriptor_;
};

TEST_F(Control, CarriesAReadySandboxWithItsDescriptor) {
  ASSERT_EQ(Send(Ready(), pipe_.ours.get()), 0);
  ASSERT_EQ(Receive(), 1);
  EXPECT_TRUE(received_.ready);
  EXPECT_EQ(received_.namespaces.pid, 4026531836);
  EXPECT_EQ(received_.namespaces.cgroup, 7);
  EXPECT_TRUE(received_.in_user_namespace);
  EXPECT_NE(descriptor_.get(), pipe_.ours.get());
  EXPECT_TRUE(IsSameFile(descriptor_.get(), pipe_.ours.get()));
  EXPECT_NE(fcntl(descriptor_.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Control, CarriesAFailureWithoutADescriptor) {
  ControlMessage message;
  message.step = Step::kMountProc;
  message.error = EPERM;
  message.mount_op = 5;
  ASSERT_EQ(Send(message, -1), 0);
  ASSERT_EQ(Receive(), 1);
  EXPECT_FALSE(received_.ready);
  EXPECT_EQ(received_.step, Step::kMountProc);
  EXPECT_EQ(received_.error, EPERM);
  EXPECT_EQ(received_.mount_op, 5);
  EXPECT_EQ(descriptor_.get(), -1);
}

TEST_F(Control, CarriesMessagesInTheirOrder) {
  ControlMessage message;
  for (const int error : {1, 2, 3}) {
    message.error = error;
    ASSERT_EQ(Send(message, -1), 0);
  }
  for (const int error : {1, 2, 3}) {
    ASSERT_EQ(Receive(), 1);
    EXPECT_EQ(received_.error, error);
  }
}

TEST_F(Control, DoesNotWaitForAMessage) {
  EXPECT_EQ(Receive(), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(descriptor_.get(), -1);
}

TEST_F(Control, TellsTheEndAfterWhatWasSentBefore) {
  ASSERT_EQ(Send(Ready(), pipe_.ours.get()), 0);
  sockets_.theirs.Reset();
  EXPECT_EQ(Receive(), 1);
  EXPECT_EQ(Receive(), 0);
  EXPECT_EQ(descriptor_.get(), -1);
}

TEST_F(Control, FailsWithoutASignalWhereNobodyReceives) {
  sockets_.ours.Reset();
  // Whoever started this test may have it ignored.
  const sighandler_t before = signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(Send(Ready(), pipe_.ours.get()), -1);
  EXPECT_EQ(errno, EPIPE);
  signal(SIGPIPE, before);
}

TEST_F(Control, RefusesAReadySandboxWithoutADescriptor) {
  ASSERT_EQ(Send(Ready(), -1), 0);
  EXPECT_EQ(Receive(), -1);
  EXPECT_EQ(errno, EPROTO);
}

TEST_F(Control, RefusesAMessageOfAnotherSize) {
  const std::string bytes(sizeof(ControlMessage) + 1, '\0');
  for (const size_t size : {size_t{1}, sizeof(ControlMessage) - 1}) {
    ASSERT_EQ(send(sockets_.theirs.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
    EXPECT_EQ(Receive(), -1);
    EXPECT_EQ(errno, EPROTO);
  }
}

TEST_F(Control, ClosesTheDescriptorOfAMessageThatItRefuses) {
  const std::vector<int> before = OpenFiles();
  // A message of one byte with a descriptor.
  char byte = 'x';
  iovec data = {&byte, 1};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = rights;
  header.msg_controllen = sizeof(rights);
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof(int));
  const int sent = pipe_.ours.get();
  memcpy(CMSG_DATA(item), &sent, sizeof(sent));
  ASSERT_EQ(sendmsg(sockets_.theirs.get(), &header, 0), 1);

  int descriptor = -2;
  EXPECT_EQ(ReceiveControl(sockets_.ours.get(), &received_, &descriptor), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(Control, SaysThatTheTableIsFullWhereItHasNoRoomForTheDescriptor) {
  ASSERT_EQ(Send(Ready(), pipe_.ours.get()), 0);
  {
    const ScopedFileLimit limit(0);
    EXPECT_EQ(Receive(), -1);
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(descriptor_.get(), -1);
  }
  ASSERT_EQ(Send(Ready(), pipe_.ours.get()), 0);
  EXPECT_EQ(Receive(), 1) << "the next one is whole";
}

}  // namespace
}  // namespace isolate::internal
