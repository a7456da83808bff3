// What the function prints and sends.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Writes with no buffer in between.
void Print(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t size = write(fd, text.data() + done, text.size() - done);
    if (size < 0) {
      _exit(97);
    }
    done += static_cast<size_t>(size);
  }
}

Options Merged() {
  Options options;
  options.merge_stderr = true;
  return options;
}

TEST(Output, IsCapturedByStream) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    printf("out by printf\n");
    std::cout << "out by cout\n";
    fprintf(stderr, "err by printf\n");
    std::cerr << "err by cerr\n";
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(result->out, "out by printf\nout by cout\n");
  EXPECT_EQ(result->err, "err by printf\nerr by cerr\n");
  EXPECT_EQ(result->omitted_bytes, 0);
}

TEST(Output, KeepsItsOrderWhereMerged) {
  const absl::StatusOr<Result> result = isolate::Run(Merged(), [](Reporter&) {
    for (int i = 0; i < 1000; ++i) {
      Print(i % 2 == 0 ? STDOUT_FILENO : STDERR_FILENO, absl::StrCat(i, "\n"));
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&expected, i, "\n");
  }
  EXPECT_EQ(result->out, expected);
  EXPECT_EQ(result->err, "");
}

TEST(Output, OfTheCallerIsNotRepeatedInside) {
  EXPECT_EQ(InCaller([]() -> std::string {
              // Left in the buffer at the fork; nobody wants to see it.
              if (freopen("/dev/null", "w", stdout) == nullptr) {
                return Called(-1);
              }
              printf("the caller's");
              return isolate::Run({}, [](Reporter&) { return printf("!") < 0; })->out;
            }),
            "!");
}

TEST(Output, IsBinarySafe) {
  std::string bytes;
  for (int i = 0; i < 256 * 256; ++i) {
    bytes.push_back(static_cast<char>(i * 7 + i / 256));
  }
  const absl::StatusOr<Result> result = isolate::Run({}, [&](Reporter&) {
    Print(STDOUT_FILENO, bytes);
    Print(STDERR_FILENO, bytes);
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_TRUE(result->out == bytes);
  EXPECT_TRUE(result->err == bytes);
}

TEST(Output, MayBeMuchOnBothStreams) {
  // More than a pipe holds, on one after the other, in either order.
  const std::string much(1 << 20, 'x');
  for (const int first : {STDOUT_FILENO, STDERR_FILENO}) {
    const absl::StatusOr<Result> result = isolate::Run({}, [&](Reporter&) {
      Print(first, much);
      Print(first == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO, much);
      return 0;
    });
    ASSERT_TRUE(result.ok()) << Told(result);
    EXPECT_EQ(result->out.size(), much.size());
    EXPECT_EQ(result->err.size(), much.size());
  }
}

TEST(Output, IsCutToTheLimitWithANote) {
  Options options;
  options.output_limit_bytes = 1000;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
    Print(STDOUT_FILENO, "begin" + std::string(50 << 20, 'x') + "end");
    Print(STDERR_FILENO, "little");
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  const int64_t omitted = (50 << 20) + 8 - 1000;
  EXPECT_EQ(result->omitted_bytes, omitted);
  EXPECT_THAT(result->out, StartsWith("beginxxx"));
  EXPECT_THAT(result->out, EndsWith("xxxend"));
  EXPECT_THAT(result->out, HasSubstr(absl::StrCat(omitted, " bytes")));
  EXPECT_LT(result->out.size(), 1100U);
  EXPECT_EQ(result->err, "little");
  EXPECT_EQ(result->code, 0);
}

TEST(FullOutput, GoesToFilesWhereItIsCut) {
  const Folder folder;
  Options options;
  options.output_limit_bytes = 1000;
  options.full_output_folder = folder.path();
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    Print(STDOUT_FILENO, std::string(5000, 'x'));
    const bool sent = reporter.Send("in the midst").ok();
    Print(STDOUT_FILENO, std::string(5000, 'y'));
    Print(STDERR_FILENO, "little");
    return sent ? 0 : 1;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(ReadFile(result->out_file), std::string(5000, 'x') + std::string(5000, 'y'));
  EXPECT_EQ(result->err_file, "");
  EXPECT_EQ(result->full_output_error, "");
  EXPECT_EQ(List(folder.path()), result->out_file.substr(folder.path().size() + 1));
}

TEST(FullOutput, HasNoFileWhereNothingIsCut) {
  const Folder folder;
  Options options;
  options.full_output_folder = folder.path();
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
    Print(STDOUT_FILENO, "little");
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(result->out_file, "");
  EXPECT_EQ(List(folder.path()), "");
}

TEST(FullOutput, LeavesNothingOfAFunctionThatWasCancelled) {
  const Folder folder;
  Options options;
  options.output_limit_bytes = 1000;
  options.full_output_folder = folder.path();
  const auto executor = Executor::Create(options);
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const auto id = (*executor)->Start([](Reporter&) {
    // More than a pipe holds: it comes to an end when some was read.
    Print(STDOUT_FILENO, std::string(100 << 10, 'x'));
    for (;;) {
      pause();
    }
    return 0;
  });
  ASSERT_TRUE(id.ok()) << Told(id.status());
  EXPECT_TRUE(Eventually([&] {
    (void)(*executor)->WaitAny(absl::Milliseconds(1));
    return !List(folder.path()).empty();
  }));
  (*executor)->Cancel(*id);
  EXPECT_EQ(List(folder.path()), "");
}

TEST(FullOutput, ThatCannotBeWrittenIsSaid) {
  Options options;
  options.output_limit_bytes = 1000;
  options.full_output_folder = "/no/such/folder";
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
    Print(STDOUT_FILENO, std::string(5000, 'x'));
    return 0;
  });
  EXPECT_EQ(Told(result), "returned 0");
  EXPECT_EQ(result->omitted_bytes, 4000);
  EXPECT_EQ(result->out_file, "");
  EXPECT_THAT(result->full_output_error, HasSubstr("/no/such/folder/stdout-"));
}

TEST(FullOutput, LeavesNoPartOfAFileOnAFullDisk) {
  const std::string told = InCaller([]() -> std::string {
    const Folder folder;
    if (!EnterOwnNamespaces() ||
        mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
      return "no disk of its own";
    }
    Options options;
    options.output_limit_bytes = 1000;
    options.full_output_folder = folder.path();
    options.writable_paths = {folder.path()};
    const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
      Print(STDOUT_FILENO, std::string(1 << 20, 'x'));
      return 0;
    });
    const std::string left = List(folder.path());
    umount(folder.path().c_str());
    return absl::StrCat(Told(result), ", ", result->omitted_bytes, ", left ", left, ", ",
                        absl::StrContains(result->full_output_error, "No space left"));
  });
  if (told == "no disk of its own") {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  EXPECT_EQ(told, absl::StrCat("returned 0, ", (1 << 20) - 1000, ", left , 1"));
}

