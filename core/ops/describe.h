// What somebody who looks at numbers wants to know of them first.
#pragma once

#include <cstdint>

#include "../array/array.h"

namespace gradus::core {

/// Of the elements that are finite: the least, the largest, mean and (biased) standard deviation, NaN where there are none; and
/// the counts of the others.
struct Description {
  double min, max, mean, std;
  std::int64_t nan = 0, infinite = 0;
};
/// Any dtype. One pass over floating-point numbers that are contiguous and finite; mean and standard deviation of float32 are
/// good to six digits.
GRADUS_API Description describe(const Array& x);

}  // namespace gradus::core
