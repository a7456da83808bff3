#include "gtest_plugin/collision_report.h"

#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest_plugin/collisions.h"
#include "isolate/footprint.h"

namespace isolate::gtest {
namespace {

constexpr char kTag[] = "[ COLLIDES ] ";

// The rest is in the report.
constexpr size_t kMostRows = 10;
constexpr size_t kMostTests = 4;

std::string Tests(const std::vector<std::string>& tests) {
  const size_t shown = tests.size() > kMostTests ? kMostTests - 1 : tests.size();
  return absl::StrCat(
      absl::StrJoin(tests.begin(), tests.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      tests.size() > shown ? absl::StrCat(" and ", tests.size() - shown, " more") : "");
}

std::string Text(const Collision& collision) {
  std::vector<std::string> tests;
  for (const Collision::Party& party : collision.parties) {
    tests.push_back(party.test);
  }
  return absl::StrCat(NameOf(collision.kind), ": ", collision.name, ": ", Tests(tests));
}

// What the victims do with the name.
std::string DeedOf(const Prediction& prediction, bool one) {
  return absl::StrCat(prediction.kind == NameKind::kPort ? "bind" : "make", one ? "s" : "");
}

std::string Text(const Prediction& prediction) {
  const bool breaks = prediction.effect == Prediction::Effect::kBreaks;
  const std::string polluters = Tests(prediction.polluters);
  const std::string victims = Tests(prediction.victims);
  if (prediction.polluters == prediction.victims) {
    return absl::StrCat(polluters, " leave ", prediction.name, " and ", DeedOf(prediction, false),
                        " it: without isolation, each would ",
                        breaks ? "break the next" : "find what the last one left");
  }
  const bool one_leaves = prediction.polluters.size() == 1;
  const bool one_makes = prediction.victims.size() == 1;
  const std::string encounter = one_leaves && one_makes
                                    ? (breaks ? absl::StrCat(polluters, " would break ", victims)
                                              : absl::StrCat(victims, " would find it there"))
                                    : (breaks ? "each of those would break each of these"
                                              : "each of these would find it there");
  return absl::StrCat(polluters, one_leaves ? " leaves " : " leave ", prediction.name, ", ",
                      victims, " ", DeedOf(prediction, one_makes), " it: without isolation, ",
                      encounter);
}

template <typename Rows>
void PrintRows(const Rows& rows) {
  for (size_t i = 0; i < rows.size() && i < kMostRows; ++i) {
    printf("%s%s\n", kTag, Text(rows[i]).c_str());
  }
  if (rows.size() > kMostRows) {
    printf("%sand %d more (--isolate_report=FILE has all)\n", kTag,
           static_cast<int>(rows.size() - kMostRows));
  }
}

}  // namespace

void PrintCollisions(const Encounters& encounters) {
  const size_t all = encounters.safe.size() + encounters.unsafe.size() + encounters.unknown.size();
  if (all == 0) {
    return;
  }
  if (encounters.unsafe.empty()) {
    printf("isolate: none of the %d tests uses a name that another one uses, too.\n",
           static_cast<int>(all));
  } else {
    printf("%s%d of %d tests would meet others in one network and file system, on %d name%s\n",
           kTag, static_cast<int>(encounters.unsafe.size()), static_cast<int>(all),
           static_cast<int>(encounters.collisions.size()),
           encounters.collisions.size() == 1 ? "" : "s");
    PrintRows(encounters.collisions);
    PrintRows(encounters.predictions);
    printf(
        "isolate: %d of the tests would meet nobody; --isolate_report=FILE.html or FILE.json says "
        "which.\n",
        static_cast<int>(encounters.safe.size()));
  }
  if (!encounters.unknown.empty()) {
    printf("isolate: not all names are known of: %s\n", Tests(encounters.unknown).c_str());
  }
  fflush(stdout);
}

}  // namespace isolate::gtest
