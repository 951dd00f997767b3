#include "grad_mode.h"

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
}

Scope::Scope(Location at, std::string_view module) noexcept
    : outer_(innermost),
      location_(outer_ != nullptr && outer_->location_ ? outer_->location_ : at),
      module_(module.empty() && outer_ != nullptr ? outer_->module_ : module) {
  innermost = this;
}

Scope::~Scope() { innermost = outer_; }

const Scope* Scope::current() noexcept { return innermost; }

namespace {
thread_local bool use_references = false;
}

UseReferences::UseReferences() noexcept : before_(use_references) { use_references = true; }

UseReferences::~UseReferences() { use_references = before_; }

bool UseReferences::active() noexcept { return use_references; }

}  // namespace autograd
}  // namespace gradus
