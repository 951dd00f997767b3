// NumPy's files: .npy, one array (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), and .npz, a zip
// of them.
#pragma once

#include <string>
#include <vector>

#include "../array/array.h"
#include "../base/export.h"
#include "files.h"
#include "safetensors.h"
#include "zip.h"

namespace gradus::core {

/// Reads a .npy of version 1, 2 or 3, of either byte order; what is in Fortran's order is a transposed view. NumPy has no
/// bfloat16: elements of two untyped bytes, '|V2', are read as such, which is how the ml_dtypes package has them. FileError,
/// with `name` and the actual values in it, for another magic number or version, a header that is cut off or no dictionary
/// of descr, fortran_order and shape, a dtype that is none of this library's (and what to convert it to), more than eight
/// dimensions, sizes whose product overflows or is not what the file holds, or a bool other than 0 and 1.
GRADUS_API Array parse_npy(ByteView file, const std::string& name);
/// Reads a .npz, packed or not; names are without ".npy". FileError as Zip and parse_npy.
GRADUS_API std::vector<NamedArray> parse_npz(ByteView file, const std::string& name);

/// What a .npy holds: version 1, C order, bfloat16 as '|V2'.
GRADUS_API void put_npy(Pieces& to, const Array& array);
/// What a .npz holds. ValueError when a name comes twice or is not UTF-8, or an array is undefined.
GRADUS_API void put_npz(Pieces& to, const std::vector<NamedArray>& arrays);

GRADUS_API bool is_npy(ByteView file) noexcept;

}  // namespace gradus::core
