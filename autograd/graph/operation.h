// The operation mechanism: how a struct with a forward and its gradient formulas becomes a function that records.
//
//   struct Mul {                                              // y = a b
//     static constexpr std::string_view name = "mul";
//     static constexpr bool broadcasts = true;
//     static core::Array forward(const core::Array& a, const core::Array& b) { return a * b; }
//     static constexpr auto gradients = formulas(
//         [](Dy<> dy, In<1> b) { return dy * b; },            // dL/da
//         [](Dy<> dy, In<0> a) { return dy * a; });           // dL/db
//   };
//   Tensor mul(Operand a, Operand b) { return apply<Mul>(a, b); }
//
// What a formula asks for in its parameters is what the node saves, and only when that formula's gradient is wanted:
//   Dy<k>       the gradient of output k, to read (undefined: none)     In<i>    the value of input i
//   ShapeOf<i>  the shape of input i                                    Out<k>   the value of output k
//   const Attrs&  the operation's attributes                            Which    for which of the list (ArrayList)
//   InList, OutList, DyList  the values of a list of inputs (ArrayList) or outputs (std::vector<Array>), and gradients
// Formulas are written on Tensors: under create_graph their operands carry history and the result can be differentiated
// again; otherwise nothing is recorded.
//
// A rule is an operation whose gradient is written by hand on Arrays, beside a reference that the graph differentiates:
//
//   struct DropoutRule {
//     ...
//     static std::tuple<Array, Array> forward(const Attrs&, const Array& x);
//     static std::array<Array, 1> backward(const Attrs&, Needs, DyArray<> dy, OutArray<1> mask);
//     static Tensor reference(const Attrs&, const Tensor& x);
//   };
//
// Under create_graph a rule is differentiated through its reference, or, where it has `gradients` as well (which read no more
// than it keeps), through these: a convolution's are convolutions again, its reference has a product for each tap.
//
// Forward mode derives a tangent from the gradient, unless the struct gives its own: see tangent_formula.h.
//
// Optional members of either: `struct Attrs` (the first argument of forward; its `static constexpr auto fields =
// named("p", &Attrs::p);` is what is listed), `broadcasts` (the engine sums gradients down to the inputs' shapes),
// `is_view` (the result shows the memory of the first input; no other result may), `by_geometry` (of a view: its
// gradient is that of picking the elements that it shows, so that a change of it in place can be carried over to its
// base), `differentiable_outputs` (the first so many; all by default) or `differentiable_mask` (a bit for each),
// `constant_outputs` (a bit for each of the others that formulas may read and be differentiated again all the same: the
// inputs' numbers do not change it, a drawn mask; or its history is kept otherwise, a factorization's by the matrix beside
// it), `no_second_order` (the gradient cannot be differentiated again, and who tries is told), `history_kept` (it can: what
// formulas take from the numbers alone, past the graph, is constant; otherwise the first calls are tried for that), and of rules `idempotent`
// (applied to its result it gives that again, with the same gradient: in place the result stands for the input),
// `shape_only` (inputs whose values the reference's gradient does not read: their shapes are kept, their numbers are not),
// `moves` (elements are moved or converted as they are), `reads_stored` (see below), `batch` (how func::vmap takes it over a
// batch, see batched.h), `input_names` and `terms` (both for checks, see check.h). A rule takes a defined or an undefined
// Array for an input that may be absent.
//
// forward may take `core::ArrayList` last, for any number of inputs, which have one formula between them, behind those of the
// others; and it may return `std::vector<Array>`, a list of any number of outputs.
//
// What goes wrong is said: by the compiler (operation_check.h); by the first calls, of which it is watched whether they leave
// alone what they are given (operation_guard.h); by a second derivative, where a formula computes past the graph; by `check`.
//
// Storage types (float16, bfloat16, int8, int16) come to no forward but those of views and of what `moves`: inputs are
// converted to the dtype that is computed in, by a node of their own where gradients are recorded, and results back, so that
// values and gradients are computed in float32 and rounded once. A forward that does so by itself says `reads_stored`, and
// gets them where nothing is recorded.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "batched.h"
#include "formulas.h"
#include "grad_mode.h"
#include "operation_check.h"
#include "operation_node.h"
#include "operation_step.h"
#include "operation_support.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {
namespace detail {

/// Wraps a result up as tensors: those outputs that a gradient flows to carry the edge.
template <class Op, class Result>
auto wrap(Result&& y, core::Ref<Node> node) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Result>, core::Array>) {
    return make_output(std::forward<Result>(y), std::move(node), 0);
  } else if constexpr (Traits<Op>::gives_list) {
    return make_outputs(std::move(y), node);
  } else {
    return [&]<int... K>(std::integer_sequence<int, K...>) {
      return std::tuple{make_output(std::move(std::get<K>(y)),
                                    core::Ref<Node>(((Traits<Op>::mask >> K) & 1u) != 0 ? node.get() : nullptr), K)...};
    }
    (std::make_integer_sequence<int, Traits<Op>::outputs>{});
  }
}

