#include "isolate/internal/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace isolate::internal {

int SendControl(int socket, const ControlMessage& message, int pidfd) {
  iovec data = {const_cast<ControlMessage*>(&message), sizeof(message)};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (pidfd >= 0) {
    header.msg_control = rights;
    header.msg_controllen = sizeof(rights);
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(item), &pidfd, sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -1 : 0;
}

int ReceiveControl(int socket, ControlMessage* message, int* pidfd) {
  *pidfd = -1;
  iovec data = {message, sizeof(*message)};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = rights;
  header.msg_controllen = sizeof(rights);
  ssize_t received;
  do {
    received = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    return -1;
  }
  const cmsghdr* item = CMSG_FIRSTHDR(&header);
  if (item != nullptr && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
    memcpy(pidfd, CMSG_DATA(item), sizeof(int));
  }
  if (received == 0) {
    return 0;
  }
  if (received != sizeof(*message) || (message->ready && *pidfd < 0)) {
    if (*pidfd >= 0) {
      close(*pidfd);
    }
    // A message whose descriptor the kernel could not install: the caller's
    // table of descriptors is full.
    errno = (header.msg_flags & MSG_CTRUNC) != 0 ? EMFILE : EPROTO;
    return -1;
  }
  return 1;
}

}  // namespace isolate::internal
