#ifndef ISOLATE_INTERNAL_SCOPED_VARIABLE_H_
#define ISOLATE_INTERNAL_SCOPED_VARIABLE_H_

// For tests.

#include <stdlib.h>

#include <string>
#include <utility>

#include "absl/types/optional.h"

namespace isolate::internal {

// Gives a variable of the environment another value, or none (nullptr), and its
// own one back.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const char* value) : name_(std::move(name)) {
    if (const char* before = getenv(name_.c_str())) {
      before_ = before;
    }
    Set(value);
  }
  ScopedVariable(ScopedVariable&& other) noexcept
      : name_(std::exchange(other.name_, "")), before_(std::move(other.before_)) {}
  ScopedVariable& operator=(ScopedVariable&&) = delete;
  ~ScopedVariable() {
    if (!name_.empty()) {
      Set(before_.has_value() ? before_->c_str() : nullptr);
    }
  }

 private:
  void Set(const char* value) const {
    if (value != nullptr) {
      setenv(name_.c_str(), value, 1);
    } else {
      unsetenv(name_.c_str());
    }
  }

  std::string name_;  // empty: moved away
  absl::optional<std::string> before_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SCOPED_VARIABLE_H_
