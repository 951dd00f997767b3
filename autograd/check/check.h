// Checking hand-written gradients.
//
//   std::cout << autograd::check<LinearRule>(x, weight, bias);
//   std::cout << autograd::check<DropoutRule>({0.3, position}, x);
//
// differentiates a rule three ways, in float64: by its hand-written backward; by the graph of its composed reference;
// and by central differences of its forward. Where two agree against the third, the report says who is the odd one out,
// and why, when a relation fits: a mean for a sum, a sign, a transposed matrix, a missing factor or a missing term.
//
// An operation of formulas has no reference: check<Mul>(a, b) holds its formulas against finite differences.
//
// Each input is checked for three upstream gradients: one that is contiguous, the same transposed (strided, of one
// dimension), and one expanded along dimension 1 (0, of one dimension; for BatchNorm these are the channels: expanded
// along batch and positions together, its gradients would vanish); of several outputs each is also the only one that gets
// a gradient, the others' being absent. Each input itself is laid out in these three ways, too: the same numbers must
// come out. A further row, create_graph, is the gradient that the rule gives where it is recorded: its formulas' or its
// reference's, on what the rule has kept of its inputs. The second order compares the gradient of v . gradient(x, dy), for a
// random v, under create_graph, from the reference alone, and by central differences of the hand-written gradient; with
// respect to the inputs and to dy. Inputs whose first order is wrong are left out of it: it would only say so again. At second
// order hand and graph both go through the reference, unless the rule has formulas: where they stand together against finite
// differences, it is the graph that is called the odd one out.
//
// A gradient that is zero below rounding by every method proves nothing, and its row says so.
//
// Rows of order - are about conduct: state kept between forward and backward, the number of threads, inputs without
// elements, memory and nodes that stay behind, changes in place of what a view shows. What was not tried, and why, stands
// below the table.
//
// nn::check (layers/module/check.h) does the same for modules, with every parameter.
#pragma once

#include "check_engine.h"
#include "../graph/operation.h"

namespace gradus::autograd {

namespace detail {

GRADUS_API CheckSubject rule_subject(bool rule, std::string_view name, const AttributeList& attributes,
                                     const std::vector<Tensor>& inputs, const CheckOptions& options);

// What may be given as an object: a module may not.
template <class Rule>
concept Checkable = IsRule<Rule> || requires {
  Rule::gradients;
};

template <class Rule>
CheckReport check_rule(const typename AttrsOf<Rule>::type& attrs, const CheckArguments& given) {
  using Indices = InputIndices<Rule>;
  CheckSubject subject = rule_subject(IsRule<Rule>, Rule::name, list_attributes(attrs), given.inputs, given.options);
  subject.operation = true;
  subject.by_geometry = Traits<Rule>::by_geometry;
  subject.no_second_order = Traits<Rule>::no_second_order;
  if constexpr (requires { Rule::input_names; }) {
    for (std::size_t i = 0; i < subject.variables.size(); ++i) subject.variables[i].name = Rule::input_names[i];
  }
  subject.hand = [&attrs](const std::vector<Tensor>& x) {
    static_cast<void>(attrs);  // not every rule has any
    std::vector<Tensor> y = [&]<std::size_t... I>(std::index_sequence<I...>) {
      const std::vector<Tensor> rest(x.begin() + sizeof...(I), x.end());
      if constexpr (Traits<Rule>::variadic && HasAttrs<Rule>)
        return as_list(apply<Rule>(attrs, x[I]..., rest));
      else if constexpr (Traits<Rule>::variadic)
        return as_list(apply<Rule>(x[I]..., rest));
      else if constexpr (HasAttrs<Rule>)
        return as_list(apply<Rule>(attrs, x[I]...));
      else
        return as_list(apply<Rule>(x[I]...));
    }
    (Indices{});
    if constexpr (!Traits<Rule>::gives_list) {
      for (int k = Traits<Rule>::outputs; k-- > 0;) {
        if (((Traits<Rule>::mask >> k) & 1u) == 0) y.erase(y.begin() + k);
      }
    }
    return y;
  };
  if constexpr (IsRule<Rule>) {
    subject.graph = [&attrs](const std::vector<Tensor>& x) { return run_reference<Rule>(attrs, x.data()); };
  }
  if constexpr (requires { &Rule::terms; }) {
    subject.terms = [&attrs](const std::vector<core::Array>& x, const core::Array& dy) {
      static_cast<void>(attrs);
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        if constexpr (HasAttrs<Rule>)
          return Rule::terms(attrs, dy, x[I]...);
        else
          return Rule::terms(dy, x[I]...);
      }
      (Indices{});
    };
  }
  return compare_gradients(subject, given.options);
}

template <class Rule, class... A>
CheckReport checked(const typename AttrsOf<Rule>::type& attrs, const A&... arguments) {
  if constexpr (is_right<Rule>) {
    static_assert(Traits<Rule>::variadic || tensors_among<A...> == static_cast<std::size_t>(Traits<Rule>::inputs),
                  "check takes as many tensors as the operation has inputs; Tensor() for an absent one");
    return check_rule<Rule>(attrs, check_arguments(arguments...));
  } else {
    static_assert(sizeof(Checked<Rule>) != 0);
    return {};
  }
}

}  // namespace detail

/// Checks a rule, or an operation of formulas: `arguments` are its inputs, and CheckOptions if any. The inputs' dtypes may
/// be any; floating ones are converted to float64. GradError when it has no output that a gradient flows from, is not
/// deterministic, or writes to its arguments. A rule may name its inputs, `static constexpr std::string_view
/// input_names[]`, and its gradients' terms (NamedTerm).
template <class Rule, class... A>
requires(detail::HasAttrs<Rule>) CheckReport check(const typename Rule::Attrs& attrs, const A&... arguments) {
  return detail::checked<Rule>(attrs, arguments...);
}
template <class Rule, class... A>
requires(!detail::HasAttrs<Rule>) CheckReport check(const A&... arguments) {
  return detail::checked<Rule>({}, arguments...);
}
/// The same with the rule as an object: `check(LinearRule(), x, weight, bias)`, `check(DropoutRule(), attrs, x)`.
template <class Rule, class... A>
requires(detail::Checkable<Rule>) CheckReport check(const Rule&, const A&... arguments) {
  return check<Rule>(arguments...);
}

/// Checks any function of tensors: as it is, against itself with the references in place of the rules that it calls. Where
/// it calls none, its formulas are held against finite differences.
GRADUS_API CheckReport check_function(const std::string& title, const TensorFunction& f,
                                      const std::vector<Tensor>& inputs, const CheckOptions& options = {});

}  // namespace gradus::autograd
