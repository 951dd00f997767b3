#include "function.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "../../core/base/fail.h"
#include "engine_start.h"
#include "error_notes.h"
#include "function_node.h"
#include "observer.h"
#include "operation_support.h"

namespace gradus::autograd {

void AutogradContext::save_for_backward(variable_list to_save) { to_save_ = std::move(to_save); }
void AutogradContext::mark_dirty(const variable_list& inputs) { dirty_ = inputs; }
void AutogradContext::mark_non_differentiable(const variable_list& outputs) { non_differentiable_ = outputs; }

variable_list AutogradContext::get_saved_variables() const {
  return node_ == nullptr ? to_save_ : node_->saved_variables();
}

bool AutogradContext::needs_input_grad(std::size_t i) const {
  if (node_ == nullptr) return true;
  const auto count = static_cast<std::size_t>(node_->num_inputs());
  if (i >= count) {
    core::fail<IndexError>("{}: needs_input_grad takes the number of a tensor among the arguments: {} of {}",
                           node_->name(), i, count);
  }
  return Wanted::gradient(*node_, static_cast<int>(i));
}
bool AutogradContext::needs_input_grad(std::initializer_list<IndexRange> ranges) const {
  for (const auto& [first, last] : ranges) {
    for (std::size_t i = first; i < last; ++i) {
      if (needs_input_grad(i)) return true;
    }
  }
  return false;
}

namespace detail {

namespace {

// As the source spells it, without the namespaces: "Cube" of (anonymous namespace)::Cube. It stays for as long as the
// program: nodes and marks of writes name it.
const char* short_name(const std::type_info& type) {
  int status = 0;
  char* const readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  if (readable == nullptr) return type.name();
  const char* start = readable;
  int depth = 0;
  for (const char* at = readable; *at != '\0'; ++at) {
    if (*at == '<' || *at == '(') ++depth;
    if (*at == '>' || *at == ')') --depth;
    if (depth == 0 && at[0] == ':' && at[1] == ':') start = at + 2;
  }
  return start;
}

}  // namespace

FunctionType::FunctionType(const std::type_info& type, FunctionBackward run) : name(short_name(type)), backward(run) {}

FunctionCall::FunctionCall(const FunctionType& type) : node_(core::Ref<FunctionNode>::adopt(new FunctionNode(type))) {}
FunctionCall::~FunctionCall() = default;

void FunctionCall::add_tensors(const Tensor* tensors, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& x = tensors[i];
    node_->add_input(x.defined() ? x.edge() : Edge(), meta_of(x.defined() ? x.array() : absent_array));
    inputs_.push_back(x);
  }
  node_->end_argument(true, count);
}
void FunctionCall::add_other() { node_->end_argument(false, 0); }

std::vector<Operand> FunctionCall::operands() const {
  std::vector<Operand> operands;
  for (const Tensor& x : inputs_) operands.emplace_back(x, node_->location());
  return operands;
}

AutogradContext* FunctionCall::begin() {
  for (const Tensor& x : inputs_) writes_.push_back(x.defined() ? x.version() : 0);
  node_->begin();
  if (node_->recorded() && Observer::active()) {
    const std::vector<Operand> inputs = operands();
    Observer::tell_writing(*node_, inputs.data(), static_cast<int>(inputs.size()), false);
  }
  return &node_->context();
}

Tensor FunctionCall::finish(Tensor result) { return finish(variable_list{std::move(result)})[0]; }
variable_list FunctionCall::finish(variable_list results) {
  node_->complete(inputs_, writes_, results);
  if (node_->recorded() && Observer::active()) {
    const std::vector<Operand> inputs = operands();
    std::vector<core::Array> arrays;
    for (const Tensor& y : results) arrays.push_back(y.defined() ? y.array() : absent_array);
    try {
      Observer::tell_recorded(*node_, inputs.data(), static_cast<int>(inputs.size()), arrays);
    } catch (...) {
      const Unobserved unobserved;
      (void)node_->attach(inputs_, results);
      throw;
    }
  }
  return node_->attach(inputs_, results);
}

}  // namespace detail

SavedVariable::SavedVariable(const Tensor& variable, bool is_output, bool)
    : value_(variable.defined() ? variable.array() : core::Array()) {
  if (!variable.defined()) return;
  writes_ = variable.version();
  if (is_output && variable.requires_grad() && !variable.is_leaf()) {
    output_ = variable.output_nr();
  } else {
    edge_ = variable.edge();
  }
}

Tensor SavedVariable::unpack(const core::Ref<Node>& saved_for) const {
  if (gone_) {
    core::fail<GradError>(
        "SavedVariable: its numbers have been let go by an earlier backward pass: run the forward again, or pass "
        "retain_graph = true to the earlier pass");
  }
  if (!value_.defined()) return {};
  if (value_.storage()->write_count() != writes_) {
    core::fail<GradError>(
        "SavedVariable: the tensor ({}, {}) must not be changed until it is unpacked: {}; change a "
        "clone() instead",
        value_.shape(), value_.dtype(), written(value_.storage()->writes()));
  }
  if (output_ < 0) return Tensor(value_, edge_);
  if (!saved_for) core::fail<GradError>("SavedVariable: an output is unpacked for the node that made it: unpack(node)");
  return Tensor(value_, Edge{saved_for, output_});
}

void SavedVariable::reset_data() {
  value_ = {};
  edge_ = {};
  gone_ = true;
}

FunctionPreHook::~FunctionPreHook() = default;
FunctionPostHook::~FunctionPostHook() = default;

}  // namespace gradus::autograd
