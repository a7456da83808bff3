#ifndef TESTS_COMMAND_ISOLATE_PROGRAM_H_
#define TESTS_COMMAND_ISOLATE_PROGRAM_H_

// Runs the program as a child process.
//
//   EXPECT_EQ(Isolate({"run", "sh", "-c", "exit 7"}).exit_code, 7);

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace isolate::command {

struct Call {
  std::vector<std::string> args;
  std::string in = {};  // comes from stdin; then stdin is at its end
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::function<void()> before_exec = {};  // in the child
  std::string program = "isolate";
};

struct Ended {
  int exit_code = -1;  // -1: it died of a signal
  int signal = 0;
  std::string out;
  std::string err;
};

// A program that runs.  Its stdout is a pipe, which whoever runs in its sandbox holds, too; its
// stderr a file.
class Running {
 public:
  explicit Running(const Call& call);
  // Kills it, if it runs.
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const { return pid_; }

  // What comes from stdout until `text` has come, or until nobody holds it any more.
  std::string ReadUntil(const std::string& text);
  // Waits until nobody holds its stdout, and until it has ended.
  Ended Wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string errors_;  // a file
};

Ended Isolate(const std::vector<std::string>& args);
Ended Isolate(const Call& call);

// Absolute.
std::string PathOfProgram(const std::string& name);

// A pseudoterminal, whose other end the test reads and types at.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool valid() const { return !name_.empty(); }

  // In a child: makes it the controlling terminal of a new session, and the standard streams.
  void Take() const;

  void Type(const std::string& text) const;
  // What it shows until `text` has come; all there is where nothing more can come, or in a minute
  // did not.
  std::string ReadUntil(const std::string& text) const;
  void SetWidth(int columns) const;
  // The group in the foreground.
  pid_t Foreground() const;

 private:
  const int master_;
  std::string name_;
};

}  // namespace isolate::command

#endif  // TESTS_COMMAND_ISOLATE_PROGRAM_H_
