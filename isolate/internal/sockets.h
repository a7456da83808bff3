#ifndef ISOLATE_INTERNAL_SOCKETS_H_
#define ISOLATE_INTERNAL_SOCKETS_H_

// The sockets of a network namespace, as evidence.  Raw system calls only.

#include <sys/types.h>

#include <cstdint>

#include "isolate/internal/evidence.h"

namespace isolate::internal {

// How many sockets the calling process's network namespace has, of all families, with those that
// nobody has a descriptor of; -1 where /proc does not say.  And how many TCP connections are in
// TIME_WAIT.  (net/ipv4/proc.c, sockstat_seq_show.)  Costs about 12 us.
struct SocketCount {
  int used = -1;
  int time_wait = 0;
};
SocketCount CountSockets();

// A number for the network namespace in which a socket is; 0 before Linux 5.14 (SO_NETNS_COOKIE).
uint64_t NetworkOf(int socket);
// The same for the calling process's.
uint64_t OwnNetwork();

// A socket: what `socket` leads to, which process `owner` has as `descriptor`.
void TellSocket(int socket, pid_t owner, int descriptor, EvidenceWriter& evidence);

// TCP ports that cannot be bound although nobody has a descriptor of them: connections in
// TIME_WAIT and its neighbours whose sockets had neither SO_REUSEADDR nor SO_REUSEPORT, so that
// even a socket with both gets EADDRINUSE.  Not those whose port the kernel chose: nobody counts on
// them.  All of them, of a network that was empty.
//
// Where the network has more than the `open` sockets that the calling process has opened, the table
// of connections is walked through, which is as large as the machine has (or as
// net.ipv4.tcp_child_ehash_entries says): about half a millisecond for each address family in which
// there may be one.
void TellAllTimeWaits(int open, EvidenceWriter& evidence);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SOCKETS_H_
