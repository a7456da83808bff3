#include "gtest_plugin/allowed_leaks.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/leak.h"

namespace isolate::gtest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Leak Named(LeakKind kind, const std::string& name) {
  Leak leak;
  leak.kind = kind;
  leak.name = name;
  return leak;
}

bool Allows(const std::string& entry, LeakKind kind, const std::string& name,
            const std::string& test = "Suite.Test") {
  AllowedLeaks allowed;
  EXPECT_EQ(allowed.Add(entry), absl::OkStatus());
  return allowed.Allow(Named(kind, name), test, {});
}

TEST(AllowedLeaks, AreOfAKindAndANamePattern) {
  EXPECT_TRUE(Allows("files:/tmp/*", LeakKind::kFile, "/tmp/a/b"));
  EXPECT_FALSE(Allows("files:/tmp/*", LeakKind::kDescriptor, "/tmp/a"));
  EXPECT_FALSE(Allows("files:/tmp/*", LeakKind::kFile, "/var/tmp/a"));
  EXPECT_TRUE(Allows("ipc:*", LeakKind::kSysv, "shm 0x1"));
  EXPECT_TRUE(Allows("all:*", LeakKind::kState, "umask"));
}

TEST(AllowedLeaks, MayBeNamedAsTheyAreTold) {
  for (const char* name : {"tcp [::1]:8080", "a\\b", "unix @name", "x, y"}) {
    AllowedLeaks allowed;
    allowed.AddOfTraits(std::string("ports:") + name);
    EXPECT_TRUE(
        allowed.Allow(Named(LeakKind::kPort, name), "Suite.Test", {std::string("ports:") + name}))
        << name;
  }
}

TEST(AllowedLeaks, MayBeOfSomeTests) {
  EXPECT_TRUE(Allows("ports[A.*:B.*-B.C]:tcp *", LeakKind::kPort, "tcp 1:2", "B.D"));
  EXPECT_FALSE(Allows("ports[A.*:B.*-B.C]:tcp *", LeakKind::kPort, "tcp 1:2", "B.C"));
  EXPECT_FALSE(Allows("ports[A.*]:tcp *", LeakKind::kPort, "tcp 1:2", "B.C"));
}

TEST(AllowedLeaks, OfTraitsAreForTheTestsThatHaveThem) {
  AllowedLeaks allowed;
  allowed.AddOfTraits("files:/tmp/a");
  const Leak leak = Named(LeakKind::kFile, "/tmp/a");
  EXPECT_FALSE(allowed.Allow(leak, "Suite.Test", {}));
  EXPECT_THAT(allowed.Unused(), ElementsAre("files:/tmp/a"));
  EXPECT_TRUE(allowed.Allow(leak, "Suite.Test", {"files:/tmp/a"}));
  EXPECT_THAT(allowed.Unused(), IsEmpty());
}

TEST(AllowedLeaks, ThatAreUnusedAreOnesOfKindsThatAreLookedFor) {
  AllowedLeaks allowed;
  EXPECT_EQ(allowed.Add("files:a,ports:b"), absl::OkStatus());
  LeakKinds ports;
  ports[static_cast<size_t>(LeakKind::kPort)] = true;
  EXPECT_THAT(allowed.Unused(ports), ElementsAre("ports:b"));
}

TEST(AllowedLeaks, ThatAreWrongAreRefusedWithTheRightForm) {
  for (const char* entry :
       {"files", "files:", "file:x", ":x", "files[]:x", "files[A:x", "[A]:x", "x"}) {
    AllowedLeaks allowed;
    const absl::Status status = allowed.Add(entry);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << entry << ": " << status;
    EXPECT_THAT(status.message(), HasSubstr("expected KIND:PATTERN or KIND[TESTS]:PATTERN"));
  }
}

}  // namespace
}  // namespace isolate::gtest
