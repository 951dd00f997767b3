// Archives: tensors and plain values by key, in files and streams, as PyTorch's C++ frontend has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/own.h"
#include "../graph/ivalue.h"
#include "../tensor/device.h"
#include "../tensor/tensor.h"

namespace gradus::serialize {

/// What is written, in the order of its writing. Nothing goes anywhere before save_to().
class GRADUS_API OutputArchive {
 public:
  OutputArchive();
  OutputArchive(const OutputArchive& other);
  OutputArchive(OutputArchive&& other) noexcept;
  OutputArchive& operator=(OutputArchive other) noexcept;
  ~OutputArchive();

  // ValueError for a key that is there already. The tensors are kept, not copied: what is written to them before save_to()
  // is saved.
  void write(const std::string& key, const Tensor& tensor, bool is_buffer = false);
  void write(const std::string& key, const IValue& value);
  /// As it is now.
  void write(const std::string& key, const OutputArchive& nested);

  /// The format goes by the path's ending, in small or capital letters: `.pt` and `.pth` Python's torch.save, `.npz` and `.npy` NumPy's, else
  /// safetensors. A kill at any moment leaves the old file or the new (core::write_file_atomically). In safetensors nested
  /// keys are joined by dots, and what is no tensor stands in the metadata; .npz takes tensors alone: ValueError. So
  /// it is where joining makes a name twice, and in all formats above 200 levels of nesting.
  void save_to(const std::string& path) const;
  void save_to(const char* path) const { save_to(std::string(path)); }
  /// In Python's format, to a stream or to a function that takes bytes and returns how many it took. FileError when less
  /// than all is taken.
  void save_to(std::ostream& stream) const;
  void save_to(core::FunctionRef<std::size_t(const void*, std::size_t)> write) const;

  /// All of it.
  const IValueDict& values() const noexcept;

 private:
  core::Own<IValueDict> values_;
};

/// What is read. The format goes by the content: Python's `.pt` (of torch.save, also that of old), the C++ frontend's own,
/// `.npz`, `.npy`, safetensors. Nothing of a file is executed.
class GRADUS_API InputArchive {
 public:
  InputArchive();
  explicit InputArchive(IValueDict values);
  InputArchive(const InputArchive& other);
  InputArchive(InputArchive&& other) noexcept;
  InputArchive& operator=(InputArchive other) noexcept;
  ~InputArchive();

  // ValueError, naming the keys that there are, when there is none, or what stands there is something else. A defined
  // tensor takes over the values, shape and dtype, and stays the tensor that it is.
  void read(const std::string& key, Tensor& tensor, bool is_buffer = false);
  void read(const std::string& key, IValue& value);
  /// What was written as an archive, or all entries whose keys begin with `key` and a dot.
  void read(const std::string& key, InputArchive& archive);
  // The same, but false, and nothing happens, where read() has an error.
  bool try_read(const std::string& key, Tensor& tensor, bool is_buffer = false);
  bool try_read(const std::string& key, IValue& value);
  bool try_read(const std::string& key, InputArchive& archive);
  std::vector<std::string> keys() const;

  /// FileError, with the file's name and the actual values, when it cannot be read, or is not what its format demands.
  void load_from(const std::string& path, std::optional<Device> device = std::nullopt);
  void load_from(const char* path, std::optional<Device> device = std::nullopt) {
    load_from(std::string(path), device);
  }
  void load_from(std::istream& stream, std::optional<Device> device = std::nullopt);
  void load_from(const char* data, std::size_t size, std::optional<Device> device = std::nullopt);
  /// `read(position, to, count)` returns how many bytes it gave; `size()` all that there are.
  void load_from(core::FunctionRef<std::size_t(std::uint64_t, void*, std::size_t)> read,
                 core::FunctionRef<std::size_t()> size, std::optional<Device> device = std::nullopt);

  /// Errors and notes: the path, or "a stream".
  const std::string& source() const noexcept { return source_; }
  const IValueDict& values() const noexcept;

 private:
  core::Own<IValueDict> values_;
  std::string source_;
};

}  // namespace gradus::serialize
