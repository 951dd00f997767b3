#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> activation_modules() {
  const Tensor line = ones({3});
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
  };
}
// clang-format on

}  // namespace gradus::test
