// Whole numbers out of an array, for the library's own sources.
#pragma once

#include <cstdint>
#include <vector>

#include "../base/export.h"
#include "array.h"

namespace gradus::core {

/// All of them, row by row, whatever the dtype and the strides.
GRADUS_API std::vector<std::int64_t> whole_numbers(const Array& x);

}  // namespace gradus::core
