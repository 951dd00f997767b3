// Operands beside memory that must not be touched: whoever reads or writes beyond them is stopped at once.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>

namespace gradus::test {

enum class Guard { kBehind, kBefore };

/// A contiguous copy of x whose end, or beginning, lies at such memory. The other one does where it fills whole pages.
inline core::Array guarded(const core::Array& x, Guard guard = Guard::kBehind) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto bytes = static_cast<std::size_t>(x.numel() * x.element_size());
  const std::size_t inside = (bytes + page - 1) / page * page, all = inside + 2 * page;
  void* const block = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  BOOST_REQUIRE(block != MAP_FAILED);
  char* const first = static_cast<char*>(block) + page;
  BOOST_REQUIRE((inside == 0 || mprotect(first, inside, PROT_READ | PROT_WRITE) == 0));
  char* const data = guard == Guard::kBehind ? first + inside - bytes : first;
  if (bytes != 0) std::memcpy(data, x.contiguous().data(), bytes);
  return core::from_blob(
      data, x.shape(), core::contiguous_strides(x.shape()), [block, all](void*) { munmap(block, all); }, x.dtype());
}

}  // namespace gradus::test
