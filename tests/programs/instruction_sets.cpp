// Prints the instruction sets that this machine and this build offer, the best first.
#include <gradus/core/simd/instruction_set.h>

#include <cstdio>
#include <string>

int main() {
  for (const std::string_view set : gradus::instruction_sets()) std::puts(std::string(set).c_str());
}
