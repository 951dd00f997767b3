// What a checkpoint's function reads beside its inputs, to know whether it is still the same when it runs again.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "../../core/array/array.h"
#include "../graph/node.h"
#include "../tensor/operand.h"

namespace gradus::func::detail {

/// The operands of recorded operations that are neither inputs of the function nor results of an operation that it
/// recorded before. An operand is known again by its place in the sequence of all.
class Captured {
 public:
  /// One such operand. What somebody else holds, too, is kept: it must be the same memory, not written to since, or
  /// hold the same numbers. What the function made without recording (noise, a mask) must not be kept for backward:
  /// of that its numbers are known by a checksum.
  struct Use {
    std::size_t place;
    core::Array value;  ///< undefined when `made_inside`
    std::uint64_t writes;
    core::Shape shape;
    DType dtype;
    std::string operation;
    bool parameter;
    std::uint64_t checksum = 0;
    bool made_inside = false, known = true;
  };

  /// Notes them, while the function runs first.
  class First {
   public:
    First(Captured& all, const std::vector<Tensor>& inputs);
    ~First();
    First(const First&) = delete;
    First& operator=(const First&) = delete;
    void recorded(autograd::Node& node, const Operand* inputs, int count);

   private:
    void let_go(bool at_end);

    Captured& all_;
    std::size_t next_ = 0;
    std::vector<Use> pending_;
    std::unordered_set<const core::Storage*> of_inputs_;
    std::unordered_set<const autograd::Node*> nodes_;
  };

  /// Compares, while it runs again. `exact`: whether its inputs are to the bit what they were.
  class Again {
   public:
    Again(const Captured& all, bool exact) : all_(all), exact_(exact) {}
    void recorded(autograd::Node& node, const Operand* inputs, int count);
    /// GradError when something was not the same.
    void check() const;

   private:
    const Captured& all_;
    const bool exact_;
    std::size_t next_ = 0, seen_ = 0;
    bool other_operations_ = false;
    std::string other_;  ///< the first that was not
  };

 private:
  std::vector<Use> uses_;
};

}  // namespace gradus::func::detail
