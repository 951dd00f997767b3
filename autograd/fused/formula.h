// A program as a formula.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::core::kernels {
class Program;
}

namespace gradus::autograd::detail {

/// The outputs of a program, a line each, and before them what is used more than once, under names of its own. `inputs` and
/// `outputs` are names, in the notation that is asked for: that of the lambda, or LaTeX.
std::string formula_of(const core::kernels::Program& program, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs, bool latex);

/// Inputs' names: x; x, y; x, y, z; more of them are numbered.
std::vector<std::string> input_names(int inputs, bool latex = false);

/// A function's name in LaTeX.
std::string latex_name(std::string_view name);

}  // namespace gradus::autograd::detail
