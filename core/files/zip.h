// Zip: named pieces in one file, as NumPy's .npz and PyTorch's .pt have them (PKWARE's APPNOTE.TXT 6.3.10). Stored and
// deflated entries, files beyond 4 GiB too.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "../array/array.h"
#include "../base/export.h"
#include "../memory/memory_limit.h"
#include "files.h"

namespace gradus::core {

/// What a file will hold, in order, and what owns it.
class GRADUS_API Pieces {
 public:
  void add(Bytes bytes);
  /// Its elements in C order, in this machine's byte order.
  void add(const Array& array);
  const std::vector<ByteView>& views() const noexcept { return views_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  void add(ByteView view);
  std::deque<Bytes> bytes_;
  std::vector<Array> arrays_;
  std::vector<ByteView> views_;
  std::uint64_t size_ = 0;
};

struct ZipEntry {
  std::string name;
  std::uint64_t size = 0;  ///< unpacked, as the file claims
  std::uint32_t crc = 0;
  bool deflated = false;
  ByteView packed;  ///< within the file
};

/// A zip file in memory, which must outlive this. Its directory is checked as a whole.
class GRADUS_API Zip {
 public:
  /// FileError, with `name` and the actual values in it, when there is no directory at its end, or the directory does not
  /// lie within the file, names an entry twice, several disks, encryption or another method than stored and deflated, or
  /// entries overlap each other or the directory, are cut off, or claim more than their bytes can hold.
  /// What content() unpacks stays within `memory`, less what the file takes and what its readers copy.
  Zip(ByteView file, const std::string& name, std::uint64_t memory = memory_for_a_file());
  /// In the order of the directory.
  const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  /// Null when there is none.
  const ZipEntry* find(std::string_view name) const noexcept;
  /// An entry's content; a copy where it is deflated. FileError when it does not unpack to what is claimed, or its
  /// checksum is another, or all that was unpacked would come to more than there is memory for: deflate packs up to
  /// 1032 : 1. At most twice of what it truly holds is allocated.
  ByteView content(const ZipEntry& entry, Bytes& unpacked);

  static bool is_zip(ByteView file) noexcept;

 private:
  void read_directory();
  void check_overlaps() const;
  ByteView file_;
  std::string name_;
  std::vector<ZipEntry> entries_;
  std::uint64_t budget_ = 0;  // bytes that may still be unpacked
};

/// Writes entries, stored, each beginning at a multiple of 64 bytes, as PyTorch's.
class GRADUS_API ZipWriter {
 public:
  explicit ZipWriter(Pieces& to) : to_(to) {}
  void add(const std::string& name, Bytes content);
  void add(const std::string& name, const Array& content);
  /// One entry of two pieces.
  void add(const std::string& name, Bytes head, const Array& content);
  /// The directory.
  void finish();

 private:
  struct Written {
    std::string name;
    std::uint32_t crc;
    std::uint64_t size, at;
  };
  void header(const std::string& name, std::uint64_t size, std::uint32_t crc);
  Pieces& to_;
  std::vector<Written> written_;
};

}  // namespace gradus::core
