// IDX, the format of MNIST's files: zero, zero, a type, the number of dimensions, their sizes, the elements; all
// numbers big endian (http://yann.lecun.com/exdb/mnist/).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../base/export.h"
#include "files.h"

namespace gradus::core {

/// The element types of IDX, by their codes in the file.
enum class IdxType : std::uint8_t {
  UInt8 = 0x08,
  Int8 = 0x09,
  Int16 = 0x0B,
  Int32 = 0x0C,
  Float32 = 0x0D,
  Float64 = 0x0E
};

/// Bytes an element takes.
GRADUS_API std::int64_t size_of(IdxType type);

/// What an IDX file holds.
struct Idx {
  IdxType type = IdxType::UInt8;
  std::vector<std::int64_t> shape;  ///< at most eight sizes
  Bytes bytes;                      ///< the elements in C order, in this machine's byte order
};

/// Reads IDX from `data`, which may be gzipped. FileError, with `name` and the actual values in it, when the magic
/// number or the type is unknown, there are more than eight dimensions, or the sizes' product overflows or is not what
/// the data holds: nothing is allocated by what a header claims. `max_bytes` caps the unpacked form.
GRADUS_API Idx parse_idx(ByteView data, const std::string& name, std::uint64_t max_bytes = std::uint64_t{1} << 30);

/// Reads the IDX file at `path`, plain or gzipped. FileError as parse_idx and read_file.
GRADUS_API Idx read_idx(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);

}  // namespace gradus::core
