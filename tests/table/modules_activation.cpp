#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> activation_modules() {
  const Tensor numbers = ones({3, 4}), whole = ones({3, 4}).to(kInt64), line = ones({3});
  return {
      row("relu", "ReLU()", nn::ReLU()).linear(),
      row("sigmoid", "Sigmoid()", nn::Sigmoid()),
      row("tanh", "Tanh()", nn::Tanh()),
      row("gelu", "GELU()", nn::GELU()),
      row("gelu_tanh", "GELU(approximate=tanh)", nn::GELU(nn::GELUOptions().approximate("tanh"))),
      row("silu", "SiLU()", nn::SiLU()),
      row("softplus", "Softplus(beta=2, threshold=3)", nn::Softplus(nn::SoftplusOptions().beta(2).threshold(3))),
      row("leaky_relu", "LeakyReLU(negative_slope=0.2)", nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2))).linear(),
      row("elu", "ELU(alpha=0.7)", nn::ELU(nn::ELUOptions().alpha(0.7))),
      row("softmax", "Softmax(dim=1)", nn::Softmax(1)).refuses<IndexError>({line}, {"softmax: ", "1"}),
      row("log_softmax", "LogSoftmax(dim=0)", nn::LogSoftmax(0)),
      row("softmin", "Softmin(dim=1)", nn::Softmin(1)).refuses<IndexError>({line}, {"softmin: ", "1"}),
      row("softmax2d", "Softmax2d()", nn::Softmax2d()).refuses<ShapeError>({numbers}, {"softmax2d: input", "[3, 4]"}),
      row("celu", "CELU(alpha=0.5)", nn::CELU(nn::CELUOptions().alpha(0.5))),
      row("selu", "SELU()", nn::SELU()).refuses<DTypeError>({whole}, {"selu: ", "int64"}),
      row("mish", "Mish()", nn::Mish()),
      row("logsigmoid", "LogSigmoid()", nn::LogSigmoid()),
      row("softsign", "Softsign()", nn::Softsign()).refuses<DTypeError>({whole}, {"softsign: input", "int64"}),
      row("tanhshrink", "Tanhshrink()", nn::Tanhshrink()).refuses<DTypeError>({whole}, {"tanhshrink: input", "int64"}),
      row("glu", "GLU(dim=1)", nn::GLU(1)).refuses<ShapeError>({ones({2, 3})}, {"glu: dimension 1", "[2, 3]"}),
      row("hardtanh", "Hardtanh(min_val=-0.5, max_val=1.5)", nn::Hardtanh(nn::HardtanhOptions().min_val(-0.5).max_val(1.5))).linear(),
      row("relu6", "ReLU6()", nn::ReLU6()).linear(),
      row("hardsigmoid", "Hardsigmoid()", nn::Hardsigmoid()).linear(),
      row("hardswish", "Hardswish()", nn::Hardswish()),
      row("hardshrink", "Hardshrink(0.7)", nn::Hardshrink(0.7)).linear(),
      row("softshrink", "Softshrink(0.7)", nn::Softshrink(0.7)).linear(),
      row("threshold", "Threshold(threshold=0.3, value=20)", nn::Threshold(0.3, 20)).linear(),
      row("prelu", "PReLU(num_parameters=4)", nn::PReLU(nn::PReLUOptions().num_parameters(4))).refuses<ShapeError>({ones({2, 3})}, {"prelu: ", "3 entries", "[4]"}),
      row("rrelu", "RReLU(lower=0.2, upper=0.4)", nn::RReLU(nn::RReLUOptions().lower(0.2).upper(0.4))).linear().drawing().refuses<DTypeError>({whole}, {"rrelu", "int64"}),
  };
}
// clang-format on

}  // namespace gradus::test
