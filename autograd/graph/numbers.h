// Reading the numbers of an array where they lie, for those who watch: nothing here is recorded (internal).
#pragma once

#include <cstdint>
#include <string>

#include "../../core/array/array.h"

namespace gradus::autograd::detail {

/// Whether no element is NaN or infinite. One pass, as cheap as a sum; exact.
bool all_finite(const core::Array& x);
/// The first element, in the order of indices, that is NaN or infinite (or NaN alone): its place in that order; -1 when there
/// is none.
std::int64_t first_not_finite(const core::Array& x, bool infinite_too = true);
/// The element at a place in the order of indices.
double number_at(const core::Array& x, std::int64_t place);
/// "[2, 0]": the index of a place in that order.
std::string index_of(const core::Shape& shape, std::int64_t place);

/// All elements in the order of indices, to where there is place for them. Of a dtype that is computed in.
void copy_numbers(const core::Array& x, void* to);
/// The first `n` along each of the last two dimensions, at index 0 of those before.
core::Array corner_of(const core::Array& x, std::int64_t n);

}  // namespace gradus::autograd::detail
