#include "gtest_plugin/collision_report.h"

#include <stdio.h>

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
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

// A row of the table: a collision, and how many there are below it.
struct Row {
  const Collision* collision;
  int below = 0;
};

std::string Text(const Row& row) {
  std::vector<std::string> tests;
  for (const Collision::Party& party : row.collision->parties) {
    tests.push_back(party.test);
  }
  return absl::StrCat(NameOf(row.collision->kind), ": ", row.collision->name,
                      row.below > 0 ? absl::StrCat(" and ", row.below,
                                                   row.below == 1 ? " name" : " names", " below it")
                                    : "",
                      ": ", Tests(tests));
}

std::vector<Row> RowsOf(const std::vector<Collision>& collisions) {
  std::vector<Row> rows;
  absl::flat_hash_map<std::string, size_t> folders;
  for (const Collision& collision : collisions) {
    if (collision.below.empty()) {
      folders.emplace(collision.name, rows.size());
      rows.push_back({&collision});
    } else {
      ++rows[folders.at(collision.below)].below;
    }
  }
  return rows;
}

// Of the same tests, with all the names that these leave and make.
std::vector<Prediction> Together(const std::vector<Prediction>& predictions) {
  std::vector<Prediction> together;
  std::vector<int> counts;
  std::map<
      std::tuple<NameKind, Prediction::Effect, std::vector<std::string>, std::vector<std::string>>,
      size_t>
      known;
  for (const Prediction& prediction : predictions) {
    const auto row = known.emplace(
        std::tuple(prediction.kind, prediction.effect, prediction.polluters, prediction.victims),
        together.size());
    if (row.second) {
      together.push_back(prediction);
      counts.push_back(0);
    } else {
      ++counts[row.first->second];
    }
  }
  for (size_t i = 0; i < together.size(); ++i) {
    if (counts[i] > 0) {
      absl::StrAppend(&together[i].name, " and ", counts[i], " more");
    }
  }
  return together;
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
    PrintRows(RowsOf(encounters.collisions));
    PrintRows(Together(encounters.predictions));
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
