// Every module, by a row: printing, clones, state, dtype, mode, path in the graph, three ways, PyTorch's values, wrong use.
// A new module is a row here and a line of tests/reference/make_modules.py.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <gradus/autograd/graph/node.h>
#include <gradus/layers/module/check.h>

#include "../support/folder.h"
#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "module_table.h"

using namespace gradus;
using test::ModuleRow;
using test::row;

namespace {

// clang-format off
const std::vector<ModuleRow>& rows() {
  static const Tensor numbers = ones({3, 4}), whole = ones({3, 4}).to(kInt64), line = ones({3});
  static const std::vector<ModuleRow> all = {
      row("linear", "Linear(in_features=4, out_features=3, bias=true)", nn::Linear(4, 3)).refuses<ShapeError>({ones({2, 3})}, {"linear: ", "[2, 3]"}),
      row("linear_no_bias", "Linear(in_features=4, out_features=3, bias=false)", nn::Linear(nn::LinearOptions(4, 3).bias(false))).refuses<DTypeError>({whole}, {"linear: ", "int64"}),
      row("conv1d", "Conv1d(4, 6, kernel_size=3, stride=2, padding=1, groups=2)", nn::Conv1d(nn::Conv1dOptions(4, 6, 3).stride(2).padding(1).groups(2))).refuses<ShapeError>({line}, {"conv1d: "}),
      row("conv2d_same", "Conv2d(2, 3, kernel_size=[3, 2], stride=[1, 1], padding='same', dilation=[1, 2])", nn::Conv2d(nn::Conv2dOptions(2, 3, {3, 2}).padding(kSame).dilation({1, 2}))).refuses<ShapeError>({numbers}, {"conv2d: "}),
      row("conv3d", "Conv3d(1, 2, kernel_size=[2, 2, 2], stride=[1, 1, 1], bias=false)", nn::Conv3d(nn::Conv3dOptions(1, 2, 2).bias(false))).refuses<ShapeError>({numbers}, {"conv3d: "}),
      row("max_pool1d", "MaxPool1d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=false)", nn::MaxPool1d(nn::MaxPool1dOptions(3).stride(2))).linear().refuses<ShapeError>({line}, {"max_pool1d: ", "[3]"}),
      row("max_pool2d", "MaxPool2d(kernel_size=[3, 2], stride=[3, 2], padding=[1, 0], dilation=[1, 1], ceil_mode=false)", nn::MaxPool2d(nn::MaxPool2dOptions({3, 2}).padding({1, 0}))).linear().refuses<ShapeError>({line}, {"max_pool2d: ", "[3]"}),
      row("max_pool3d", "MaxPool3d(kernel_size=[2, 2, 2], stride=[2, 2, 2], padding=[0, 0, 0], dilation=[1, 1, 1], ceil_mode=false)", nn::MaxPool3d(2)).linear().refuses<ShapeError>({line}, {"max_pool3d: ", "[3]"}),
      row("avg_pool1d", "AvgPool1d(kernel_size=3, stride=3, padding=0)", nn::AvgPool1d(3)).linear().refuses<ShapeError>({line}, {"avg_pool1d: ", "[3]"}),
      row("avg_pool2d", "AvgPool2d(kernel_size=[3, 3], stride=[2, 2], padding=[1, 1])", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1))).linear().refuses<ShapeError>({line}, {"avg_pool2d: ", "[3]"}),
      row("avg_pool3d", "AvgPool3d(kernel_size=[2, 2, 2], stride=[2, 2, 2], padding=[0, 0, 0])", nn::AvgPool3d(2)).linear().refuses<ShapeError>({line}, {"avg_pool3d: ", "[3]"}),
      row("adaptive_avg_pool2d", "AdaptiveAvgPool2d(output_size=[2, none])", nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({2, std::nullopt}))).linear().refuses<ShapeError>({line}, {"adaptive_avg_pool2d: ", "[3]"}),
      row("batch_norm1d", "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)", nn::BatchNorm1d(3)).refuses<ShapeError>({numbers}, {"BatchNorm1d: ", "[3, 4]"}),
      row("batch_norm2d", "BatchNorm2d(3, eps=1e-05, momentum=none, affine=true, track_running_stats=true)", nn::BatchNorm2d(nn::BatchNorm2dOptions(3).momentum(std::nullopt))).refuses<ShapeError>({numbers}, {"BatchNorm2d: ", "[3, 4]"}),
      row("batch_norm3d", "BatchNorm3d(2, eps=0.001, momentum=0.1, affine=false, track_running_stats=true)", nn::BatchNorm3d(nn::BatchNorm3dOptions(2).affine(false).eps(1e-3))).refuses<ShapeError>({numbers}, {"BatchNorm3d: ", "[3, 4]"}),
      row("layer_norm", "LayerNorm([3, 4], eps=1e-05, elementwise_affine=true)", nn::LayerNorm(nn::LayerNormOptions({3, 4}))).refuses<ShapeError>({line}, {"layer_norm: ", "[3]"}),
      row("embedding", "Embedding(6, 3, padding_idx=5)", nn::Embedding(nn::EmbeddingOptions(6, 3).padding_idx(5))).linear().refuses<IndexError>({whole * 6}, {"embedding: ", "6"}).refuses<DTypeError>({numbers}, {"embedding: ", "float32"}),
      row("dropout", "Dropout(p=0.4, inplace=false)", nn::Dropout(0.4)).linear().drawing().refuses<DTypeError>({whole}, {"dropout: ", "int64"}),
      row("dropout2d", "Dropout2d(p=0.4, inplace=false)", nn::Dropout2d(0.4)).linear().drawing().refuses<ShapeError>({line}, {"dropout2d: ", "[3]"}),
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
      row("flatten", "Flatten(start_dim=1, end_dim=2)", nn::Flatten(nn::FlattenOptions().start_dim(1).end_dim(2))).linear().refuses<IndexError>({numbers}, {"flatten: "}),
      row("identity", "Identity()", nn::Identity()).linear().recording_nothing(),
      row("mse_loss", "MSELoss()", nn::MSELoss()).refuses<ShapeError>({numbers, line}, {"mse_loss: target", "[3] for input [3, 4]"}).refuses<DTypeError>({whole, numbers}, {"mse_loss: ", "int64"}),
      row("bce_with_logits_loss", "BCEWithLogitsLoss()", nn::BCEWithLogitsLoss(nn::BCEWithLogitsLossOptions().weight(numbers).pos_weight(ones({4})))).refuses<ShapeError>({numbers, line}, {"binary_cross_entropy_with_logits: target", "[3] for input [3, 4]"}),
      row("nll_loss", "NLLLoss()", nn::NLLLoss(nn::NLLLossOptions().weight(ones({4})).ignore_index(3))).linear().refuses<IndexError>({numbers, ones({3}).to(kInt64) * 4}, {"nll_loss: ", "4"}),
      row("cross_entropy_loss", "CrossEntropyLoss()", nn::CrossEntropyLoss(nn::CrossEntropyLossOptions().weight(ones({4})).label_smoothing(0.1))).refuses<ShapeError>({numbers, whole}, {"cross_entropy: "}),
      row("l1_loss", "L1Loss()", nn::L1Loss(kSum)).linear().refuses<ShapeError>({numbers, line}, {"l1_loss: target", "[3] for input [3, 4]"}),
      row("smooth_l1_loss", "SmoothL1Loss()", nn::SmoothL1Loss(nn::SmoothL1LossOptions().beta(0.7))).refuses<ShapeError>({numbers, line}, {"smooth_l1_loss: target", "[3] for input [3, 4]"}),
      row("huber_loss", "HuberLoss()", nn::HuberLoss(nn::HuberLossOptions(kNone).delta(1.5))).refuses<ShapeError>({numbers, line}, {"huber_loss: target", "[3] for input [3, 4]"}),
  };
  return all;
}
// clang-format on

