#include "formula.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "../../core/loops/program.h"

namespace gradus::autograd::detail {

using core::kernels::Instruction;
using core::kernels::Program;

namespace {

// How tightly a text holds together.
enum Binds { Choice, Comparison, Sum, Product, Sign, Power, Whole };
struct Text {
  std::string text;
  Binds binds = Whole;
};

// With two operands, in both notations; {0} and {1} stand for them, held together at least so tightly.
struct Form {
  std::string_view name, plain, latex;
  Binds binds, left, right;
  Binds latex_binds = binds, latex_left = left, latex_right = right;
};
constexpr Form kForms[] = {
    {"add", "{0} + {1}", "{0} + {1}", Sum, Sum, Sum},
    {"sub", "{0} - {1}", "{0} - {1}", Sum, Sum, Product},
    {"mul", "{0} * {1}", "{0} \\cdot {1}", Product, Product, Sign},
    {"div", "{0} / {1}", "\\frac{{{0}}}{{{1}}}", Product, Product, Sign, Whole, Choice, Choice},
    {"remainder", "{0} % {1}", "{0} \\bmod {1}", Product, Product, Sign},
    {"pow", "pow({0}, {1})", "{0}^{{{1}}}", Whole, Choice, Choice, Power, Whole, Choice},
    {"lt", "{0} < {1}", "{0} < {1}", Comparison, Sum, Sum},
    {"le", "{0} <= {1}", "{0} \\le {1}", Comparison, Sum, Sum},
    {"gt", "{0} > {1}", "{0} > {1}", Comparison, Sum, Sum},
    {"ge", "{0} >= {1}", "{0} \\ge {1}", Comparison, Sum, Sum},
    {"eq", "{0} == {1}", "{0} = {1}", Comparison, Sum, Sum},
    {"ne", "{0} != {1}", "{0} \\ne {1}", Comparison, Sum, Sum},
    {"logical_and", "logical_and({0}, {1})", "{0} \\wedge {1}", Whole, Choice, Choice, Choice, Sum, Sum},
    {"logical_or", "logical_or({0}, {1})", "{0} \\vee {1}", Whole, Choice, Choice, Choice, Sum, Sum},
    {"neg", "-{0}", "-{0}", Sign, Power, Choice},
    {"logical_not", "!{0}", "\\neg {0}", Sign, Power, Choice},
    {"square", "square({0})", "{0}^2", Whole, Choice, Choice, Power, Whole},
    {"abs", "abs({0})", "\\left|{0}\\right|", Whole, Choice, Choice},
    {"sqrt", "sqrt({0})", "\\sqrt{{{0}}}", Whole, Choice, Choice},
    {"rsqrt", "rsqrt({0})", "\\frac{{1}}{{\\sqrt{{{0}}}}}", Whole, Choice, Choice},
    {"reciprocal", "reciprocal({0})", "\\frac{{1}}{{{0}}}", Whole, Choice, Choice},
    {"exp", "exp({0})", "e^{{{0}}}", Whole, Choice, Choice, Power, Choice},
    {"exp2", "exp2({0})", "2^{{{0}}}", Whole, Choice, Choice, Power, Choice},
    {"floor", "floor({0})", "\\left\\lfloor {0} \\right\\rfloor", Whole, Choice, Choice},
    {"ceil", "ceil({0})", "\\left\\lceil {0} \\right\\rceil", Whole, Choice, Choice},
    {"sigmoid", "sigmoid({0})", "\\sigma\\left({0}\\right)", Whole, Choice, Choice},
    {"maximum", "maximum({0}, {1})", "\\max\\left({0}, {1}\\right)", Whole, Choice, Choice},
    {"minimum", "minimum({0}, {1})", "\\min\\left({0}, {1}\\right)", Whole, Choice, Choice},
    // Gradients that are one kernel.
    {"tanh_backward", "{0} * (1 - square({1}))", "{0} \\cdot \\left(1 - {1}^2\\right)", Product, Product, Choice,
     Product, Product, Whole},
    {"sigmoid_backward", "{0} * {1} * (1 - {1})", "{0} \\cdot {1} \\cdot \\left(1 - {1}\\right)", Product, Product,
     Sign},
    {"exp_times", "{0} * exp({1})", "{0} \\cdot e^{{{1}}}", Product, Product, Choice},
};
// Functions that LaTeX has a name for.
constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
    {"log", "\\log"},   {"log2", "\\log_2"},  {"log10", "\\log_{10}"},    {"sin", "\\sin"},     {"cos", "\\cos"},
    {"tan", "\\tan"},   {"asin", "\\arcsin"}, {"acos", "\\arccos"},       {"atan", "\\arctan"}, {"sinh", "\\sinh"},
    {"cosh", "\\cosh"}, {"tanh", "\\tanh"},   {"lgamma", "\\log\\Gamma"}, {"digamma", "\\psi"}};

std::string number_text(const unsigned char* bytes, DType dtype) {
  switch (dtype) {
    case kFloat32: {
      float value;
      std::memcpy(&value, bytes, sizeof value);
      return fmt::format("{}", value);
    }
    case kFloat64: {
      double value;
      std::memcpy(&value, bytes, sizeof value);
      return fmt::format("{}", value);
    }
    case kBool:
      return *bytes != 0 ? "true" : "false";
    default: {
      std::int64_t value = 0;
      std::memcpy(&value, bytes, static_cast<std::size_t>(size_of(dtype)));
      return fmt::format("{}", value);
    }
  }
}

class Writer {
 public:
  Writer(const Program& program, bool latex) : program_(program), latex_(latex), texts_(program.values().size()) {}

