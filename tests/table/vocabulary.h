// What rows are written with.
#pragma once

#include <utility>

#include "../support/arrays.h"
#include "row.h"

namespace gradus::test {

inline Draw real(std::vector<std::int64_t> shape, double low = -2, double high = 2) {
  return {std::move(shape), low, high};
}
inline Draw positive(std::vector<std::int64_t> shape) { return real(std::move(shape), 0.3, 3); }
inline Draw between(std::vector<std::int64_t> shape) { return {std::move(shape), -4, 4, Draw::Kind::Between}; }
inline Draw dyadic(std::vector<std::int64_t> shape) { return {std::move(shape), -2, 2, Draw::Kind::Dyadic}; }
inline Draw index(std::vector<std::int64_t> shape, double n) { return {std::move(shape), 0, n, Draw::Kind::Index}; }
inline Draw mask(std::vector<std::int64_t> shape) { return {std::move(shape), 0, 2, Draw::Kind::Mask}; }

// An operation on one tensor, an operation on two.
inline Call one(Tensor (*f)(Operand)) {
  return [f](const Operands& x) { return f(x[0]); };
}
inline Call two(Tensor (*f)(Operand, Operand)) {
  return [f](const Operands& x) { return f(x[0], x[1]); };
}
template <class F>
Call on(F f) {  // anything else on the first operand
  return [f](const Operands& x) { return f(x[0]); };
}
template <class E, class F>
Row Row::wrong(std::string says, F f) && {
  WrongUse use;
  if constexpr (std::is_invocable_v<F, const Tensor&>)
    use.call = [f](const Operands& x) { f(x[0]); };
  else
    use.call = f;
  use.check = [](const std::function<void()>& run, const std::string& text) { check_error<E>(run, {text}); };
  use.says = std::move(says);
  wrong_uses.push_back(std::move(use));
  return std::move(*this);
}

}  // namespace gradus::test
