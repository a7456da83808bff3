#include "isolate/internal/streams.h"

#include <stdio.h>
#include <stdio_ext.h>

#include <iostream>

// Every FILE of the process, chained, in every version of glibc; its headers have
// not shown it since 2.28.
extern "C" FILE* _IO_list_all;  // NOLINT(readability-identifier-naming)

namespace isolate::internal {

void FlushStreams() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  fflush(stdout);
  fflush(stderr);
  // Without the list's lock, as in glibc's own exit.
  for (FILE* file = _IO_list_all; file != nullptr; file = file->_chain) {
    if (ftrylockfile(file) == 0) {
      fflush_unlocked(file);
      funlockfile(file);
    }
  }
}

void PrintLineByLine() {
  if (__fbufsize(stdout) != 1) {
    // With a buffer that is in use already, glibc would look for the end of a
    // line only after the next flush.
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
  }
}

}  // namespace isolate::internal