const test::PyTorchFile& file() {
  static const test::PyTorchFile read("modules");
  return read;
}

// A clone of the row's module with the file's state, in its dtype; and the case's inputs, which require grad.
struct Case {
  Case(const ModuleRow& of, DType dtype)
      : name(of.name + (dtype == kFloat32 ? "_f32" : "_f64")), module(of.module.clone()) {
    module.ptr()->to(dtype);
    restore();
    for (int i = 0; file().has(fmt::format("{}/x{}", name, i)); ++i) {
      x.push_back(file()[fmt::format("{}/x{}", name, i)]);
      if (x.back().is_floating_point()) x.back().requires_grad_();
    }
  }
  void restore() const {
    const NoGradGuard no_grad;
    for (const auto& [key, value] : module.ptr()->state_dict()) value.copy_(file()[name + "/s." + key]);
  }
  Tensor operator()() const { return ModuleRow::forward(module, x); }
  std::string name;
  nn::AnyModule module;
  std::vector<Tensor> x;
};

// Each node between a result and its leaves.
std::vector<autograd::Node*> nodes_of(const Tensor& y) {
  std::vector<autograd::Node*> found;
  std::set<autograd::Node*> seen;
  const auto add = [&](autograd::Node* node) {
    if (node != nullptr && node->as_leaf() == nullptr && seen.insert(node).second) found.push_back(node);
  };
  add(y.grad_fn().get());
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& edge : found[i]->next_edges()) add(edge.node.get());
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(modules)

