// Cloneable: modules that can be copied deeply.
#pragma once

#include <cstddef>
#include <type_traits>
#include <typeinfo>

#include "module.h"

namespace gradus::nn {

/// A base for modules with clone(): `struct NetImpl : nn::Cloneable<NetImpl>`. Derived registers everything anew in
/// `reset()`, which its constructor calls; its other members are copied as a copy constructor does. A clone draws from
/// the default generator where reset() does.
template <class Derived>
class Cloneable : public Module {
 public:
  using Module::Module;

  /// Makes and registers all parameters, buffers and submodules, with fresh initial values.
  virtual void reset() = 0;

 protected:
  // Little is left to the template: it is instantiated for every layer in every file that includes one.
  Module* copy() const override { return new Derived(static_cast<const Derived&>(*this)); }
  void register_anew() override { reset(); }
  void assign(const Module& other) override {
    if constexpr (std::is_copy_assignable_v<Derived>) {
      static_cast<Derived&>(*this) = static_cast<const Derived&>(other);
    } else {
      Module::assign(other);
    }
  }
  // Of one that derives from Derived the size is not known.
  std::size_t object_size() const noexcept override { return typeid(*this) == typeid(Derived) ? sizeof(Derived) : 0; }
};

}  // namespace gradus::nn
