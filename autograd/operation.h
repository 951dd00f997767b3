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
//   Dy<k>       the gradient of output k (undefined when none came)     In<i>    the value of input i
//   ShapeOf<i>  the shape of input i                                    Out<k>   the value of output k
//   const Attrs&  the operation's attributes                            Which    for which input (variadic operations)
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
// Optional members of either: `struct Attrs` (the first argument of forward; `template <class V> void visit(V&& v) const
// { v("p", p); }` lists them), `broadcasts` (the engine sums gradients down to the inputs' shapes), `is_view`,
// `differentiable_outputs` (the first so many; all by default), and of rules `shape_only` (inputs whose values the
// reference's gradient does not read: their shapes are kept, their numbers are not), `input_names` and `terms` (both for
// checks, see check.h). A rule takes a defined or an undefined Array for an input that may be absent.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "grad_mode.h"
#include "operation_support.h"
#include "tensor.h"

namespace gradus::autograd {

/// The value of input I.
template <int I, class T = Tensor>
struct In : T {
  In(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor): rules are called by hand with Arrays
};
/// The value of output K.
template <int K = 0, class T = Tensor>
struct Out : T {
  Out(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};
/// The gradient of output K; undefined when none came.
template <int K = 0, class T = Tensor>
struct Dy : T {
  Dy(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};
template <int I>
using InArray = In<I, core::Array>;
template <int K = 0>
using OutArray = Out<K, core::Array>;
template <int K = 0>
using DyArray = Dy<K, core::Array>;
/// The shape of input I.
template <int I>
struct ShapeOf : core::Shape {};
/// Which input of a variadic operation the gradient is for.
struct Which {
  int input;
};
/// Which inputs' gradients are wanted, for a rule that computes them all in one function. All of them by default.
class Needs {
 public:
  constexpr Needs() = default;
  constexpr explicit Needs(std::uint32_t mask) : mask_(mask) {}
  constexpr bool operator[](int input) const { return ((mask_ >> input) & 1u) != 0; }

