// Every module, by a row: printing, clones, state, dtype, mode, path in the graph, three ways, PyTorch's values, wrong use.
// A new module is a row of tests/table/modules_FAMILY.cpp and a line of tests/reference/make_modules_FAMILY.py.
// Label: serial
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
#include "../table/module_row.h"

using namespace gradus;
using test::ModuleRow;
using test::row;

namespace {

// The rows of a family, and what PyTorch has of them.
struct Family {
  std::vector<ModuleRow> rows;
  test::PyTorchFile file;
};
const std::vector<Family>& families() {
  static const std::vector<Family> all = [] {
    std::vector<Family> made;
    for (const test::ModuleFamily& each : test::module_families)
      if (auto rows = each.rows(); !rows.empty())
        made.push_back({std::move(rows), test::PyTorchFile(std::string("modules_") + each.name)});
    return made;
  }();
  return all;
}

// visit(row, file) for each.
template <class Visit>
void each_row(const Visit& visit) {
  for (const Family& family : families())
    for (const ModuleRow& r : family.rows) visit(r, family.file);
}

// A clone of the row's module with the file's state, in its dtype; and the case's inputs, which require grad.
struct Case {
  Case(const ModuleRow& of, const test::PyTorchFile& of_family, DType dtype)
      : file(of_family), name(of.name + (dtype == kFloat32 ? "_f32" : "_f64")), module(of.module.clone()) {
    module.ptr()->to(dtype);
    restore();
    for (int i = 0; file.has(fmt::format("{}/x{}", name, i)); ++i) {
      x.push_back(file[fmt::format("{}/x{}", name, i)]);
      if (x.back().is_floating_point()) x.back().requires_grad_();
    }
  }
  void restore() const {
    const NoGradGuard no_grad;
    for (const auto& [key, value] : module.ptr()->state_dict()) value.copy_(file[name + "/s." + key]);
  }
  Tensor operator()() const { return ModuleRow::forward(module, x); }
  const test::PyTorchFile& file;
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
  // Containers, a function's wrapper, what returns more than a Tensor or takes more than three, have suites of their own.
  for (const char* other : {"ModuleList", "ParameterList", "ParameterDict", "Functional", "MultiheadAttention", "RNN",
                            "LSTM", "GRU", "LSTMCell", "AdaptiveLogSoftmaxWithLoss", "CTCLoss"})
    BOOST_TEST(declared.erase(other) == 1u);
  declared.insert({"Embedding", "EmbeddingBag"});  // declared by hand
  for (const Family& family : families()) {
    std::set<std::string> cases;
    for (const ModuleRow& r : family.rows) {
      named.insert(r.module.ptr()->name());
      BOOST_TEST(cases.insert(r.name + "_f32").second, r.name << " is there twice");
      cases.insert(r.name + "_f64");
    }
    const std::vector<std::string> in_file = family.file.cases("");
    BOOST_TEST(std::set<std::string>(in_file.begin(), in_file.end()) == cases, boost::test_tools::per_element());
  }
  BOOST_TEST(declared == named, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(they_print_as_pytorchs) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile&) { BOOST_TEST(r.module.ptr()->to_string() == r.text); });
}

BOOST_AUTO_TEST_CASE(values_and_gradients_are_pytorchs) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Case c(r, file, dtype);
      c.module.ptr()->eval();
      file.check(c(), c.name + "/z");
      // Evaluation changes nothing.
      for (const auto& [key, value] : c.module.ptr()->state_dict())
        BOOST_TEST(test::same_bits(value, file[c.name + "/s." + key]), c.name << ": " << key);
      BOOST_TEST(file.has(c.name + "/y") == !r.draws);
      if (r.draws) return;
      c.module.ptr()->train();
      const Tensor y = c();
      file.check(y, c.name + "/y");
      y.backward(file[c.name + "/dy"]);
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        if (c.x[i].requires_grad()) file.check(c.x[i].grad(), fmt::format("{}/dx{}", c.name, i));
      }
      for (const auto& [key, p] : c.module.ptr()->named_parameters()) file.check(p.grad(), c.name + "/d." + key);
      for (const auto& [key, b] : c.module.ptr()->named_buffers()) file.check(b, c.name + "/after." + key);
    }
  });
}

