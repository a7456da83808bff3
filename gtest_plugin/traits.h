#ifndef GTEST_PLUGIN_TRAITS_H_
#define GTEST_PLUGIN_TRAITS_H_

// What some tests of a program need that the others do not, said beside them:
//
//   const bool kTraits = isolate::gtest::SetTraits(
//       "Download.*:*.FromTheInternet", [](isolate::gtest::Traits& traits) {
//         traits.network = isolate::Network::kHost;
//         traits.timeout = absl::Minutes(5);
//       });
//
// or for all tests of a fixture, whatever suites they are in:
//
//   const bool kTraits = isolate::gtest::SetTraits<ClusterTest>(
//       [](isolate::gtest::Traits& traits) { traits.hostname = "node-1"; });
//
// Traits win over flags.  In a program without the plugin they say nothing.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "isolate/options.h"

namespace isolate::gtest {

// What shares a sandbox.
enum class Scope {
  kTest,   // a test has one of its own
  kSuite,  // a suite has one; its tests run one after another in it, in one process
};

// How often a suite is set up.
enum class SuiteSetUp {
  kEach,      // in every process that runs tests of it
  kSnapshot,  // once; each test runs in a fork of the state that it left
};

// What is not set here is what the flags say.
struct Traits {
  absl::optional<absl::Duration> timeout;
  absl::optional<Scope> scope;
  absl::optional<SuiteSetUp> suite_setup;

  // As in Options (isolate/options.h); the paths are added to it.
  absl::optional<Network> network;
  absl::optional<std::string> hostname;
  absl::optional<int64_t> memory_limit_bytes;
  absl::optional<absl::Duration> time_offset;
  std::vector<std::string> read_only_paths;
  std::vector<std::string> writable_paths;

  // Leaks that are meant, as --isolate_allow_leaks has them: "fds:*/app.log".  They are added to
  // those.
  std::vector<std::string> allow_leaks;
};

using ChangeTraits = std::function<void(Traits&)>;

// Has `change` change the traits of the tests whose full names match `pattern`, which is as
// --gtest_filter's: "*" and "?", ":" between several, and behind a "-" those that are not meant. Of
// several that match a test, the later is applied later.  To be called before RUN_ALL_TESTS, in
// one thread; when a static variable is initialised, for one.  A pattern that no test of the
// program matches is an error, exit code 2, when the tests are about to run.  Returns true.
bool SetTraits(absl::string_view pattern, const ChangeTraits& change);

namespace internal {
bool SetTraitsOfFixture(::testing::internal::TypeId fixture, const std::string& name,
                        const ChangeTraits& change);
}  // namespace internal

// The same for the tests of a fixture: of TEST_F, TEST_P, TYPED_TEST<T> with this very class.
template <typename Fixture>
bool SetTraits(const ChangeTraits& change) {
  return internal::SetTraitsOfFixture(::testing::internal::GetTypeId<Fixture>(),
                                      ::testing::internal::GetTypeName<Fixture>(), change);
}

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TRAITS_H_
