#include "readers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

#include <gradus/autograd/files/files.h>
#include <gradus/core/base/errors.h>
#include <gradus/core/files/idx.h>
#include <gradus/core/files/npy.h>
#include <gradus/core/files/pickle.h>
#include <gradus/core/files/safetensors.h>
#include <gradus/core/files/torch_file.h>

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

// Whether all elements lie in the array's storage. They are read, too.
void use(const core::Array& array) {
  std::int64_t last = array.storage_offset();
  for (int d = 0; d < array.dim(); ++d) last += (array.shape()[d] - 1) * array.strides()[d];
  require(array.numel() == 0 || (last + 1) * array.element_size() <= array.storage()->bytes(),
          "an array leaves its storage");
  if (array.numel() > 4096) return;  // few numbers, expanded
  const core::Array copy = array.contiguous();
  std::size_t sum = 0;
  const auto* bytes = static_cast<const unsigned char*>(copy.data());
  for (std::int64_t i = 0; i < copy.numel() * copy.element_size(); ++i) sum += bytes[i];
  require(sum != SIZE_MAX, "");
}

void use(const std::vector<core::NamedArray>& arrays) {
  for (const core::NamedArray& each : arrays) use(each.array);
}

void use(const core::Values& values) {
  for (const core::Array& array : values.arrays) use(array);
  for (const core::Value& value : values.nodes) {
    for (const core::Value::Node item : value.items) require(item < values.nodes.size(), "a node that is not there");
  }
}

// What was read is written, and read again.
void use(const serialize::InputArchive& archive) {
  IValueDict others;
  bool small = true;
  for (const auto& [name, tensor] : serialize::detail::flat(archive.values(), &others)) {
    use(tensor.array());
    small = small && tensor.numel() <= 4096;
  }
  if (!small) return;
  const std::vector<char> bytes = pickle_save(archive.values());
  require(pickle_load(bytes).toGenericDict().size() == archive.values().size(), "a value is lost");
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
  Bytes kept;
  const auto exact = [&](ByteView bytes) -> ByteView { return kept = Bytes(bytes.begin(), bytes.end()); };
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
    case Reader::Npy:
      return use(core::parse_npy(exact(input), "t"));
    case Reader::Npz:
      return use(core::parse_npz(exact(input), "t"));
    case Reader::Pickle:
      return use(core::parse_pickle(exact(input), "t").values);
    case Reader::Torch:
      return use(core::parse_torch(exact(input), "t"));
    case Reader::Archive: {
      serialize::InputArchive archive;
      if (as_file)
        archive.load_from(MemoryFile(input).path());
      else
        archive.load_from(input.text().data(), input.size());
      return use(archive);
    }
  }
}

}  // namespace

const char* name_of(Reader reader) {
  constexpr const char* kNames[kReaders] = {"safetensors", "idx",    "gzip",  "digits", "npy",
                                            "npz",         "pickle", "torch", "archive"};
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
