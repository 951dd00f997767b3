#include "check_lambda.h"

#include "../graph/grad_mode.h"
#include "check.h"

namespace gradus::autograd::detail {

CheckReport check_lambda(LambdaSlot& slot, const LambdaArgument* x) {
  std::vector<Tensor> inputs;
  AttributeList numbers;
  for (int i = 0; i < slot.inputs; ++i) {
    if (x[i].tensor() != nullptr) {
      inputs.push_back(*x[i].tensor());
    } else {
      append(numbers, "number", text_of(x[i].number()));
    }
  }
  const auto with = [&](const std::vector<Tensor>& tensors, Tensor (*call)(LambdaSlot&, const LambdaArgument*)) {
    std::vector<LambdaArgument> arguments(x, x + slot.inputs);
    std::size_t next = 0;
    for (LambdaArgument& each : arguments) {
      if (each.tensor() != nullptr) each = LambdaArgument(tensors[next++], each.at());
    }
    return std::vector<Tensor>{call(slot, arguments.data())};
  };
  const CheckOptions options;
  CheckSubject subject = rule_subject(true, slot.name, numbers, inputs, options);
  subject.title.replace(0, std::string_view("the rule").size(), "the lambda");
  subject.hand = [&](const std::vector<Tensor>& tensors) { return with(tensors, call_lambda); };
  subject.graph = [&](const std::vector<Tensor>& tensors) {
    const UseReferences references;
    return with(tensors, compose_lambda);
  };
  return compare_gradients(subject, options);
}

}  // namespace gradus::autograd::detail
