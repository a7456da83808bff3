// How exact leaks are told, as figures: the whole catalogue, several times over, four cases at
// once, on a machine that has other things to do.  Prints the confusion matrix.  LEAK_REPEATS says
// how often; in LEAK_REPEATS=100 there are some 13,000 sandboxes.

#include <stdio.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "isolate/executor.h"
#include "isolate/isolate.h"
#include "isolate/leak.h"
#include "tests/leaks/catalogue.h"
#include "tests/leaks/compare.h"
#include "tests/leaks/load.h"

namespace isolate {
namespace {

constexpr size_t kAtOnce = 4;
constexpr int kUsualRepeats = 5;

struct Row {
  int leaks = 0;
  int found = 0;
  int false_alarms = 0;
};

class Matrix {
 public:
  void Add(const LeakCase& leak_case, const Result& result) {
    const LeakDifferences differences = Compare(leak_case.leaks, result.leaks);
    const std::string text = Text(differences);
    if (!text.empty()) {
      absl::StrAppend(&errors_, "\n", leak_case.name, text);
    }
    for (const ExpectedLeak& leak : leak_case.leaks) {
      ++rows_[leak.kind].leaks;
      ++rows_[leak.kind].found;
    }
    for (const ExpectedLeak& leak : differences.missed) {
      --rows_[leak.kind].found;
    }
    for (const Leak& leak : differences.false_alarms) {
      ++rows_[leak.kind].false_alarms;
    }
    if (leak_case.leaks.empty()) {
      ++clean_;
      clean_told_ += result.leaks.empty() ? 0 : 1;
    }
  }

  void Print() const {
    printf("%-12s %8s %8s %8s %14s\n", "kind", "leaks", "found", "missed", "false alarms");
    for (const auto& [kind, row] : rows_) {
      printf("%-12s %8d %8d %8d %14d\n", std::string(NameOf(kind)).c_str(), row.leaks, row.found,
             row.leaks - row.found, row.false_alarms);
    }
    printf("%d runs of cases that clean up, of which %d were told to leak\n", clean_, clean_told_);
  }

  const std::string& errors() const { return errors_; }

 private:
  std::map<LeakKind, Row> rows_;
  int clean_ = 0;
  int clean_told_ = 0;
  std::string errors_;
};

int Repeats() {
  int repeats = kUsualRepeats;
  if (const char* text = getenv("LEAK_REPEATS")) {
    EXPECT_TRUE(absl::SimpleAtoi(text, &repeats) && repeats > 0) << "LEAK_REPEATS: a number";
  }
  return repeats;
}

TEST(Accuracy, IsThatOfAMachineThatHasMuchToDo) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, kAtOnce);
  ASSERT_TRUE(executor.ok()) << executor.status();
  const Load load;
  Matrix matrix;
  std::set<std::string> left_out;
  std::map<Executor::Id, const LeakCase*> running;
  const auto collect = [&] {
    Executor::Finished finished = (*executor)->WaitAny();
    ASSERT_TRUE(finished.result.ok()) << finished.result.status();
    const LeakCase& leak_case = *running.at(finished.id);
    running.erase(finished.id);
    ASSERT_EQ(finished.result->outcome, Outcome::kReturned) << leak_case.name;
    if (finished.result->code == 0) {
      matrix.Add(leak_case, *finished.result);
    } else {
      left_out.insert(leak_case.name);
    }
  };
  const int repeats = Repeats();
  for (int i = 0; i < repeats; ++i) {
    for (const LeakCase& leak_case : Catalogue()) {
      const absl::StatusOr<Executor::Id> id =
          (*executor)->Start([&](Reporter&) { return leak_case.run() ? 0 : 1; });
      ASSERT_TRUE(id.ok()) << id.status();
      running.emplace(*id, &leak_case);
      while (running.size() >= kAtOnce) {
        ASSERT_NO_FATAL_FAILURE(collect());
      }
    }
  }
  while (!running.empty()) {
    ASSERT_NO_FATAL_FAILURE(collect());
  }
  matrix.Print();
  printf("left out, as this user may not do that: %s\n", absl::StrJoin(left_out, " ").c_str());
  EXPECT_EQ(matrix.errors(), "");
}

}  // namespace
}  // namespace isolate
