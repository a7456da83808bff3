#ifndef ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_
#define ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_

// A byte over a unix stream socket, with or without a descriptor (SCM_RIGHTS, unix(7)).  Raw system
// calls only.

#include <sys/types.h>

namespace isolate::internal {

// Returns 0, or -1 and errno.
int SendByte(int socket, char byte, int descriptor);

// Waits for one.  `descriptor` is -1 where none came with it, and is close-on-exec.  Returns 1, 0
// at the end of the stream, or -1 and errno.
ssize_t ReceiveByte(int socket, char* byte, int* descriptor);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_PASS_DESCRIPTOR_H_
