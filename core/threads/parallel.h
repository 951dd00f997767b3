// Loops over several threads, cut by the size of the problem and never by the number of threads.
#pragma once

#include <cstdint>

#include "../base/export.h"
#include "../base/function_ref.h"

namespace gradus {

/// More threads than any machine has use for: each takes a place in the library's arena, whether it works or not. One
/// loop is shared by at most 64 of them; several at once, of different callers, by more.
inline constexpr int kMaxThreads = 1024;
/// How many threads the library's own arena may use, the caller's included. ValueError below 1 and above kMaxThreads.
/// Until it is called, as many as the process has CPUs by its affinity mask and its control group's quota.
GRADUS_API void set_num_threads(int n);
GRADUS_API int get_num_threads();

namespace core {

/// Calls body(begin, end) for each block of `grain` indices of [0, n) (the last may be shorter), in any order and
/// possibly at once. Blocks depend on n and grain alone, so what each computes does too. One block, or one thread, runs
/// on the caller. An exception in a block reaches the caller.
GRADUS_API void parallel_for(std::int64_t n, std::int64_t grain,
                             FunctionRef<void(std::int64_t begin, std::int64_t end)> body);
/// For tests: how many different threads have run a block since the last call with reset = true.
GRADUS_API int threads_seen(bool reset);

}  // namespace core
}  // namespace gradus
