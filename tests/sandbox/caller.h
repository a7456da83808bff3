#ifndef TESTS_SANDBOX_CALLER_H_
#define TESTS_SANDBOX_CALLER_H_

// Callers of the library that a test may ruin: forked processes that drop their
// rights, filter their system calls, close their descriptors or are killed.
//
//   EXPECT_EQ(InCaller([] {
//     close(STDIN_FILENO);
//     return Told(isolate::Run({}, DoNothing).status());
//   }), "OK");

#include <sys/types.h>

#include <string>

#include "absl/functional/function_ref.h"

namespace isolate {

// Runs `body` in a forked process, and gives what it returned; or "died of
// SIGNAL", or "hung" if that takes a minute.  Assertions of gtest in `body` are
// lost; return what you see.
std::string InCaller(absl::FunctionRef<std::string()> body);

// Closes what the test itself inherited, so that only the standard streams are
// left.  Only for what runs InCaller, whose way back is out of reach.
void CloseInherited();

// Marks the calling process, and with it all that come from it, wherever they
// are put.
void Mark();

// The processes, apart from the calling one, that have its mark; "none" where
// there are none.
std::string Marked();

// Makes the calling process, which is root's, that of an ordinary user with no
// rights.  Only for what runs InCaller.
void BecomeOrdinaryUser();

// Whether BecomeOrdinaryUser works here: that takes root with more than one uid.
bool CanBecomeOrdinaryUser();

// Whether this process may create namespaces without a user namespace.
bool MayCreateNamespaces();

// Makes the calling process root in a user namespace and a mount namespace of
// its own, as any user; false where the host does not allow it.
bool EnterOwnNamespaces();

// Whether EnterOwnNamespaces works here.
bool CanEnterOwnNamespaces();

// Tries `condition` until it holds; false if it does not for half a minute.  For
// what the kernel finishes in its own time.
bool Eventually(absl::FunctionRef<bool()> condition);

// Lets processes that share it wait for one another, over pipes that a fork
// inherits.
class Meeting {
 public:
  Meeting();
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  // In a guest: tells that it is there, and waits to be dismissed.
  void Attend() const;
  // In the host: waits until `guests` are there.  False if they do not come.
  bool Await(int guests) const;
  // In the host: lets that many go.
  void Dismiss(int guests) const;

 private:
  int arrived_[2];
  int leave_[2];
};

}  // namespace isolate

#endif  // TESTS_SANDBOX_CALLER_H_
