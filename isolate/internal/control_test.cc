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
  int Send(const ControlMessage& message, const Handles& handles) {
    return SendControl(sockets_.theirs.get(), message, handles);
  }

  int SendReady() { return Send(Ready(), {pipe_.ours.get(), pipe_.theirs.get()}); }

  // Takes the next message into `received_`, `init_` and `root_`.
  int Receive() {
    Handles handles = {-2, -2};
    errno = 0;
    const int result = ReceiveControl(sockets_.ours.get(), &received_, &handles);
    // Whoever gets an error does not look at them, so nothing may be in them.
    init_.Reset(handles.init);
    root_.Reset(handles.root);
    return result;
  }

  FdPair sockets_ = MakeSeqpacketPair();
  FdPair pipe_ = MakePipe();
  ControlMessage received_;
  Fd init_;
  Fd root_;
};

TEST_F(Control, CarriesAReadySandboxWithItsDescriptors) {
  ASSERT_EQ(SendReady(), 0);
  ASSERT_EQ(Receive(), 1);
  EXPECT_TRUE(received_.ready);
  EXPECT_EQ(received_.namespaces.pid, 4026531836);
  EXPECT_EQ(received_.namespaces.cgroup, 7);
  EXPECT_TRUE(received_.in_user_namespace);
  EXPECT_NE(init_.get(), pipe_.ours.get());
  EXPECT_TRUE(IsSameFile(init_.get(), pipe_.ours.get()));
  EXPECT_NE(fcntl(init_.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(root_.get(), pipe_.theirs.get());
  EXPECT_TRUE(IsSameFile(root_.get(), pipe_.theirs.get()));
  EXPECT_NE(fcntl(root_.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Control, CarriesAFailureWithoutADescriptor) {
  ControlMessage message;
  message.step = Step::kMountProc;
  message.error = EPERM;
  message.mount_op = 5;
  ASSERT_EQ(Send(message, {}), 0);
  ASSERT_EQ(Receive(), 1);
  EXPECT_FALSE(received_.ready);
  EXPECT_EQ(received_.step, Step::kMountProc);
  EXPECT_EQ(received_.error, EPERM);
  EXPECT_EQ(received_.mount_op, 5);
  EXPECT_EQ(init_.get(), -1);
  EXPECT_EQ(root_.get(), -1);
}

TEST_F(Control, CarriesMessagesInTheirOrder) {
  ControlMessage message;
  for (const int error : {1, 2, 3}) {
    message.error = error;
    ASSERT_EQ(Send(message, {}), 0);
  }
  for (const int error : {1, 2, 3}) {
    ASSERT_EQ(Receive(), 1);
    EXPECT_EQ(received_.error, error);
  }
}

TEST_F(Control, DoesNotWaitForAMessage) {
  EXPECT_EQ(Receive(), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(init_.get(), -1);
  EXPECT_EQ(root_.get(), -1);
}

TEST_F(Control, TellsTheEndAfterWhatWasSentBefore) {
  ASSERT_EQ(SendReady(), 0);
  sockets_.theirs.Reset();
  EXPECT_EQ(Receive(), 1);
  EXPECT_EQ(Receive(), 0);
  EXPECT_EQ(init_.get(), -1);
  EXPECT_EQ(root_.get(), -1);
}

TEST_F(Control, FailsWithoutASignalWhereNobodyReceives) {
  sockets_.ours.Reset();
  // Whoever started this test may have it ignored.
  const sighandler_t before = signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(SendReady(), -1);
  EXPECT_EQ(errno, EPIPE);
  signal(SIGPIPE, before);
}

TEST_F(Control, RefusesAReadySandboxWithoutADescriptor) {
  ASSERT_EQ(Send(Ready(), {}), 0);
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

  Handles handles;
  EXPECT_EQ(ReceiveControl(sockets_.ours.get(), &received_, &handles), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(Control, SaysThatTheTableIsFullWhereItHasNoRoomForBothDescriptors) {
  for (const rlim_t room : {0, 1}) {
    ASSERT_EQ(SendReady(), 0);
    const std::vector<int> before = OpenFiles();
    const ScopedFileLimit limit(room);
    EXPECT_EQ(Receive(), -1) << room;
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(init_.get(), -1);
    EXPECT_EQ(root_.get(), -1);
    EXPECT_EQ(OpenFiles(), before);
  }
  ASSERT_EQ(SendReady(), 0);
  EXPECT_EQ(Receive(), 1) << "the next one is whole";
}

}  // namespace
}  // namespace isolate::internal
