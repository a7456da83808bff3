#ifndef ISOLATE_INTERNAL_COVERAGE_H_
#define ISOLATE_INTERNAL_COVERAGE_H_

// What gcov or LLVM counts for a coverage report, in a process that is a fork of
// another one and does not end by exit(3), which would write it.  Where neither is
// linked in, nothing happens.

namespace isolate::internal {

// Sets the counts to zero: a fork begins with those of its parent, which writes them, too.
void ResetCoverage();

// Adds the counts to the files, which other processes may be writing.
void WriteCoverage();

// The same in a handler of a signal that is about to end the process.  Writing takes
// locks and allocates, which the signal may have interrupted, and may fail where memory
// is spoilt; another signal, or ten seconds without an end, lets this function give up.
// Those signals do what they do by default afterwards: nothing but raise() or a return
// may follow.
void TryToWriteCoverage();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_COVERAGE_H_