TEST(Output, MayBeLimitedToNothing) {
  Options options;
  options.output_limit_bytes = 0;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    Print(STDOUT_FILENO, "all is left out");
    return reporter.Send("but this").ok() ? 0 : 1;
  });
  EXPECT_EQ(Told(result), "returned 0");
  EXPECT_EQ(result->omitted_bytes, 15);
  EXPECT_EQ(result->messages.at(0).payload, "but this");
}

TEST(Output, MayBeClosedByTheFunction) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    Print(STDOUT_FILENO, "before");
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    close(STDIN_FILENO);
    return reporter.Send("after").ok() ? 7 : 1;
  });
  EXPECT_EQ(Told(result), "returned 7");
  EXPECT_EQ(result->out, "before");
  EXPECT_EQ(result->messages.at(0).payload, "after");
}

TEST(Output, OfDescendantsIsCaptured) {
  EXPECT_EQ(RunCommand({}, {"sh", "-c", "echo a; (echo b; (echo c)); echo d >&2"})->out,
            "a\nb\nc\n");
}

TEST(Output, OfACrashIsWhole) {
  const std::string text(300000, 'x');
  const absl::StatusOr<Result> result = isolate::Run({}, [&](Reporter&) -> int {
    Print(STDOUT_FILENO, text);
    abort();
  });
  EXPECT_EQ(Told(result), "died of SIGABRT");
  EXPECT_EQ(result->out.size(), text.size());
}

