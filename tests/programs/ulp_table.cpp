// Measures the largest error of each vectorised function, in units of the last place, over samples of float32 and of
// float64 against the C library in long double, and prints the table that core/ops/pointwise.h has: of AVX-512 where the
// machine offers it, whose tables are approximations of their own, and the maximum over all other instruction sets that it
// offers. `ulp_table 10` takes ten times as many samples.
#include <cstdio>
#include <cstdlib>

#include "../support/ulp.h"

using namespace gradus;
using namespace gradus::test;

namespace {

/// The worst of the instruction sets that have AVX-512, and of the others.
struct Worst {
  WorstError others, avx512;
};
template <class T>
Worst over_all_instruction_sets(const MathFunction& f, int density) {
  const std::vector<T> x = math_samples<T>(f, density);
  std::vector<Real> exact(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(static_cast<Real>(x[i]));
  Worst worst;
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    const WorstError error = worst_error(f, x, exact);
    WorstError& so_far = set.starts_with("AVX3") ? worst.avx512 : worst.others;
    if (error.ulp > so_far.ulp) so_far = error;
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  const int density = argc > 1 ? std::atoi(argv[1]) : 1;
  std::printf(
      "function    float32  at             float64  at                       AVX-512: float32  at             "
      "float64\n");
  for (const MathFunction& f : math_functions()) {
    const Worst single = over_all_instruction_sets<float>(f, density),
                twice = over_all_instruction_sets<double>(f, density);
    std::printf("%-10s %8.3f  %-14.8g %8.3f  %-23.17g %17.3f  %-14.8g %8.3f\n", f.name.c_str(), single.others.ulp,
                single.others.at, twice.others.ulp, twice.others.at, single.avx512.ulp, single.avx512.at,
                twice.avx512.ulp);
    std::fflush(stdout);
  }
}
