// safetensors: named arrays in one file (https://github.com/huggingface/safetensors): the header's length in 8 bytes,
// little endian; the header, JSON; the elements. The format runs nothing and is read by PyTorch, NumPy and others.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../array/array.h"
#include "../base/export.h"
#include "files.h"

namespace gradus::core {

class Pieces;

/// Text that comes with the arrays.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct NamedArray {
  std::string name;
  Array array;
};

/// One array of a file: what its header says of it, and its bytes there.
struct SafetensorsEntry {
  std::string name;
  DType dtype = kFloat32;
  Shape shape;
  ByteView bytes;

  /// A copy.
  Array array() const;
  /// The file's bytes as an array, which must not outlive them; a copy where they are not aligned.
  Array borrow() const;
};

/// A file in memory, checked as a whole before anything of it is seen. Not copied: its entries point into it.
class GRADUS_API Safetensors {
 public:
  /// FileError, with `name` and the actual values in it, when the content is not what the format demands: a length that
  /// the file does not hold, or above 100,000,000 or a 200th of the memory that there is; a header that is no JSON object, is not UTF-8, or names something
  /// twice; a dtype other than BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64; more than eight dimensions; a product of sizes that
  /// overflows or does not match the span; spans that overlap, leave a hole, or do not end with the file; a BOOL other
  /// than 0 and 1.
  Safetensors(Bytes bytes, const std::string& name);
  /// The file at `path`. FileError also when it cannot be read, or takes more than memory_for_a_file(); more than half of
  /// that where all of it `is_copied`, so that the copies have room.
  static Safetensors read(const std::string& path, bool is_copied = false);
  /// FileError when a file that begins like this, in its first 64 bytes, is none.
  static void check_start(ByteView start, const std::string& name);

  Safetensors(Safetensors&&) = default;
  Safetensors& operator=(Safetensors&&) = default;
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;

  /// In the order of the header.
  const std::vector<SafetensorsEntry>& entries() const noexcept { return entries_; }
  const Metadata& metadata() const noexcept { return metadata_; }

 private:
  Bytes bytes_;
  std::vector<SafetensorsEntry> entries_;
  Metadata metadata_;
};

/// What a file of these arrays holds, in this order in the header, and aligned. The same arrays give the same bytes.
/// ValueError when a name comes twice, is "__metadata__" or not UTF-8, or an array is undefined.
GRADUS_API void put_safetensors(Pieces& to, const std::vector<NamedArray>& arrays, const Metadata& metadata = {});
/// The same as a file. A kill at any moment leaves the old file or the new (see write_file_atomically). FileError when it
/// cannot be written.
GRADUS_API void write_safetensors(const std::string& path, const std::vector<NamedArray>& arrays,
                                  const Metadata& metadata = {});

}  // namespace gradus::core
