#include "isolate/internal/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "isolate/internal/pass_descriptor.h"

namespace isolate::internal {

static_assert(sizeof(Handles) == 4 * sizeof(int) && 4 <= kMaxPassed,
              "they are sent as descriptors");

int SendControl(int socket, const ControlMessage& message, const Handles& handles) {
  int descriptors[4];
  memcpy(descriptors, &handles, sizeof(handles));
  const size_t count = handles.init < 0          ? 0
                       : handles.post_mortem < 0 ? 2
                       : handles.queues < 0      ? 3
                                                 : 4;
  return SendWithDescriptors(socket, &message, sizeof(message), descriptors, count) < 0 ? -1 : 0;
}

int ReceiveControl(int socket, ControlMessage* message, Handles* handles) {
  *handles = {};
  const Received received = ReceiveWithDescriptors(socket, message, sizeof(*message), MSG_DONTWAIT);
  if (received.size <= 0) {
    return static_cast<int>(received.size);
  }
  // Fewer where there was no room for the others.
  memcpy(handles, received.descriptors, sizeof(*handles));
  if (received.size != sizeof(*message) || (message->ready && handles->root < 0) ||
      received.lacks_descriptors) {
    for (const int descriptor : received.descriptors) {
      if (descriptor >= 0) {
        close(descriptor);
      }
    }
    *handles = {};
    // A message whose descriptors the kernel could not install: the caller's
    // table of descriptors is full.
    errno = received.lacks_descriptors ? EMFILE : EPROTO;
    return -1;
  }
  return 1;
}

}  // namespace isolate::internal
