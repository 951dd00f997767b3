// Functions of functions: derivatives as functions again. They nest in any order, to any depth.
//
// A function is anything that can be called with Tensors, up to six of them or one std::vector<Tensor>, and returns a
// Tensor, a std::vector<Tensor>, or a std::tuple, std::pair or std::array of Tensors. Names, arguments and meanings are
// those of torch.func and JAX; hvp and vhp are those of torch.autograd.functional.
//
// What f gets are fresh aliases of the inputs: nobody's `.grad` is touched, and no graph is kept beyond what the
// results need. Results are differentiable with respect to whatever else f read and its inputs were made of, when
// recording is on where the transform is called; else they have no history. Inside, recording is on until f turns it
// off. An input that a result does not depend on has derivatives of zeros. f must not change its inputs in place:
// GradError. Inputs that are differentiated are floating-point, and so are f's outputs: DTypeError (of what else it
// returns see has_aux).
#pragma once

#include <initializer_list>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/own.h"
#include "call.h"

namespace gradus::func {

/// In place of nothing: f returns a std::pair of its result and something else, of any type, that is handed on. A
/// Tensor in it, or a std::vector of them, has no more history than results have.
struct HasAux {};
inline constexpr HasAux has_aux{};
struct NoAux {};

namespace detail {

/// One call of a function, recorded, whose derivative is asked for in both directions.
class GRADUS_API Linearized {
 public:
  /// Calls f with the inputs, those in `argnums` (counted from the end where negative) as fresh aliases. IndexError for
  /// one that there is not, or that is named twice.
  Linearized(const char* op, Function f, const Tensors& inputs, const std::vector<int>& argnums);
  ~Linearized();
  Linearized(const Linearized&) = delete;
  Linearized& operator=(const Linearized&) = delete;

  /// What f returned, as a result.
  const Tensors& values() const;
  Tensor as_result(const Tensor& y) const;
  Tensors as_result(const Tensors& y) const;
  template <class T>
  const T& as_result(const T& other) const {
    return other;
  }
  /// The gradients of the inputs in argnums, from those of the outputs: sum_k J_ki^T c_k. `again`: there may be another
  /// call.
  Tensors pull(const Tensors& cotangents, bool again) const;
  /// The tangents of the outputs, from those of the inputs in argnums: sum_i J_ki t_i.
  Tensors push(const Tensors& tangents, bool again) const;
  /// That of its one output, of one element; GradError when it is something else.
  Tensors pull_scalar() const;
  /// For each output, for each input, the Jacobian of shape [output..., input...].
  std::vector<Tensors> rows() const;
  std::vector<Tensors> columns() const;

 private:
  struct State;
  core::Own<State> state_;
};

GRADUS_API Tensors hvp(Function f, const Tensors& inputs, const Tensors& tangents);
GRADUS_API Tensors vhp(Function f, const Tensors& inputs, const Tensors& cotangents);

/// `argnums` as given: one number, whose derivative is a Tensor, or a list, whose derivatives are one.
inline std::vector<int> list_of(int argnum) { return {argnum}; }
inline const std::vector<int>& list_of(const std::vector<int>& argnums) { return argnums; }
inline Tensor chosen(int, Tensors all) { return std::move(all[0]); }
inline Tensors chosen(const std::vector<int>&, Tensors all) { return all; }
GRADUS_API std::vector<int> all_of(const Tensors& inputs);
template <class X>
using Like = std::conditional_t<is_one<X>, Tensor, Tensors>;
template <class X>
Like<X> like(Tensors all) {
  if constexpr (is_one<X>)
    return std::move(all[0]);
  else
    return all;
}
template <class Argnums>
using Derivative = decltype(chosen(std::declval<const Argnums&>(), Tensors()));

/// What `grad` and `value_and_grad` give.
template <class F, class Argnums, class Aux, bool WithValue>
class Grad {
 public:
  using IsTransformed = void;
  Grad(F f, Argnums argnums) : f_(std::move(f)), argnums_(std::move(argnums)) {}
  template <class... X>
  requires CallableWith<F, X...>
  auto operator()(const X&... inputs) const {
    constexpr const char* op = WithValue ? "value_and_grad" : "grad";
    if constexpr (std::is_same_v<Aux, HasAux>) {
      std::optional<typename ResultOf<const F>::second_type> aux;
      const auto kept = [&](const Tensors& x) {
        auto [y, rest] = call(op, f_, x);
        aux.emplace(std::move(rest));
        return listed(y);
      };
      const Linearized at(op, kept, arguments(inputs...), list_of(argnums_));
      auto gradient = chosen(argnums_, at.pull_scalar());
      auto rest = at.as_result(*aux);
      if constexpr (WithValue)
        return std::pair(std::pair(at.values()[0], std::move(rest)), std::move(gradient));
      else
        return std::pair(std::move(gradient), std::move(rest));
    } else {
      const auto listing = [&](const Tensors& x) { return listed(call(op, f_, x)); };
      const Linearized at(op, listing, arguments(inputs...), list_of(argnums_));
      auto gradient = chosen(argnums_, at.pull_scalar());
      if constexpr (WithValue)
        return std::pair(at.values()[0], std::move(gradient));
      else
        return gradient;
    }
  }

