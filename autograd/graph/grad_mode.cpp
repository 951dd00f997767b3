#include "grad_mode.h"

#include "observer.h"

namespace gradus {

bool& GradMode::state() noexcept {
  thread_local bool enabled = true;
  return enabled;
}

bool& InferenceMode::state() noexcept {
  thread_local bool enabled = false;
  return enabled;
}

namespace autograd {

namespace {
thread_local const Scope* innermost = nullptr;

// Whether a scope is a module's call. Such a call opens two, one in the other, where its holder and its layer both do.
bool enters_module(const Scope& scope, const Scope* outer) {
  return !scope.module().empty() && (outer == nullptr || outer->module().data() != scope.module().data());
}

}  // namespace

Scope::Scope(Location at, std::string_view module) noexcept
    : outer_(innermost),
      location_(outer_ != nullptr && outer_->location_ ? outer_->location_ : at),
      module_(module.empty() && outer_ != nullptr ? outer_->module_ : module) {
  innermost = this;
  if (enters_module(*this, outer_) && Observer::active()) [[unlikely]]
    Observer::tell_entered(module_);
}

Scope::~Scope() {
  innermost = outer_;
  if (enters_module(*this, outer_) && Observer::active()) [[unlikely]]
    Observer::tell_left(module_);
}

const Scope* Scope::current() noexcept { return innermost; }

namespace {
thread_local bool use_references = false;
}

UseReferences::UseReferences() noexcept : before_(use_references) { use_references = true; }

UseReferences::~UseReferences() { use_references = before_; }

bool UseReferences::active() noexcept { return use_references; }

}  // namespace autograd
}  // namespace gradus
