// Python's .pt and .pth: what torch.save writes, a zip of a pickle and its storages, and before version 1.6 a row of
// pickles. Also the archives of the C++ frontend, whose pickle holds objects.
#pragma once

#include <string>

#include "../base/export.h"
#include "files.h"
#include "values.h"
#include "zip.h"

namespace gradus::core {

/// Reads such a file, or one pickle without tensors. Arrays that shared a storage share it again. FileError, with `name`
/// and the actual values in it, as Zip and parse_pickle, and when a storage is missing or holds less than is claimed, or a
/// bool is other than 0 and 1.
GRADUS_API Values parse_torch(ByteView file, const std::string& name);

/// What such a file holds; torch.load(weights_only=True) takes it. Arrays that share a storage are views of one in the
/// file; of a storage that only one array uses, only that array is written, contiguous. ValueError for undefined arrays.
GRADUS_API void put_torch(Pieces& to, const Values& values);

/// Whether a file begins like one, or like any zip.
GRADUS_API bool is_torch(ByteView file) noexcept;

}  // namespace gradus::core
