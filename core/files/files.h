// Files as a whole: read with a cap, unpacked, and written so that a kill at any moment leaves the old file or the new.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/export.h"

namespace gradus::core {

/// A file's content.
using Bytes = std::vector<unsigned char>;

/// Borrowed bytes: made from text, Bytes, or a pointer and a count; does not outlive what it was made from.
class ByteView {
 public:
  constexpr ByteView() = default;
  ByteView(const void* data, std::size_t size) : data_(static_cast<const unsigned char*>(data)), size_(size) {}
  ByteView(const Bytes& bytes) : ByteView(bytes.data(), bytes.size()) {}     // NOLINT(google-explicit-constructor)
  ByteView(std::string_view text) : ByteView(text.data(), text.size()) {}    // NOLINT(google-explicit-constructor)
  ByteView(const std::string& text) : ByteView(text.data(), text.size()) {}  // NOLINT(google-explicit-constructor)
  ByteView(const char* text) : ByteView(std::string_view(text)) {}           // NOLINT(google-explicit-constructor)

  constexpr const unsigned char* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const unsigned char* begin() const { return data_; }
  constexpr const unsigned char* end() const { return data_ + size_; }
  constexpr unsigned char operator[](std::size_t i) const { return data_[i]; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Throws when a file's first bytes (64, or all of fewer) are not what they should be: what is wrong from the start is
/// not read to its end.
using CheckStart = std::function<void(ByteView start)>;

/// All bytes of the file at `path`; pipes are read to their end. FileError when it cannot be read, is a folder, or
/// holds more than `max_bytes`, or than memory_for_a_file() allows (said before anything of that size is allocated).
/// `max_bytes` is the caller's idea of what is plausible: a wrong path must not take the machine's memory. Not more than
/// the file's bytes and 4 MiB are held at any moment.
GRADUS_API Bytes read_file(const std::string& path, std::uint64_t max_bytes, const CheckStart& check_start = {});

/// As read_file, and unpacked when the content is gzipped, whatever the file's name; the caps hold for the unpacked form,
/// which alone is held.
GRADUS_API Bytes read_unpacked(const std::string& path, std::uint64_t max_bytes, const CheckStart& check_start = {});

/// Whether `data` begins with gzip's magic number, 1f 8b.
GRADUS_API bool is_gzipped(ByteView data);

/// The unpacked form of gzipped `data` (one member or several), or a copy of `data` when it is not gzipped. FileError,
/// with `name` in it, when the data ends early, is corrupt, is followed by bytes that are not gzip's, or unpacks to
/// more than `max_bytes` or memory_for_a_file() allows. A cap is needed: gzip packs up to 1000 : 1.
GRADUS_API Bytes gunzip(ByteView data, std::uint64_t max_bytes, const std::string& name);

/// Writes `pieces`, one after the other, as the file at `path`. A kill or a power cut at any moment leaves the old
/// content or the new, never a mixture: a temporary file in the same folder is written and synced, takes the name, and
/// the folder is synced. On any error the temporary is removed, the old file is as it was, and a FileError names the path
/// and the reason; only a failed sync of the folder, the last step, leaves the new content.
///
/// The temporary has no name until it is whole (O_TMPFILE; not all network file systems have that), so that a kill while
/// it is written leaves nothing behind. A kill in the moment between its first name, `.NAME.PID-N.tmp`, and its last
/// leaves a file that the next save to the same path removes: a saver holds a lock (flock) on its temporary, and what is
/// not locked is abandoned. Where the file system has no locks nothing is removed; where they do not reach other machines,
/// two that save to one path at once may have one of the saves fail, with an error.
///
/// An existing file keeps its permissions, and its owner where the process may set it; one that is write-protected is
/// an error. Through a symbolic link the file it points to is replaced, and the link stays. What has the old file open
/// or mapped goes on reading the old content, so a file can be saved over while it is read. Several threads may write
/// one path: each writes whole files, and the last wins. A device or a pipe is written directly.
GRADUS_API void write_file_atomically(const std::string& path, const std::vector<ByteView>& pieces);

}  // namespace gradus::core
