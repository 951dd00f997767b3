// Kernels of core/ops/scan.h: internal to core.
#pragma once

#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

enum class Scan : std::uint8_t { Sum, Prod, Recurrence };

/// Scans [n, width] arrays: `step` is the distance from one element of a scan to the next, `side` that between
/// neighbouring scans, of which there are `width`. Recurrence reads a at in[0], b at in[1]. Negative steps go backwards.
using ScanKernel = void (*)(void* out, const void* const* in, std::int64_t n, std::int64_t step, std::int64_t width,
                            std::int64_t side);
/// Sum and Prod of integers and Bool yield int64.
ScanKernel scan_kernel(Scan op, DType dtype);

/// Scans that a kernel runs through together.
inline constexpr std::int64_t kScanWidth = 16;

/// The first k of the stable order of n elements, ascending or descending, as indices. `scratch`: sort_scratch bytes, aligned
/// to 8.
using SortKernel = void (*)(const void* x, std::int64_t n, std::int64_t k, bool descending, std::int64_t* order,
                            void* scratch);
SortKernel sort_kernel(DType dtype);
std::int64_t sort_scratch(DType dtype, std::int64_t n);

}  // namespace gradus::core::kernels