 private:
  std::uint32_t mask_ = ~0u;
};
/// In place of a formula: the input has no gradient.
struct NoGradient {};
inline constexpr NoGradient no_gradient{};
/// Of an operation without attributes.
struct NoAttrs {};

template <class... F>
constexpr std::tuple<F...> formulas(F... f) {
  return {f...};
}

namespace detail {

// What each kind of parameter asks for, as bit masks over inputs and outputs.
struct AsksNothing {
  static constexpr std::uint32_t in = 0, out = 0, shape = 0;
};
template <class P>
struct Asks : AsksNothing {
  static constexpr bool known = false;
};
template <int I, class T>
struct Asks<In<I, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t in = 1u << I;
};
template <int K, class T>
struct Asks<Out<K, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t out = 1u << K;
};
template <int K, class T>
struct Asks<Dy<K, T>> : AsksNothing {
  static constexpr bool known = true;
};
template <int I>
struct Asks<ShapeOf<I>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t shape = 1u << I;
};
template <>
struct Asks<Which> : AsksNothing {
  static constexpr bool known = true;
};
template <>
struct Asks<Needs> : AsksNothing {
  static constexpr bool known = true;
};

template <class R, class... P>
struct Call {
  using Result = R;
  using Parameters = std::tuple<std::remove_cvref_t<P>...>;
  static constexpr std::uint32_t in = (0u | ... | Asks<std::remove_cvref_t<P>>::in);
  static constexpr std::uint32_t out = (0u | ... | Asks<std::remove_cvref_t<P>>::out);
  static constexpr std::uint32_t shape = (0u | ... | Asks<std::remove_cvref_t<P>>::shape);
  template <class Attrs>
  static constexpr bool known =
      ((Asks<std::remove_cvref_t<P>>::known || std::is_same_v<std::remove_cvref_t<P>, Attrs>)&&...);
};
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... P>
struct Signature<R (*)(P...)> : Call<R, P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const> : Call<R, P...> {};
template <>
struct Signature<NoGradient> : Call<Tensor> {};

template <class Op>
concept HasAttrs = requires { typename Op::Attrs; };
template <class Op>
struct AttrsOf {
  using type = NoAttrs;
};
template <HasAttrs Op>
struct AttrsOf<Op> {
  using type = typename Op::Attrs;
};
/// A hand-written gradient (a rule) rather than formulas.
template <class Op>
concept IsRule = requires { &Op::backward; };

// The gradient side of an operation as masks, whichever way it is written.
template <class Op>
struct GradientsOf;
template <class Op>
  requires(!IsRule<Op>)
struct GradientsOf<Op> {
  template <class T>
  struct Of;
  template <class... F>
  struct Of<const std::tuple<F...>> {
    static constexpr int count = sizeof...(F);
    // One more than there are, so that no input indexes past the end before check_operation has its say.
    static constexpr std::uint32_t in[count + 1] = {Signature<F>::in..., 0}, out[count + 1] = {Signature<F>::out..., 0};
    static constexpr std::uint32_t all_in = (0u | ... | Signature<F>::in), all_out = (0u | ... | Signature<F>::out),
                                   all_shape = (0u | ... | Signature<F>::shape);
    static constexpr bool tensors = (std::is_convertible_v<typename Signature<F>::Result, Tensor> && ...);
    template <class A>
    static constexpr bool known = (Signature<F>::template known<A> && ...);
  };
  using Formulas = Of<decltype(Op::gradients)>;
  static constexpr std::uint32_t all_in = Formulas::all_in, all_out = Formulas::all_out,
                                 all_shape = Formulas::all_shape;
};
template <IsRule Op>
struct GradientsOf<Op> {
  using Backward = Signature<decltype(&Op::backward)>;
  static constexpr std::uint32_t shape_only = [] {
    if constexpr (requires { Op::shape_only; }) return Op::shape_only;
    else return 0u;
  }();
  static constexpr std::uint32_t all_out = Backward::out, all_shape = Backward::shape | shape_only;
};

// The forward side: how many inputs and outputs.
template <class F>
struct Forward;
template <class R, class... P>
struct Forward<R (*)(P...)> {
  using Result = R;
  static constexpr int parameters = sizeof...(P);
  static constexpr bool variadic = (std::is_same_v<std::remove_cvref_t<P>, core::ArrayList> || ...);
};
template <class R>
struct Outputs {
  static constexpr int count = 1;
};
template <class... T>
struct Outputs<std::tuple<T...>> {
  static constexpr int count = sizeof...(T);
};
template <class R>
const core::Array& output(const R& result, int k) {
  if constexpr (std::is_same_v<R, core::Array>) {
    return result;
  } else {
    return std::apply([k](const auto&... each) -> const core::Array& {
      const core::Array* all[] = {&each...};
      return *all[k];
    }, result);
  }
}

constexpr int rank_of(std::uint32_t mask, int bit) { return __builtin_popcount(mask & ((1u << bit) - 1)); }
template <class T, int N>
using Slots = std::array<T, static_cast<std::size_t>(N)>;

template <class Op>
struct Traits {
  using Attrs = typename AttrsOf<Op>::type;
  using Fwd = Forward<decltype(&Op::forward)>;
  using Result = typename Fwd::Result;
  static constexpr bool variadic = Fwd::variadic;
  static constexpr int inputs = variadic ? -1 : Fwd::parameters - (HasAttrs<Op> ? 1 : 0);
  static constexpr int outputs = Outputs<Result>::count;
  static constexpr int differentiable = [] {
    if constexpr (requires { Op::differentiable_outputs; }) return Op::differentiable_outputs;
    else return outputs;
  }();
  static constexpr bool broadcasts = requires { requires Op::broadcasts; };
  static constexpr bool is_view = requires { requires Op::is_view; };
};

/// The differentiable outputs of a rule's reference.
template <class Op>
std::vector<Tensor> run_reference(const typename Traits<Op>::Attrs& attrs, const Tensor* inputs) {
  const auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (HasAttrs<Op>) return Op::reference(attrs, inputs[I]...);
    else return Op::reference(inputs[I]...);
  }(std::make_index_sequence<static_cast<std::size_t>(Traits<Op>::inputs)>{});
  if constexpr (std::is_convertible_v<decltype(y), Tensor>) {
    return {y};
  } else {
    return std::apply([](const auto&... each) { return std::vector<Tensor>{each...}; }, y);
  }
}

