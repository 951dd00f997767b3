// Classes of a batch, checked: internal to train.
#pragma once

#include <cstdint>
#include <string_view>

#include "../../autograd/tensor/tensor.h"

namespace gradus::train::detail {

/// As int64, contiguous. DTypeError, naming `op`, unless they are integers or bool.
Tensor class_numbers(std::string_view op, const Tensor& numbers);
/// IndexError, naming `op`, unless all are in [0, classes).
void expect_classes(std::string_view op, const Tensor& numbers, std::int64_t classes);
/// Which of a row's scores is the largest; -1 where one of them is NaN.
Tensor largest(const Tensor& scores);

}  // namespace gradus::train::detail
