// The node that one recorded call leaves in the graph: what it keeps, and how its formulas or its rule run.
#pragma once

#include <array>
#include <atomic>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "batched.h"
#include "formulas.h"
#include "operation_guard.h"
#include "operation_support.h"
#include "tangent_formula.h"
#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// The differentiable outputs of a rule's reference.
template <class Op>
std::vector<Tensor> run_reference(const typename Traits<Op>::Attrs& attrs, const Tensor* inputs) {
  const auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (HasAttrs<Op>)
      return Op::reference(attrs, inputs[I]...);
    else
      return Op::reference(inputs[I]...);
  }
  (std::make_index_sequence<static_cast<std::size_t>(Traits<Op>::inputs)>{});
  if constexpr (std::is_convertible_v<decltype(y), Tensor>) {
    return {y};
  } else {
    return std::apply([](const auto&... each) { return std::vector<Tensor>{each...}; }, y);
  }
}

/// What the struct declares of it; attributes say more (operation.cpp).
template <class Op, Batch batch = batch_of<Op>()>
constexpr Elements elements_of() {
  if (Traits<Op>::is_view) return Elements::kView;
  if (batch == Batch::kEach || batch == Batch::kBroadcast) return Elements::kEach;
  if (requires { requires Op::moves; }) return Elements::kMoved;
  return batch == Batch::kDims ? Elements::kLine : batch == Batch::kMatrices ? Elements::kMatrices : Elements::kOther;
}
/// The operation's formulas as text, for those who look at it: `static constexpr std::string_view formula`.
template <class Op>
constexpr std::string_view formula_of() {
  if constexpr (requires { std::string_view(Op::formula); })
    return Op::formula;
  else
    return {};
}

/// What is watched of Op's first calls.
template <class Op>
inline constinit OperationGuard guard_of{Traits<Op>::no_second_order, Traits<Op>::history_kept || !HasFormulas<Op>};

/// A list without values, of a type of its own: two empty members of one type would take room.
struct None {
  static Saved* begin() noexcept { return nullptr; }
  static Saved* end() noexcept { return nullptr; }
};

/// The node of one recorded call of Op.
template <class Op>
class NodeOf final : public Node {
  using T = Traits<Op>;
  using G = GradientsOf<Op>;
  using Attrs = typename T::Attrs;
  using Result = typename T::Result;
  static constexpr bool stands_for_input = requires { requires Op::idempotent; };
  static constexpr int N = T::fixed;
  // A rule keeps every input for its reference, but those of which only the shape matters.
  static constexpr std::uint32_t kept_in = [] {
    if constexpr (IsRule<Op>)
      return ((1u << N) - 1) & ~G::shape_only;
    else
      return G::all_in;
  }();

 public:
  static constexpr std::uint32_t keeps = kept_in;  ///< the inputs whose values may be kept

