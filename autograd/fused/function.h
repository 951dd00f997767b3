// A pointwise function of tensors and its derivatives, each run as one program: what stands behind a lambda (lambda.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/tensor.h"

namespace gradus::core::kernels {
class Program;
}

namespace gradus::autograd::detail {

class DerivativeFunction;

/// A function of tensors that broadcast, to tensors of their common shape. Its program is recorded once for each dtype, by
/// composing it of operations, and held against those in bits. Where there is none, it is composed each time.
class FusedFunction : public std::enable_shared_from_this<FusedFunction> {
 public:
  FusedFunction(std::string_view name, int inputs, int outputs);
  virtual ~FusedFunction();
  FusedFunction(const FusedFunction&) = delete;
  FusedFunction& operator=(const FusedFunction&) = delete;

  /// There for ever: records and messages keep it when the function is gone.
  std::string_view name() const noexcept { return name_; }
  int inputs() const noexcept { return inputs_; }
  int outputs() const noexcept { return outputs_; }
  /// How many derivatives of a lambda this is.
  virtual int order() const noexcept { return 0; }
  /// The numbers that were put in.
  virtual AttributeList attributes() const { return {}; }
  /// By the operations that it is made of, recorded where gradients are. Undefined: an output that is 0 everywhere.
  virtual std::vector<Tensor> compose(const std::vector<Tensor>& inputs) const = 0;

  /// As many inputs, and outputs, as a mask has bits. Where there are more, as derivatives of high order have, there is no
  /// program.
  static constexpr int kMostInputs = 32;
  /// Null where it has none for the dtype.
  const core::kernels::Program* program(DType dtype) const;
  /// Why there is no program.
  std::string refusal(DType dtype) const;
  /// The gradients of the inputs in a mask, as a function of those of the outputs in a mask, and of all inputs: of a
  /// function of kMostInputs at most.
  std::shared_ptr<const FusedFunction> derivative(std::uint32_t outputs, std::uint32_t inputs) const;

 private:
  struct Traced;
  Traced& traced(DType dtype) const;
  struct Derivative {
    std::uint32_t outputs, inputs;
    std::unique_ptr<const FusedFunction> function;
  };
  /// A share of the lambda's function, which owns its derivatives, of any order.
  virtual std::shared_ptr<const FusedFunction> owner() const { return shared_from_this(); }
  friend class DerivativeFunction;

  const std::string_view name_;
  const int inputs_, outputs_;
  mutable std::mutex tracing_, deriving_;
  mutable std::atomic<Traced*> traced_[2]{};
  mutable std::vector<Derivative> derivatives_;
};

/// Runs a function on as many operands as it has inputs, as one recorded operation; `y` has room for its outputs.
void run_fused(const std::shared_ptr<const FusedFunction>& function, const Operand* x, Tensor* y);
/// By the operations that it is made of, one by one: the same results.
void run_composed(const FusedFunction& function, const Operand* x, Tensor* y);

}  // namespace gradus::autograd::detail
