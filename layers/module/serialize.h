// Saving and loading a module's state, and tensors by name, as safetensors files. The names are those of PyTorch's
// state_dict, so that files go both ways.
#pragma once

#include <memory>
#include <string>

#include "../../core/base/export.h"
#include "module.h"

namespace gradus {

/// Writes the module's state_dict(). A kill at any moment leaves the old file or the new (see
/// core::write_file_atomically). FileError when it cannot be written.
GRADUS_API void save(const nn::Module& module, const std::string& path);
/// Reads a state into the module's own tensors, which stay the tensors that they are. All is checked before anything
/// changes: FileError when the file cannot be read or is malformed; ModuleError, listing the entries, when some are
/// missing, extra, or of another shape or dtype.
GRADUS_API void load(nn::Module& module, const std::string& path);

template <class M>
void save(const nn::ModuleHolder<M>& holder, const std::string& path) {
  save(*holder, path);
}
template <class M>
void load(const nn::ModuleHolder<M>& holder, const std::string& path) {
  load(*holder, path);
}
template <class M>
void save(const std::shared_ptr<M>& module, const std::string& path) {
  save(static_cast<const nn::Module&>(*module), path);
}
template <class M>
void load(const std::shared_ptr<M>& module, const std::string& path) {
  load(static_cast<nn::Module&>(*module), path);
}

/// Tensors under their names, without history.
GRADUS_API void save(const nn::NamedTensors& tensors, const std::string& path);
GRADUS_API nn::NamedTensors load_tensors(const std::string& path);

namespace nn {
using gradus::load;
using gradus::load_tensors;
using gradus::save;
}  // namespace nn
}  // namespace gradus
