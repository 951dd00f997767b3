#include "numbers.h"

namespace gradus::core {

std::vector<std::int64_t> whole_numbers(const Array& x) {
  const Array all = x.to(kInt64).contiguous();
  const auto* const first = all.data_ptr<std::int64_t>();
  return {first, first + all.numel()};
}

}  // namespace gradus::core