/// The node of one recorded call of Op.
template <class Op>
class NodeOf final : public Node {
  using T = Traits<Op>;
  using G = GradientsOf<Op>;
  using Attrs = typename T::Attrs;
  using Result = typename T::Result;
  static constexpr int N = T::variadic ? 0 : T::inputs;
  // A rule keeps every input for its reference, but those of which only the shape matters.
  static constexpr std::uint32_t kept_in = [] {
    if constexpr (IsRule<Op>) return ((1u << N) - 1) & ~G::shape_only;
    else return G::all_in;
  }();

  static constexpr void check_operation() {
    if constexpr (IsRule<Op>) {
      static_assert(requires { &Op::reference; }, "a rule has a reference that the graph can differentiate");
      static_assert(G::Backward::template known<Attrs>,
                    "backward's parameters are DyArray<k>, InArray<i>, OutArray<k>, ShapeOf<i>, Needs or const Attrs&");
      static_assert(std::is_convertible_v<typename G::Backward::Result, std::array<core::Array, N>>,
                    "backward returns std::array<Array, number of inputs>");
      static_assert((G::Backward::in & G::shape_only) == 0, "backward reads an input that is kept as a shape only");
      static_assert((G::Backward::in | G::all_shape) < (1u << N), "backward reads an input that there is not");
    } else {
      using F = typename G::Formulas;
      static_assert(F::count == (T::variadic ? 1 : N),
                    "an operation has one gradient formula per input (one in all when it is variadic)");
      static_assert(F::tensors, "a gradient formula returns a Tensor");
      static_assert(F::template known<Attrs>,
                    "a formula's parameters are Dy<k>, In<i>, Out<k>, ShapeOf<i>, Which or const Attrs&");
      static_assert((G::all_in | G::all_shape) < (1u << N), "a formula reads an input that the operation does not have");
    }
    static_assert(G::all_out < (1u << T::outputs), "an output is read that the operation does not have");
  }

