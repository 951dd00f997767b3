// Cloneable: modules that can be copied deeply.
#pragma once

#include <memory>

#include "module.h"

namespace gradus::nn {

/// A base for modules with clone(): `struct NetImpl : nn::Cloneable<NetImpl>`. Derived registers everything anew in
/// `reset()`, which its constructor calls; its other members are copied as a copy constructor does.
template <class Derived>
class Cloneable : public Module {
 public:
  using Module::Module;

  /// Makes and registers all parameters, buffers and submodules, with fresh initial values.
  virtual void reset() = 0;

  /// ModuleError when reset() does not register what this module has. Draws from the default generator where reset()
  /// does.
  std::shared_ptr<Module> clone() const override {
    auto copy = std::make_shared<Derived>(static_cast<const Derived&>(*this));
    Cloneable& base = *copy;
    base.forget_registered();
    base.reset();
    base.copy_registered_from(*this);
    return copy;
  }

 protected:
  void assign(const Module& other) override { static_cast<Derived&>(*this) = dynamic_cast<const Derived&>(other); }
};

}  // namespace gradus::nn
