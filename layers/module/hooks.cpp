#include "hooks.h"

#include <algorithm>

#include "../../autograd/graph/function.h"
#include "../../core/base/fail.h"
#include "layer.h"
#include "module_hooks.h"

namespace gradus::nn {

using core::fail;
using detail::ModuleHooks;

// --- The list

ModuleHooks& ModuleHooks::of(Module& module) {
  if (!module.hooks_) module.hooks_ = core::Ref<ModuleHooks>::adopt(new ModuleHooks());
  return *module.hooks_;
}

ModuleHooks* ModuleHooks::find(const Module& module) noexcept { return module.hooks_.get(); }
bool Module::any_hooks() const noexcept {
  return !hooks_->before.empty() || !hooks_->after.empty() || !hooks_->backward.empty() || !hooks_->computed.empty();
}
NamedTensors& ModuleHooks::parameters(Module& module) noexcept { return module.parameters_; }
NamedTensors& ModuleHooks::buffers(Module& module) noexcept { return module.buffers_; }

void ModuleHooks::expect_free(const Module& module, const char* op, std::initializer_list<std::string> names) {
  for (const std::string& name : names) module.check_name(op, name);
}

void ModuleHooks::copy(const Module& from, Module& to) {
  const ModuleHooks* theirs = find(from);
  if (theirs == nullptr) return;
  ModuleHooks& mine = of(to);
  mine.before = theirs->before;
  mine.after = theirs->after;
  mine.backward = theirs->backward;
  mine.next_id = theirs->next_id;
  for (const auto& computed : theirs->computed) begin(to, computed->fresh());
}

RemovableHandle::RemovableHandle() = default;
RemovableHandle::RemovableHandle(core::Ref<ModuleHooks> hooks, unsigned id) : hooks_(std::move(hooks)), id_(id) {}
RemovableHandle::RemovableHandle(const RemovableHandle&) = default;
RemovableHandle::RemovableHandle(RemovableHandle&&) noexcept = default;
RemovableHandle& RemovableHandle::operator=(RemovableHandle other) noexcept {
  hooks_.swap(other.hooks_);
  id_ = other.id_;
  return *this;
}
RemovableHandle::~RemovableHandle() = default;

void RemovableHandle::remove() {
  if (!hooks_) return;
  const auto erase = [this](auto& list) {
    list.erase(std::remove_if(list.begin(), list.end(), [this](const auto& hook) { return hook.first == id_; }),
               list.end());
  };
  erase(hooks_->before);
  erase(hooks_->after);
  erase(hooks_->backward);
  hooks_ = {};
}

RemovableHandle Module::register_forward_pre_hook(ForwardPreHook hook) {
  ModuleHooks& hooks = ModuleHooks::of(*this);
  hooks.before.emplace_back(hooks.next_id, std::move(hook));
  return {hooks_, hooks.next_id++};
}
RemovableHandle Module::register_forward_hook(ForwardHook hook) {
  ModuleHooks& hooks = ModuleHooks::of(*this);
  hooks.after.emplace_back(hooks.next_id, std::move(hook));
  return {hooks_, hooks.next_id++};
}
RemovableHandle Module::register_full_backward_hook(BackwardHook hook) {
  ModuleHooks& hooks = ModuleHooks::of(*this);
  hooks.backward.emplace_back(hooks.next_id, std::move(hook));
  return {hooks_, hooks.next_id++};
}

void detail::replace(std::vector<Tensor>& tensors, Tensor by, const char* hook) {
  if (by.defined()) replace(tensors, std::vector<Tensor>{std::move(by)}, hook);
}
void detail::replace(std::vector<Tensor>& tensors, std::vector<Tensor> by, const char* hook) {
  if (by.empty()) return;
  if (by.size() != tensors.size()) {
    fail<ModuleError>("{}: a hook must return as many tensors as it is given, or nothing: {} for {}", hook, by.size(),
                      tensors.size());
  }
  tensors = std::move(by);
}
const Tensor& detail::only(const std::vector<Tensor>& results) {
  if (results.size() != 1) {
    fail<ModuleError>(
        "register_forward_hook: a hook that takes one Tensor must see one result: {} came; take const "
        "std::vector<Tensor>& outputs",
        results.size());
  }
  return results[0];
}

// --- One call

namespace {

// Of one call with backward hooks.
struct Passage {
  Module& module;
  std::shared_ptr<Module> keeps_it;  // until the backward pass
  ModuleHooks::List<BackwardHook> hooks;
  std::size_t inputs = 0;            // how many there are
  bool recorded = false;             // whether a gradient flows to any
  std::vector<Tensor> grad_outputs;  // once they have come