 public:
  /// Made before an in-place change overwrites input 0: what is kept of its storage is then a copy.
  NodeOf(const Attrs& attrs, const Operand* inputs, int count, bool in_place) : attrs_(attrs) {
    check_operation();
    (void)registered_;
    if constexpr (T::variadic) edges_.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) edges_[static_cast<std::size_t>(i)] = edge_of(inputs[i]);
    std::uint32_t in = kept_in;
    if constexpr (!IsRule<Op>) {
      in = 0;
      for (int i = 0; i < N; ++i) in |= edges_[static_cast<std::size_t>(i)] ? G::Formulas::in[i] : 0u;
    }
    for (int i = 0; i < N; ++i) {
      const core::Array& x = input_array(inputs[i]);
      if (((in & kept_in) >> i) & 1u) {
        const bool overwritten = in_place && x.defined() && x.storage() == input_array(inputs[0]).storage();
        saved_in_[static_cast<std::size_t>(rank_of(kept_in, i))].set(overwritten ? x.clone() : x);
      }
      if ((G::all_shape >> i) & 1u) shapes_[static_cast<std::size_t>(rank_of(G::all_shape, i))] = meta_of(x);
    }
    enter_graph(inputs[0].at());
  }

  void set_outputs(const Result& y) {
    std::uint32_t out = G::all_out;
    if constexpr (!IsRule<Op>) {
      out = 0;
      for (int i = 0; i < num_inputs(); ++i) {
        if (edges_[static_cast<std::size_t>(i)]) out |= G::Formulas::out[T::variadic ? 0 : i];
      }
    }
    for (int k = 0; k < T::outputs; ++k) {
      const core::Array& value = output(y, k);
      if ((out >> k) & 1u) saved_out_[static_cast<std::size_t>(rank_of(G::all_out, k))].set(value);
      if (k < T::differentiable) metas_[static_cast<std::size_t>(k)] = {value.shape(), value.dtype()};
    }
  }

  std::string_view name() const override { return Op::name; }
  AttributeList attributes() const override { return list_attributes(attrs_); }
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return static_cast<int>(edges_.size()); }
  const TensorMeta* outputs() const noexcept override { return metas_.data(); }
  int num_outputs() const noexcept override { return T::differentiable; }
  bool broadcasts() const noexcept override { return T::broadcasts; }

  void release_saved() noexcept override {
    saved_in_ = {};
    saved_out_ = {};
    released_ = true;
  }

  Gradients backward(const Gradients& dy, bool create_graph) override {
    if constexpr (kept_in != 0 || G::all_out != 0) {
      if (released_) fail_released(*this);
    }
    Gradients dx(edges_.size());
    if constexpr (IsRule<Op>) {
      if (create_graph) {
        differentiate_reference(dy, dx);
      } else {
        auto arrays = call(&Op::backward, static_cast<typename G::Backward::Parameters*>(nullptr), dy, 0, false);
        for (std::size_t i = 0; i < dx.size(); ++i) {
          if (edges_[i] && arrays[i].defined()) dx[i] = Tensor(std::move(arrays[i]));
        }
      }
    } else if constexpr (T::variadic) {
      for (int i = 0; i < num_inputs(); ++i) run_formula<0>(i, dy, dx, create_graph);
    } else {
      [&]<int... I>(std::integer_sequence<int, I...>) {
        (run_formula<I>(I, dy, dx, create_graph), ...);
      }(std::make_integer_sequence<int, N>{});
    }
    return dx;
  }

 private:
  template <int F>
  void run_formula(int input, const Gradients& dy, Gradients& dx, bool create_graph) {
    const auto i = static_cast<std::size_t>(input);
    if (!edges_[i]) return;
    const auto& formula = std::get<F>(Op::gradients);
    using Formula = std::remove_cvref_t<decltype(formula)>;
    if constexpr (!std::is_same_v<Formula, NoGradient>) {
      dx[i] = call(formula, static_cast<typename Signature<Formula>::Parameters*>(nullptr), dy, input, create_graph);
    }
  }

  template <class F, class... P>
  auto call(const F& f, std::tuple<P...>*, const Gradients& dy, int input, bool create_graph) {
    return f(give(std::type_identity<P>{}, dy, input, create_graph)...);
  }

  // One overload for each kind of parameter.
  template <int I>
  In<I> give(std::type_identity<In<I>>, const Gradients&, int, bool create_graph) {
    return Tensor(saved_input<I>(), create_graph ? edges_[I] : Edge());
  }
  template <int I>
  InArray<I> give(std::type_identity<InArray<I>>, const Gradients&, int, bool) {
    return saved_input<I>();
  }
  template <int K>
  Out<K> give(std::type_identity<Out<K>>, const Gradients&, int, bool create_graph) {
    const bool joined = create_graph && K < T::differentiable;
    return Tensor(saved_output<K>(), joined ? Edge{core::Ref<Node>(this), K} : Edge());
  }
  template <int K>
  OutArray<K> give(std::type_identity<OutArray<K>>, const Gradients&, int, bool) {
    return saved_output<K>();
  }
  template <int K>
  Dy<K> give(std::type_identity<Dy<K>>, const Gradients& dy, int, bool) {
    return dy[K];
  }
  template <int K>
  DyArray<K> give(std::type_identity<DyArray<K>>, const Gradients& dy, int, bool) {
    return dy[K].defined() ? dy[K].array() : core::Array();
  }
  template <int I>
  ShapeOf<I> give(std::type_identity<ShapeOf<I>>, const Gradients&, int, bool) {
    return {shapes_[static_cast<std::size_t>(rank_of(G::all_shape, I))].shape};
  }
  Which give(std::type_identity<Which>, const Gradients&, int input, bool) { return {input}; }
  Needs give(std::type_identity<Needs>, const Gradients&, int, bool) {
    std::uint32_t mask = 0;
    for (int i = 0; i < N; ++i) mask |= edges_[static_cast<std::size_t>(i)] ? 1u << i : 0u;
    return Needs(mask);
  }
  const Attrs& give(std::type_identity<Attrs>, const Gradients&, int, bool) { return attrs_; }

  template <int I>
  const core::Array& saved_input() const {
    return saved_in_[rank_of(kept_in, I)].get(*this, "input", I);
  }
  template <int K>
  const core::Array& saved_output() const {
    return saved_out_[rank_of(G::all_out, K)].get(*this, "output", K);
  }

  // Under create_graph a rule's gradient is that of its reference, on its inputs joined to their history again.
  void differentiate_reference(const Gradients& dy, Gradients& dx) {
    std::vector<Tensor> inputs(N);
    [&]<int... I>(std::integer_sequence<int, I...>) { ((inputs[I] = rejoin<I>()), ...); }(
        std::make_integer_sequence<int, N>{});
    const std::vector<Tensor> outputs = run_reference<Op>(attrs_, inputs.data());
    differentiate(*this, outputs, inputs, dy, dx);
  }
  template <int I>
  Tensor rejoin() {
    core::Array value;
    if constexpr (((kept_in >> I) & 1u) != 0) {
      value = saved_input<I>();
    } else {
      const TensorMeta& meta = shapes_[rank_of(G::all_shape, I)];
      value = placeholder(meta);
    }
    return value.defined() ? alias_of(Tensor(std::move(value), edges_[I])) : Tensor();
  }

  inline static const bool registered_ = register_operation(
      {Op::name, T::inputs, T::differentiable, attribute_names<Attrs>(), IsRule<Op>});

  std::conditional_t<T::variadic, std::vector<Edge>, Slots<Edge, N>> edges_{};
  Slots<TensorMeta, T::differentiable> metas_{};
  [[no_unique_address]] Slots<Saved, __builtin_popcount(kept_in)> saved_in_{};
  [[no_unique_address]] Slots<Saved, __builtin_popcount(G::all_out)> saved_out_{};
  [[no_unique_address]] Slots<TensorMeta, __builtin_popcount(G::all_shape)> shapes_{};
  [[no_unique_address]] Attrs attrs_;
  bool released_ = false;
};

