// An operation's forward, called; and how a view whose gradient is the operation's own is taken again.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "operation_node.h"
#include "operation_support.h"

namespace gradus::autograd::detail {

template <class Op, std::size_t... I>
auto run_forward(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count, std::index_sequence<I...>) {
  if constexpr (Traits<Op>::variadic) {
    const std::vector<core::Array> arrays = arrays_of(inputs + sizeof...(I), count - static_cast<int>(sizeof...(I)));
    if constexpr (HasAttrs<Op>)
      return Op::forward(attrs, input_array(inputs[I])..., core::ArrayList(arrays));
    else
      return Op::forward(input_array(inputs[I])..., core::ArrayList(arrays));
  } else if constexpr (HasAttrs<Op>) {
    return Op::forward(attrs, input_array(inputs[I])...);
  } else {
    return Op::forward(input_array(inputs[I])...);
  }
}

/// The number of inputs as index_sequence, those of a list apart.
template <class Op>
using InputIndices = std::make_index_sequence<static_cast<std::size_t>(Traits<Op>::fixed)>;

/// How to take a view again whose gradient is the operation's own.
template <class Op>
class StepBy final : public ViewStep {
  static constexpr int N = Traits<Op>::inputs;

 public:
  /// The other inputs as they are now: numbers, and history where it is recorded.
  StepBy(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, bool recorded) : attrs_(attrs) {
    for (int i = 1; i < N; ++i) {
      Other& other = others_[static_cast<std::size_t>(i - 1)];
      other.value = input_array(inputs[i]);
      if (recorded) other.edge = edge_of(inputs[i]);
      if (other.value.defined()) other.writes = other.value.storage()->write_count();
    }
  }
  std::string_view name() const noexcept override { return Op::name; }
  Edge again(const Tensor& x) const override {
    const Location at = x.requires_grad() ? x.edge().node->location() : Location::unknown();
    return [&]<int... I>(std::integer_sequence<int, I...>)->Edge {
      const Tensor tensors[] = {x, this->template other<I + 1>()...};
      const Operand inputs[] = {Operand(x, at), Operand(tensors[I + 1], at)...};
      if (!any_requires_grad(inputs, N)) return {};
      auto* node = new NodeOf<Op>(attrs_, inputs, N, false);
      const core::Ref<Node> owner = core::Ref<Node>::adopt(node);
      const core::Array y = run_forward<Op>(attrs_, inputs, N, InputIndices<Op>{});
      node->set_outputs(y);
      if (Observer::active()) [[unlikely]]
        Observer::tell_carried_over(*node, inputs, N, y);
      return {owner, 0};
    }
    (std::make_integer_sequence<int, N - 1>{});
  }

 private:
  struct Other {
    core::Array value;
    Edge edge;
    std::uint64_t writes = 0;
  };
  // Input I, unless a gradient would be made of other numbers than those that it had.
  template <int I>
  Tensor other() const {
    const Other& o = others_[I - 1];
    if (!o.value.defined()) return {};
    if (((NodeOf<Op>::keeps >> I) & 1u) != 0 && o.value.storage()->write_count() != o.writes) {
      fail_changed_since_view(Op::name, I, o.value);
    }
    return Tensor(o.value, o.edge);
  }

  [[no_unique_address]] typename AttrsOf<Op>::type attrs_;
  [[no_unique_address]] Slots<Other, N - 1> others_;
};

}  // namespace gradus::autograd::detail
