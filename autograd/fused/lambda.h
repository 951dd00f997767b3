// Pointwise operations from a lambda.
//
//   inline constexpr auto softsign = pointwise("softsign", [](auto x) { return x / (1 + abs(x)); });
//   Tensor y = softsign(x);
//
// The lambda is written down once, when it is first called, and then runs as one operation: forward in one pass over memory,
// and the gradients of all its inputs in another, in which what lies between is computed again; inputs alone are kept. Values
// are in bits what the operations give one after the other, and so are gradients, whose formulas are theirs, but for inputs
// that broadcast: their gradients are summed at the end. Under create_graph the gradient is recorded as one operation again.
//
// Gradients whose formulas look at numbers first (pow of two tensors, atan2) are composed of operations.
//
// Inputs of float32 or float64, all of one dtype, run so; of any others, or where an operation is no pointwise loop, the
// operations run one by one, and the values are the same. So they do where a lambda or a derivative has thousands of them, and
// for derivatives of more than 32 inputs. A derivative reads the gradients that come in beside what its function reads, up to
// as many tensors as the two orders before it together: of one input there are 21 at order 6, of three 29 at order 5, of
// eight 26 at order 3.
//
// Within a lambda functions have no namespace: `abs(x)`, not `gradus::abs(x)`, which is of tensors alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "traced_value.h"

namespace gradus {
namespace autograd::detail {

/// A tensor or a number, with the place of the call.
class LambdaArgument {
 public:
  LambdaArgument(const Tensor& tensor, Location at = Location::here()) : tensor_(&tensor), at_(at) {}  // NOLINT
  template <class T>
  requires std::is_arithmetic_v<T> LambdaArgument(T number, Location at = Location::here())  // NOLINT
      : number_(number), at_(at) {}
  LambdaArgument(const Scalar& number, Location at = Location::here()) : number_(number), at_(at) {}  // NOLINT

  const Tensor* tensor() const noexcept { return tensor_; }
  const Scalar& number() const noexcept { return number_; }
  Location at() const noexcept { return at_; }

 private:
  const Tensor* tensor_ = nullptr;
  Scalar number_;
  Location at_;
};

/// What is known of one lambda: made when it is first called, and there for ever.
class Lambda;
/// One for each type of lambda.
struct LambdaSlot {
  const char* name;
  const std::type_info* type;
  int inputs;
  TracedValue (*body)(const TracedValue* x);
  std::atomic<Lambda*> lambda{nullptr};
};
[[noreturn, gnu::cold]] GRADUS_API void fail_other_name(const char* name, const LambdaSlot& slot);
GRADUS_API Tensor call_lambda(LambdaSlot& slot, const LambdaArgument* x);
/// By the operations, one by one.
GRADUS_API Tensor compose_lambda(LambdaSlot& slot, const LambdaArgument* x);
GRADUS_API std::string formula_of(LambdaSlot& slot, bool latex);
GRADUS_API std::string derivative_of(LambdaSlot& slot, int input, bool latex);

template <std::size_t>
using ArgumentAt = LambdaArgument;
template <std::size_t>
using ValueAt = TracedValue;

inline constexpr std::size_t kMaxLambdaInputs = 8;
/// How many parameters a generic lambda has.
template <class F, std::size_t N = 1>
consteval std::size_t parameters_of() {
  constexpr bool takes = []<std::size_t... I>(std::index_sequence<I...>) {
    return requires(const F& f, const ValueAt<I>&... x) { f(x...); };
  }
  (std::make_index_sequence<N>{});
  constexpr bool refused = !takes && N == kMaxLambdaInputs;
  constexpr bool has_types = requires { &F::operator(); }
  &&!requires(const F& f) { f(); };
  static_assert(!refused || !has_types,
                "a pointwise lambda takes each parameter as `auto`: [](auto x, auto y) { ... }");
  static_assert(
      !refused || has_types,
      "a pointwise lambda has one to eight parameters, [](auto x, auto y) { ... }, and calls functions by their "
      "names alone: exp(x), not std::exp(x)");
  if constexpr (takes || N == kMaxLambdaInputs) {
    return N;
  } else {
    return parameters_of<F, N + 1>();
  }
}

}  // namespace autograd::detail

/// What pointwise() makes: called with tensors and numbers, as many as the lambda has parameters. ShapeError where tensors do not
/// broadcast. A number is a part of the formula: with another one it is written down again, which takes the time of some ten
/// thousand elements. The last 16 are remembered; after as many, a new one is written down when it has been used 16 times,
/// and until then the operations run one by one. Pass a 0-dim tensor of the others' dtype for a number that changes.
template <class F, class = std::make_index_sequence<autograd::detail::parameters_of<F>()>>
class Pointwise;
template <class F, std::size_t... I>
class Pointwise<F, std::index_sequence<I...>> {
  static_assert(std::is_empty_v<F>, "a pointwise lambda captures nothing: give it numbers as arguments");

 public:
  constexpr explicit Pointwise(const char* name) : name_(name) {}

  Tensor operator()(autograd::detail::ArgumentAt<I>... x) const {
    const autograd::detail::LambdaArgument arguments[] = {x...};
    return autograd::detail::call_lambda(slot(), arguments);
  }
  /// By the operations that it is made of, one by one: what operator() is held against.
  Tensor composed(autograd::detail::ArgumentAt<I>... x) const {
    const autograd::detail::LambdaArgument arguments[] = {x...};
    return autograd::detail::compose_lambda(slot(), arguments);
  }
  /// Within another lambda: a part of it.
  TracedValue operator()(autograd::detail::ValueAt<I>... x) const { return TracedValue(F()(x...)); }

  const char* name() const { return name_; }
  /// "softsign(x) = x / (1 + abs(x))", and the same in LaTeX.
  std::string formula() const { return autograd::detail::formula_of(slot(), false); }
  std::string latex() const { return autograd::detail::formula_of(slot(), true); }
  /// The gradient of an input, dy being that of the result: "dx = ...".
  std::string derivative(int input = 0) const { return autograd::detail::derivative_of(slot(), input, false); }
  std::string latex_derivative(int input = 0) const { return autograd::detail::derivative_of(slot(), input, true); }

  // For autograd::check (check/check_lambda.h).
  autograd::detail::LambdaSlot& slot() const {
    static autograd::detail::LambdaSlot slot{name_, &typeid(F), sizeof...(I), body};
    if (slot.name != name_ && std::string_view(slot.name) != name_) autograd::detail::fail_other_name(name_, slot);
    return slot;
  }

 private:
  static TracedValue body(const TracedValue* x) { return TracedValue(F()(x[I]...)); }
  const char* name_;
};

/// An operation of the name from a lambda of one to eight parameters, which captures nothing. A lambda has one name: with
/// another one it is a ValueError when called.
template <class F>
constexpr Pointwise<F> pointwise(const char* name, F) {
  return Pointwise<F>(name);
}

}  // namespace gradus
