// The kernels of one instruction set, for a while.
#pragma once

#include <string_view>

#include <gradus/core/simd/instruction_set.h>

namespace gradus::test {

struct UsingInstructionSet {
  explicit UsingInstructionSet(std::string_view name) { use_instruction_set(name); }
  UsingInstructionSet(const UsingInstructionSet&) = delete;
  UsingInstructionSet& operator=(const UsingInstructionSet&) = delete;
  ~UsingInstructionSet() { use_instruction_set(""); }
};

}  // namespace gradus::test
