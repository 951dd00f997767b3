// What is copied in one call of clone(), for modules that say themselves how they are copied.
#pragma once

#include <memory>
#include <unordered_map>

#include "module.h"

namespace gradus::nn {

/// Made where a clone() begins: joins the one that called it to copy a part, else begins anew.
class Module::Copying {
 public:
  explicit Copying(const Module& original);
  ~Copying();
  Copying(const Copying&) = delete;
  Copying& operator=(const Copying&) = delete;

  /// The copy of a module, made when it is asked for first.
  std::shared_ptr<Module> copy_of(const std::shared_ptr<Module>& original);
  /// Gives a copy by value copies of the parameters and buffers, and the hooks, but no submodules.
  void copy_parameters(const Module& original, Module& copy);

 private:
  friend class Module;
  struct Place {
    std::shared_ptr<Module> copy;
    bool filled;  // false: made by reset(), with none of the original's values yet
  };
  struct Shared {
    std::unordered_map<const Module*, Place> modules;
    std::unordered_map<const void*, Tensor> tensors;  // by the original's body
    const Module* called = nullptr;                   // whose clone() is about to be called
    // The copy whose reset() runs, and its original.
    const Module* made = nullptr;
    const Module* of = nullptr;
  };

  std::shared_ptr<Module> call_clone(const Module& original);
  void fill(const Module& original, Place& place);

  static thread_local Shared* current_;
  Shared own_;
  Shared* const before_;
  Shared& shared_;
};

}  // namespace gradus::nn
