#include "isolate/internal/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace isolate::internal {

static_assert(sizeof(Handles) == 3 * sizeof(int), "they are sent as descriptors");

int SendControl(int socket, const ControlMessage& message, const Handles& handles) {
  iovec data = {const_cast<ControlMessage*>(&message), sizeof(message)};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(Handles))] = {};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (handles.init >= 0) {
    header.msg_control = rights;
    const size_t size = handles.post_mortem >= 0 ? sizeof(Handles) : offsetof(Handles, post_mortem);
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(item), &handles, size);
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -1 : 0;
}

int ReceiveControl(int socket, ControlMessage* message, Handles* handles) {
  *handles = {};
  iovec data = {message, sizeof(*message)};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(Handles))] = {};
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
    // Fewer where there was no room for the others.
    memcpy(handles, CMSG_DATA(item), std::min(sizeof(Handles), item->cmsg_len - CMSG_LEN(0)));
  }
  if (received == 0) {
    return 0;
  }
  if (received != sizeof(*message) || (message->ready && handles->root < 0) ||
      (header.msg_flags & MSG_CTRUNC) != 0) {
    for (const int handle : {handles->init, handles->root, handles->post_mortem}) {
      if (handle >= 0) {
        close(handle);
      }
    }
    *handles = {};
    // A message whose descriptors the kernel could not install: the caller's
    // table of descriptors is full.
    errno = (header.msg_flags & MSG_CTRUNC) != 0 ? EMFILE : EPROTO;
    return -1;
  }
  return 1;
}

}  // namespace isolate::internal
