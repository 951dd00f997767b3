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

// Whether what is being handled complains of this ("undefined", "must be defined"): what may be its cause is said only then.
bool is_about(std::string_view what) {
  try {
    throw;
  } catch (const std::exception& error) {
    return std::string_view(error.what()).find(what) != std::string_view::npos;
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

// Where an exception left a formula, which gradients it did not get, and which are not its to write to.
std::string place_of(const Node& node, const Gradients& of_outputs) {
  std::string text = "in the backward pass of " + described(node);
  const bool is_function = dynamic_cast<const detail::FunctionNode*>(&node) != nullptr;  // it is given zeros
  const bool absent = of_outputs.size() > 1 && !is_function && is_about("defined");
  const bool written = is_about("must have its own memory");
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    if (!of_outputs[k].defined()) {
      if (!absent) continue;
      text += fmt::format(
          "; no gradient came for its output {0}, which was not used: Dy<{0}> is undefined then, and its formula has "
          "to ask dy.defined() first",
          k);
    } else if (written && of_outputs[k].body().array.may_overlap_itself()) {
      text += fmt::format(
          "; the incoming gradient of its output {} lies like that: a formula must not change it in place, but compute "
          "another (dy * 2 for dy.mul_(2)), or change a clone()",
          k);
    }
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