  std::string write(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    const auto& values = program_.values();
    std::vector<int> uses(values.size());
    for (const Instruction& step : program_.instructions()) {
      for (int k = 0; k < step.count; ++k) ++uses[static_cast<std::size_t>(step.in[static_cast<std::size_t>(k)])];
    }
    for (const int y : program_.outputs()) {
      if (y >= 0) ++uses[static_cast<std::size_t>(y)];
    }
    for (std::size_t v = 0; v < values.size(); ++v) {
      if (values[v].kind == Program::Kind::Input) texts_[v] = {inputs[static_cast<std::size_t>(values[v].index)]};
      if (values[v].kind == Program::Kind::Constant) {
        const std::string text = number_text(values[v].constant.bytes, values[v].dtype);
        texts_[v] = {text, text[0] == '-' ? Sign : Whole};
      }
    }
    std::string lines;
    int named = 0;
    for (const Instruction& step : program_.instructions()) {
      Text& text = texts_[static_cast<std::size_t>(step.out)];
      text = of(step);
      if (uses[static_cast<std::size_t>(step.out)] < 2) continue;
      ++named;
      const std::string name = latex_ ? fmt::format("t_{{{}}}", named) : fmt::format("t{}", named);
      lines += fmt::format("{} = {}\n", name, text.text);
      text = {name};
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const int y = program_.outputs()[k];
      lines += fmt::format("{} = {}", outputs[k], y < 0 ? "0" : texts_[static_cast<std::size_t>(y)].text);
      if (k + 1 < outputs.size()) lines += '\n';
    }
    return lines;
  }

 private:
  // An operand where nothing looser than `least` may stand.
  std::string operand(const Instruction& step, int k, Binds least) const {
    const Text& text = texts_[static_cast<std::size_t>(step.in[static_cast<std::size_t>(k)])];
    if (text.binds >= least) return text.text;
    return latex_ ? fmt::format("\\left({}\\right)", text.text) : fmt::format("({})", text.text);
  }
  std::string parameter(const Instruction& step, int k) const {
    return number_text(step.param.data() + k * size_of(step.result), step.result);
  }

  Text of(const Instruction& step) const {
    if (step.name == "where") return choice(step);
    if (step.name == "to") return {operand(step, 0, Choice), Whole};
    if (step.name == "add" && step.param_bytes > 0) {
      const std::string scale = parameter(step, 0), a = operand(step, 0, Sum), b = operand(step, 1, Sign);
      return {a + " + " + scale + (latex_ ? " \\cdot " : " * ") + b, Sum};
    }
    if (step.name == "pow" && step.count == 1) {
      double exponent;
      std::memcpy(&exponent, step.param.data(), sizeof exponent);
      return latex_ ? Text{fmt::format("{}^{{{}}}", operand(step, 0, Whole), exponent), Power}
                    : Text{fmt::format("pow({}, {})", operand(step, 0, Choice), exponent)};
    }
    for (const Form& form : kForms) {
      if (form.name != step.name) continue;
      const std::string a = operand(step, 0, latex_ ? form.latex_left : form.left);
      const std::string b = step.count > 1 ? operand(step, 1, latex_ ? form.latex_right : form.right) : "";
      return {fmt::format(fmt::runtime(latex_ ? form.latex : form.plain), a, b),
              latex_ ? form.latex_binds : form.binds};
    }
    return call(step);
  }
  Text choice(const Instruction& step) const {
    const std::string c = operand(step, 0, Choice), a = operand(step, 1, Choice), b = operand(step, 2, Choice);
    if (!latex_) return {fmt::format("where({}, {}, {})", c, a, b)};
    return {fmt::format("\\begin{{cases}} {} & {} \\\\ {} & \\text{{otherwise}} \\end{{cases}}", a, c, b), Choice};
  }
  Text call(const Instruction& step) const {
    std::string list;
    for (int k = 0; k < step.count; ++k) list += (k > 0 ? ", " : "") + operand(step, k, Choice);
    for (int k = 0; k < numbers_of(step); ++k) list += ", " + parameter(step, k);
    if (!latex_) return {fmt::format("{}({})", step.name, list)};
    const auto* const known =
        std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const auto& f) { return f.first == step.name; });
    if (known != std::end(kFunctions)) return {fmt::format("{}\\left({}\\right)", known->second, list)};
    return {fmt::format("{}\\left({}\\right)", latex_name(step.name), list)};
  }
  // How many numbers of its own an operation prints.
  static int numbers_of(const Instruction& step) {
    static constexpr std::pair<std::string_view, int> known[] = {
        {"clamp", 2},        {"hardshrink", 1}, {"softshrink", 1},        {"threshold", 2}, {"elu", 1},
        {"elu_backward", 1}, {"softplus", 2},   {"softplus_backward", 2}, {"addcmul", 1},   {"addcdiv", 1}};
    for (const auto& [name, numbers] : known) {
      if (name == step.name) return numbers;
    }
    return step.name == "lerp" && step.count == 2 ? 1 : 0;
  }

  const Program& program_;
  const bool latex_;
  std::vector<Text> texts_;
};

}  // namespace

std::vector<std::string> input_names(int inputs, bool latex) {
  std::vector<std::string> names;
  for (int i = 0; i < inputs; ++i) {
    names.push_back(inputs <= 3 ? std::string(1, static_cast<char>('x' + i))
                    : latex     ? fmt::format("x_{{{}}}", i + 1)
                                : fmt::format("x{}", i + 1));
  }
  return names;
}

std::string latex_name(std::string_view name) {
  std::string text;
  for (const char c : name) text += c == '_' ? std::string("\\_") : std::string(1, c);
  return fmt::format("\\operatorname{{{}}}", text);
}

std::string formula_of(const Program& program, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs, bool latex) {
  return Writer(program, latex).write(inputs, outputs);
}

}  // namespace gradus::autograd::detail
