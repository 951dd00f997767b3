// Storage types where a function is made of several operations, each of which would round: for the library's own sources.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../graph/operation_support.h"

namespace gradus::autograd {

/// Whether one of the operands is of a storage type.
template <class... X>
bool stored(const X&... x) {
  const Operand all[] = {Operand(x)...};
  return detail::any_stored(all, sizeof...(X));
}

/// Operands in the dtypes that are computed in. Where `alike` names an operation, whose operands are to be of one dtype, it
/// is a DTypeError that they are not: they would come to the operation in one.
detail::Widened widened(const Operand* all, std::size_t count, std::string_view alike);

/// f of the operands in the dtypes that are computed in; its results, tensors, rounded once to the operands' dtype.
template <class F, class... X>
auto rounded_once(std::string_view alike, F f, const X&... x) {
  const Operand all[] = {Operand(x)...};
  const detail::Widened wide = widened(all, sizeof...(X), alike);
  auto y = [&]<std::size_t... I>(std::index_sequence<I...>) { return f(wide.inputs()[I]...); }
  (std::index_sequence_for<X...>{});
  if constexpr (std::is_same_v<decltype(y), Tensor>) {
    return wide.narrowed(std::move(y));
  } else {
    std::apply([&](auto&... each) { ((each = wide.narrowed(std::move(each))), ...); }, y);
    return y;
  }
}

template <class F, class... X>
requires(!std::is_convertible_v<F, std::string_view>) auto rounded_once(F f, const X&... x) {
  return rounded_once(std::string_view(), f, x...);
}

/// The same for a list.
inline bool stored(const OperandList& list) { return detail::any_stored(list.begin(), static_cast<int>(list.size())); }
template <class F>
Tensor rounded_once(std::string_view alike, F f, const OperandList& list) {
  const detail::Widened wide = widened(list.begin(), list.size(), alike);
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < list.size(); ++i) tensors.push_back(wide.inputs()[i].tensor());
  return wide.narrowed(f(tensors));
}

/// DTypeError where an operand of a product is of a storage type and the other one of another dtype: both would come to the
/// product in one.
void check_alike(const char* op, const Operand& a, const Operand& b);

}  // namespace gradus::autograd
