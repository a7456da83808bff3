#ifndef BENCHMARKS_MACHINE_H_
#define BENCHMARKS_MACHINE_H_

// The machine that figures are of, and whether it had something else to do.

#include <string>
#include <vector>

namespace isolate::benchmarks {

// "Linux 6.18, x86_64, 2 processors: ..., 24 GiB"
std::string DescribeMachine();

// Looks, between measurements, at how much of the processors is used though nothing is measured, or
// was kept back by the machine's host.
class Watch {
 public:
  // For a tenth of a second.
  void Look();

  // The largest share that was seen, from 0 to 1.
  double busiest() const { return busiest_; }

  // Empty, or why the figures are not to be trusted.
  std::string Doubt() const;

 private:
  double busiest_ = 0;
};

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_MACHINE_H_
