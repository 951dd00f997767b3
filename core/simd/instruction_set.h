// Which instruction set the kernels use. Results are the same bits on every machine that uses the same one.
#pragma once

#include <string_view>
#include <vector>

#include "../base/export.h"

namespace gradus {

/// "AVX3" (AVX-512), "AVX2", "SSE4", "NEON", ...: what the kernels in use were compiled for.
GRADUS_API std::string_view instruction_set();
/// Those that this machine and this build offer, the best first.
GRADUS_API std::vector<std::string_view> instruction_sets();
/// Uses one of them from now on, so that machines with different best ones compute the same bits; an empty name goes
/// back to the best. Not while operations run. ValueError when the machine does not offer it.
GRADUS_API void use_instruction_set(std::string_view name);

}  // namespace gradus