BOOST_AUTO_TEST_CASE(every_module_has_a_row) {
  std::set<std::string> declared, named;
  const std::filesystem::path layers = std::filesystem::path(GRADUS_TEST_DATA) / ".." / ".." / "layers";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(layers)) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream in(entry.path());
    const std::regex module("^GRADUS_MODULE\\((\\w+)\\);");
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
      if (std::regex_search(line, match, module)) declared.insert(match[1]);
    }
  }
  BOOST_TEST(declared.size() > 30u);
  // Containers, a function's wrapper, and what returns more than a Tensor, have suites of their own.
  for (const char* other : {"ModuleList", "Functional", "MultiheadAttention"}) BOOST_TEST(declared.erase(other) == 1u);
  declared.insert("Embedding");  // declared by hand
  std::set<std::string> cases;
  for (const ModuleRow& r : rows()) {
    named.insert(r.module.ptr()->name());
    BOOST_TEST(cases.insert(r.name + "_f32").second, r.name << " is there twice");
    cases.insert(r.name + "_f64");
  }
  BOOST_TEST(declared == named, boost::test_tools::per_element());
  const std::vector<std::string> in_file = file().cases("");
  BOOST_TEST(std::set<std::string>(in_file.begin(), in_file.end()) == cases, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(they_print_as_pytorchs) {
  for (const ModuleRow& r : rows()) BOOST_TEST(r.module.ptr()->to_string() == r.text);
}

BOOST_AUTO_TEST_CASE(values_and_gradients_are_pytorchs) {
  for (const ModuleRow& r : rows()) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Case c(r, dtype);
      c.module.ptr()->eval();
      file().check(c(), c.name + "/z");
      // Evaluation changes nothing.
      for (const auto& [key, value] : c.module.ptr()->state_dict())
        BOOST_TEST(test::same_bits(value, file()[c.name + "/s." + key]), c.name << ": " << key);
      BOOST_TEST(file().has(c.name + "/y") == !r.draws);
      if (r.draws) continue;
      c.module.ptr()->train();
      const Tensor y = c();
      file().check(y, c.name + "/y");
      y.backward(file()[c.name + "/dy"]);
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        if (c.x[i].requires_grad()) file().check(c.x[i].grad(), fmt::format("{}/dx{}", c.name, i));
      }
      for (const auto& [key, p] : c.module.ptr()->named_parameters()) file().check(p.grad(), c.name + "/d." + key);
      for (const auto& [key, b] : c.module.ptr()->named_buffers()) file().check(b, c.name + "/after." + key);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_agree_three_ways) {
  for (const ModuleRow& r : rows()) {
    for (const bool training : {true, false}) {
      const Case c(r, kFloat64);
      c.module.ptr()->train(training);
      const auto report = c.x.size() == 1 ? nn::check(std::make_shared<nn::SequentialImpl>(c.module), c.x[0])
                                          : nn::check(std::make_shared<nn::SequentialImpl>(c.module), c.x[0], c.x[1]);
      BOOST_TEST(report.ok(), r.name << ": " << report);
      int compared[3] = {};
      for (const auto& each : report.rows) compared[each.order] += each.verdict == autograd::Verdict::Agree;
      BOOST_TEST(compared[1] > 0, r.name << ": " << report);
      BOOST_TEST((r.is_linear || !training || compared[2] > 0), r.name << ": " << report);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_they_record_bears_the_path_and_the_line_however_they_are_called) {
  for (const ModuleRow& r : rows()) {
    const Case c(r, kFloat64);
    struct Net : nn::Module {};
    const auto net = std::make_shared<Net>(), outer = std::make_shared<Net>();
    net->register_module("layer", c.module.ptr());
    outer->register_module("net", net);
    const Tensor results[] = {c(), r.direct(*c.module.ptr(), c.x)};
    for (const Tensor& y : results) {
      const auto nodes = nodes_of(y);
      BOOST_TEST(nodes.empty() == r.records_nothing, r.name);
      for (autograd::Node* node : nodes) {
        BOOST_TEST(node->module() == "net.layer", r.name << ": " << node->name());
        BOOST_TEST(std::string_view(node->location().file()).ends_with("module_table.h"),
                   r.name << ": " << node->name());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(clones_are_independent_and_states_come_back_from_files) {
  const test::Folder folder;
  for (const ModuleRow& r : rows()) {
    const Case c(r, kFloat32);
    c.module.ptr()->eval();
    const nn::AnyModule clone = c.module.clone();
    const Tensor y = c();
    BOOST_TEST(clone.ptr() != c.module.ptr());
    BOOST_TEST(!clone.ptr()->is_training());
    BOOST_TEST(clone.ptr()->to_string() == r.text);
    BOOST_TEST(test::same_bits(ModuleRow::forward(clone, c.x), y), r.name);
    save(c.module.ptr(), folder / r.name);
    {
      const NoGradGuard no_grad;
      for (const auto& [key, value] : c.module.ptr()->state_dict()) value.fill_(3);
    }
    BOOST_TEST(test::same_bits(ModuleRow::forward(clone, c.x), y), r.name);  // it has tensors of its own
    load(c.module.ptr(), folder / r.name);
    BOOST_TEST(test::same_bits(c(), y), r.name);
  }
}

BOOST_AUTO_TEST_CASE(dtype_and_mode_go_to_all_of_the_state) {
  for (const ModuleRow& r : rows()) {
    const Case c(r, kFloat32);
    const auto before = c.module.ptr()->state_dict();
    c.module.ptr()->to(kFloat64);
    for (const auto& [key, value] : c.module.ptr()->state_dict()) {
      BOOST_TEST(value.dtype() == (file()[c.name + "/s." + key].is_floating_point() ? kFloat64 : kInt64),
                 r.name << key);
      BOOST_TEST(value.is_same(before[key]), r.name << ": " << key);  // an optimizer holds it
    }
    c.module.ptr()->eval();
    BOOST_TEST(!c.module.ptr()->is_training());
    c.module.ptr()->train();
    BOOST_TEST(c.module.ptr()->is_training());
  }
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  for (const ModuleRow& r : rows()) {
    for (const auto& refusal : r.refusals) refusal(r.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