  /// Made before an in-place change overwrites input 0: what is kept of its storage is then a copy.
  NodeOf(const Attrs& attrs, const Operand* inputs, int count, bool in_place) : attrs_(attrs), in_place_(in_place) {
    if (taken_ != nullptr) [[unlikely]]
      fail_taken(*taken_);
    if constexpr (T::variadic) edges_.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) edges_[static_cast<std::size_t>(i)] = edge_of(inputs[i]);
    std::uint32_t in = kept_in;
    if constexpr (!IsRule<Op>) {
      in = 0;
      for (int i = 0; i < num_inputs(); ++i) {
        in |= edges_[static_cast<std::size_t>(i)] ? G::Formulas::in[T::variadic && i > N ? N : i] : 0u;
      }
    }
    for (int i = 0; i < N; ++i) {
      const core::Array& x = input_array(inputs[i]);
      if (((in & kept_in) >> i) & 1u) {
        if (in_place && stands_for_input) continue;  // set_outputs keeps the result
        Saved& saved = saved_in_[static_cast<std::size_t>(rank_of(kept_in, i))];
        const bool overwritten = in_place && x.defined() && x.storage() == input_array(inputs[0]).storage();
        overwritten ? saved.set(x.clone()) : saved.set(x);
      }
      if ((G::all_shape >> i) & 1u) note(shapes_[static_cast<std::size_t>(rank_of(G::all_shape, i))], x);
    }
    if constexpr (G::in_list) {
      saved_list_.resize(static_cast<std::size_t>(count - N));
      for (int i = N; i < count; ++i) saved_list_[static_cast<std::size_t>(i - N)].set(input_array(inputs[i]));
    }
    enter_graph(inputs[0].at());
  }

  void set_outputs(const Result& y) {
    if constexpr (stands_for_input) {
      if (in_place_) saved_in_[0].set(output(y, 0));
    }
    std::uint32_t out = G::all_out;
    if constexpr (!IsRule<Op>) {
      out = 0;
      for (int i = 0; i < num_inputs(); ++i) {
        if (edges_[static_cast<std::size_t>(i)]) out |= G::Formulas::out[T::variadic && i > N ? N : i];
      }
    }
    if constexpr (T::gives_list) metas_.resize(y.size());
    if constexpr (G::out_list) saved_results_.resize(y.size());
    for (int k = 0; k < output_count<Op>(y); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const core::Array& value = output(y, k);
      if constexpr (T::gives_list) {
        note(metas_[at], value);
        if constexpr (G::out_list) saved_results_[at].set(value);
      } else {
        if ((out >> k) & 1u) saved_out_[static_cast<std::size_t>(rank_of(G::all_out, k))].set(value);
        if (k < T::span) note(metas_[at], value);
      }
    }
  }

  std::string_view name() const override {
    return in_place_ ? std::string_view(inplace_name<Op>.data(), inplace_name<Op>.size() - 1) : Op::name;
  }
  AttributeList attributes() const override { return list_attributes(attrs_); }
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return static_cast<int>(edges_.size()); }
  const TensorMeta* outputs() const noexcept override { return metas_.data(); }
  int num_outputs() const noexcept override { return static_cast<int>(metas_.size()); }
  bool broadcasts() const noexcept override { return T::broadcasts; }
  bool is_rule() const noexcept override { return IsRule<Op>; }
  bool has_formulas() const noexcept override { return HasFormulas<Op>; }

  void visit_saved(core::FunctionRef<void(const char*, int, Saved&)> visit) override {
    access_.visit_all("input", kept_in, saved_in_.data(), visit);
    access_.visit_all("output", G::all_out, saved_out_.data(), visit);
    int place = N;
    for (Saved& each : saved_list_) access_.visit("input", place++, each, visit);
    place = 0;
    for (Saved& each : saved_results_) access_.visit("output", place++, each, visit);
  }
  void release_saved() noexcept override { access_.release(saved_in_, saved_out_, saved_list_, saved_results_); }

  void backward(const Gradients& dy, Gradients& dx, bool create_graph) override {
    if ((!kWatchedByTable || T::no_second_order) && guard_of<Op>.concerned(create_graph)) [[unlikely]] {
      const auto plainly = [this](const Gradients& of_outputs, Gradients& of_inputs, bool recorded) {
        compute(of_outputs, of_inputs, recorded);
      };
      guard_of<Op>.run(*this, dy, dx, create_graph,
                       {plainly, substituted_, T::gives_list ? ~0u : T::mask, N, T::constant_outputs, IsRule<Op>,
                        HasFormulas<Op>, T::no_second_order});
    } else {
      compute(dy, dx, create_graph);
    }
  }

  void tangent(const Gradients& dx, Gradients& dy, bool create_graph) override {
    if constexpr (GivesTangent<Op>) {
      check_tangent<Op, kept_in, G::all_out>();
      auto y = call(Op::tangent, static_cast<typename TangentOf<Op>::Parameters*>(nullptr), dx, 0, create_graph);
      if constexpr (std::is_convertible_v<decltype(y), Tensor>)
        dy[0] = std::move(y);
      else
        dy = std::apply([](const auto&... each) { return Gradients{each...}; }, y);
    } else if constexpr (Symmetric<Op>) {
      check_symmetric<Op>();
      backward(dx, dy, create_graph);
    } else if constexpr (Elementwise<Op>) {
      check_elementwise<Op>();
      [&]<int... I>(std::integer_sequence<int, I...>) { (add_tangent<I>(dx, dy, create_graph), ...); }
      (std::make_integer_sequence<int, N>{});
    } else {
      Node::tangent(dx, dy, create_graph);
    }
  }

 private:
  template <bool Kept>
  using SavedList = std::conditional_t<Kept, std::vector<Saved>, None>;

  void compute(const Gradients& dy, Gradients& dx, bool create_graph) {
    if constexpr (IsRule<Op>) {
      if (!create_graph && !(HasFormulas<Op> && any_batched(dy))) {
        auto arrays = call(&Op::backward, static_cast<typename G::Backward::Parameters*>(nullptr), dy, 0, false);
        for (std::size_t i = 0; i < dx.size(); ++i) {
          if (edges_[i] && arrays[i].defined()) dx[i] = Tensor(std::move(arrays[i]));
        }
        return;
      }
    }
    if constexpr (HasFormulas<Op>) {
      [&]<int... I>(std::integer_sequence<int, I...>) { (run_formula<I>(I, dy, dx, create_graph), ...); }
      (std::make_integer_sequence<int, N>{});
      if constexpr (T::variadic) {
        for (int i = N; i < num_inputs(); ++i) run_formula<N>(i, dy, dx, create_graph);
      }
    } else {
      differentiate_reference(dy, dx);
    }
  }

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

  // One input's part of an elementwise operation's tangent.
  template <int I>
  void add_tangent(const Gradients& dx, Gradients& dy, bool create_graph) {
    if (!dx[I].defined()) return;
    Gradients parts(static_cast<std::size_t>(N));
    run_formula<I>(I, {spread(dx[I], metas_[0])}, parts, create_graph);
    add_to(dy[0], std::move(parts[I]));
  }

  template <class F, class... P>
  auto call(const F& f, std::tuple<P...>*, const Gradients& dy, int input, bool create_graph) {
    return f(give(std::type_identity<P>{}, dy, input, create_graph)...);
  }

  // One overload for each kind of parameter.
  template <int I>
  In<I> give(std::type_identity<In<I>>, const Gradients&, int input, bool create_graph) {
    return seen(Tensor(saved_input<I>(), create_graph ? edges_[I] : Edge()), input, "input", I);
  }
  template <int I>
  InArray<I> give(std::type_identity<InArray<I>>, const Gradients&, int, bool) {
    return seen(saved_input<I>(), "input", I);
  }
  template <int K>
  Out<K> give(std::type_identity<Out<K>>, const Gradients&, int input, bool create_graph) {
    const bool joined = create_graph && ((T::mask >> K) & 1u) != 0;
    return seen(Tensor(saved_output<K>(), joined ? Edge{core::Ref<Node>(this), K} : Edge()), input, "output", K);
  }
  template <int K>
  OutArray<K> give(std::type_identity<OutArray<K>>, const Gradients&, int, bool) {
    return seen(saved_output<K>(), "output", K);
  }
  template <int K>
  Dy<K> give(std::type_identity<Dy<K>>, const Gradients& dy, int input, bool) {
    return seen(dy[K], input, "gradient", K);
  }
  template <int K>
  DyArray<K> give(std::type_identity<DyArray<K>>, const Gradients& dy, int, bool) {
    return seen(dy[K].defined() ? dy[K].array() : core::Array(), "gradient", K);
  }
  InList give(std::type_identity<InList>, const Gradients&, int input, bool create_graph) {
    InList all;
    for (std::size_t j = 0; j < edges_.size() - static_cast<std::size_t>(N); ++j) {
      const int i = N + static_cast<int>(j);
      const Edge& edge = edges_[static_cast<std::size_t>(i)];
      all.push_back(
          seen(Tensor(value_of(saved_list_[j], "input", i), create_graph ? edge : Edge()), input, "input", i));
    }
    return all;
  }
  OutList give(std::type_identity<OutList>, const Gradients&, int input, bool create_graph) {
    OutList all;
    for (std::size_t j = 0; j < metas_.size(); ++j) {
      const int k = static_cast<int>(j);
      const bool joined = create_graph && is_floating_point(metas_[j].dtype);
      all.push_back(
          seen(Tensor(value_of(saved_results_[j], "output", k), joined ? Edge{core::Ref<Node>(this), k} : Edge()),
               input, "output", k));
    }
    return all;
  }
  DyList give(std::type_identity<DyList>, const Gradients& dy, int input, bool) {
    DyList all;
    for (std::size_t j = 0; j < dy.size(); ++j) all.push_back(seen(dy[j], input, "gradient", static_cast<int>(j)));
    return all;
  }
  template <int I>
  Dx<I> give(std::type_identity<Dx<I>>, const Gradients& dx, int, bool) {
    return dx[I];
  }
  template <int I>
  ShapeOf<I> give(std::type_identity<ShapeOf<I>>, const Gradients&, int, bool) {
    return {shapes_[static_cast<std::size_t>(rank_of(G::all_shape, I))].shape};
  }
  Which give(std::type_identity<Which>, const Gradients&, int input, bool) { return {input >= N ? input - N : input}; }
  Needs give(std::type_identity<Needs>, const Gradients&, int, bool) {
    std::uint32_t mask = 0;
    for (int i = 0; i < N; ++i) mask |= edges_[static_cast<std::size_t>(i)] ? 1u << i : 0u;
    return Needs(mask);
  }
  const Attrs& give(std::type_identity<Attrs>, const Gradients&, int, bool) { return attrs_; }

  // What is watched is seen on its way, or another stands in its place.
  Tensor seen(Tensor x, int input, const char* kind, int index) const {
    if (!substituted_.load(std::memory_order_relaxed)) [[likely]]
      return x;
    return substitute(std::move(x), input, kind, index);
  }
  core::Array seen(core::Array x, const char* kind, int index) const {
    if (substituted_.load(std::memory_order_relaxed) && x.defined()) [[unlikely]]
      static_cast<void>(substitute(Tensor(x), 0, kind, index));
    return x;
  }

  template <int I>
  core::Array saved_input() const {
    return value_of(saved_in_[static_cast<std::size_t>(rank_of(kept_in, I))], "input", I);
  }
  template <int K>
  core::Array saved_output() const {
    return value_of(saved_out_[static_cast<std::size_t>(rank_of(G::all_out, K))], "output", K);
  }
  core::Array value_of(const Saved& saved, const char* kind, int index) const {
    return access_.value(saved, *this, kind, index);
  }

  // Under create_graph a rule's gradient is that of its reference, on its inputs joined to their history again.
  void differentiate_reference(const Gradients& dy, Gradients& dx) {
    std::vector<Tensor> inputs(N);
    [&]<int... I>(std::integer_sequence<int, I...>) { ((inputs[I] = rejoin<I>()), ...); }
    (std::make_integer_sequence<int, N>{});
    const std::vector<Tensor> outputs = run_reference<Op>(attrs_, inputs.data());
    if constexpr (T::span == T::differentiable) {
      differentiate(*this, outputs, inputs, dy, dx);
    } else {  // the reference has those with a gradient alone
      Gradients of_outputs;
      for (int k = 0; k < T::span; ++k) {
        if (((T::mask >> k) & 1u) != 0) of_outputs.push_back(dy[static_cast<std::size_t>(k)]);
      }
      differentiate(*this, outputs, inputs, of_outputs, dx);
    }
  }
  template <int I>
  Tensor rejoin() {
    core::Array value;
    if constexpr (((kept_in >> I) & 1u) != 0) {
      value = saved_input<I>();
    } else {
      const TensorMeta& meta = shapes_[rank_of(G::all_shape, I)];
      value = zeros_without_memory(meta);
    }
    return value.defined() ? alias_of(Tensor(std::move(value), edges_[I])) : Tensor();
  }

  inline static const std::string* const taken_ =
      register_operation({Op::name, T::inputs, T::differentiable, attribute_names<Attrs>(), IsRule<Op>,
                          elements_of<Op>(), formula_of<Op>()},
                         typeid(Op));

  std::conditional_t<T::variadic, std::vector<Edge>, Slots<Edge, N>> edges_{};
  std::conditional_t<T::gives_list, std::vector<TensorMeta>, Slots<TensorMeta, T::span>> metas_{};
  [[no_unique_address]] Slots<Saved, __builtin_popcount(kept_in)> saved_in_{};
  [[no_unique_address]] Slots<Saved, __builtin_popcount(G::all_out)> saved_out_{};
  [[no_unique_address]] SavedList<G::in_list> saved_list_{};
  [[no_unique_address]] SavedList<G::out_list> saved_results_{};
  [[no_unique_address]] Slots<TensorMeta, __builtin_popcount(G::all_shape)> shapes_{};
  [[no_unique_address]] Attrs attrs_;
  SavedAccess access_;
  const bool in_place_;
  std::atomic<bool> substituted_{false};
};

}  // namespace gradus::autograd::detail
