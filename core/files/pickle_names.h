// The names that pickles of tensors and plain values may speak of; for pickle.cpp and pickle_write.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "../base/dtype.h"
#include "pickle.h"

namespace gradus::core {

/// "module name". Classes below __torch__ are those of the C++ frontend's archives: objects with attributes.
bool is_known_name(std::string_view name);
/// FileError for one that is not known, at a byte of a file: what it stands for and how to save that, where it is a tensor's.
[[noreturn]] void fail_unknown_name(std::string_view name, const std::string& file, std::size_t at);
/// The dtype of a storage's class, or that is named itself; null when it is neither.
const DType* storage_named(std::string_view name);
const DType* dtype_named(std::string_view name);
std::string_view storage_name_of(DType dtype);

/// Whether all elements lie in the storage, and no product overflows.
bool lies_within(const PickledTensor& tensor, const PickledStorage& storage);

}  // namespace gradus::core
