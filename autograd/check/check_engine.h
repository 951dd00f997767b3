// The engine of the checks: one function, differentiated three ways. check.h and layers/module/check.h stand on it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "check_report.h"
#include "gradcheck.h"
#include "named_term.h"

namespace gradus::autograd {

/// What a check tolerates and looks at. The errors are max|a - b| / max|b| over a tensor.
struct CheckOptions {
  double eps = 1e-6;          ///< step of the central differences
  double hand_graph = 1e-12;  ///< error allowed between hand-written and graph-derived gradients
  double hand_finite = 1e-7;  ///< error allowed against finite differences, in either order
  bool second_order = true;
  /// Inputs (by position) that are constants to the function: no gradient is expected, and none looked for.
  std::vector<int> constants;
  /// A larger tensor's finite differences are taken along four random directions instead of along every element.
  std::int64_t every_element = 1024;
  std::uint64_t seed = 0;  ///< of the upstream gradients
};

namespace detail {

struct CheckVariable {
  std::string name;
  core::Array value;  ///< undefined: an absent input
  bool constant = false;
};

/// A function of some tensors, and how it is computed by hand-written rules and by their references. Both must give the
/// same numbers each time that they are called with the same ones. Where no rule takes part, `graph` is left alone, and
/// may be empty: there are two ways only, formulas and finite differences.
struct CheckSubject {
  std::string title;
  std::vector<CheckVariable> variables;
  TensorFunction hand, graph;
  /// Of the gradients for an upstream gradient of the first output; may be empty.
  std::function<std::vector<NamedTerm>(const std::vector<core::Array>& x, const core::Array& dy)> terms;
  /// Whether it is one operation, whose conduct is checked, too; and what that says of itself.
  bool operation = false, by_geometry = false, no_second_order = false;
};

/// Compares first-order gradients for each layout of the upstream gradient, and for each output alone, then second-order
/// ones, of every variable that is floating and no constant, in float64; and holds other layouts of each variable
/// against the one given. Works on copies. Draws nothing from the default generator that stays drawn.
GRADUS_API CheckReport compare_gradients(const CheckSubject& subject, const CheckOptions& options);

/// The arguments of a check: its tensors, and options among them.
struct CheckArguments {
  std::vector<Tensor> inputs;
  CheckOptions options;
  GRADUS_API void add(const Tensor& x);
  GRADUS_API void add(const CheckOptions& given);
};
template <class... A>
CheckArguments check_arguments(const A&... a) {
  CheckArguments all;
  (all.add(a), ...);
  return all;
}
/// How many of the arguments are tensors.
template <class... A>
inline constexpr std::size_t tensors_among = (std::size_t{0} + ... + (std::is_convertible_v<const A&, Tensor> ? 1 : 0));

inline std::vector<Tensor> as_list(const Tensor& y) { return {y}; }
inline std::vector<Tensor> as_list(std::vector<Tensor> y) { return y; }
template <class... T>
std::vector<Tensor> as_list(const std::tuple<T...>& y) {
  return std::apply([](const auto&... each) { return std::vector<Tensor>{each...}; }, y);
}

}  // namespace detail
}  // namespace gradus::autograd
