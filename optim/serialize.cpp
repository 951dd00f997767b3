#include "serialize.h"

#include "../core/base/fail.h"
#include "../core/base/message.h"
#include "../core/files/safetensors.h"

namespace gradus {
namespace {

constexpr const char* kOptimizer = "optimizer";  // whose value is the optimizer's name

}  // namespace

void save(const optim::Optimizer& optimizer, const std::string& path) {
  std::vector<core::NamedArray> arrays;
  for (const auto& [name, tensor] : optimizer.state_dict()) arrays.push_back({name, tensor.array()});
  core::write_safetensors(path, arrays, {{"format", "pt"}, {kOptimizer, std::string(optimizer.name())}});
}

void load(optim::Optimizer& optimizer, const std::string& path) {
  const core::Safetensors file = core::Safetensors::read(path, true);
  std::string of;
  for (const auto& [key, value] : file.metadata()) {
    if (key == kOptimizer) of = value;
  }
  if (of.empty()) {
    core::fail<ValueError>("load: '{}' must hold an optimizer's state: save(optimizer, path) writes one", path);
  }
  if (of != optimizer.name()) {
    core::fail<ValueError>("load: '{}' must hold the state of {}: it is that of {}", path, optimizer.name(),
                           core::in_quotes(of));
  }
  optim::NamedState state;
  for (const core::SafetensorsEntry& entry : file.entries()) state.emplace_back(entry.name, Tensor(entry.borrow()));
  try {
    optimizer.load_state_dict(state);
  } catch (Error& error) {
    error.add_note(fmt::format("in the file '{}'", path));
    throw;
  }
}

}  // namespace gradus
