#ifndef ISOLATE_COMMAND_DOCTOR_REPORT_H_
#define ISOLATE_COMMAND_DOCTOR_REPORT_H_

// What a checkup comes to, in words.  Pure.

#include <string>

#include "isolate/command/checkup.h"

namespace isolate::command {

// For people.
std::string TextOf(const Checkup& checkup);

// For programs: an object, on lines of its own; docs/troubleshooting.md says what stands in it.
std::string JsonOf(const Checkup& checkup);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_DOCTOR_REPORT_H_
