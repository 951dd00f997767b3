// Measures the largest error of each vectorised function, in units of the last place, over samples of float32 and of
// float64 against the C library in long double, and prints the table that core/ops/pointwise.h has: the maximum over all
// instruction sets that the machine offers. `ulp_table 10` takes ten times as many samples.
#include <cstdio>
#include <cstdlib>

#include "../support/ulp.h"

using namespace gradus;
using namespace gradus::test;

namespace {

template <class T>
WorstError over_all_instruction_sets(const MathFunction& f, int density) {
  const std::vector<T> x = math_samples<T>(f, density);
  std::vector<Real> exact(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(static_cast<Real>(x[i]));
  WorstError worst;
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    const WorstError error = worst_error(f, x, exact);
    if (error.ulp > worst.ulp) worst = error;
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  const int density = argc > 1 ? std::atoi(argv[1]) : 1;
  std::printf("function    float32  at             float64  at\n");
  for (const MathFunction& f : math_functions()) {
    const WorstError single = over_all_instruction_sets<float>(f, density);
    const WorstError twice = over_all_instruction_sets<double>(f, density);
    std::printf("%-10s %8.3f  %-14.8g %8.3f  %.17g\n", f.name.c_str(), single.ulp, single.at, twice.ulp, twice.at);
    std::fflush(stdout);
  }
}