/// A rule's result by its reference: what no gradient flows to is still forward's.
template <class Op>
auto compose(const typename AttrsOf<Op>::type& attrs, const Operand* inputs) {
  std::vector<Tensor> tensors;
  for (int i = 0; i < Traits<Op>::inputs; ++i) tensors.push_back(inputs[i].tensor());
  const std::vector<Tensor> composed = run_reference<Op>(attrs, tensors.data());
  if constexpr (std::is_same_v<typename Traits<Op>::Result, core::Array>) {
    return composed[0];
  } else {
    auto y = wrap<Op>(run_forward<Op>(attrs, inputs, Traits<Op>::inputs, InputIndices<Op>{}), {});
    const auto put = [&](Tensor& to, int k) {
      if (((Traits<Op>::mask >> k) & 1u) != 0) to = composed[static_cast<std::size_t>(rank_of(Traits<Op>::mask, k))];
    };
    [&]<int... K>(std::integer_sequence<int, K...>) { (put(std::get<K>(y), K), ...); }
    (std::make_integer_sequence<int, Traits<Op>::outputs>{});
    return y;
  }
}

/// What a result shares memory with has to be said: an in-place change of the one would change the other unseen.
template <class Op, class Result>
void check_memory(const Result& y, const Operand* inputs, int count) {
  if constexpr (Traits<Op>::is_view) {
    if (!y.defined() || y.storage() != input_array(inputs[0]).storage()) fail_no_view(Op::name, y, inputs, count);
  } else {
    for (int k = 0; k < output_count<Op>(y); ++k) {
      const core::Array& result = output(y, k);
      const core::Storage* const storage = result.storage().get();
      const int n = Traits<Op>::variadic ? count : Traits<Op>::inputs;  // mostly a constant
      bool shared = false;
      for (int i = 0; i < n; ++i) shared |= storage == input_array(inputs[i]).storage().get();
      for (int j = 0; j < k; ++j) shared |= storage == output(y, j).storage().get();
      if (storage == nullptr ? std::is_same_v<Result, core::Array> : shared)
        fail_output(Op::name, k, result, inputs, count);
    }
  }
}

/// Whether forward takes storage types as they are.
template <class Op>
inline constexpr bool takes_stored = Traits<Op>::is_view || requires {
  requires Op::moves;
};
/// The same of what computes, where nothing is recorded.
template <class Op>
inline constexpr bool reads_stored = requires {
  requires Op::reads_stored;
};

/// What a call gives: a Tensor, or a tuple of them.
template <class Op>
using Results = decltype(wrap<Op>(std::declval<typename Traits<Op>::Result>(), core::Ref<Node>()));

template <class Op>
[[gnu::cold, gnu::noinline]] Results<Op> run_widened(const typename AttrsOf<Op>::type& attrs, const Operand* inputs,
                                                     int count);
