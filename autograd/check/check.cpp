#include "check.h"

#include <algorithm>

#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"

namespace gradus::autograd {

namespace {

std::vector<detail::CheckVariable> input_variables(const std::vector<Tensor>& inputs, const CheckOptions& options) {
  std::vector<detail::CheckVariable> variables;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool constant =
        std::find(options.constants.begin(), options.constants.end(), static_cast<int>(i)) != options.constants.end();
    variables.push_back(
        {fmt::format("input {}", i), inputs[i].defined() ? inputs[i].array() : core::Array(), constant});
  }
  return variables;
}

}  // namespace

detail::CheckSubject detail::rule_subject(bool rule, std::string_view name, const AttributeList& attributes,
                                          const std::vector<Tensor>& inputs, const CheckOptions& options) {
  std::vector<std::string> texts;
  for (const Attribute& attribute : attributes) texts.push_back(fmt::format("{}={}", attribute.name, attribute.value));
  CheckSubject subject;
  subject.title = fmt::format("the {} {}", rule ? "rule" : "operation", name);
  if (!texts.empty()) subject.title += fmt::format("({})", fmt::join(texts, ", "));
  subject.variables = input_variables(inputs, options);
  return subject;
}

CheckReport check_function(const std::string& title, const TensorFunction& f, const std::vector<Tensor>& inputs,
                           const CheckOptions& options) {
  detail::CheckSubject subject;
  subject.title = title;
  subject.variables = input_variables(inputs, options);
  subject.hand = f;
  subject.graph = [&f](const std::vector<Tensor>& x) {
    const UseReferences references;
    return f(x);
  };
  return detail::compare_gradients(subject, options);
}

}  // namespace gradus::autograd
