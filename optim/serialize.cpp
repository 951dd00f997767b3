#include "serialize.h"

#include "../core/base/fail.h"
#include "../core/base/message.h"
#include "../core/files/safetensors.h"

namespace gradus {
namespace {

// The entries of a file's metadata whose value is the name of what it holds the state of.
constexpr const char *kOptimizer = "optimizer", *kSchedule = "schedule";

template <class Owner>
void save_state(const Owner& owner, const char* kind, const std::string& path) {
  const optim::NamedState state = owner.state_dict();
  std::vector<core::NamedArray> arrays;
  for (const auto& [name, tensor] : state) arrays.push_back({name, tensor.array()});
  core::write_safetensors(path, arrays, {{"format", "pt"}, {kind, std::string(owner.name())}});
}

template <class Owner>
void load_state(Owner& owner, const char* kind, const std::string& path) {
  const core::Safetensors file = core::Safetensors::read(path, true);
  std::string name;
  for (const auto& [key, value] : file.metadata()) {
    if (key == kind) name = value;
  }
  if (name.empty()) {
    core::fail<ValueError>("load: '{}' must hold what save() writes of an optimizer or a schedule: it names no {}",
                           path, kind);
  }
  if (name != owner.name()) {
    core::fail<ValueError>("load: '{}' must hold the state of {}: it is that of {}", path, owner.name(),
                           core::in_quotes(name));
  }
  optim::NamedState state;
  for (const core::SafetensorsEntry& entry : file.entries()) state.emplace_back(entry.name, Tensor(entry.borrow()));
  try {
    owner.load_state_dict(state);
  } catch (Error& error) {
    error.add_note(fmt::format("in the file '{}'", path));
    throw;
  }
}

}  // namespace

void save(const optim::Optimizer& optimizer, const std::string& path) { save_state(optimizer, kOptimizer, path); }
void save(const optim::Schedule& schedule, const std::string& path) { save_state(schedule, kSchedule, path); }
void load(optim::Optimizer& optimizer, const std::string& path) { load_state(optimizer, kOptimizer, path); }
void load(optim::Schedule& schedule, const std::string& path) { load_state(schedule, kSchedule, path); }

}  // namespace gradus