 private:
  F f_;
  Argnums argnums_;
};

/// What `jacrev` and `jacfwd` give.
template <class F, class Argnums, bool Forward>
class Jacobian {
 public:
  using IsTransformed = void;
  Jacobian(F f, Argnums argnums) : f_(std::move(f)), argnums_(std::move(argnums)) {}
  template <class... X>
  requires CallableWith<F, X...>
  auto operator()(const X&... inputs) const {
    constexpr const char* op = Forward ? "jacfwd" : "jacrev";
    const auto listing = [&](const Tensors& x) { return listed(call(op, f_, x)); };
    const Linearized at(op, listing, arguments(inputs...), list_of(argnums_));
    std::vector<Tensors> all = Forward ? at.columns() : at.rows();
    if constexpr (is_one<ResultOf<const F>>) {
      return chosen(argnums_, std::move(all[0]));
    } else {
      std::vector<Derivative<Argnums>> each;
      for (Tensors& one : all) each.push_back(chosen(argnums_, std::move(one)));
      return each;
    }
  }

 private:
  F f_;
  Argnums argnums_;
};

}  // namespace detail

/// What `vjp` gives beside the value: x -> J^T c. It holds what f recorded, and may be called any number of times.
template <class R, class X>
class Pullback {
 public:
  explicit Pullback(std::shared_ptr<const detail::Linearized> at) : at_(std::move(at)) {}
  /// Cotangents as f returns its outputs, of their shapes (ShapeError); undefined ones are zeros. Returns one for each
  /// input.
  detail::Like<X> operator()(const R& cotangents) const {
    return detail::like<X>(at_->pull(detail::listed(cotangents), true));
  }

