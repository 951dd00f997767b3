// For programs written for PyTorch's C++ frontend: <torch/torch.h> becomes <gradus/torch.h>.
#pragma once

// Which programs that include <torch/torch.h> rely on.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "core/base/array_ref.h"
#include "core/base/context.h"
#include "core/threads/parallel.h"
#include "gradus.h"

namespace gradus {
using std::nullopt;
using std::optional;
namespace cuda {  // there is none: nothing to seed
inline void manual_seed(std::uint64_t) {}
inline void manual_seed_all(std::uint64_t) {}
}  // namespace cuda
/// "TensorOptions(dtype=float32, device=cpu, requires_grad=false)".
inline std::ostream& operator<<(std::ostream& out, const TensorOptions& options) {
  return out << "TensorOptions(dtype=" << to_string(options.dtype())
             << ", device=cpu, requires_grad=" << (options.requires_grad() ? "true" : "false") << ')';
}
/// A copy of a list that is borrowed: of `x.sizes()`, say.
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(const ArrayRef<T>& values, const TensorOptions& options = {}) {
  return tensor(values.vec(), options);
}
template <class List>
requires std::is_same_v<List, IntArrayRef> Tensor tensor(const List& values, const TensorOptions& options = {}) {
  return tensor(values.vec(), options);
}
/// Blocks of `grain` indices of [begin, end): cut by these numbers alone, as core::parallel_for has it.
template <class F>
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain, const F& body) {
  core::parallel_for(end > begin ? end - begin : 0, grain > 0 ? grain : 1,
                     [&](std::int64_t from, std::int64_t to) { body(begin + from, begin + to); });
}
/// Operations run one after the other, each on all threads: the number of those that run at once cannot be set.
inline void set_num_interop_threads(int) {}
inline int get_num_interop_threads() { return 1; }
/// How many threads compute, in words.
inline std::string get_parallel_info() {
  return "Gradus/Parallel:\n\tget_num_threads() : " + std::to_string(get_num_threads()) +
         "\n\tget_num_interop_threads() : " + std::to_string(get_num_interop_threads()) +
         "\nparallel backend: oneTBB\n";
}
/// What `make_generator<at::CPUGeneratorImpl>(seed)` names: all generators are the CPU's.
struct CPUGeneratorImpl;
template <class Impl>
requires std::is_same_v<Impl, CPUGeneratorImpl> Generator make_generator(std::uint64_t seed = Generator::kDefaultSeed) {
  return Generator(seed);
}
namespace detail {
inline Generator createCPUGenerator() { return Generator(); }
inline Generator createCPUGenerator(std::uint64_t seed) { return Generator(seed); }
inline Generator& getDefaultCPUGenerator() { return default_generator(); }
}  // namespace detail
namespace guts {
/// The text of an address: by it older programs find an optimizer's state.
inline std::string to_string(const void* address) { return std::to_string(reinterpret_cast<std::uintptr_t>(address)); }
template <class T>
requires std::is_arithmetic_v<T> std::string to_string(T value) { return std::to_string(value); }
}  // namespace guts
}  // namespace gradus
namespace torch = gradus;
// Where PyTorch keeps its tensors and its errors.
namespace at = gradus;
namespace c10 = gradus;

// The version whose names and meanings these are.
#define TORCH_VERSION_MAJOR 2
#define TORCH_VERSION_MINOR 15
#define TORCH_VERSION_PATCH 0
#define TORCH_VERSION "2.15.0"

// For declarations of what a shared library gives away: here nothing.
#define TORCH_API
#define C10_UNUSED [[maybe_unused]]

// What an alias cannot carry.
#define TORCH_MODULE_IMPL(Name, ImplType) GRADUS_MODULE_IMPL(Name, ImplType)
#define TORCH_MODULE(Name) GRADUS_MODULE(Name)
#define FORWARD_HAS_DEFAULT_ARGS(...) GRADUS_FORWARD_HAS_DEFAULT_ARGS(__VA_ARGS__)
#define TORCH_ARG(T, name) GRADUS_ARG(T, name)
#define TORCH_CHECK(condition, ...) GRADUS_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#define TORCH_CHECK_INDEX(condition, ...) GRADUS_CHECK_AS(::gradus::IndexError, condition __VA_OPT__(, ) __VA_ARGS__)
#define TORCH_CHECK_TYPE(condition, ...) GRADUS_CHECK_AS(::gradus::TypeError, condition __VA_OPT__(, ) __VA_ARGS__)
#define TORCH_CHECK_VALUE(condition, ...) GRADUS_CHECK_AS(::gradus::ValueError, condition __VA_OPT__(, ) __VA_ARGS__)
#define TORCH_INTERNAL_ASSERT(condition, ...) \
  GRADUS_CHECK(condition, "internal assert: this must hold: " #condition __VA_OPT__(, "; ", ) __VA_ARGS__)
