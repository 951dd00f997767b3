#include "lambda.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/operation_support.h"
#include "../tensor/create.h"
#include "formula.h"
#include "function.h"

namespace gradus::autograd::detail {

namespace {

using Function = std::shared_ptr<const FusedFunction>;
constexpr std::size_t kRemembered = 16;
// So many calls by the operations take about as long as writing the lambda down and running it.
constexpr int kComposedFirst = 16;

/// A lambda with its numbers put in: a function of its tensors.
class LambdaFunction final : public FusedFunction {
 public:
  LambdaFunction(const LambdaSlot& slot, const LambdaArgument* x, int tensors)
      : FusedFunction(slot.name, tensors, 1), body_(slot.body) {
    for (int i = 0; i < slot.inputs; ++i) {
      is_number_.push_back(x[i].tensor() == nullptr);
      numbers_.push_back(x[i].number());
    }
  }

  std::vector<Tensor> compose(const std::vector<Tensor>& inputs) const override {
    std::vector<TracedValue> x;
    for (std::size_t i = 0, next = 0; i < numbers_.size(); ++i) {
      x.push_back(is_number_[i] ? TracedValue(numbers_[i]) : TracedValue(inputs[next++]));
    }
    const TracedValue y = body_(x.data());
    if (!y.is_number()) return {y.tensor()};
    return {gradus::full_like(inputs[0], y.number())};
  }

  AttributeList attributes() const override {
    AttributeList list;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (is_number_[i]) {
        list.push_back({input_names(static_cast<int>(numbers_.size()))[i], text_of(numbers_[i])});
      }
    }
    return list;
  }

  bool has(const LambdaArgument* x) const {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (is_number_[i] != (x[i].tensor() == nullptr)) return false;
      if (is_number_[i] && !alike(numbers_[i], x[i].number())) return false;
    }
    return true;
  }

 private:
  // In bits: 0 is not -0, and NaN is NaN.
  static bool alike(const Scalar& a, const Scalar& b) {
    const double x = a.toDouble(), y = b.toDouble();
    return a.category() == b.category() && a.toLong() == b.toLong() && std::memcmp(&x, &y, sizeof x) == 0;
  }

  TracedValue (*const body_)(const TracedValue*);
  std::vector<bool> is_number_;
  std::vector<Scalar> numbers_;
};

}  // namespace

class Lambda {
 public:
  explicit Lambda(const LambdaSlot& slot)
      : taken_(register_operation({slot.name, slot.inputs, 1, {}, false, Elements::kEach}, *slot.type)) {}

  struct Known {
    std::shared_ptr<const LambdaFunction> function;
    int composed_first;  // so many calls more by its operations
  };
  Known function(const LambdaSlot& slot, const LambdaArgument* x, int tensors) {
    if (taken_ != nullptr) fail_taken(*taken_);
    const SpinLock lock(busy_);
    const auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& f) { return f.function->has(x); });
    if (found != known_.end()) {
      std::rotate(known_.begin(), found, found + 1);
    } else {
      // A number that is another one in each call would have the lambda written down in each call.
      const bool seldom = tensors < slot.inputs && made_++ >= kRemembered;
      if (known_.size() == kRemembered) known_.pop_back();
      known_.insert(known_.begin(), {std::make_shared<LambdaFunction>(slot, x, tensors), seldom ? kComposedFirst : 0});
    }
    Known& now = known_.front();
    const Known result = now;
    if (now.composed_first > 0) --now.composed_first;
    return result;
  }

 private:
  const std::string* const taken_;
  std::atomic_flag busy_;
  std::vector<Known> known_;  // the last used first
  std::size_t made_ = 0;      // with numbers
};

namespace {

Lambda& lambda_of(LambdaSlot& slot) {
  if (Lambda* const known = slot.lambda.load(std::memory_order_acquire); known != nullptr) return *known;
  auto made = std::make_unique<Lambda>(slot);
  Lambda* known = nullptr;
  return slot.lambda.compare_exchange_strong(known, made.get()) ? *made.release() : *known;
}

}  // namespace

namespace {

/// The operands among the arguments, and the function that they are put into.
struct Call {
  Call(LambdaSlot& slot, const LambdaArgument* x) {
    for (int i = 0; i < slot.inputs; ++i) {
      if (x[i].tensor() == nullptr) continue;
      core::expect_defined(slot.name, "the operand", *x[i].tensor());
      operands[tensors++] = Operand(*x[i].tensor(), x[i].at());
    }
    if (tensors == 0) core::fail<ValueError>("{}: one argument must be a tensor, and all are numbers", slot.name);
    Lambda::Known known = lambda_of(slot).function(slot, x, tensors);
    function = std::move(known.function);
    composed = known.composed_first > 0;
  }
  const Tensor none;
  Operand operands[kMaxLambdaInputs] = {none, none, none, none, none, none, none, none};
  int tensors = 0;
  Function function;
  bool composed = false;
};

}  // namespace

void fail_other_name(const char* name, const LambdaSlot& slot) {
  core::fail<ValueError>(
      "{}: a lambda must be one operation: this one is {} already; write a lambda in each call of pointwise", name,
      slot.name);
}

Tensor call_lambda(LambdaSlot& slot, const LambdaArgument* x) {
  const Call call(slot, x);
  Tensor y;
  if (call.composed) {
    run_composed(*call.function, call.operands, &y);
  } else {
    run_fused(call.function, call.operands, &y);
  }
  return y;
}

Tensor compose_lambda(LambdaSlot& slot, const LambdaArgument* x) {
  const Call call(slot, x);
  Tensor y;
  run_composed(*call.function, call.operands, &y);
  return y;
}

namespace {

// The function of tensors alone.
Function general(LambdaSlot& slot) {
  const Tensor stand_in;
  const std::vector<LambdaArgument> x(static_cast<std::size_t>(slot.inputs), LambdaArgument(stand_in));
  return lambda_of(slot).function(slot, x.data(), slot.inputs).function;
}
const core::kernels::Program& program_of(const FusedFunction& function) {
  const auto* const program = function.program(kFloat64);
  if (program == nullptr)
    core::fail<ValueError>("{}: {}: it has no formula", function.name(), function.refusal(kFloat64));
  return *program;
}

}  // namespace

std::string formula_of(LambdaSlot& slot, bool latex) {
  const std::vector<std::string> names = input_names(slot.inputs, latex);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  const std::string result =
      latex ? fmt::format("{}\\left({}\\right)", latex_name(slot.name), list) : fmt::format("{}({})", slot.name, list);
  return formula_of(program_of(*general(slot)), names, {result}, latex);
}

std::string derivative_of(LambdaSlot& slot, int input, bool latex) {
  if (input < 0 || input >= slot.inputs) {
    core::fail<IndexError>("{}: the input must be one of {}: {}", slot.name, slot.inputs, input);
  }
  std::vector<std::string> names = input_names(slot.inputs, latex);
  const std::string of = names[static_cast<std::size_t>(input)];
  const auto gradient = [&](const std::string& name) { return latex ? fmt::format("\\bar{{{}}}", name) : "d" + name; };
  names.insert(names.begin(), gradient(slot.inputs == 2 || slot.inputs == 3 ? "f" : "y"));
  const Function derivative = general(slot)->derivative(1, 1u << input);
  return formula_of(program_of(*derivative), names, {gradient(of)}, latex);
}

}  // namespace gradus::autograd::detail