TEST(Output, OfAGrandchildDoesNotHoldTheRunUp) {
  for (const bool pid_namespace : {true, false}) {
    Options options;
    options.pid_namespace = pid_namespace;
    EXPECT_EQ(InCaller([&] {
                const Meeting meeting;
                const absl::StatusOr<Result> result = isolate::Run(options, [&](Reporter&) {
                  Print(STDOUT_FILENO, "parent");
                  if (fork() == 0) {
                    meeting.Attend();
                    _exit(0);
                  }
                  return meeting.Await(1) ? 0 : 1;
                });
                meeting.Dismiss(1);  // without a pid namespace it still lives
                return absl::StrCat(Told(result), " ", result->out);
              }),
              "returned 0 parent");
  }
}

// --- messages ------------------------------------------------------------------

TEST(Messages, ArriveInOrderWithTheirPlaceInTheOutput) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    for (int i = 0; i < 100; ++i) {
      printf("line %d\n", i);  // buffered
      (void)reporter.Send(absl::StrCat("message ", i));
    }
    printf("end\n");
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  ASSERT_EQ(result->messages.size(), 100U);
  size_t position = 0;
  for (size_t i = 0; i < 100; ++i) {
    position += absl::StrCat("line ", i, "\n").size();
    EXPECT_EQ(result->messages[i].payload, absl::StrCat("message ", i));
    EXPECT_EQ(result->messages[i].out_position, position);
  }
  EXPECT_EQ(result->out.size(), position + 4);
}

TEST(Messages, HaveTheirPlaceInMergedOutput) {
  const absl::StatusOr<Result> result = isolate::Run(Merged(), [](Reporter& reporter) {
    printf("out ");
    (void)reporter.Send("1");
    fprintf(stderr, "err ");
    (void)reporter.Send("2");
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(result->out, "out err ");
  EXPECT_EQ(result->messages.at(0).out_position, 4U);
  EXPECT_EQ(result->messages.at(1).out_position, 8U);
}

TEST(Messages, MayBeEmptyOrBinary) {
  const std::string binary("\0\1\2\xff\n\0", 6);
  const absl::StatusOr<Result> result = isolate::Run({}, [&](Reporter& reporter) {
    return reporter.Send("").ok() && reporter.Send(binary).ok() ? 0 : 1;
  });
  ASSERT_EQ(Told(result), "returned 0");
  EXPECT_EQ(result->messages.at(0).payload, "");
  EXPECT_EQ(result->messages.at(1).payload, binary);
}

TEST(Messages, MayBeAsLargeAsAllowedAndNoLarger) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    const bool refused =
        absl::IsInvalidArgument(reporter.Send(std::string(Reporter::kMaxMessageSize + 1, 'x')));
    return refused && reporter.Send(std::string(Reporter::kMaxMessageSize, 'x')).ok() ? 0 : 1;
  });
  ASSERT_EQ(Told(result), "returned 0");
  EXPECT_EQ(result->messages.at(0).payload.size(), Reporter::kMaxMessageSize);
}

TEST(Messages, SentBeforeACrashAreNotLost) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) -> int {
    (void)reporter.Send("before");
    abort();
  });
  EXPECT_EQ(Told(result), "died of SIGABRT");
  EXPECT_EQ(result->messages.at(0).payload, "before");
}

TEST(Messages, MayComeFromManyThreads) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&reporter, i] {
        for (int j = 0; j < 100; ++j) {
          (void)reporter.Send(std::string(1000, static_cast<char>('a' + i)));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return 0;
  });
  ASSERT_EQ(Told(result), "returned 0");
  ASSERT_EQ(result->messages.size(), 800U);
  for (const Message& message : result->messages) {
    EXPECT_EQ(message.payload, std::string(1000, message.payload.at(0)));
  }
}

TEST(Messages, AreRefusedToAForkOfTheFunction) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(absl::IsFailedPrecondition(reporter.Send("forged")) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  });
  EXPECT_EQ(Told(result), "returned 0");
  EXPECT_TRUE(result->messages.empty());
}

}  // namespace
}  // namespace isolate
