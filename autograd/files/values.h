// IValues as the values of core's files, and back: internal to autograd/files.
#pragma once

#include "../../core/files/values.h"
#include "../graph/ivalue.h"

namespace gradus::serialize::detail {

/// ValueError, in the name of `op`, unless readers will follow it: at most core::kMostLevels levels.
void check_levels(const IValue& value, const char* op);
/// TypeError, in the name of `op`, for keys that are no texts or numbers. ValueError as check_levels(). Undefined tensors
/// are None.
core::Values values_of(const IValue& value, const char* op);
/// Lists whose elements are alike are lists of their kind.
IValue ivalue_of(const core::Values& values);

}  // namespace gradus::serialize::detail
