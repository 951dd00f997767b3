#include "idx.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "../base/fail.h"

namespace gradus::core {
namespace {

// The magic number: what the first bytes must be.
void check_magic(ByteView bytes, const std::string& name) {
  if (bytes.size() < 4) {
    fail<FileError>("idx: '{}' must begin with a magic number of 4 bytes: it holds {}", name, bytes.size());
  }
  if (bytes[0] != 0 || bytes[1] != 0) {
    fail<FileError>("idx: '{}' must begin with the bytes 00 00: it begins with {:02x} {:02x} {:02x} {:02x}", name,
                    bytes[0], bytes[1], bytes[2], bytes[3]);
  }
  const unsigned code = bytes[2];
  if (code < 0x08 || code > 0x0E || code == 0x0A) {
    fail<FileError>("idx: the type of '{}' must be one of 08, 09, 0b, 0c, 0d, 0e: it is {:02x}", name, code);
  }
  if (const unsigned dims = bytes[3]; dims > kMaxDims) {
    fail<FileError>("idx: '{}' must have at most {} dimensions: it has {}", name, kMaxDims, dims);
  }
}

// Takes the bytes over: the elements of the largest files are most of them.
Idx parse(Bytes bytes, const std::string& name) {
  check_magic(bytes, name);
  const unsigned code = bytes[2];
  const std::size_t dims = bytes[3];
  const std::size_t header = 4 + 4 * dims;
  if (bytes.size() < header) {
    fail<FileError>("idx: '{}' must begin with a header of {} bytes ({} dimensions): it holds {}", name, header, dims,
                    bytes.size());
  }

  Idx idx;
  idx.type = static_cast<IdxType>(code);
  for (std::size_t d = 0; d < dims; ++d) {
    std::int64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | bytes[4 + 4 * d + i];
    idx.shape.push_back(size);
  }
  const std::int64_t element = size_of(idx.type);
  // Zeros are left out: strides are products too, and must not overflow where another size is 0.
  std::int64_t claimed = element;
  for (const std::int64_t size : idx.shape) {
    if (size > 0 && claimed > std::numeric_limits<std::int64_t>::max() / size) {
      fail<FileError>("idx: the sizes of '{}' must have a product below 2^63 bytes: {} of {} bytes each", name,
                      to_string(IntArrayRef(idx.shape)), element);
    }
    if (size > 0) claimed *= size;
  }
  if (std::find(idx.shape.begin(), idx.shape.end(), 0) != idx.shape.end()) claimed = 0;
  const auto held = static_cast<std::int64_t>(bytes.size() - header);
  if (claimed != held) {
    fail<FileError>("idx: '{}' must hold the {} bytes of its shape {}: {} bytes follow its header, {}", name, claimed,
                    to_string(IntArrayRef(idx.shape)), held, held < claimed ? "so it is cut off" : "too many");
  }

  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  if (element > 1 && std::endian::native == std::endian::little) {
    for (auto at = bytes.begin(); at != bytes.end(); at += element) std::reverse(at, at + element);
  }
  idx.bytes = std::move(bytes);
  return idx;
}

}  // namespace

std::int64_t size_of(IdxType type) {
  switch (type) {
    case IdxType::UInt8:
    case IdxType::Int8:
      return 1;
    case IdxType::Int16:
      return 2;
    case IdxType::Int32:
    case IdxType::Float32:
      return 4;
    case IdxType::Float64:
      return 8;
  }
  fail<ValueError>("size_of: an IdxType must be one of its names: it is {:02x}", static_cast<unsigned>(type));
}

Idx parse_idx(ByteView data, const std::string& name, std::uint64_t max_bytes) {
  return parse(gunzip(data, max_bytes, name), name);
}

Idx read_idx(const std::string& path, std::uint64_t max_bytes) {
  return parse(read_unpacked(path, max_bytes, [&](ByteView start) { check_magic(start, path); }), path);
}

}  // namespace gradus::core
