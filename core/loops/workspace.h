// Memory for a while, and loops that may be parallel. Internal to core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "../base/function_ref.h"
#include "../memory/pool.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"

namespace gradus::core::kernels {

/// Room for `count` numbers, which holds anything at first. MemoryError.
template <class T>
class Workspace {
 public:
  explicit Workspace(std::int64_t count) {
    std::int64_t bytes = 0;
    const bool beyond = __builtin_mul_overflow(count, sizeof(T), &bytes);
    check_request(beyond ? std::numeric_limits<std::int64_t>::max() : bytes);
    bytes_ = static_cast<std::size_t>(bytes);
    data_ = static_cast<T*>(pool_allocate(bytes_));
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { pool_free(data_, bytes_); }
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

/// parallel_for, or all of it here.
inline void for_blocks(bool parallel, std::int64_t n, std::int64_t grain,
                       FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (parallel) {
    parallel_for(n, grain, body);
  } else if (n > 0) {
    body(0, n);
  }
}

}  // namespace gradus::core::kernels
