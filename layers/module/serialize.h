// Saving and loading a module's state, and tensors by name. The names are those of PyTorch's state_dict, so that files go
// both ways.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "../../autograd/files/files.h"
#include "../../autograd/tensor/device.h"
#include "../../core/base/export.h"
#include "module.h"

namespace gradus {

/// Writes what Module::save() does: the state_dict(). The format goes by the path's ending: .pt and .pth Python's, .npz
/// NumPy's, else safetensors; a stream gets Python's. A kill at any moment leaves the old file or the new (see
/// core::write_file_atomically). FileError when it cannot be written.
GRADUS_API void save(const nn::Module& module, const std::string& path);
GRADUS_API void save(const nn::Module& module, std::ostream& stream);
/// Reads a state, in any of the formats (by its content), into the module's own tensors, which stay the tensors that they
/// are. All is checked before anything changes: FileError when the file cannot be read or is malformed; ModuleError,
/// listing the entries, when some are missing, extra, or of another shape or dtype. Where Module::save() writes something
/// else than the state_dict(), Module::load() reads what it asks for, as it goes.
GRADUS_API void load(nn::Module& module, const std::string& path, std::optional<Device> device = std::nullopt);
GRADUS_API void load(nn::Module& module, std::istream& stream, std::optional<Device> device = std::nullopt);
GRADUS_API void load(nn::Module& module, serialize::InputArchive& archive);

template <class M, class To>
void save(const nn::ModuleHolder<M>& holder, To&& to) {
  save(static_cast<const nn::Module&>(*holder), to);
}
template <class M, class From>
void load(const nn::ModuleHolder<M>& holder, From&& from, std::optional<Device> device = std::nullopt) {
  load(static_cast<nn::Module&>(*holder), from, device);
}
template <class M, class To>
void save(const std::shared_ptr<M>& module, To&& to) {
  save(static_cast<const nn::Module&>(*module), to);
}
template <class M, class From>
void load(const std::shared_ptr<M>& module, From&& from, std::optional<Device> device = std::nullopt) {
  load(static_cast<nn::Module&>(*module), from, device);
}

/// Tensors under their names, without history.
GRADUS_API void save(const nn::NamedTensors& tensors, const std::string& path);
/// The tensors of a file in any of the formats; nested names, and numbers in lists, are joined by dots, and what is no tensor is
/// left out.
GRADUS_API nn::NamedTensors load_tensors(const std::string& path);

namespace nn {
using gradus::load;
using gradus::load_tensors;
using gradus::save;
}  // namespace nn
}  // namespace gradus
