#ifndef ISOLATE_INTERNAL_DIRECTORY_H_
#define ISOLATE_INTERNAL_DIRECTORY_H_

// Lists a folder with raw system calls: readdir(3) takes memory.

#include <stddef.h>
#include <sys/types.h>

namespace isolate::internal {

class Directory {
 public:
  // Links on the way are followed, one at the end is not.
  Directory(int at, const char* path);
  // One that is open already, from its beginning; it stays open.
  explicit Directory(int descriptor);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  bool valid() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  // The next entry but "." and ".."; null at the end.  Valid until the next call.
  const char* Next();

  // The next entry that is a number; -1 at the end.
  int NextNumber();

 private:
  const int descriptor_;
  const bool owned_;
  long size_ = 0;
  long position_ = 0;
  alignas(8) char buffer_[2048];
};

// Reads a file up to `size` - 1 bytes, and puts a NUL behind; gives how many, or -1 and errno.
ssize_t ReadFile(int at, const char* path, char* buffer, size_t size);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_DIRECTORY_H_