template <class Op>
[[gnu::cold, gnu::noinline]] Results<Op> run_batched(const typename AttrsOf<Op>::type& attrs, const Operand* inputs,
                                                     int count);

/// Tells whoever watches that a call has been recorded, or (without a node) has not been.
template <class Op, class Result>
[[gnu::cold, gnu::noinline]] void tell_computed(Node* node, const Operand* inputs, int count, const Result& y) {
  std::vector<core::Array> outputs;
  for (int k = 0; k < output_count<Op>(y); ++k) outputs.push_back(output(y, k));
  if (node != nullptr)
    Observer::tell_recorded(*node, inputs, count, outputs);
  else
    Observer::tell_unrecorded(Op::name, inputs, count, outputs);
}

/// The same of a call in place, before its history is rewritten: operands have the history that was read (their numbers had
/// Observer::writing). Where one throws, it is rewritten nevertheless, as the numbers have changed by then.
GRADUS_API void tell_written(Node& node, const Operand* inputs, int count, const core::Array& y);

template <class Op>
[[gnu::cold, gnu::noinline]] Results<Op> run_watched(const typename AttrsOf<Op>::type& attrs, const Operand* inputs,
                                                     int count);

template <class Op>
Results<Op> run(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  const Seen seen = look_at(inputs, Traits<Op>::variadic ? count : Traits<Op>::inputs);
  const bool watched = !kWatchedByTable && guard_of<Op>.watches_forward();
  if (seen.unusual | watched) [[unlikely]] {
    if (any_batched(inputs, count)) return run_batched<Op>(attrs, inputs, count);
    if constexpr (!takes_stored<Op>) {
      if (seen.unusual && (!reads_stored<Op> || recording(inputs, count))) return run_widened<Op>(attrs, inputs, count);
    }
    if (watched) return run_watched<Op>(attrs, inputs, count);
  }
  if constexpr (IsRule<Op>) {
    if (UseReferences::active()) return compose<Op>(attrs, inputs);
  }
  auto y = run_forward<Op>(attrs, inputs, count, InputIndices<Op>{});
  check_memory<Op>(y, inputs, count);
  core::Ref<Node> node;
  if ((seen.edges | seen.views | static_cast<unsigned>(Observer::any())) != 0) {  // one test for all
    NodeOf<Op>* made = nullptr;
    if (recording(seen, inputs, count)) {
      made = new NodeOf<Op>(attrs, inputs, count, false);
      node = core::Ref<Node>::adopt(made);
      made->set_outputs(y);
    }
    if (Observer::active()) [[unlikely]]
      tell_computed<Op>(made, inputs, count, y);
  }
  if constexpr (Traits<Op>::is_view) {
    core::Ref<ViewStep> by;
    if constexpr (!Traits<Op>::by_geometry)
      by = core::Ref<ViewStep>::adopt(new StepBy<Op>(attrs, inputs, static_cast<bool>(node)));
    return make_view(std::move(y), std::move(node), inputs[0].tensor(), std::move(by));
  } else {
    return wrap<Op>(std::move(y), std::move(node));
  }
}

template <class Op>
Results<Op> run_batched(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  if constexpr (Traits<Op>::gives_list) {  // as many results as there turn out to be: of no example alone
    int i = 0;
    while (i + 1 < count && !any_batched(inputs + i, 1)) ++i;
    fail_not_batched(inputs[i].tensor().body(), Op::name);
  } else {
    return over_batch<Op, Results<Op>>(attrs, inputs, count, [count](const auto& moved, const Operand* operands) {
      return run<Op>(moved, operands, count);
    });
  }
}

/// One of the first calls: forward leaves its inputs alone.
template <class Op>
Results<Op> run_watched(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  const ReadOnly given(inputs, count);
  const OperationGuard::WatchForward watch(guard_of<Op>);
  Results<Op> y = run<Op>(attrs, inputs, count);
  given.expect_unchanged(Op::name, "forward");
  return y;
}

