#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> recurrent_modules() {
  return {
      row("rnn_cell", "RNNCell(3, 4)", nn::RNNCell(3, 4)).refuses<ShapeError>({ones({2, 4})}, {"RNNCell: input must be [N, 3]", "[2, 4]"}),
      row("rnn_cell_relu", "RNNCell(3, 4, bias=false, nonlinearity=kReLU)", nn::RNNCell(nn::RNNCellOptions(3, 4).bias(false).nonlinearity(kReLU))).refuses<ShapeError>({ones({2, 3}), ones({3, 4})}, {"RNNCell: hx", "[3, 4]"}),
      row("gru_cell", "GRUCell(3, 4)", nn::GRUCell(3, 4)).refuses<ShapeError>({ones({2, 4})}, {"GRUCell: input", "[2, 4]"}),
      row("gru_cell_one", "GRUCell(3, 4, bias=false)", nn::GRUCell(nn::GRUCellOptions(3, 4).bias(false))),
  };
}
// clang-format on

}  // namespace gradus::test
