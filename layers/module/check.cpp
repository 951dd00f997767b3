#include "check.h"

#include <algorithm>
#include <utility>

#include "../../core/base/fail.h"

namespace gradus::nn {

namespace {

// Makes tensors that others hold (a module its parameters) the same as given ones for a while, history included. Hands
// back array, history, leaf and `.grad` as they were.
class Substitution {
 public:
  Substitution() = default;
  ~Substitution() {
    for (auto held = held_.rbegin(); held != held_.rend(); ++held) exchange(*held);
  }
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

  void put(const Tensor& place, const Tensor& other) {
    held_.push_back({place, other.array(), other.edge(), other.body().leaf, {}, {}});
    exchange(held_.back());
  }

 private:
  struct Held {
    Tensor place;
    core::Array array;
    autograd::Edge edge;
    core::Ref<autograd::LeafNode> leaf;
    core::Own<autograd::ViewOf> view;
    core::Own<autograd::BaseEvents> events;
  };
  static void exchange(Held& held) noexcept {
    autograd::Body& body = held.place.body();
    std::swap(body.array, held.array);
    std::swap(body.edge, held.edge);
    std::swap(body.leaf, held.leaf);
    std::swap(body.view, held.view);
    std::swap(body.events, held.events);
  }
  std::vector<Held> held_;
};

}  // namespace

CheckReport detail::check_module(Module& module, const autograd::TensorFunction& forward,
                                 const autograd::detail::CheckArguments& given) {
  const auto& [inputs, options] = given;
  const NamedTensors parameters = module.named_parameters();
  const std::vector<Tensor> buffers = module.buffers();
  const std::size_t n = inputs.size();

  autograd::detail::CheckSubject subject;
  const std::string extra = module.extra_repr();
  subject.title = fmt::format("{}{} in {}", module.name(), extra.empty() ? "" : fmt::format("({})", extra),
                              module.is_training() ? "training" : "evaluation");
  for (std::size_t i = 0; i < n; ++i) {
    const bool constant =
        std::find(options.constants.begin(), options.constants.end(), static_cast<int>(i)) != options.constants.end();
    subject.variables.push_back({n == 1 ? "input" : fmt::format("input {}", i),
                                 inputs[i].defined() ? inputs[i].array() : core::Array(), constant});
  }
  for (const auto& [name, parameter] : parameters) subject.variables.push_back({name, parameter.array(), false});

  subject.hand = [&](const std::vector<Tensor>& x) {
    Substitution substitution;
    for (std::size_t i = 0; i < parameters.size(); ++i) substitution.put(parameters.values()[i], x[n + i]);
    for (const Tensor& buffer : buffers) {
      const core::Array copy = buffer.array().clone();
      substitution.put(buffer, Tensor(buffer.is_floating_point() ? copy.to(kFloat64) : copy));
    }
    return forward({x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)});
  };
  subject.graph = [&](const std::vector<Tensor>& x) {
    const autograd::UseReferences references;
    return subject.hand(x);
  };
  return autograd::detail::compare_gradients(subject, options);
}

}  // namespace gradus::nn