/// Wraps a result up as tensors: those outputs that a gradient flows to carry the edge.
template <class Op, class Result>
auto wrap(Result&& y, core::Ref<Node> node) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Result>, core::Array>) {
    return make_output(std::forward<Result>(y), node, 0);
  } else {
    return [&]<int... K>(std::integer_sequence<int, K...>) {
      return std::tuple{
          make_output(std::move(std::get<K>(y)), K < Traits<Op>::differentiable ? node : core::Ref<Node>(), K)...};
    }(std::make_integer_sequence<int, Traits<Op>::outputs>{});
  }
}

template <class Op, std::size_t... I>
auto run_forward(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count, std::index_sequence<I...>) {
  if constexpr (Traits<Op>::variadic) {
    const std::vector<core::Array> arrays = arrays_of(inputs, count);
    if constexpr (HasAttrs<Op>) return Op::forward(attrs, core::ArrayList(arrays));
    else return Op::forward(core::ArrayList(arrays));
  } else if constexpr (HasAttrs<Op>) {
    return Op::forward(attrs, input_array(inputs[I])...);
  } else {
    return Op::forward(input_array(inputs[I])...);
  }
}

/// The number of inputs as index_sequence; none for variadic operations, whose inputs come as a list.
template <class Op>
using InputIndices = std::make_index_sequence<Traits<Op>::variadic ? 0 : static_cast<std::size_t>(Traits<Op>::inputs)>;

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
    [&]<std::size_t... K>(std::index_sequence<K...>) { ((std::get<K>(y) = composed[K]), ...); }(
        std::make_index_sequence<static_cast<std::size_t>(Traits<Op>::differentiable)>{});
    return y;
  }
}