BOOST_AUTO_TEST_CASE(gradients_agree_three_ways) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    for (const bool training : {true, false}) {
      const Case c(r, file, kFloat64);
      c.module.ptr()->train(training);
      const auto sequence = std::make_shared<nn::SequentialImpl>(c.module);
      const auto report = c.x.size() == 1   ? nn::check(sequence, c.x[0])
                          : c.x.size() == 2 ? nn::check(sequence, c.x[0], c.x[1])
                                            : nn::check(sequence, c.x[0], c.x[1], c.x[2]);
      BOOST_TEST(report.ok(), r.name << ": " << report);
      int compared[3] = {};
      for (const auto& each : report.rows) compared[each.order] += each.verdict == autograd::Verdict::Agree;
      BOOST_TEST(compared[1] > 0, r.name << ": " << report);
      BOOST_TEST((r.is_linear || !training || compared[2] > 0), r.name << ": " << report);
    }
  });
}

BOOST_AUTO_TEST_CASE(what_they_record_bears_the_path_and_the_line_however_they_are_called) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    const Case c(r, file, kFloat64);
    struct Net : nn::Module {};
    const auto net = std::make_shared<Net>(), outer = std::make_shared<Net>();
    net->register_module("layer", c.module.ptr());
    outer->register_module("net", net);
    const Tensor results[] = {c(), r.direct(*c.module.ptr(), c.x)};
    for (const Tensor& y : results) {
      const auto nodes = nodes_of(y);
      BOOST_TEST(nodes.empty() == r.records_nothing, r.name);
      for (autograd::Node* node : nodes) {
        const bool of_a_part = !c.module.ptr()->children().empty() && node->module().starts_with("net.layer.");
        BOOST_TEST((node->module() == "net.layer" || of_a_part), r.name << ": " << node->name());
        BOOST_TEST(std::string_view(node->location().file()).ends_with("module_row.h"), r.name << ": " << node->name());
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(clones_are_independent_and_states_come_back_from_files) {
  const test::Folder folder;
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    const Case c(r, file, kFloat32);
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
  });
}

BOOST_AUTO_TEST_CASE(dtype_and_mode_go_to_all_of_the_state) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    const Case c(r, file, kFloat32);
    const auto before = c.module.ptr()->state_dict();
    c.module.ptr()->to(kFloat64);
    for (const auto& [key, value] : c.module.ptr()->state_dict()) {
      BOOST_TEST(value.dtype() == (file[c.name + "/s." + key].is_floating_point() ? kFloat64 : kInt64), r.name << key);
      BOOST_TEST(value.is_same(before[key]), r.name << ": " << key);  // an optimizer holds it
    }
    c.module.ptr()->eval();
    BOOST_TEST(!c.module.ptr()->is_training());
    c.module.ptr()->train();
    BOOST_TEST(c.module.ptr()->is_training());
  });
}

// An input that was never assigned is one that may be absent, or the error names the layer and the input.
BOOST_AUTO_TEST_CASE(an_input_that_was_never_assigned_is_named) {
  int refused = 0;
  each_row([&](const ModuleRow& r, const test::PyTorchFile& file) {
    for (std::size_t i = 0; i < Case(r, file, kFloat32).x.size(); ++i) {
      Case c(r, file, kFloat32);
      c.x[i] = Tensor();
      try {
        c();
      } catch (const Error& error) {
        BOOST_TEST((std::string(error.what()).find("an undefined tensor was used") == std::string::npos),
                   r.name << ", input " << i << ": " << error.what());
        ++refused;
      }
    }
  });
  BOOST_TEST(refused > 100);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  each_row([&](const ModuleRow& r, const test::PyTorchFile&) {
    for (const auto& refusal : r.refusals) refusal(r.name);
  });
}

BOOST_AUTO_TEST_SUITE_END()
