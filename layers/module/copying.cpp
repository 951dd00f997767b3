// clone(): deep copies that keep shared what is shared.
#include "copying.h"

#include <typeinfo>
#include <utility>

#include "../../core/base/fail.h"
#include "module_hooks.h"

namespace gradus::nn {

using core::fail;

thread_local Module::Copying::Shared* Module::Copying::current_ = nullptr;

Module::Copying::Copying(const Module& original)
    : before_(current_), shared_(before_ != nullptr && before_->called == &original ? *before_ : own_) {
  current_ = &shared_;
  shared_.called = nullptr;
}
Module::Copying::~Copying() { current_ = before_; }

std::shared_ptr<Module> Module::Copying::call_clone(const Module& original) {
  shared_.called = &original;
  std::shared_ptr<Module> copy = original.clone();
  shared_.called = nullptr;
  return copy;
}

std::shared_ptr<Module> Module::Copying::copy_of(const std::shared_ptr<Module>& original) {
  const auto known = shared_.modules.find(original.get());
  if (known != shared_.modules.end()) return known->second.copy;
  std::shared_ptr<Module> copy = call_clone(*original);
  shared_.modules.insert_or_assign(original.get(), Place{copy, true});
  return copy;
}

void Module::Copying::fill(const Module& original, Place& place) {
  if (place.filled) return;
  place.filled = true;
  place.copy->assign(*call_clone(original));
}

void Module::Copying::copy_parameters(const Module& original, Module& copy) {
  copy.forget_registered();
  const auto copy_all = [&](NamedTensors Module::*kind) {
    for (const auto& [name, tensor] : original.*kind) {
      if (!tensor.defined()) {
        (copy.*kind).append(name, tensor);
        continue;
      }
      const auto [at, is_new] = shared_.tensors.try_emplace(&tensor.body());
      if (is_new) {
        at->second = Tensor(tensor.array().clone());
        at->second.requires_grad_(tensor.requires_grad());
      }
      (copy.*kind).append(name, at->second);
    }
  };
  copy_all(&Module::parameters_);
  copy_all(&Module::buffers_);
  detail::ModuleHooks::copy(original, copy);
}

Module* Module::copy() const { return nullptr; }
void Module::register_anew() {}
void Module::assign(const Module&) {
  fail<ModuleError>("clone: {} must be copy-assignable where it is a submodule", name());
}

std::shared_ptr<Module> Module::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  const std::shared_ptr<Module> made(copy());
  if (made == nullptr) {
    fail<ModuleError>("clone: {} does not say how it is copied: derive it from nn::Cloneable and register in reset()",
                      name());
  }
  made->forget_registered();
  Copying::Shared& shared = copying.shared_;
  const Module* const made_before = std::exchange(shared.made, made.get());
  const Module* const of_before = std::exchange(shared.of, this);
  made->register_anew();
  detail::ModuleHooks::copy(*this, *made);
  shared.made = made_before;
  shared.of = of_before;
  made->copy_registered_from(*this, copying);
  detail::ModuleHooks::refresh(*made);
  return made;
}

void Module::forget_registered() noexcept {
  path_ = {};
  forget_members();
  members_.clear();
  hooks_ = {};
  parameters_.clear();
  buffers_.clear();
  children_.clear();
}

/// What a copy's reset() is to register in the place of a tensor that it has just made: the copy of the original's, where
/// that has been copied under another name.
Tensor Module::shared_in_copy(NamedTensors Module::*kind, const std::string& name, Tensor tensor) const {
  Copying::Shared* const shared = Copying::current_;
  if (shared == nullptr || shared->made != this || !tensor.defined()) return tensor;
  const Tensor* const original = (shared->of->*kind).find(name);
  if (original == nullptr || !original->defined()) return tensor;
  const auto [copy, is_new] = shared->tensors.try_emplace(&original->body(), tensor);
  // Where others hold the tensor already, they would be left with it.
  const bool held = !is_new && !tensor.is_same(copy->second) && tensor.body().use_count() > 1;
  return held ? tensor : copy->second;
}

void Module::copy_registered_from(const Module& original, Copying& copying) {
  const Module& self = *this;
  if (typeid(self) != typeid(original)) {
    fail<ModuleError>("clone: {} must derive from nn::Cloneable itself: it would be cut down to a {}", original.name(),
                      name());
  }
  const auto check = [&](const char* what, const auto& mine, const auto& others) {
    if (mine.keys() != others.keys()) {
      fail<ModuleError>("clone: reset() of {} must register the {} that the original has: [{}], not [{}]", name(), what,
                        fmt::join(others.keys(), ", "), fmt::join(mine.keys(), ", "));
    }
  };
  check("parameters", parameters_, original.parameters_);
  check("buffers", buffers_, original.buffers_);
  check("submodules", children_, original.children_);
  const auto copy_tensors = [&](const char* function, const NamedTensors& mine, const NamedTensors& others) {
    for (const auto& [key, other] : others) {
      const Tensor& own = mine[key];
      if (own.defined() != other.defined() || (own.defined() && own.is_same(other))) {
        fail<ModuleError>("clone: reset() of {} must make '{}' anew", name(), key);
      }
      if (!other.defined()) continue;
      if (!own.is_same(copying.shared_.tensors.try_emplace(&other.body(), own).first->second)) {
        fail<ModuleError>(
            "clone: reset() of {} must take '{}', which is shared, from what {} returns: {} = {}(\"{}\", ..)", name(),
            key, function, key, function, key);
      }
      own.requires_grad_(other.requires_grad());
      own.set_data(Tensor(other.array().clone()));
    }
  };
  copy_tensors("register_parameter", parameters_, original.parameters_);
  copy_tensors("register_buffer", buffers_, original.buffers_);
  auto& places = copying.shared_.modules;
  for (const auto& [key, other] : original.children_) {
    const std::shared_ptr<Module>& own = children_[key];
    const Module &mine = *own, &theirs = *other;
    if (own == other) fail<ModuleError>("clone: reset() of {} must make '{}' anew", name(), key);
    if (typeid(mine) != typeid(theirs)) {
      fail<ModuleError>("clone: reset() of {} must make '{}' a {}: it is a {}", name(), key, theirs.name(),
                        mine.name());
    }
    places.try_emplace(other.get(), Copying::Place{own, false});
  }
  for (const auto& [key, other] : original.children_) {
    copying.fill(*other, places.at(other.get()));
    const std::shared_ptr<Module> copy = places.at(other.get()).copy;
    if (children_[key] != copy) children_[key]->assign(*copy);
  }
  set_path("");
}

}  // namespace gradus::nn
