#ifndef ISOLATE_INTERNAL_MAKER_PROGRAM_H_
#define ISOLATE_INTERNAL_MAKER_PROGRAM_H_

// A program of its own for MakeSandboxes (sandbox_maker.h), which is a part of this one and is
// executed from memory.  A sandbox's init is a fork: of this program a fork copies some twenty
// mappings, of the runner all that it had when the helper was forked, as every shared library
// and the heap that static initialisers filled.

#include <string>

#include "isolate/internal/sandbox_maker.h"

namespace isolate::internal {

// In the helper: executes the program in place of the caller, which keeps its process group, its
// signals, its namespaces and its rights in them.  `encoded_plan`: Encode's (sandbox_plan.h).
//
// Returns where that cannot be had, and the caller can go on as before: with a sanitizer, whose
// runtime would be executed with it, and where the host lets nobody execute what lies in memory
// (vm.memfd_noexec, seccomp filters).  Only raw system calls.
void ExecuteMaker(const std::string& encoded_plan, MakerDescriptors descriptors,
                  bool in_user_namespace);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MAKER_PROGRAM_H_
