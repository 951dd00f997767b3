#include "print.h"

#include <algorithm>
#include <ostream>
#include <unordered_set>

#include "../../core/base/fail.h"
#include "../../core/array/print.h"

namespace gradus {

namespace {

// "masked_fill" -> "MaskedFillBackward0", the name that PyTorch would give the node.
std::string python_name(std::string_view name) {
  std::string text;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      text += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = false;
    }
  }
  return text + "Backward0";
}

}  // namespace

std::string to_string(const Tensor& x) {
  if (!x.defined()) return "tensor(<undefined>)";
  std::string suffix;
  if (const auto node = x.grad_fn()) {
    suffix = "grad_fn=<" + python_name(node->name()) + ">";
  } else if (x.requires_grad()) {
    suffix = "requires_grad=True";
  }
  return core::to_string(x.array(), suffix);
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }
std::ostream& operator<<(std::ostream& out, IntArrayRef sizes) { return out << core::to_string(sizes); }
std::ostream& operator<<(std::ostream& out, DType dtype) { return out << to_string(dtype); }
std::ostream& operator<<(std::ostream& out, const Scalar& value) { return out << to_string(value); }
std::ostream& operator<<(std::ostream& out, const Device& device) { return out << device.str(); }

namespace autograd {

std::string graph_to_string(const Tensor& x) {
  constexpr int kDeepest = 30;
  if (!x.requires_grad()) return "(no history)\n";
  std::string text;
  std::unordered_set<const Node*> written;
  // Depth first with a stack of one's own: graphs may be deep.
  std::vector<std::pair<core::Ref<Node>, int>> stack{{x.edge().node, 0}};
  while (!stack.empty()) {
    const auto [node, depth] = stack.back();
    stack.pop_back();
    // Past a page's width the depth is a number: indentation alone would make a chain's text grow with its square.
    text.append(static_cast<std::size_t>(2 * std::min(depth, kDeepest)), ' ');
    if (depth > kDeepest) text += fmt::format("({}) ", depth);
    text += fmt::format("{} #{}", node->name(), node->number());
    if (!written.insert(node.get()).second) {
      text += node->num_inputs() == 0 ? "\n" : " (above)\n";
      continue;
    }
    for (const Attribute& a : node->attributes()) text += fmt::format(" {}={}", a.name, a.value);
    if (node->location()) text += fmt::format("  {}:{}", node->location().file(), node->location().line());
    if (!node->module().empty()) text += fmt::format(" in {}", node->module());
    text += '\n';
    for (int i = node->num_inputs(); i-- > 0;) {
      if (node->edges()[i]) stack.emplace_back(node->edges()[i].node, depth + 1);
    }
  }
  return text;
}

}  // namespace autograd
}  // namespace gradus
