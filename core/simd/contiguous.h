// Loops over contiguous memory in whole vectors: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::core::kernels {

/// Writes a pattern of 8 bytes again and again: an element of 8 bytes, two of 4 or eight of 1.
void fill_pattern(void* to, std::size_t bytes, std::uint64_t pattern);
/// memcpy: where source and destination lie differently within a vector, the C library's takes ten times as long on some
/// machines.
void copy_bytes(void* to, const void* from, std::size_t bytes);
/// to[i] = from[n - 1 - i] for elements of 4 or 8 bytes.
void reverse(std::uint32_t* to, const std::uint32_t* from, std::size_t n);
void reverse(std::uint64_t* to, const std::uint64_t* from, std::size_t n);
/// to[i] = by (begin + i) + first, rounded once, and then to T; n < 2^31, numbers below 2^53.
void ramp(float* to, std::int64_t begin, std::size_t n, double first, double by);
void ramp(double* to, std::int64_t begin, std::size_t n, double first, double by);

}  // namespace gradus::core::kernels
