// IValues as the values of core's files, and back: internal to autograd/files.
#pragma once

#include "../../core/files/values.h"
#include "../graph/ivalue.h"

namespace gradus::serialize::detail {

/// TypeError, in the name of `op`, for keys that are no texts or numbers. Undefined tensors are None.
core::Values values_of(const IValue& value, const char* op);
/// Lists whose elements are alike are lists of their kind.
IValue ivalue_of(const core::Values& values);

}  // namespace gradus::serialize::detail