template <class Op>
Results<Op> run_widened(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  const Widened wide(inputs, count, Traits<Op>::broadcasts ? std::string_view() : Op::name);
  Results<Op> y = run<Op>(attrs, wide.inputs(), count);
  if constexpr (std::is_same_v<Results<Op>, Tensor>) {
    return wide.narrowed(std::move(y));
  } else if constexpr (Traits<Op>::gives_list) {
    for (Tensor& each : y) each = wide.narrowed(std::move(each));
    return y;
  } else {
    std::apply([&](auto&... each) { ((each = wide.narrowed(std::move(each))), ...); }, y);
    return y;
  }
}

template <std::size_t>
using OperandAt = Operand;

// What calls an operation: an object, because its parameters have to be Operands, made where the call is written. A
// template's parameters would be made in here.
template <class Op, bool = is_right<Op>>
struct Apply;
// Of what is not what it has to be nothing is made, so that the compiler says no more than that.
template <class Op>
struct Apply<Op, false> {
  using Attrs = typename AttrsOf<Op>::type;
  static_assert(sizeof(Checked<Op>) != 0);
  template <class... X>
  Tensor operator()(const Attrs&, const X&...) const requires HasAttrs<Op>;
  template <class... X>
  Tensor operator()(const X&...) const requires(!HasAttrs<Op>);
  Tensor operator()(const Attrs&, Operand, const OperandList&) const;
  Tensor operator()(Operand, const OperandList&) const;
  Tensor operator()(const Attrs&, const OperandList&) const;
  Tensor operator()(const OperandList&) const;
};
template <class Op, class = InputIndices<Op>>
struct ApplyTo;
template <class Op>
struct Apply<Op, true> : ApplyTo<Op> {};
template <class Op, std::size_t... I>
struct ApplyTo<Op, std::index_sequence<I...>> {
  using Attrs = typename Traits<Op>::Attrs;
  static constexpr bool variadic = Traits<Op>::variadic;

  auto operator()(const Attrs& attrs, OperandAt<I>... x) const requires(!variadic && HasAttrs<Op>) {
    const Operand inputs[] = {x...};
    return run<Op>(attrs, inputs, sizeof...(I));
  }
  auto operator()(OperandAt<I>... x) const requires(!variadic && !HasAttrs<Op>) {
    const Operand inputs[] = {x...};
    return run<Op>(NoAttrs{}, inputs, sizeof...(I));
  }
  auto operator()(const Attrs& attrs, OperandAt<I>... x, const OperandList& list) const
      requires(variadic&& HasAttrs<Op>) {
    return over(attrs, {x...}, list);
  }
  auto operator()(OperandAt<I>... x, const OperandList& list) const requires(variadic && !HasAttrs<Op>) {
    return over(NoAttrs{}, {x...}, list);
  }

 private:
  static auto over(const Attrs& attrs, [[maybe_unused]] std::initializer_list<Operand> first,
                   const OperandList& list) requires(variadic) {
    if constexpr (sizeof...(I) == 0) {
      return run<Op>(attrs, list.begin(), static_cast<int>(list.size()));
    } else {
      const std::vector<Operand> all = joined(first, list);
      return run<Op>(attrs, all.data(), static_cast<int>(all.size()));
    }
  }
};

}  // namespace detail

/// `apply<Op>([attributes,] x, ...)` computes an operation and records it when an input requires a gradient: returns a
/// Tensor, a tuple of them, or, where forward returns a std::vector, one of Tensors. An operation over any number of inputs
/// takes `([attributes,] [x, ...,] {y, ...})`.
template <class Op>
inline constexpr detail::Apply<Op> apply{};

