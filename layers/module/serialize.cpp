#include "serialize.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"

namespace gradus {
namespace {

using Named = std::vector<std::pair<std::string, Tensor>>;

// What Module::save() writes, with dots between the names of modules, as a state_dict() in Python has them.
IValueDict saved_by(const nn::Module& module) {
  serialize::OutputArchive archive;
  module.save(archive);
  IValueDict values, others;
  for (const auto& [name, tensor] : serialize::detail::flat(archive.values(), &others)) values.append(name, tensor);
  for (const auto& entry : others) {
    if (!values.insert(entry.key(), entry.value()))
      core::fail<ValueError>("save: each name must come once: {} does not", core::in_quotes(entry.key().text()));
  }
  return values;
}

// Whether Module::save() and load() do something of their own.
bool is_custom(const nn::Module& module, const nn::NamedTensors& state) {
  IValueDict others;
  const Named saved = serialize::detail::flat(saved_by(module), &others);
  return !others.empty() || !std::equal(saved.begin(), saved.end(), state.begin(), state.end(),
                                        [](const auto& a, const auto& b) { return a.first == b.first; });
}

}  // namespace

void nn::Module::save(serialize::OutputArchive& archive) const {
  // Without history, and without being marked as learned: what a state_dict() holds in Python.
  for (const NamedTensors* own : {&parameters_, &buffers_}) {
    for (const auto& [name, tensor] : *own) {
      if (tensor.defined()) archive.write(name, tensor.detach(), own == &buffers_);
    }
  }
  for (const auto& [name, child] : children_) {
    if (!child->is_serializable()) continue;
    serialize::OutputArchive nested;
    child->save(nested);
    if (!nested.values().empty()) archive.write(name, nested);
  }
}

void nn::Module::load(serialize::InputArchive& archive) {
  for (const NamedTensors* own : {&parameters_, &buffers_}) {
    for (const auto& [name, tensor] : *own) {
      Tensor into = tensor;  // the handle: it stays the tensor that it is
      if (into.defined()) archive.read(name, into, own == &buffers_);
    }
  }
  for (const auto& [name, child] : children_) {
    if (!child->is_serializable()) continue;
    // What has no state stands in no format without nesting.
    serialize::InputArchive nested;
    if (!archive.try_read(name, nested) && !child->state_dict().is_empty()) archive.read(name, nested);
    child->load(nested);
  }
}

void save(const nn::Module& module, const std::string& path) {
  module.check_members();
  serialize::detail::save_values(saved_by(module), path);
}
void save(const nn::Module& module, std::ostream& stream) {
  module.check_members();
  serialize::detail::save_values(saved_by(module), stream);
}

void load(nn::Module& module, serialize::InputArchive& archive) {
  const nn::NamedTensors state = module.state_dict();
  if (is_custom(module, state)) return module.load(archive);
  const Named entries = serialize::detail::flat(archive.values());
  std::unordered_map<std::string_view, const Tensor*> by_name;
  for (const auto& [name, tensor] : entries) by_name.emplace(name, &tensor);

  std::vector<std::pair<Tensor, Tensor>> copies;
  std::vector<std::string> missing, misfits, extra;
  for (const auto& [name, tensor] : state) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      missing.push_back(name);
      continue;
    }
    const Tensor& entry = *found->second;
    by_name.erase(found);
    if (entry.sizes() != tensor.sizes() || entry.dtype() != tensor.dtype()) {
      misfits.push_back(fmt::format("{} is {} {} in the file and {} {} in the module", name, entry.dtype(),
                                    entry.sizes(), tensor.dtype(), tensor.sizes()));
    } else if (tensor.array().may_overlap_itself()) {
      misfits.push_back(fmt::format("{} of the module shares memory among its elements (expand)", name));
    } else {
      copies.emplace_back(tensor, entry);
    }
  }
  for (const auto& [name, tensor] : entries) {
    if (by_name.contains(name)) extra.push_back(core::in_quotes(name));
  }

  std::string problems;
  if (!missing.empty()) problems += fmt::format("\n  missing in the file: {}", core::listed(missing));
  if (!extra.empty()) problems += fmt::format("\n  not in the module: {}", core::listed(extra));
  if (!misfits.empty()) problems += fmt::format("\n  not alike: {}", core::listed(misfits));
  if (!problems.empty()) {
    core::fail<ModuleError>("load: the state in '{}' must be that of {}:{}", archive.source(), module.name(), problems);
  }
  const NoGradGuard no_grad;
  for (const auto& [tensor, value] : copies) tensor.copy_(value);
}

void load(nn::Module& module, const std::string& path, std::optional<Device>) {
  serialize::InputArchive archive;
  archive.load_from(path);
  load(module, archive);
}
void load(nn::Module& module, std::istream& stream, std::optional<Device>) {
  serialize::InputArchive archive;
  archive.load_from(stream);
  load(module, archive);
}

void save(const nn::NamedTensors& tensors, const std::string& path) {
  IValueDict values;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) core::fail<ValueError>("save: {} must be defined", core::in_quotes(name));
    values.append(name, tensor.detach());
  }
  serialize::detail::save_values(values, path);
}

nn::NamedTensors load_tensors(const std::string& path) {
  serialize::InputArchive archive;
  archive.load_from(path);
  nn::NamedTensors tensors;
  for (const auto& [name, tensor] : serialize::detail::flat(archive.values())) tensors.append(name, tensor.detach());
  return tensors;
}

}  // namespace gradus
