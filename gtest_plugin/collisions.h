#ifndef GTEST_PLUGIN_COLLISIONS_H_
#define GTEST_PLUGIN_COLLISIONS_H_

// Which tests would fight without their sandboxes, from the shared names that each used and left
// (isolate/footprint.h).  Pure: no gtest state, no system call.
//
//   Collisions collisions;
//   collisions.Add("Server.Starts", report.footprint, report.leaks);
//   collisions.Add("Server.Stops", ...);
//   for (const Collision& collision : collisions.Find().collisions) ...
//
// In the words of the literature on flaky tests a test that leaves a name is a polluter, and one
// that cannot do with it a victim (iFixFlakies, Shi et al., ESEC/FSE 2019).

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "isolate/footprint.h"
#include "isolate/leak.h"

namespace isolate::gtest {

// A name that several tests use, so that they would meet side by side.
struct Collision {
  struct Party {
    std::string test;
    std::vector<std::string> names;  // of a port, the addresses: "tcp 127.0.0.1:8080"
    uint32_t deeds = 0;              // of NameDeeds
  };
  NameKind kind = NameKind::kFile;
  std::string name;  // "tcp 8080", "shm 0x1234", "/tmp/x"
  // Of a file: the outermost folder around it on which all of its tests meet already; or empty.
  std::string below;
  std::vector<Party> parties;
};

// A name that some tests leave, and others make: each polluter, run before a victim, would be met
// by it.  A test that is both does not meet itself.
struct Prediction {
  enum class Effect {
    kBreaks,   // what the victim does fails
    kIsFound,  // the victim finds what the polluter left, as a file that it wants to make
  };
  NameKind kind = NameKind::kFile;
  std::string name;
  Effect effect = Effect::kBreaks;
  std::vector<std::string> polluters;
  std::vector<std::string> victims;
};

// "breaks", "is found"
absl::string_view NameOf(Prediction::Effect effect);

struct Encounters {
  // The most tests first, and what is below a folder behind that.
  std::vector<Collision> collisions;
  std::vector<Prediction> predictions;
  // All tests: those that collide with none, those that do, and those of which names could not be
  // told, and that collide with none as far as is known; in the order in which they were added.
  std::vector<std::string> safe;
  std::vector<std::string> unsafe;
  std::vector<std::string> unknown;
};

class Collisions {
 public:
  // What a test used and left; a test that runs several times is one.  Costs O(names).
  void Add(const std::string& test, const Footprint& footprint, const std::vector<Leak>& leaks);

  // Costs O(names log names) of all tests; for files below a folder on which tests meet, O(tests)
  // of that folder, too.
  Encounters Find() const;

 private:
  // What a test did with a name.
  struct Use {
    std::set<std::string> names;
    uint32_t deeds = 0;
    bool left = false;
  };
  using Uses = std::map<size_t, Use>;  // by test
  // Sockets of one protocol and port, by address.
  struct Port {
    std::map<std::string, Uses> by_host;
    bool any_v4 = false;
    bool any_v6 = false;
    bool any = false;  // a socket for IPv6 on all addresses, which gets IPv4, too
  };

  size_t NumberOf(const std::string& test);
  void AddPort(size_t test, const NameUse& name);
  void AddLeak(size_t test, const Leak& leak);
  static std::map<std::string, Uses> PartsOf(const Port& port);

  std::vector<std::string> tests_;
  absl::flat_hash_map<std::string, size_t> numbers_;
  std::set<size_t> untold_;
  std::map<std::string, Port> ports_;  // "tcp 8080"
  std::map<std::pair<NameKind, std::string>, Uses> others_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_COLLISIONS_H_
