// Sums at the places that an index names along a dimension: internal to core.
#pragma once

#include "../array/array.h"

namespace gradus::core {

// out[index[i][j]..][j].. += src[i][j].. for d = 0, and so on, float32 in float64 and rounded once. The index is checked, and src
// is at least as large. Rows of float32 that have one index each are added up whole (add_rows_to), anything else by fold_at.
void sum_at(const Array& out, int d, const Array& index, const Array& src);

}  // namespace gradus::core
