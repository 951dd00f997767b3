#include "serialize.h"

#include <unordered_map>
#include <utility>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/files/safetensors.h"

namespace gradus {
namespace {

using core::Safetensors;
using core::SafetensorsEntry;

// A list of any length, for a message of bounded length.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  const std::size_t shown = names.size() > kMost ? kMost : names.size();
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return shown < names.size() ? fmt::format("{} and {} more", text, names.size() - shown) : text;
}

}  // namespace

void save(const nn::NamedTensors& tensors, const std::string& path) {
  std::vector<core::NamedArray> arrays;
  for (const auto& [name, tensor] : tensors)
    arrays.push_back({name, tensor.defined() ? tensor.array() : core::Array()});
  // What readers of PyTorch's models ask for.
  core::write_safetensors(path, arrays, {{"format", "pt"}});
}

nn::NamedTensors load_tensors(const std::string& path) {
  const Safetensors file = Safetensors::read(path, true);
  nn::NamedTensors tensors;
  for (const SafetensorsEntry& entry : file.entries()) tensors.append(entry.name, Tensor(entry.array()));
  return tensors;
}

void save(const nn::Module& module, const std::string& path) { save(module.state_dict(), path); }

void load(nn::Module& module, const std::string& path) {
  const Safetensors file = Safetensors::read(path);
  std::unordered_map<std::string_view, const SafetensorsEntry*> entries;
  for (const SafetensorsEntry& entry : file.entries()) entries.emplace(entry.name, &entry);

  std::vector<std::pair<Tensor, core::Array>> copies;
  std::vector<std::string> missing, misfits, extra;
  for (const auto& [name, tensor] : module.state_dict()) {
    const auto found = entries.find(name);
    if (found == entries.end()) {
      missing.push_back(name);
      continue;
    }
    const SafetensorsEntry& entry = *found->second;
    entries.erase(found);
    if (entry.shape != tensor.body().array.shape() || entry.dtype != tensor.dtype()) {
      misfits.push_back(fmt::format("{} is {} {} in the file and {} {} in the module", name, entry.dtype, entry.shape,
                                    tensor.dtype(), tensor.sizes()));
    } else if (tensor.array().may_overlap_itself()) {
      misfits.push_back(fmt::format("{} of the module shares memory among its elements (expand)", name));
    } else {
      copies.emplace_back(tensor, entry.borrow());
    }
  }
  for (const SafetensorsEntry& entry : file.entries()) {
    if (entries.contains(entry.name)) extra.push_back(core::in_quotes(entry.name));
  }

  std::string problems;
  if (!missing.empty()) problems += fmt::format("\n  missing in the file: {}", listed(missing));
  if (!extra.empty()) problems += fmt::format("\n  not in the module: {}", listed(extra));
  if (!misfits.empty()) problems += fmt::format("\n  not alike: {}", listed(misfits));
  if (!problems.empty()) {
    core::fail<ModuleError>("load: the state in '{}' must be that of {}:{}", path, module.name(), problems);
  }
  const NoGradGuard no_grad;
  for (const auto& [tensor, value] : copies) tensor.copy_(Tensor(value));
}

}  // namespace gradus