  std::vector<Tensor> call(std::vector<Tensor> grad_inputs) {
    for (auto& [id, hook] : hooks) hook.call(module, grad_inputs, grad_outputs);
    return grad_inputs;
  }
};

// Hands tensors on; its node sees all their gradients together.
struct Boundary : autograd::Function<Boundary> {
  static autograd::variable_list forward(autograd::AutogradContext* context, autograd::variable_list x,
                                         std::int64_t passage, bool outputs) {
    context->saved_data["passage"] = passage;
    context->saved_data["outputs"] = outputs;
    context->set_materialize_grads(false);
    return x;
  }
  static autograd::variable_list backward(autograd::AutogradContext* context, autograd::variable_list dy) {
    Passage& passage = *reinterpret_cast<Passage*>(context->saved_data["passage"].toInt());
    if (context->saved_data["outputs"].toBool()) {
      passage.grad_outputs = dy;
      if (!passage.recorded) passage.call(std::vector<Tensor>(passage.inputs));
    } else {
      dy = passage.call(std::move(dy));
    }
    dy.resize(dy.size() + 2);
    return dy;
  }
};

// The passage lives as long as a graph that leads to it.
void pass(const std::shared_ptr<Passage>& passage, std::vector<Tensor>& tensors, bool outputs) {
  bool flows = false;
  for (const Tensor& t : tensors) flows = flows || (t.defined() && t.requires_grad());
  if (!outputs) passage->recorded = flows && GradMode::is_enabled();
  if (!flows || !GradMode::is_enabled()) return;
  tensors = Boundary::apply(std::move(tensors), reinterpret_cast<std::int64_t>(passage.get()), outputs);
  for (const Tensor& t : tensors) {
    if (t.defined() && t.requires_grad()) {
      t.register_hook([passage](const Tensor&) {});
      break;
    }
  }
}

thread_local const Module* t_called = nullptr;  // of the innermost call that computed the module's parameters

}  // namespace

struct detail::HookedCall::State {
  Module& module;
  const Module* const called_around;
  ModuleHooks::List<ForwardHook> after;
  std::shared_ptr<Passage> passage;
  std::vector<const Tensor*> given;
  std::vector<Tensor> inputs, outputs;
  std::size_t taken = 0;
};

detail::HookedCall::HookedCall(Module& module)
    : state_(new State{module, std::exchange(t_called, nullptr), {}, {}, {}, {}, {}, 0}) {}
detail::HookedCall::~HookedCall() {
  t_called = state_->called_around;
  delete state_;
}

void detail::HookedCall::add(const Tensor& x) {
  state_->given.push_back(&x);
  state_->inputs.push_back(x);
}

// Hooks may register and remove others: the lists as they are now.
void detail::HookedCall::before() {
  ModuleHooks& hooks = *ModuleHooks::find(state_->module);
  for (const auto& computed : hooks.computed) ModuleHooks::refresh(state_->module, *computed, true);
  t_called = &state_->module;
  state_->after = hooks.after;
  ModuleHooks::List<BackwardHook> backward = hooks.backward;
  for (auto& [id, hook] : ModuleHooks::List<ForwardPreHook>(hooks.before)) hook.call(state_->module, state_->inputs);
  if (backward.empty()) return;
  std::shared_ptr<Module> keeps_it = state_->module.weak_from_this().lock();
  // Not said at registration: a constructor may register, and a copy by value has the original's hooks.
  if (!keeps_it && GradMode::is_enabled()) {
    fail<ModuleError>(
        "register_full_backward_hook: {} must be held by a shared_ptr, which keeps it until the backward pass: it is "
        "an object by value; make it with std::make_shared, or as its holder",
        state_->module.name());
  }
  state_->passage = std::make_shared<Passage>(
      Passage{state_->module, std::move(keeps_it), std::move(backward), state_->inputs.size(), false, {}});
  pass(state_->passage, state_->inputs, false);
}

Tensor& detail::HookedCall::find(const Tensor& x) const {
  std::size_t i = 0;
  while (state_->given[i] != &x) ++i;  // all have been seen
  return state_->inputs[i];
}

void detail::HookedCall::result(const Tensor& y) { state_->outputs.push_back(y); }

void detail::HookedCall::after() {
  if (state_->passage) pass(state_->passage, state_->outputs, true);
  for (auto& [id, hook] : state_->after) hook.call(state_->module, state_->inputs, state_->outputs);
}

const Tensor& detail::HookedCall::changed() { return state_->outputs[state_->taken++]; }

Tensor detail::hooked(Module& module, const Operand* x, std::size_t count,
                      Tensor (*compute)(Module&, const Operand*, std::size_t)) try {
  const autograd::Scope scope(x->at(), module.path());
  HookedCall call(module);
  for (std::size_t i = 0; i < count; ++i) call.see(x[i].tensor());
  call.before();
  std::vector<Operand> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.emplace_back(call.replaced(x[i].tensor()), x->at());
  call.result(compute(module, inputs.data(), count));
  call.after();
  return call.changed();
} catch (...) {
  rethrow_from(module, x->at());
}

// --- Parameters that are computed

void ModuleHooks::begin(Module& module, std::shared_ptr<Reparametrisation> computed) {
  NamedTensors& parameters = ModuleHooks::parameters(module);
  const Tensor* const found = parameters.find(computed->name);
  if (found == nullptr || !found->defined()) {
    fail<ModuleError>("{}: {} must have the parameter '{}': it has [{}]", computed->kind(), module.name(),
                      computed->name, fmt::join(parameters.keys(), ", "));
  }
  computed->member = *found;
  computed->begin(module);
  of(module).computed.push_back(computed);
  computed->member.mutable_grad() = Tensor();
  refresh(module, *computed, false);
}

void ModuleHooks::refresh(Module& module, Reparametrisation& computed, bool before_forward) {
  const Tensor value = computed.compute(module, before_forward);
  // The very tensor that the module's member is gets them, as functional_call does it: whatever the member's name is.
  autograd::Body& body = computed.member.body();
  body.array = value.array();
  body.unusual = value.body().unusual;
  body.set_edge(autograd::Edge(value.edge()));
}

void ModuleHooks::refresh(Module& module) {
  const ModuleHooks* hooks = find(module);
  if (hooks == nullptr) return;
  for (const auto& computed : hooks->computed) refresh(module, *computed, false);
}

void ModuleHooks::before_forward(const Module& module) {
  const ModuleHooks* hooks = find(module);
  if (hooks == nullptr || t_called == &module) return;
  for (const auto& computed : hooks->computed) refresh(const_cast<Module&>(module), *computed, true);
}

void ModuleHooks::make_parameter(Module& module, Reparametrisation& computed) {
  bool requires_grad = false;
  {
    const AutoGradMode recording(true);
    requires_grad = computed.compute(module, false).requires_grad();
  }
  expect_free(module, computed.kind(), {computed.name});
  const NoGradGuard no_grad;
  refresh(module, computed, false);
  computed.end(module);
  module.register_parameter(computed.name, computed.member, requires_grad);
}

}  // namespace gradus::nn
