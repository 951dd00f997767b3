// Members that were registered by their place: whether they still are what is registered.
#include <cstddef>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "../../core/base/fail.h"
#include "module.h"
#include "module_hooks.h"

namespace gradus::nn {
namespace {

// The module of each parameter: the one that was made last, of copies by value.
struct Places {
  std::recursive_mutex mutex;
  std::unordered_map<const void*, const Module*> modules;
};
Places& places() {
  static auto& all = *new Places();  // modules may outlive it otherwise
  return all;
}

// Whether it is learned and saved where it belongs: `decoder->weight = encoder->weight`.
bool registered_elsewhere(const Tensor& tensor) {
  if (!tensor.defined()) return false;
  const std::lock_guard lock(places().mutex);
  return places().modules.count(&tensor.body()) != 0;
}

}  // namespace

Module::Module(const Module& other)
    : std::enable_shared_from_this<Module>(),
      parameters_(other.parameters_),
      buffers_(other.buffers_),
      children_(other.children_),
      name_(other.name_),
      path_(other.path_),
      members_(other.members_),
      hooks_(other.hooks_),
      is_training_(other.is_training_) {
  take_members_of_copy();
}
Module::Module(Module&& other) noexcept
    : std::enable_shared_from_this<Module>(),
      parameters_(std::move(other.parameters_)),
      buffers_(std::move(other.buffers_)),
      children_(std::move(other.children_)),
      name_(std::move(other.name_)),
      path_(other.path_),
      members_(std::move(other.members_)),
      hooks_(std::move(other.hooks_)),
      is_training_(other.is_training_) {
  other.members_.clear();
  take_members_of_copy();
}
Module& Module::operator=(const Module& other) { return *this = Module(other); }
Module& Module::operator=(Module&& other) noexcept {
  if (this == &other) return *this;
  forget_members();
  parameters_ = std::move(other.parameters_);
  buffers_ = std::move(other.buffers_);
  children_ = std::move(other.children_);
  name_ = std::move(other.name_);
  path_ = other.path_;
  is_training_ = other.is_training_;
  members_ = std::move(other.members_);
  hooks_ = std::move(other.hooks_);
  other.members_.clear();
  take_members_of_copy();
  return *this;
}
Module::~Module() { forget_members(); }

bool Module::may_hold(const Tensor& member) const noexcept {
  const char* const begin = static_cast<const char*>(dynamic_cast<const void*>(this));
  const char* const at = reinterpret_cast<const char*>(&member);
  const std::less<const char*> before;
  if (before(at, begin)) return false;
  const std::size_t size = object_size();
  return size == 0 || before(at, begin + size);
}

Tensor& Module::register_parameter(std::string name, Tensor& member, Tensor tensor, bool requires_grad) {
  if (!may_hold(member)) {
    core::fail<ModuleError>(
        "register_parameter: '{}' must be assigned to a member of {} itself: another tensor was given; write `x = "
        "register_parameter(name, tensor)`",
        name, this->name());
  }
  Tensor& registered = register_parameter(name, std::move(tensor), requires_grad);
  member = registered;
  const auto offset = reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(this);
  members_.push_back({std::move(name), offset, false, nullptr});
  find_members();
  return registered;
}

void Module::take_members_of_copy() {
  for (Member& member : members_) member.copied = true;
  find_members();
}

void Module::find_members() {
  if (members_.empty()) return;
  const std::lock_guard lock(places().mutex);
  for (Member& member : members_) {
    const Tensor* const parameter = parameters_.find(member.name);
    if (parameter == nullptr || !parameter->defined()) continue;
    member.key = &parameter->body();
    places().modules[member.key] = this;
  }
}

void Module::forget_members() noexcept {
  if (members_.empty()) return;
  const std::lock_guard lock(places().mutex);
  for (const Member& member : members_) {
    const auto at = places().modules.find(member.key);
    if (at != places().modules.end() && at->second == this) places().modules.erase(at);
  }
}

void Module::check_member(const Member& member) const {
  const Tensor* const registered = parameters_.find(member.name);
  if (registered == nullptr) return;  // it is computed of others by now
  // A tensor outside of the original may have been given: there is nothing at the same distance from a copy.
  if (member.copied && object_size() == 0) return;
  const auto& now = *reinterpret_cast<const Tensor*>(reinterpret_cast<const char*>(this) + member.offset);
  if (now.is_same(*registered) || registered_elsewhere(now)) return;
  core::fail<ModuleError>(
      "{}: '{}' must stay the tensor that was registered: another was assigned to it, which forward uses, and which is "
      "neither learned nor saved; write into it instead, under a NoGradGuard: {}.copy_(..), or {}.set_data(..)",
      path_.empty() ? name() : std::string(path_), member.name, member.name, member.name);
}

void Module::check_members() const {
  for (const Member& member : members_) check_member(member);
  for (const auto& [name, child] : children_) child->check_members();
}

void detail::check_member(const Tensor& parameter) {
  const std::lock_guard lock(places().mutex);
  const auto at = places().modules.find(&parameter.body());
  if (at == places().modules.end()) return;
  for (const Module::Member& member : at->second->members_) {
    const Tensor* const registered = at->second->parameters_.find(member.name);
    if (registered != nullptr && registered->is_same(parameter)) at->second->check_member(member);
  }
}

}  // namespace gradus::nn