 private:
  std::shared_ptr<const detail::Linearized> at_;
};

/// `grad(f)(x, ...)`: the gradient of f, which returns one element, with respect to the argument of that number: of
/// that argument's shape. With a list of numbers, a std::vector of gradients. With has_aux, a std::pair of that and
/// what f returned beside. GradError when f returns something else than a tensor of one element. As torch.func.grad.
template <class F>
auto grad(F f, int argnums = 0) {
  return detail::Grad<F, int, NoAux, false>(std::move(f), argnums);
}
template <class F>
auto grad(F f, std::vector<int> argnums) {
  return detail::Grad<F, std::vector<int>, NoAux, false>(std::move(f), std::move(argnums));
}
template <class F>
auto grad(F f, int argnums, HasAux) {
  return detail::Grad<F, int, HasAux, false>(std::move(f), argnums);
}
template <class F>
auto grad(F f, std::vector<int> argnums, HasAux) {
  return detail::Grad<F, std::vector<int>, HasAux, false>(std::move(f), std::move(argnums));
}

/// As `grad`, and returns a std::pair of the value and the gradient; with has_aux, of the pair (value, what f returned
/// beside) and the gradient. As jax.value_and_grad.
template <class F>
auto value_and_grad(F f, int argnums = 0) {
  return detail::Grad<F, int, NoAux, true>(std::move(f), argnums);
}
template <class F>
auto value_and_grad(F f, std::vector<int> argnums) {
  return detail::Grad<F, std::vector<int>, NoAux, true>(std::move(f), std::move(argnums));
}
template <class F>
auto value_and_grad(F f, int argnums, HasAux) {
  return detail::Grad<F, int, HasAux, true>(std::move(f), argnums);
}
template <class F>
auto value_and_grad(F f, std::vector<int> argnums, HasAux) {
  return detail::Grad<F, std::vector<int>, HasAux, true>(std::move(f), std::move(argnums));
}

/// f's value at `inputs`, a Tensor or a std::vector of them, and the pullback of cotangents there. As torch.func.vjp.
template <class F, class X>
requires(detail::is_one<X> || std::is_same_v<X, Tensors>) auto vjp(F&& f, const X& inputs) {
  using R = detail::ResultOf<F>;
  const auto listing = [&](const Tensors& x) { return detail::listed(detail::call("vjp", f, x)); };
  const Tensors list = detail::arguments(inputs);
  auto at = std::make_shared<const detail::Linearized>("vjp", listing, list, detail::all_of(list));
  return std::pair(detail::unlisted<R>(at->values()), Pullback<R, X>(at));
}
template <class F>
auto vjp(F&& f, std::initializer_list<Tensor> inputs) {
  return vjp(std::forward<F>(f), Tensors(inputs));
}
/// With what f returned beside as the third.
template <class F, class X>
requires(detail::is_one<X> || std::is_same_v<X, Tensors>) auto vjp(F&& f, const X& inputs, HasAux) {
  using R = typename detail::ResultOf<F>::first_type;
  std::optional<typename detail::ResultOf<F>::second_type> aux;
  const auto kept = [&](const Tensors& x) {
    auto [y, rest] = detail::call("vjp", f, x);
    aux.emplace(std::move(rest));
    return detail::listed(y);
  };
  const Tensors list = detail::arguments(inputs);
  auto at = std::make_shared<const detail::Linearized>("vjp", kept, list, detail::all_of(list));
  return std::tuple(detail::unlisted<R>(at->values()), Pullback<R, X>(at), at->as_result(*aux));
}

/// f's value at `inputs` and the derivative there along `tangents`, J t, by forward mode: each operation's tangent is
/// computed in the order in which the operations ran. The tangents have the inputs' shapes (ShapeError); undefined ones
/// are zeros. As torch.func.jvp.
template <class F, class X>
requires(detail::is_one<X> || std::is_same_v<X, Tensors>) auto jvp(F&& f, const X& inputs, const X& tangents) {
  using R = detail::ResultOf<F>;
  const auto listing = [&](const Tensors& x) { return detail::listed(detail::call("jvp", f, x)); };
  const Tensors list = detail::arguments(inputs);
  const detail::Linearized at("jvp", listing, list, detail::all_of(list));
  R tangent = detail::unlisted<R>(at.push(detail::arguments(tangents), false));
  return std::pair(detail::unlisted<R>(at.values()), std::move(tangent));
}
template <class F>
auto jvp(F&& f, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> tangents) {
  return jvp(std::forward<F>(f), Tensors(inputs), Tensors(tangents));
}

/// `jacrev(f)(x, ...)`: the Jacobian with respect to the argument of that number, of shape [output..., input...], a row
/// for each of f's elements by a backward pass. One for each output where f returns several (a std::vector of them),
/// one for each number where argnums is a list (a std::vector in that). As torch.func.jacrev.
template <class F>
auto jacrev(F f, int argnums = 0) {
  return detail::Jacobian<F, int, false>(std::move(f), argnums);
}
template <class F>
auto jacrev(F f, std::vector<int> argnums) {
  return detail::Jacobian<F, std::vector<int>, false>(std::move(f), std::move(argnums));
}
/// The same by forward mode, a column for each of the input's elements: the cheaper one where outputs have more
/// elements.
template <class F>
auto jacfwd(F f, int argnums = 0) {
  return detail::Jacobian<F, int, true>(std::move(f), argnums);
}
template <class F>
auto jacfwd(F f, std::vector<int> argnums) {
  return detail::Jacobian<F, std::vector<int>, true>(std::move(f), std::move(argnums));
}
/// As jacrev.
template <class F>
auto jacobian(F f, int argnums = 0) {
  return jacrev(std::move(f), argnums);
}
template <class F>
auto jacobian(F f, std::vector<int> argnums) {
  return jacrev(std::move(f), std::move(argnums));
}

/// `hessian(f)(x, ...)`: the second derivatives of f, which returns one element, of shape [input..., input...]. With a
/// list of numbers, in place j of place i, [input i..., input j...]. It is jacfwd(grad(f)): the jvp of grad along each
/// element. As torch.func.hessian.
template <class F>
auto hessian(F f, int argnums = 0) {
  return jacfwd(grad(std::move(f), argnums), argnums);
}
template <class F>
auto hessian(F f, std::vector<int> argnums) {
  auto gradient = grad(std::move(f), argnums);
  return jacfwd(std::move(gradient), std::move(argnums));
}

/// The value of f, which returns one element, and H v: the jvp of its gradient, without the Hessian. v has the inputs'
/// shapes. As torch.autograd.functional.hvp.
template <class F, class X>
requires(detail::is_one<X> || std::is_same_v<X, Tensors>) std::pair<Tensor, detail::Like<X>> hvp(F&& f, const X& inputs,
                                                                                                 const X& v) {
  const auto listing = [&](const Tensors& x) { return detail::listed(detail::call("hvp", f, x)); };
  Tensors all = detail::hvp(listing, detail::arguments(inputs), detail::arguments(v));
  Tensor value = std::move(all[0]);
  all.erase(all.begin());
  return {std::move(value), detail::like<X>(std::move(all))};
}
/// The same by two backward passes: v^T H.
template <class F, class X>
requires(detail::is_one<X> || std::is_same_v<X, Tensors>) std::pair<Tensor, detail::Like<X>> vhp(F&& f, const X& inputs,
                                                                                                 const X& v) {
  const auto listing = [&](const Tensors& x) { return detail::listed(detail::call("vhp", f, x)); };
  Tensors all = detail::vhp(listing, detail::arguments(inputs), detail::arguments(v));
  Tensor value = std::move(all[0]);
  all.erase(all.begin());
  return {std::move(value), detail::like<X>(std::move(all))};
}

}  // namespace gradus::func
