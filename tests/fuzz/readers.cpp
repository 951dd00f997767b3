#include "readers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

#include <gradus/core/base/errors.h>
#include <gradus/core/files/idx.h>
#include <gradus/core/files/safetensors.h>

#include "../../examples/support/digits.h"

namespace gradus::fuzz {
namespace {

using core::Bytes;
using core::ByteView;

constexpr std::uint64_t kMost = 1 << 20;

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

/// A file without a name, and a path to it.
class MemoryFile {
 public:
  explicit MemoryFile(ByteView content) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0 && ::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "no file in memory");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void use(const core::Safetensors& file) {
  std::size_t sum = 0;
  for (const core::SafetensorsEntry& entry : file.entries()) {
    const core::Array copy = entry.array(), view = entry.borrow();
    const auto bytes = static_cast<std::size_t>(copy.numel() * copy.element_size());
    require(bytes == entry.bytes.size(), "an array differs in size from its bytes");
    require(copy.shape() == view.shape() && copy.dtype() == view.dtype(), "a copy differs from the view");
    for (const unsigned char byte : entry.bytes) sum += byte;
  }
  for (const auto& [key, value] : file.metadata()) sum += key.size() + value.size();
  require(sum != SIZE_MAX, "");  // all of it is read
}

void use(const core::Idx& idx) {
  std::int64_t product = core::size_of(idx.type);
  for (const std::int64_t size : idx.shape) product *= size;
  require(product == static_cast<std::int64_t>(idx.bytes.size()), "the sizes' product differs from the bytes");
}

void use(const examples::Images& images) {
  const std::int64_t pixels = images.count * images.height * images.width;
  require(pixels == static_cast<std::int64_t>(images.pixels.size()), "pixels and sizes differ");
  require(images.count == static_cast<std::int64_t>(images.labels.size()), "images and labels differ in number");
}

void read_any(Reader reader, ByteView input, bool as_file) {
  switch (reader) {
    case Reader::Safetensors:
      // A vector of exactly that size: what lies behind it is poisoned under AddressSanitizer.
      return use(as_file ? core::Safetensors::read(MemoryFile(input).path())
                         : core::Safetensors(Bytes(input.begin(), input.end()), "t"));
    case Reader::Idx:
      return use(as_file ? core::read_idx(MemoryFile(input).path(), kMost) : core::parse_idx(input, "t", kMost));
    case Reader::Gzip: {
      const Bytes bytes =
          as_file ? core::read_unpacked(MemoryFile(input).path(), kMost) : core::gunzip(input, kMost, "t");
      return require(bytes.size() <= kMost, "more than the cap was unpacked");
    }
    case Reader::Digits:
      return use(examples::parse_digits(input));
  }
}

}  // namespace

const char* name_of(Reader reader) {
  constexpr const char* kNames[kReaders] = {"safetensors", "idx", "gzip", "digits"};
  return kNames[static_cast<int>(reader)];
}

std::string read(Reader reader, ByteView input, bool as_file) {
  try {
    read_any(reader, input, as_file);
    return {};
  } catch (const FileError& error) {
    const std::string message = error.what();
    if (message.empty()) throw std::logic_error("an empty message");
    if (message.size() > 600) throw std::logic_error("a long message: " + message.substr(0, 600));
    for (const char c : message) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) throw std::logic_error("a control character: " + message);
    }
    return message;
  } catch (const std::logic_error&) {
    throw;
  } catch (const std::exception& error) {
    throw std::logic_error(std::string("another error than FileError: ") + error.what());
  }
}

}  // namespace gradus::fuzz
