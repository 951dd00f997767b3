#include "functional_call.h"

#include <algorithm>

#include "../../autograd/tensor/body.h"
#include "../../core/base/fail.h"

namespace gradus::nn {

using autograd::Body;

// What a tensor is exchanged for: its numbers and where they come from. What there is once for each tensor stays with it:
// its `.grad`, its hooks.
struct OtherParameters::Other {
  core::Ref<Body> own, given;
  core::Array array;
  autograd::Edge edge;
  core::Own<autograd::ViewOf> view;
  core::Own<autograd::Batched> batch;
  bool unusual;

  void exchange() noexcept {
    std::swap(own->array, array);
    const autograd::Edge before = own->edge;
    own->set_edge(std::move(edge));
    edge = before;
    own->view.swap(view);
    own->batch.swap(batch);
    std::swap(own->unusual, unusual);
  }
};

OtherParameters::OtherParameters(const Module& module, const NamedTensors& tensors) {
  const NamedTensors own = module.state_dict();
  for (const auto& [name, tensor] : tensors) {
    const Tensor* const found = own.find(name);
    if (found == nullptr) {
      core::fail<ModuleError>(
          "functional_call: {} must have the parameters and buffers that are given: it has no '{}'; state_dict() lists "
          "them",
          module.name(), name);
    }
    stand_in(*found, tensor, name);
  }
  exchange(module);
}

OtherParameters::OtherParameters(const Module& module, const std::vector<Tensor>& parameters) {
  const NamedTensors own = module.named_parameters();
  if (parameters.size() != own.size()) {
    core::fail<ModuleError>(
        "functional_call: there must be a tensor for each parameter of {}: {} for {}; name those that are given",
        module.name(), parameters.size(), own.size());
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    stand_in(own.items()[i].value(), parameters[i], own.items()[i].key());
  exchange(module);
}

OtherParameters::~OtherParameters() {
  for (auto other = others_.rbegin(); other != others_.rend(); ++other) other->exchange();
}

// Nothing is exchanged yet: what is given may be a parameter of the module itself.
void OtherParameters::stand_in(const Tensor& own, const Tensor& other, std::string_view name) {
  if (!other.defined()) core::fail<ModuleError>("functional_call: '{}' must be given a defined tensor", name);
  if (other.sizes() != own.sizes()) {
    core::fail<ShapeError>("functional_call: '{}' must keep its shape: {} for {}", name, other.sizes(), own.sizes());
  }
  for (const Other& earlier : others_) {
    if (earlier.own != own.body_ref()) continue;
    if (earlier.given == other.body_ref()) return;
    core::fail<ModuleError>(
        "functional_call: a tensor that has several names must be given one value: '{}' is another's, too", name);
  }
  const Body& body = other.body();
  others_.push_back({own.body_ref(), other.body_ref(), body.array, other.edge(), {}, {}, body.unusual});
  if (body.batch != nullptr) {
    others_.back().batch = core::Own(new autograd::Batched(body.batch->examples, body.batch->level));
  }
}

void OtherParameters::exchange(const Module& module) {
  for (const Tensor& buffer : module.buffers()) {
    const bool given =
        std::any_of(others_.begin(), others_.end(), [&](const Other& other) { return other.own == buffer.body_ref(); });
    if (!given)
      others_.push_back({buffer.body_ref(), {}, buffer.array().clone(), buffer.edge(), {}, {}, buffer.body().unusual});
  }
  for (Other& other : others_) other.exchange();
}

}  // namespace gradus::nn
