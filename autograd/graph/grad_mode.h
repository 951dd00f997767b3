// Whether operations are recorded, and under whose line and module: state of the calling thread.
#pragma once

#include <string_view>

#include "../../core/base/export.h"
#include "../../core/base/location.h"

namespace gradus {

class GradMode {
 public:
  static bool is_enabled() noexcept { return state(); }
  static void set_enabled(bool enabled) noexcept { state() = enabled; }

 private:
  GRADUS_API static bool& state() noexcept;
};

/// Sets whether operations are recorded, for as long as it lives.
class AutoGradMode {
 public:
  explicit AutoGradMode(bool enabled) noexcept : before_(GradMode::is_enabled()) { GradMode::set_enabled(enabled); }
  ~AutoGradMode() { GradMode::set_enabled(before_); }
  AutoGradMode(const AutoGradMode&) = delete;
  AutoGradMode& operator=(const AutoGradMode&) = delete;

 private:
  bool before_;
};

/// Nothing is recorded while it lives; leaves may be changed in place.
class NoGradGuard : public AutoGradMode {
 public:
  NoGradGuard() noexcept : AutoGradMode(false) {}
};

inline bool is_grad_enabled() noexcept { return GradMode::is_enabled(); }

/// As NoGradGuard; with false, recording is on while it lives. Tensors made under it are like any other: they may be used
/// where a gradient is asked for, which PyTorch refuses.
class InferenceMode : public AutoGradMode {
 public:
  explicit InferenceMode(bool enabled = true) noexcept : AutoGradMode(!enabled), before_(state()) { state() = enabled; }
  ~InferenceMode() { state() = before_; }
  InferenceMode(const InferenceMode&) = delete;
  InferenceMode& operator=(const InferenceMode&) = delete;
  static bool is_enabled() noexcept { return state(); }

 private:
  GRADUS_API static bool& state() noexcept;
  bool before_;
};

namespace autograd {

/// Opened by public functions that are made of others, and by modules: what is recorded inside carries the line of the
/// outermost, and the path of the innermost module.
class GRADUS_API Scope {
 public:
  /// `module` must live forever (see nn::Module, which interns its path); "" leaves the path as it is. An unknown place
  /// leaves the line to what is called inside: so a container says whose operations they are, and no more.
  explicit Scope(Location at, std::string_view module = {}) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// The innermost open scope's, or null.
  static const Scope* current() noexcept;
  Location location() const noexcept { return location_; }
  std::string_view module() const noexcept { return module_; }

 private:
  const Scope* outer_;
  Location location_;
  std::string_view module_;
};

/// While it lives, what the calling thread computes by a rule is computed and recorded by the rule's reference: any
/// function of tensors, a whole network included, can so be differentiated by the graph alone. A check needs it.
class GRADUS_API UseReferences {
 public:
  UseReferences() noexcept;
  ~UseReferences();
  UseReferences(const UseReferences&) = delete;
  UseReferences& operator=(const UseReferences&) = delete;
  static bool active() noexcept;

 private:
  bool before_;
};

}  // namespace autograd
}  // namespace gradus
