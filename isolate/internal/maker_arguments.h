#ifndef ISOLATE_INTERNAL_MAKER_ARGUMENTS_H_
#define ISOLATE_INTERNAL_MAKER_ARGUMENTS_H_

namespace isolate::internal {

// What the program of maker_program.h is given, each as a number: its descriptors of the control
// socket and for requests, whether it is in a user namespace, its permitted and its effective
// capabilities.
inline constexpr int kMakerArguments = 5;

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MAKER_ARGUMENTS_H_
