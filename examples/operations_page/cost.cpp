// Passes over memory: an operation reads each of its operands once and writes each of its results once, a view does
// neither, a number costs nothing. Of cases the cheapest and the dearest are told.
#include <algorithm>

#include "catalogue.h"

namespace page {
namespace {

using Kind = Expression::Kind;
constexpr Passes kUnknown{-1, -1};

bool is_view(std::string_view name) {
  static const std::set<std::string_view> views = {
      "t",         "mT",         "mH",           "transpose", "permute",  "unsqueeze",       "squeeze",    "expand",
      "expand_as", "view",       "reshape",      "narrow",    "select",   "slice",           "diagonal",   "movedim",
      "with_dims", "flatten",    "unbind",       "split",     "chunk",    "detach",          "ahead",      "behind",
      "swapaxes",  "unfold",     "for_matrices", "moveaxis",  "swapdims", "unflatten",       "as_strided", "ravel",
      "view_as",   "reshape_as", "broadcast_to", "numpy_T",   "adjoint",  "squeeze_multiple"};
  return views.contains(name);
}
// What is asked of a tensor that is no tensor.
bool is_fact(std::string_view name) {
  static const std::set<std::string_view> facts = {
      "size",      "sizes",        "shape",         "dim",     "numel",
      "dtype",     "empty",        "defined",       "sqrt_of", "wrap_dim",
      "wrap_dims", "existing_dim", "reduced_shape", "count",   "is_floating_point",
      "floating",  "options",      "scalar_type",   "is_same", "value_or",
      "toInt",     "back"};
  return facts.contains(name);
}
Passes operator+(const Passes& a, const Passes& b) {
  if (!a.known() || !b.known()) return kUnknown;
  return {a.least + b.least, a.most + b.most};
}

}  // namespace

Passes Catalogue::passes_of_function(const std::string& name, int tensors, int depth) {
  const auto known = known_passes_.find(name);
  if (known != known_passes_.end()) return known->second;
  if (by_name_.contains(name)) {
    const Operation* op = by_name_.find(name)->second;
    if (op->kind == Operation::Kind::View) return {0, 0};
    return {static_cast<double>(tensors + op->outputs), static_cast<double>(tensors + op->outputs)};
  }
  const auto found = bodies_.find(name);
  if (found == bodies_.end() || depth > 5) return {static_cast<double>(tensors + 1), static_cast<double>(tensors + 1)};
  known_passes_[name] = kUnknown;  // of itself
  Passes result = kUnknown;
  for (const Item* f : found->second) {
    Shown shown;
    try {
      shown.formula = read_body(f->body);
    } catch (const NotAFormula&) {
      continue;
    }
    std::set<std::string> names;
    for (const Range& p : split_list(f->parameters)) {
      const std::string type = text_of(p);
      if (type.find("Operand") != std::string::npos || type.find("Tensor") != std::string::npos)
        names.insert(parameter_name(p));
    }
    const Passes one = passes_of(shown, names, depth + 1);
    if (!one.known()) continue;
    result = result.known() ? Passes{std::min(result.least, one.least), std::max(result.most, one.most)} : one;
  }
  return known_passes_[name] = result;
}

Passes Catalogue::passes_of(const Shown& shown, const std::set<std::string>& tensors, int depth) {
  if (!shown.formula) return kUnknown;
  std::set<std::string> names = tensors;
  Passes total{0, 0};
  for (const Definition& d : shown.formula->definitions) {
    if (!d.parameters.empty()) continue;
    bool is_tensor = false;
    total = total + passes_of(d.value, names, is_tensor, shown, depth);
    if (is_tensor) {
      for (std::size_t start = 0; start <= d.name.size();) {
        const std::size_t comma = std::min(d.name.find(", ", start), d.name.size());
        names.insert(d.name.substr(start, comma - start));
        start = comma + 2;
      }
    }
  }
  bool is_tensor = false;
  return total + passes_of(shown.formula->value, names, is_tensor, shown, depth);
}

Passes Catalogue::passes_of(const Term& term, std::set<std::string>& tensors, bool& is_tensor, const Shown& shown,
                            int depth) {
  const Expression& e = *term;
  is_tensor = false;
  switch (e.kind) {
    case Kind::Name:
      is_tensor = tensors.contains(e.text);
      return {0, 0};
    case Kind::Number:
    case Kind::Text:
    case Kind::Field:
    case Kind::Lambda:
      return {0, 0};
    case Kind::Index:
    case Kind::List: {
      Passes total{0, 0};
      for (const Term& a : e.arguments) {
        bool one = false;
        total = total + passes_of(a, tensors, one, shown, depth);
        is_tensor |= one;
      }
      return total;
    }
    case Kind::Cases: {
      Passes result{1e9, 0};
      for (std::size_t i = 0; i < e.arguments.size(); i += i + 1 == e.arguments.size() ? 1 : 2) {
        bool one = false;
        const Passes p = passes_of(e.arguments[i], tensors, one, shown, depth);
        is_tensor |= one;
        if (!p.known()) return kUnknown;
        result = {std::min(result.least, p.least), std::max(result.most, p.most)};
      }
      return result;
    }
    case Kind::Unary:
    case Kind::Binary:
    case Kind::Call:
      break;
  }
  Passes total{0, 0};
  int operands = 0;
  for (const Term& a : e.arguments) {
    bool one = false;
    total = total + passes_of(a, tensors, one, shown, depth);
    if (a->kind == Kind::List && one) operands += static_cast<int>(a->arguments.size()) - 1;
    operands += one;
  }
  if (operands == 0) {
    static const std::set<std::string_view> kMade = {"zeros", "ones", "full", "eye", "arange", "linspace"};
    if (e.kind == Kind::Call && kMade.contains(e.text)) is_tensor = true, total = total + Passes{1, 1};
    return total;
  }
  if (e.kind != Kind::Call) {
    is_tensor = true;
    return total + Passes{operands + 1.0, operands + 1.0};
  }
  if (is_fact(e.text)) return total;
  is_tensor = true;
  if (is_view(e.text)) return total;
  if (e.text == "zeros_like" || e.text == "ones_like" || e.text == "full_like" || e.text == "empty_like")
    return total + Passes{1, 1};
  for (std::size_t i = 0; i < shown.helpers.size(); ++i) {
    const Definition& h = shown.helpers[i];
    if (h.name != e.text || h.parameters.empty() || depth > 4) continue;
    std::set<std::string> inner(h.parameters.begin(), h.parameters.end());
    Passes of_helper{0, 0};
    bool one = false;
    for (std::size_t k = i + 1; k < shown.helpers.size() && shown.helpers[k].parameters.empty(); ++k) {
      of_helper = of_helper + passes_of(shown.helpers[k].value, inner, one, shown, depth + 1);
      if (one) inner.insert(shown.helpers[k].name);
    }
    if (!h.value) return kUnknown;
    return total + of_helper + passes_of(h.value, inner, one, shown, depth + 1);
  }
  return total + passes_of_function(e.text, operands, depth);
}

}  // namespace page
