#ifndef ISOLATE_INTERNAL_STREAMS_H_
#define ISOLATE_INTERNAL_STREAMS_H_

// The buffers of stdio and iostreams, around a fork and at a process's end.

namespace isolate::internal {

// Writes out what stands in the buffers of std::cout, std::cerr, std::clog, stdout,
// stderr and every other FILE.  Waits for no thread that is in the middle of reading
// or writing one of the others: it may be there for ever, as one that waits for
// input, and exit(3) does not wait for it either.
void FlushStreams();

// From here on stdout is written line by line, where it is not unbuffered: a pipe's
// full buffer would be lost in a crash.
void PrintLineByLine();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_STREAMS_H_
