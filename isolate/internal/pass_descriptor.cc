#include "isolate/internal/pass_descriptor.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>

namespace isolate::internal {

ssize_t SendWithDescriptors(int socket, const void* data, size_t size, const int* descriptors,
                            size_t count) {
  iovec bytes = {const_cast<void*>(data), size};
  alignas(cmsghdr) char rights[CMSG_SPACE(kMaxPassed * sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (count > 0) {
    header.msg_control = rights;
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(item), descriptors, count * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

Received ReceiveWithDescriptors(int socket, void* data, size_t size, int flags) {
  Received received;
  iovec bytes = {data, size};
  alignas(cmsghdr) char rights[CMSG_SPACE(kMaxPassed * sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = rights;
  header.msg_controllen = sizeof(rights);
  do {
    received.size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | flags);
  } while (received.size < 0 && errno == EINTR);
  if (received.size < 0) {
    return received;
  }
  const cmsghdr* item = CMSG_FIRSTHDR(&header);
  if (item != nullptr && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
    memcpy(received.descriptors, CMSG_DATA(item),
           std::min(sizeof(received.descriptors), item->cmsg_len - CMSG_LEN(0)));
  }
  received.lacks_descriptors = (header.msg_flags & MSG_CTRUNC) != 0;
  return received;
}

}  // namespace isolate::internal
