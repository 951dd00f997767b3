#include <cmath>

#include <gradus/core/array/create.h>
#include <gradus/core/ops/random.h>

#include "row.h"

namespace gradus::test {

Tensor drawn(const Draw& draw, int position, const std::vector<std::int64_t>* other) {
  const core::Shape shape(other != nullptr ? *other : draw.shape);
  const std::int64_t n = core::numel_of(shape);
  const core::RandomPosition at{static_cast<std::uint64_t>(20240607 + position), 0};
  if (draw.kind == Draw::Kind::Index) {
    return Tensor(core::randint(0, static_cast<std::int64_t>(draw.high), shape, kInt64, at));
  }
  if (draw.kind == Draw::Kind::Mask) return Tensor(core::bernoulli_mask(shape, 0.5, at));
  // A place for each number, in random order; the operands' places lie between each other's. An even count puts none of
  // them at the middle, which may be 0.
  const std::int64_t places = 2 * ((n + 3) / 2);
  const core::Array order = core::randperm(places, kInt64, at), x = core::empty(shape, kFloat64);
  auto* out = x.data_ptr<double>();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto place = static_cast<double>(order.data_ptr<std::int64_t>()[i]);
    const double inside = 0.35 + 0.1 * position;  // of its place
    double value = draw.low + (draw.high - draw.low) * (place + inside) / static_cast<double>(places);
    if (draw.kind == Draw::Kind::Between)
      value = std::floor(value) + 0.25 + 0.125 * (place + inside) / static_cast<double>(places);
    if (draw.kind == Draw::Kind::Dyadic) value = std::floor(value * 256) / 256;
    out[i] = value;
  }
  return Tensor(x);
}

namespace {

// The in-place form as a row of its own.
Row in_place_row(const Row& row) {
  Row own = row;
  own.name += "_";
  own.out_of_place = row.call;
  own.call = [change = row.change](const Operands& x) {
    const Tensor y = x[0].clone();
    change(y, x);
    return y;
  };
  own.change = {};
  own.wrong_uses.clear();
  return own;
}

std::vector<Row> make_table() {
  std::vector<Row> table;
  for (const auto family :
       {pointwise_rows, reduction_rows, scan_rows, product_rows, linalg_rows, view_rows, joining_rows, indexing_rows,
        writing_rows, shape_rows, product_form_rows, elementwise_rows, statistics_rows, nn_function_rows}) {
    for (Row& row : family()) {
      table.push_back(row);
      if (row.change) table.push_back(in_place_row(row));
    }
  }
  return table;
}

}  // namespace

const std::vector<Row>& operation_table() {
  static const std::vector<Row> table = make_table();
  return table;
}

const std::vector<ProvenElsewhere>& proven_elsewhere() {
  // The rules of the layers, which are proven three ways.
  static const std::vector<ProvenElsewhere> list = {{"linear", "check"},
                                                    {"batch_norm", "check"},
                                                    {"dropout", "check"},
                                                    {"batch_norm_eval", "check"},
                                                    {"relu", "check"},
                                                    {"cross_entropy", "check"},
                                                    {"softmax", "softmax"},
                                                    {"log_softmax", "softmax"},
                                                    {"max_pool", "pooling"},
                                                    {"avg_pool", "pooling"},
                                                    {"adaptive_avg_pool2d", "pooling"},
                                                    {"layer_norm", "layer_norm"},
                                                    {"group_norm", "spatial"},
                                                    {"embedding", "embedding"},
                                                    {"conv", "conv"},
                                                    {"conv_transpose", "nn_functions"},
                                                    {"gelu", "activation"},
                                                    {"silu", "activation"},
                                                    {"softplus", "activation"},
                                                    {"elu", "activation"},
                                                    {"hardtanh", "activation"},
                                                    {"hardsigmoid", "activation"},
                                                    {"hardswish", "activation"},
                                                    {"hardshrink", "activation"},
                                                    {"softshrink", "activation"},
                                                    {"threshold", "activation"},
                                                    {"prelu", "activation"},
                                                    {"scaled_dot_product_attention", "attention"},
                                                    {"binary_cross_entropy_with_logits", "loss"},
                                                    {"ctc_loss", "losses"},
                                                    {"l1_loss", "losses"},
                                                    {"smooth_l1_loss", "losses"},
                                                    {"huber_loss", "losses"},
                                                    {"rnn", "recurrent"},
                                                    {"lstm", "recurrent"},
                                                    {"gru", "recurrent"},
                                                    {"interpolate", "sampling"},
                                                    {"grid_sample", "sampling"},
                                                    {"power_log", "gradients_at_edges"},
                                                    {"spherical_bessel", "gradients_at_edges"},
                                                    {"border_pad_sum", "borders"},
                                                    {"linalg_cofactor_slope", "linalg"},
                                                    {"one_minus_square", "gradients_at_edges"}};
  return list;
}

}  // namespace gradus::test