/// Computes y = Op(x, ...) and overwrites x with it, in the history of x, its base and its views too. The operation's name
/// gets the _ at its end that marks such calls. When Op has a `static void write(const Array& x, [attrs,] others...)`, that is what changes the numbers.
template <class Op, class... X>
requires(!detail::is_right<Op>) Tensor& apply_inplace(const typename detail::AttrsOf<Op>::type&, Operand self,
                                                      const X&...) {
  static_assert(sizeof(detail::Checked<Op>) != 0);
  return const_cast<Tensor&>(self.tensor());  // NOLINT: as below
}
template <class Op, class... X>
requires(detail::is_right<Op>) Tensor& apply_inplace(const typename detail::AttrsOf<Op>::type& attrs, Operand self,
                                                     const X&... others) try {
  const Operand inputs[] = {self, Operand(others)...};
  constexpr int count = 1 + static_cast<int>(sizeof...(X));
  static_assert(count == detail::Traits<Op>::inputs, "forward takes another number of inputs");
  if (detail::look_at(inputs, count).unusual) [[unlikely]] {
    if (detail::any_batched(inputs, count)) {
      detail::write_over_batch<Op>(
          attrs, detail::inplace_name<Op>.data(), inputs, count,
          [](const auto& a, const Operand* in) { return detail::run<Op>(a, in, count); },
          [&]<std::size_t... I>(std::index_sequence<I...>) {
            return [](const auto& a, const Operand* in) -> Tensor { return apply_inplace<Op>(a, in[0], in[I + 1]...); };
          }(std::index_sequence_for<X...>{}));
      return const_cast<Tensor&>(self.tensor());  // NOLINT: as below
    }
    if constexpr (!detail::takes_stored<Op>) {
      if (!detail::reads_stored<Op> || detail::recording(inputs, count)) {
        detail::write_widened(detail::inplace_name<Op>.data(), self, detail::run_widened<Op>(attrs, inputs, count));
        return const_cast<Tensor&>(self.tensor());  // NOLINT: as below
      }
    }
  }
  if constexpr (detail::IsRule<Op>) {
    if (UseReferences::active()) {  // the reference may save its input, which is about to be overwritten
      // and so may be operands that share its memory
      Tensor kept[count];
      const auto before = [&](int i) {
        const Tensor& x = inputs[i].tensor();
        const bool shares = x.defined() && x.array().storage() == self.tensor().array().storage();
        kept[i] = shares ? clone(inputs[i]) : x;
        return Operand(kept[i], inputs[i].at());
      };
      return [&]<int... I>(std::integer_sequence<int, I...>)->Tensor& {
        const Operand copies[] = {before(I)...};
        return self.tensor().copy_(detail::compose<Op>(attrs, copies), self.at());
      }
      (std::make_integer_sequence<int, count>{});
    }
  }
  const bool records = detail::begin_inplace(detail::inplace_name<Op>.data(), inputs, count);
  detail::NodeOf<Op>* made = nullptr;
  core::Ref<Node> node;
  if (records) {
    made = new detail::NodeOf<Op>(attrs, inputs, count, true);
    node = core::Ref<Node>::adopt(made);
    if (Observer::active()) [[unlikely]]
      Observer::tell_writing(*made, inputs, count);
  }
  const core::Array& x = self.tensor().array();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (requires { &Op::write; }) {
      if constexpr (detail::HasAttrs<Op>)
        Op::write(x, attrs, detail::input_array(inputs[I + 1])...);
      else
        Op::write(x, detail::input_array(inputs[I + 1])...);
    } else {
      detail::overwrite(Op::name, x, detail::run_forward<Op>(attrs, inputs, count, detail::InputIndices<Op>{}));
    }
  }
  (std::index_sequence_for<X...>{});
  x.mark_written(detail::inplace_name<Op>.data(), self.at());
  if (made != nullptr) {
    made->set_outputs(x);
    if (Observer::active()) [[unlikely]]
      detail::tell_written(*made, inputs, count, x);
    detail::end_inplace(self.tensor(), std::move(node), self.at());
  } else {
    detail::end_unrecorded(self.tensor());
  }
  return const_cast<Tensor&>(self.tensor());  // NOLINT: a handle; PyTorch's in-place members give it back like this
} catch (Error& error) {
  detail::name_inplace(error, Op::name);
  throw;
}

}  // namespace gradus::autograd
