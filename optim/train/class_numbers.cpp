#include "class_numbers.h"

#include "../../core/base/fail.h"

namespace gradus::train::detail {

Tensor class_numbers(std::string_view op, const Tensor& numbers) {
  if (!isIntegralType(numbers.dtype(), true)) {
    core::fail<DTypeError>("{}: class numbers must be integers: {}; to(kInt64) makes them", op, numbers.dtype());
  }
  return numbers.to(kInt64).contiguous();
}

void expect_classes(std::string_view op, const Tensor& numbers, std::int64_t classes) {
  const auto* const at = numbers.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    if (at[i] >= 0 && at[i] < classes) continue;
    core::fail<IndexError>("{}: classes must be from 0 to {}: number {} is {}", op, classes - 1, i, at[i]);
  }
}

Tensor largest(const Tensor& scores) {
  const Tensor best = scores.argmax(1);
  if (!is_floating_point(scores.dtype())) return best;
  return best.masked_fill(scores.isnan().any(1), -1);
}

}  // namespace gradus::train::detail
