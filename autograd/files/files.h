// Tensors in files and streams: saving, loading, and values in Python's pickle format.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/function_ref.h"
#include "../graph/ivalue.h"
#include "../tensor/device.h"
#include "../tensor/tensor.h"
#include "archive.h"

namespace gradus {

/// Writes a tensor, or several. The format goes by the path's ending, see serialize::OutputArchive::save_to(); a stream gets
/// Python's. FileError when it cannot be written; the old file is then as it was. ValueError for an undefined tensor.
GRADUS_API void save(const Tensor& tensor, const std::string& path);
GRADUS_API void save(const Tensor& tensor, std::ostream& stream);
GRADUS_API void save(const std::vector<Tensor>& tensors, const std::string& path);
GRADUS_API void save(const std::vector<Tensor>& tensors, std::ostream& stream);
GRADUS_API void save(const IValue& value, const std::string& path);
GRADUS_API void save(const IValue& value, std::ostream& stream);

/// Reads what was saved, by this library or by Python, in any of the formats (by the content). A defined tensor takes over
/// values, shape and dtype; a list is replaced. FileError, with the file's name, when it cannot be read, is malformed, or
/// holds something else.
GRADUS_API void load(Tensor& tensor, const std::string& path, std::optional<Device> device = std::nullopt);
GRADUS_API void load(Tensor& tensor, std::istream& stream, std::optional<Device> device = std::nullopt);
GRADUS_API void load(std::vector<Tensor>& tensors, const std::string& path,
                     std::optional<Device> device = std::nullopt);
GRADUS_API void load(std::vector<Tensor>& tensors, std::istream& stream, std::optional<Device> device = std::nullopt);
/// Whatever a file holds: of Python's the value as it was saved, of the others a dictionary of tensors (of .npy a tensor).
GRADUS_API IValue load(const std::string& path);

/// A value in the bytes of Python's torch.save, which torch.load(weights_only=True) reads, and back. TypeError for what
/// Python's reader would refuse; FileError for bytes that are malformed.
GRADUS_API std::vector<char> pickle_save(const IValue& value);
GRADUS_API IValue pickle_load(const std::vector<char>& bytes);

namespace serialize::detail {

/// Tensors under their names, nested dictionaries' joined by dots, in order; what is no tensor goes to `others`, where there
/// is one.
GRADUS_API std::vector<std::pair<std::string, Tensor>> flat(const IValueDict& values, IValueDict* others = nullptr);
/// Texts that come with tensors: metadata in safetensors, entries in Python's format.
using Texts = std::vector<std::pair<std::string, std::string>>;
GRADUS_API void save_values(const IValue& value, const std::string& path, const Texts& texts = {});
GRADUS_API void save_values(const IValue& value, std::ostream& stream, const Texts& texts = {});
/// Whether the format of a path's ending has dictionaries and lists within each other: Python's.
GRADUS_API bool has_levels(std::string_view path);
GRADUS_API IValue load_values(const std::string& path, Texts* texts = nullptr);
GRADUS_API IValue load_values(std::istream& stream);
GRADUS_API IValue load_values(const void* data, std::size_t size, const std::string& name);
/// A value as a dictionary: a list's elements go by their numbers, and so does one value.
IValueDict as_dict(const IValue& value);
/// In Python's format.
GRADUS_API void save_values(const IValue& value, core::FunctionRef<void(const void*, std::size_t)> write);
/// An undefined tensor becomes what was read; a defined one takes over values, shape and dtype.
GRADUS_API void take_over(Tensor& tensor, const Tensor& read);

}  // namespace serialize::detail
}  // namespace gradus
