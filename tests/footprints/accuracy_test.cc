// How exact footprints and collisions are told, as figures: the whole catalogue, several times
// over, four cases at once, on a machine that has other things to do.  Prints the confusion matrix.
// FOOTPRINT_REPEATS says how often.

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "gtest_plugin/collisions.h"
#include "isolate/executor.h"
#include "isolate/footprint.h"
#include "isolate/isolate.h"
#include "tests/footprints/catalogue.h"
#include "tests/leaks/load.h"

namespace isolate {
namespace {

constexpr size_t kAtOnce = 4;
constexpr int kUsualRepeats = 5;

// Who meets on each name: cases of the catalogue, by what they are expected to use.  Not by the
// code under test: a file is met where somebody makes or writes it and somebody else names it, or
// where two lock it; of ports, the catalogue has no others than these.
using Meetings = std::map<std::string, std::set<std::string>>;

constexpr absl::string_view kV4 = "tcp 8080 of IPv4";
constexpr absl::string_view kV6 = "tcp 8080 of IPv6";

Meetings ExpectedMeetings(const std::set<std::string>& left_out) {
  struct Users {
    std::set<std::string> all;
    int lock = 0;
    bool changed = false;
  };
  std::map<std::string, Users> users;
  for (const FootprintCase& footprint_case : Catalogue()) {
    if (left_out.count(footprint_case.name) > 0) {
      continue;
    }
    for (const std::string& use : footprint_case.names) {
      const size_t deeds = use.rfind(" (");
      std::string name = use.substr(0, deeds);
      if (absl::StrContains(name, '*') || absl::StrContains(name, '?')) {
        continue;  // by chance, or of one case alone
      }
      if (absl::StartsWith(name, "tcp ") && absl::EndsWith(name, ":8080")) {
        name = std::string(absl::StrContains(name, "[") ? kV6 : kV4);
      }
      Users& of_name = users[name];
      of_name.all.insert(footprint_case.name);
      const std::string words = use.substr(deeds);
      of_name.changed = of_name.changed || absl::StrContains(words, "made") ||
                        absl::StrContains(words, "written") || absl::StrContains(words, "bound") ||
                        absl::StrContains(words, "set");
      of_name.lock += absl::StrContains(words, "locked") ? 1 : 0;
    }
  }
  Meetings meetings;
  for (auto& [name, of_name] : users) {
    if (of_name.all.size() > 1 && (of_name.changed || of_name.lock > 1)) {
      meetings.emplace(name, std::move(of_name.all));
    }
  }
  return meetings;
}

Meetings MeetingsTold(const gtest::Encounters& encounters) {
  Meetings meetings;
  for (const gtest::Collision& collision : encounters.collisions) {
    std::string name = collision.name;
    if (name == "tcp 8080") {
      name = std::string(absl::StrContains(collision.parties[0].names[0], "[") ? kV6 : kV4);
    }
    for (const gtest::Collision::Party& party : collision.parties) {
      meetings[name].insert(party.test);
    }
  }
  return meetings;
}

struct Row {
  int expected = 0;
  int missed = 0;
  int false_alarms = 0;
};

class Matrix {
 public:
  void Add(const FootprintCase& footprint_case, const Result& result) {
    std::vector<std::string> told;
    for (const NameUse& use : result.footprint.names) {
      told.push_back(Describe(use));
    }
    const std::string differences = Differences(footprint_case, told);
    if (!differences.empty()) {
      absl::StrAppend(&errors_, "\n", footprint_case.name, differences);
    }
    names_.expected += static_cast<int>(footprint_case.names.size());
    names_.missed += Count(differences, "used, and not told");
    names_.false_alarms += Count(differences, "told, though not used");
  }

  void Add(const Meetings& expected, const Meetings& told) {
    for (const auto& [name, cases] : expected) {
      const auto found = told.find(name);
      ++collisions_.expected;
      if (found == told.end() || found->second != cases) {
        ++collisions_.missed;
        absl::StrAppend(&errors_, "\n", name, " is used by ", absl::StrJoin(cases, " "), "; told: ",
                        found != told.end() ? absl::StrJoin(found->second, " ") : "nothing");
      }
    }
    for (const auto& [name, cases] : told) {
      if (expected.count(name) == 0) {
        ++collisions_.false_alarms;
        absl::StrAppend(&errors_, "\ntold, though nobody meets there: ", name, ": ",
                        absl::StrJoin(cases, " "));
      }
    }
  }

  void Print() const {
    printf("%-12s %8s %8s %8s %14s\n", "", "expected", "found", "missed", "false alarms");
    for (const auto& [name, row] : {std::pair("names", names_), {"collisions", collisions_}}) {
      printf("%-12s %8d %8d %8d %14d\n", name, row.expected, row.expected - row.missed, row.missed,
             row.false_alarms);
    }
  }

  const std::string& errors() const { return errors_; }

 private:
  static int Count(absl::string_view text, absl::string_view what) {
    int count = 0;
    for (size_t at = text.find(what); at != absl::string_view::npos; at = text.find(what, at + 1)) {
      ++count;
    }
    return count;
  }

  Row names_;
  Row collisions_;
  std::string errors_;
};

int Repeats() {
  int repeats = kUsualRepeats;
  if (const char* text = getenv("FOOTPRINT_REPEATS")) {
    EXPECT_TRUE(absl::SimpleAtoi(text, &repeats) && repeats > 0) << "FOOTPRINT_REPEATS: a number";
  }
  return repeats;
}

TEST(Accuracy, IsThatOfAMachineThatHasMuchToDo) {
  Options options;
  options.audit_names = true;
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options, kAtOnce);
  ASSERT_TRUE(executor.ok()) << executor.status();
  const Load load;
  Matrix matrix;
  std::set<std::string> left_out;
  const int repeats = Repeats();
  for (int i = 0; i < repeats; ++i) {
    gtest::Collisions collisions;
    std::map<Executor::Id, const FootprintCase*> running;
    const auto collect = [&] {
      Executor::Finished finished = (*executor)->WaitAny();
      ASSERT_TRUE(finished.result.ok()) << finished.result.status();
      const FootprintCase& footprint_case = *running.at(finished.id);
      running.erase(finished.id);
      ASSERT_EQ(finished.result->outcome, Outcome::kReturned) << footprint_case.name;
      if (finished.result->code == 0) {
        matrix.Add(footprint_case, *finished.result);
        collisions.Add(footprint_case.name, finished.result->footprint, finished.result->leaks);
      } else {
        left_out.insert(footprint_case.name);
      }
    };
    for (const FootprintCase& footprint_case : Catalogue()) {
      const absl::StatusOr<Executor::Id> id =
          (*executor)->Start([&](Reporter&) { return footprint_case.run() ? 0 : 1; });
      ASSERT_TRUE(id.ok()) << id.status();
      running.emplace(*id, &footprint_case);
      while (running.size() >= kAtOnce) {
        ASSERT_NO_FATAL_FAILURE(collect());
      }
    }
    while (!running.empty()) {
      ASSERT_NO_FATAL_FAILURE(collect());
    }
    matrix.Add(ExpectedMeetings(left_out), MeetingsTold(collisions.Find()));
  }
  matrix.Print();
  printf("left out, as this user may not do that: %s\n", absl::StrJoin(left_out, " ").c_str());
  EXPECT_EQ(matrix.errors(), "");
}

}  // namespace
}  // namespace isolate