template <class Op>
auto run(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  if constexpr (IsRule<Op>) {
    if (UseReferences::active()) return compose<Op>(attrs, inputs);
  }
  auto y = run_forward<Op>(attrs, inputs, count, InputIndices<Op>{});
  core::Ref<Node> node;
  if (recording(inputs, count)) {
    auto* made = new NodeOf<Op>(attrs, inputs, count, false);
    node = core::Ref<Node>::adopt(made);
    made->set_outputs(y);
  }
  if constexpr (Traits<Op>::is_view) {
    return make_view(std::move(y), std::move(node), inputs[0].tensor());
  } else {
    return wrap<Op>(std::move(y), std::move(node));
  }
}

template <std::size_t>
using OperandAt = Operand;

// What calls an operation: an object, because its parameters have to be Operands, made where the call is written. A
// template's parameters would be made in here.
template <class Op, class = InputIndices<Op>>
struct Apply;
template <class Op, std::size_t... I>
struct Apply<Op, std::index_sequence<I...>> {
  using Attrs = typename Traits<Op>::Attrs;
  static constexpr bool variadic = Traits<Op>::variadic;

  auto operator()(const Attrs& attrs, OperandAt<I>... x) const
    requires(!variadic && HasAttrs<Op>)
  {
    const Operand inputs[] = {x...};
    return run<Op>(attrs, inputs, sizeof...(I));
  }
  auto operator()(OperandAt<I>... x) const
    requires(!variadic && !HasAttrs<Op>)
  {
    const Operand inputs[] = {x...};
    return run<Op>(NoAttrs{}, inputs, sizeof...(I));
  }
  auto operator()(const Attrs& attrs, const OperandList& list) const
    requires(variadic && HasAttrs<Op>)
  {
    return run<Op>(attrs, list.begin(), static_cast<int>(list.size()));
  }
  auto operator()(const OperandList& list) const
    requires(variadic && !HasAttrs<Op>)
  {
    return run<Op>(NoAttrs{}, list.begin(), static_cast<int>(list.size()));
  }
};

}  // namespace detail

/// `apply<Op>([attributes,] x, ...)` computes an operation and records it when an input requires a gradient: returns a
/// Tensor, or a tuple of them. An operation over any number of inputs takes `([attributes,] {x, ...})`.
template <class Op>
inline constexpr detail::Apply<Op> apply{};

/// Computes y = Op(x, ...) and overwrites x with it, in the history of x, its base and its views too. When Op has a
/// `static void write(const Array& x, [attrs,] others...)`, that is what changes the numbers.
template <class Op, class... X>
const Tensor& apply_inplace(const typename detail::AttrsOf<Op>::type& attrs, Operand self, const X&... others) {
  const Operand inputs[] = {self, Operand(others)...};
  constexpr int count = 1 + static_cast<int>(sizeof...(X));
  static_assert(count == detail::Traits<Op>::inputs, "forward takes another number of inputs");
  if constexpr (detail::IsRule<Op>) {
    if (UseReferences::active()) {  // the reference may save its input, which is about to be overwritten
      const Tensor before = clone(self);
      const Operand copies[] = {Operand(before, self.at()), Operand(others)...};
      return self.tensor().copy_(detail::compose<Op>(attrs, copies), self.at());
    }
  }
  const bool records = detail::begin_inplace(Op::name.data(), inputs, count);
  detail::NodeOf<Op>* made = nullptr;
  core::Ref<Node> node;
  if (records) {
    made = new detail::NodeOf<Op>(attrs, inputs, count, true);
    node = core::Ref<Node>::adopt(made);
  }
  const core::Array& x = self.tensor().array();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (requires { &Op::write; }) {
      if constexpr (detail::HasAttrs<Op>) Op::write(x, attrs, detail::input_array(inputs[I + 1])...);
      else Op::write(x, detail::input_array(inputs[I + 1])...);
    } else {
      x.copy_(detail::run_forward<Op>(attrs, inputs, count, detail::InputIndices<Op>{}));
    }
  }(std::index_sequence_for<X...>{});
  x.mark_written(Op::name.data(), self.at());
  if (made != nullptr) {
    made->set_outputs(x);
    detail::end_inplace(self.tensor(), std::move(node), self.at());
  }
  return self.tensor();
}

}  // namespace gradus::autograd
