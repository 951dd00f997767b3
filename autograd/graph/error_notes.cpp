#include "error_notes.h"

#include <stdexcept>
#include <typeinfo>

#include "../../core/base/fail.h"
#include "../tensor/tensor.h"
#include "function_node.h"
#include "node.h"

namespace gradus::autograd {

namespace {

// Exactly an E: a class derived from it has more to say than its text, and somebody may catch it by its name.
template <class... E>
void rethrow_exactly(const std::exception& error, const std::string& note) {
  const auto as = [&]<class One>(const One*) {
    if (typeid(error) == typeid(One)) throw One(error.what() + ("\n  " + note));
  };
  (as(static_cast<const E*>(nullptr)), ...);
}

// Whether what is being handled complains of something undefined: only then may a gradient that did not come be its cause.
bool is_of_undefined() {
  try {
    throw;
  } catch (const std::exception& error) {
    return std::string_view(error.what()).find("undefined") != std::string_view::npos;
  } catch (...) {
    return false;
  }
}

}  // namespace

std::string described(const Node& node) {
  std::string text(node.name());
  if (node.num_inputs() == 0) text += fmt::format(" ({}, {})", node.outputs()->shape, node.outputs()->dtype);
  if (!node.module().empty()) text += fmt::format(" in {}", node.module());
  if (node.location()) text += fmt::format(", recorded at {}:{}", node.location().file(), node.location().line());
  return text;
}

std::string written(const core::WriteMark& mark) {
  std::string text = fmt::format("{} wrote to it", mark.by == nullptr ? "something" : mark.by);
  if (mark.at) text += fmt::format(" at {}:{}", mark.at.file(), mark.at.line());
  return text;
}

// Where an exception left a formula, and which gradients it did not get.
std::string place_of(const Node& node, const Gradients& of_outputs) {
  std::string text = "in the backward pass of " + described(node);
  if (of_outputs.size() < 2 || dynamic_cast<const detail::FunctionNode*>(&node) != nullptr || !is_of_undefined())
    return text;
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    if (of_outputs[k].defined()) continue;
    text += fmt::format(
        "; no gradient came for its output {0}, which was not used: Dy<{0}> is undefined then, and its formula has to "
        "ask dy.defined() first",
        k);
  }
  return text;
}

void rethrow_with(const std::string& note) {
  try {
    throw;
  } catch (Error& error) {
    error.add_note(note);
    throw;
  } catch (const std::exception& error) {
    rethrow_exactly<std::runtime_error, std::range_error, std::overflow_error, std::underflow_error, std::logic_error,
                    std::domain_error, std::invalid_argument, std::length_error, std::out_of_range>(error, note);
    throw;
  }
}

}  // namespace gradus::autograd
