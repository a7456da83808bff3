#ifndef ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_
#define ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_

// Bytes over a unix socket, with descriptors beside them (SCM_RIGHTS, unix(7)).  Raw system calls
// only.

#include <stddef.h>
#include <sys/types.h>

namespace isolate::internal {

// The most descriptors beside a message.
inline constexpr size_t kMaxPassed = 4;

// Sends a message with `count` descriptors, which may be 0.  Returns how many bytes that were, or
// -1 and errno.
ssize_t SendWithDescriptors(int socket, const void* data, size_t size, const int* descriptors,
                            size_t count);

struct Received {
  ssize_t size = -1;  // in bytes; 0 at the end of the stream, -1 with errno
  int descriptors[kMaxPassed] = {-1, -1, -1, -1};  // close-on-exec
  // There were more than the caller's table of descriptors has room for.
  bool lacks_descriptors = false;
};

// Takes the next message, of at most `size` bytes; `flags` are recvmsg(2)'s.
Received ReceiveWithDescriptors(int socket, void* data, size_t size, int flags);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_
