// What is added to an error on its way out of a backward pass.
#pragma once

#include <string>
#include <vector>

#include "../../core/memory/storage.h"

namespace gradus {
class Tensor;
}

namespace gradus::autograd {

class Node;

/// "mul in seq.2, recorded at file:line"; of a leaf its shape and dtype.
std::string described(const Node& node);
/// "mul_ wrote to it at file:line".
std::string written(const core::WriteMark& mark);
/// Where an exception left a node's formula; with it, which of the gradients it could not ask.
std::string place_of(const Node& node, const std::vector<Tensor>& of_outputs);
/// Throws the exception that is being handled again, with a note of where it happened: an Error and the standard
/// library's own exceptions with the note in their text, their type the same; any other type as it is.
[[noreturn]] void rethrow_with(const std::string& note);

}  // namespace gradus::autograd
