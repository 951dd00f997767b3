// Module: registration, names, what goes down the tree, printing, paths, copies; holders; torch.h's macros.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gradus/torch.h>

#include "../support/arrays.h"

namespace nn = gradus::nn;
using gradus::DTypeError;
using gradus::GradError;
using gradus::IndexError;
using gradus::ModuleError;
using gradus::Tensor;
using gradus::ValueError;
using gradus::autograd::Operand;
using gradus::test::check_error;
using gradus::test::values;

namespace {

// A bare module: weight, an absent bias, a buffer, and two submodules.
struct LeafImpl : nn::Cloneable<LeafImpl> {
  explicit LeafImpl(double value = 1) : start(value) { reset(); }
  void reset() override {
    weight = register_parameter("weight", gradus::full({2, 3}, start));
    bias = register_parameter("bias", Tensor(), false);
    count = register_buffer("count", gradus::zeros({}, gradus::kLong));
  }
  Tensor forward(Tensor x) { return x * weight; }
  double start;
  Tensor weight, bias, count;
};
GRADUS_MODULE(Leaf);

struct Tree : nn::Module {
  Tree() {
    scale = register_parameter("scale", gradus::ones({1}));
    a = register_module("a", Leaf(2));
    inner = register_module("inner", std::make_shared<nn::Module>());
    b = inner->register_module("b", Leaf(3));
    offset = register_buffer("offset", gradus::zeros({2}));
  }
  Leaf a{nullptr}, b{nullptr};
  std::shared_ptr<nn::Module> inner;
  Tensor scale, offset;
};

std::vector<std::string> keys(const nn::NamedTensors& tensors) { return tensors.keys(); }
using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(module)

BOOST_AUTO_TEST_CASE(names_and_order_are_those_of_registration) {
  Tree tree;
  BOOST_TEST(keys(tree.named_parameters()) == (Names{"scale", "a.weight", "inner.b.weight"}));
  BOOST_TEST(keys(tree.named_parameters(false)) == (Names{"scale"}));
  BOOST_TEST(keys(tree.named_buffers()) == (Names{"offset", "a.count", "inner.b.count"}));
  BOOST_TEST(keys(tree.state_dict()) ==
             (Names{"scale", "offset", "a.weight", "a.count", "inner.b.weight", "inner.b.count"}));
  BOOST_TEST(tree.parameters().size() == 3u);
  BOOST_TEST(tree.parameters()[1].is_same(tree.a->weight));
  BOOST_TEST(tree.buffers(false).size() == 1u);
  BOOST_TEST(tree.named_children().keys() == (Names{"a", "inner"}));
  BOOST_TEST((tree.children()[0] == tree.a.ptr()));
  BOOST_TEST(tree.named_modules("", false).keys() == (Names{"a", "inner", "inner.b"}));
  BOOST_TEST(tree.modules(false).size() == 3u);
  BOOST_TEST(std::make_shared<Tree>()->named_modules("net").keys() ==
             (Names{"net", "net.a", "net.inner", "net.inner.b"}));
}

BOOST_AUTO_TEST_CASE(named_parameters_read_as_pytorchs) {
  Tree tree;
  Names seen;
  for (auto& p : tree.named_parameters()) {
    seen.push_back(p.key());
    BOOST_TEST(p.value().requires_grad());
    BOOST_TEST(p->dim() == (*p).dim());
  }
  for (auto& [key, value] : tree.named_parameters()) {
    seen.push_back(key);
    gradus::NoGradGuard no_grad;
    value.zero_();
  }
  BOOST_TEST(seen == (Names{"scale", "a.weight", "inner.b.weight", "scale", "a.weight", "inner.b.weight"}));
  BOOST_TEST(tree.a->weight.sum().item<float>() == 0);

  auto all = tree.named_parameters();
  BOOST_TEST(all["a.weight"].is_same(tree.a->weight));
  BOOST_TEST(all.contains("scale"));
  BOOST_TEST(all.find("scale")->is_same(tree.scale));
  BOOST_TEST(all.find("absent") == nullptr);
  BOOST_TEST(all.front().key() == "scale");
  BOOST_TEST(all.back().key() == "inner.b.weight");
  check_error<IndexError>([&] { all["absent"]; }, {"OrderedDict: there is no 'absent'"});
  check_error<ValueError>([&] { all.insert("scale", Tensor()); }, {"there is a 'scale' already"});
  BOOST_TEST(all.erase("scale"));
  BOOST_TEST(!all.erase("scale"));
  BOOST_TEST(all.size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_shared_is_listed_once) {
  auto module = std::make_shared<nn::Module>();
  const Leaf leaf;
  module->register_module("first", leaf);
  module->register_module("second", leaf);
  module->register_parameter("tied", leaf->weight);
  module->register_buffer("counted", leaf->count);
  BOOST_TEST(keys(module->named_parameters()) == Names{"tied"});
  BOOST_TEST(module->parameters().size() == 1u);
  BOOST_TEST(keys(module->named_buffers()) == Names{"counted"});
  BOOST_TEST(module->named_modules().keys() == (Names{"", "first"}));
  // The state has every name, as PyTorch's state_dict.
  BOOST_TEST(keys(module->state_dict()) ==
             (Names{"tied", "counted", "first.weight", "first.count", "second.weight", "second.count"}));
  BOOST_TEST(module->children().size() == 2u);
}

BOOST_AUTO_TEST_CASE(wrong_registrations_are_errors) {
  Tree tree;
  check_error<ModuleError>([&] { tree.register_parameter("", gradus::ones({1})); }, {"name must not be empty", "Tree"});
  check_error<ModuleError>([&] { tree.register_buffer("a.b", gradus::ones({1})); }, {"must not have a dot", "'a.b'"});
  check_error<ModuleError>([&] { tree.register_buffer("scale", gradus::ones({1})); },
                           {"register_buffer: Tree has a parameter 'scale' already"});
  check_error<ModuleError>([&] { tree.register_parameter("offset", gradus::ones({1})); },
                           {"a buffer 'offset' already"});
  check_error<ModuleError>([&] { tree.register_module("a", Leaf()); },
                           {"register_module: Tree has a submodule 'a' already"});
  check_error<ModuleError>([&] { tree.register_module("c", Leaf{nullptr}); }, {"Leaf: an empty holder was used"});
  check_error<ModuleError>([&] { tree.register_module("c", std::shared_ptr<LeafImpl>()); }, {"'c' is null"});
  check_error<ModuleError>(
      [&] { tree.register_parameter("c", tree.scale * 2); },
      {"register_parameter: 'c' must not be the result of an operation: it is that of mul", "detach()"});
  check_error<GradError>([&] { tree.register_parameter("c", gradus::ones({1}, gradus::kLong)); }, {"int64"});
  BOOST_TEST(tree.register_parameter("c", gradus::ones({1}, gradus::kLong), false).dtype() == gradus::kLong);

  auto outer = std::make_shared<nn::Module>();
  auto middle = outer->register_module("middle", std::make_shared<nn::Module>());
  check_error<ModuleError>([&] { middle->register_module("up", outer); }, {"'up' would make", "a submodule of itself"});
  check_error<ModuleError>([&] { outer->register_module("self", outer); }, {"a submodule of itself"});
  // Nothing of what was refused is there.
  BOOST_TEST(keys(tree.state_dict()) ==
             (Names{"scale", "c", "offset", "a.weight", "a.count", "inner.b.weight", "inner.b.count"}));
  BOOST_TEST(middle->children().empty());
}

BOOST_AUTO_TEST_CASE(submodules_are_replaced_and_removed) {
  Tree tree;
  tree.a = tree.replace_module("a", Leaf(7));
  BOOST_TEST(tree.parameters()[1].is_same(tree.a->weight));
  BOOST_TEST(tree.a->path() == "a");
  check_error<ModuleError>([&] { tree.replace_module("x", Leaf()); }, {"Tree has no submodule 'x'"});
  tree.unregister_module("a");
  BOOST_TEST(tree.named_children().keys() == Names{"inner"});
  check_error<ModuleError>([&] { tree.unregister_module("a"); }, {"Tree has no submodule 'a'"});
}

BOOST_AUTO_TEST_CASE(registered_tensors_are_the_members) {
  nn::Module module;
  const Tensor mine = gradus::ones({2});
  Tensor& registered = module.register_parameter("w", mine);
  BOOST_TEST(registered.is_same(mine));
  BOOST_TEST(mine.requires_grad());
  BOOST_TEST(!module.register_parameter("frozen", gradus::ones({2}), false).requires_grad());
  BOOST_TEST(!module.register_buffer("b", gradus::ones({2})).requires_grad());
}

BOOST_AUTO_TEST_CASE(the_mode_goes_down) {
  auto tree = std::make_shared<Tree>();
  BOOST_TEST(tree->is_training());
  tree->eval();
  for (const auto& m : tree->modules()) BOOST_TEST(!m->is_training());
  tree->a->train();
  BOOST_TEST(tree->a->is_training());
  BOOST_TEST(!tree->is_training());
  tree->train();
  for (const auto& m : tree->modules()) BOOST_TEST(m->is_training());
}

BOOST_AUTO_TEST_CASE(gradients_are_cleared) {
  Tree tree;
  const auto backward = [&] { (tree.a->weight.sum() + tree.b->weight.sum() * 2).backward(); };
  backward();
  BOOST_TEST(tree.b->weight.grad().sum().item<float>() == 12);
  tree.zero_grad();
  BOOST_TEST(!tree.a->weight.grad().defined());
  BOOST_TEST(!tree.b->weight.grad().defined());
  backward();
  tree.zero_grad(false);
  BOOST_TEST(tree.b->weight.grad().defined());
  BOOST_TEST(tree.b->weight.grad().sum().item<float>() == 0);
  BOOST_TEST(!tree.scale.grad().defined());
  backward();
  BOOST_TEST(tree.b->weight.grad().sum().item<float>() == 12);
  // A gradient with a history of its own.
  tree.zero_grad();
  tree.a->weight.square().sum().backward({}, {}, true);
  BOOST_TEST(tree.a->weight.grad().requires_grad());
  tree.zero_grad(false);
  BOOST_TEST(!tree.a->weight.grad().requires_grad());
  BOOST_TEST(tree.a->weight.grad().sum().item<float>() == 0);
}

BOOST_AUTO_TEST_CASE(to_converts_in_place) {
  Tree tree;
  const Tensor weight = tree.a->weight, count = tree.a->count;
  tree.a->weight.sum().backward();
  tree.to(gradus::kDouble);
  BOOST_TEST(weight.is_same(tree.a->weight));
  BOOST_TEST((weight.dtype() == gradus::kDouble));
  BOOST_TEST((weight.grad().dtype() == gradus::kDouble));
  BOOST_TEST((tree.offset.dtype() == gradus::kDouble));
  BOOST_TEST((count.dtype() == gradus::kLong));
  BOOST_TEST(weight.requires_grad());
  BOOST_TEST(weight.is_leaf());
  tree.a->weight.sum().backward();
  BOOST_TEST(weight.grad().sum().item<double>() == 12);
  tree.to(gradus::kCPU);
  tree.to(gradus::Device("cpu"), gradus::kFloat);
  BOOST_TEST((weight.dtype() == gradus::kFloat));
  check_error<DTypeError>([&] { tree.to(gradus::kLong); }, {"to: a module's dtype must be a floating one: int64"});
  BOOST_TEST((weight.dtype() == gradus::kFloat));
}

BOOST_AUTO_TEST_CASE(apply_reaches_each_module_once) {
  Tree tree;
  tree.register_module("again", tree.a);
  Names types, names;
  tree.apply([&](nn::Module& m) { types.push_back(m.name()); });
  BOOST_TEST(types == (Names{"Tree", "Leaf", "Module", "Leaf"}));
  tree.apply([&](const std::string& name, nn::Module&) { names.push_back(name); }, "net");
  BOOST_TEST(names == (Names{"net", "net.a", "net.inner", "net.inner.b"}));
  int leaves = 0;
  tree.apply([&](nn::Module& m) {
    if (auto* leaf = m.as<Leaf>()) leaves += static_cast<int>(leaf->start);
    BOOST_TEST(m.as<nn::Linear>() == nullptr);
  });
  BOOST_TEST(leaves == 5);
}

BOOST_AUTO_TEST_CASE(a_module_by_value_lists_what_is_below_it) {
  const Tree tree;
  check_error<ModuleError>([&] { tree.modules(); },
                           {"modules: Tree is held by no shared_ptr", "std::make_shared", "include_self"});
  BOOST_TEST(tree.modules(false).size() == 3u);
  BOOST_TEST(tree.parameters().size() == 3u);
}

namespace {

struct Classifier : nn::Module {
  Classifier() {
    body = register_module("body", nn::Sequential(nn::Linear(4, 3), nn::ReLU()));
    head = register_module("head", nn::Linear(nn::LinearOptions(3, 2).bias(false)));
  }
  nn::Sequential body{nullptr};
  nn::Linear head{nullptr};
};

struct Told : nn::Module {
  Told() : nn::Module("Telling") {}
  void pretty_print(std::ostream& stream) const override { stream << name() << "[here]"; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_tree_prints_as_pytorchs) {
  const Classifier net;
  const std::string text =
      "Classifier(\n"
      "  (body): Sequential(\n"
      "    (0): Linear(in_features=4, out_features=3, bias=true)\n"
      "    (1): ReLU()\n"
      "  )\n"
      "  (head): Linear(in_features=3, out_features=2, bias=false)\n"
      ")";
  BOOST_TEST(net.to_string() == text);
  std::ostringstream stream;
  stream << net << '\n' << net.head;
  BOOST_TEST(stream.str() == text + "\nLinear(in_features=3, out_features=2, bias=false)");
  BOOST_TEST(nn::Sequential()->to_string() == "Sequential()");
  BOOST_TEST(Told().to_string() == "Telling[here]");
  Told told;
  told.register_module("x", nn::ReLU());
  BOOST_TEST(told.to_string() == "Telling[here](\n  (x): ReLU()\n)");
}

BOOST_AUTO_TEST_CASE(names_are_types_without_namespace_and_impl) {
  struct Local : nn::Module {};
  BOOST_TEST(Local().name() == "Local");
  BOOST_TEST(LeafImpl().name() == "Leaf");
  BOOST_TEST(nn::Module().name() == "Module");
  BOOST_TEST(nn::Module("mine").name() == "mine");
}

BOOST_AUTO_TEST_CASE(paths_follow_the_last_registration) {
  Tree tree;
  BOOST_TEST(tree.path() == "");
  BOOST_TEST(tree.a->path() == "a");
  BOOST_TEST(tree.b->path() == "inner.b");
  auto outer = std::make_shared<nn::Module>();
  auto shared = outer->register_module("tree", std::make_shared<Tree>());
  const auto root = std::make_shared<nn::Module>();
  root->register_module("net", outer);
  BOOST_TEST(shared->b->path() == "net.tree.inner.b");
  // The text outlives the module.
  std::string_view path;
  {
    Tree short_lived;
    path = short_lived.b->path();
  }
  BOOST_TEST(path == "inner.b");
  BOOST_TEST(path.data() == tree.b->path().data());
}

BOOST_AUTO_TEST_CASE(nodes_bear_the_users_line_and_the_modules_path) {
  struct Net : nn::Module {
    Net() {
      body = register_module("body", nn::Sequential(nn::Linear(4, 3), nn::ReLU(), Leaf()));
      head = register_module("head", nn::Linear(3, 2));
    }
    nn::Sequential body;
    nn::Linear head{nullptr};
  };
  Net net;
  const Tensor x = gradus::ones({2, 4});
  const auto here = [](const Tensor& result, int where, const std::string& path) {
    BOOST_TEST(std::string(result.grad_fn()->module()) == path);
    BOOST_TEST(result.grad_fn()->location().line() == where);
    BOOST_TEST(std::string(result.grad_fn()->location().file()).ends_with("test_module.cpp"));
  };
  const int line = __LINE__;
  const Tensor y = net.body->at<nn::Linear>(0).forward(x);
  const Tensor z = net.head(y);
  const Tensor u = net.body->forward(x);
  here(y, line + 1, "body.0");
  here(z, line + 2, "head");
  // Called by itself, the user's own module opens no scope.
  BOOST_TEST(net.body->at<LeafImpl>(2).forward(y).grad_fn()->module() == "");

  // Leaf is the user's own: its line is that in its forward, its path the container's.
  BOOST_TEST(u.grad_fn()->name() == "mul");
  BOOST_TEST(u.grad_fn()->module() == "body.2");
  BOOST_TEST(u.grad_fn()->location().line() < line);
  const auto relu = u.grad_fn()->next_edges()[0].node;
  BOOST_TEST(relu->name() == "relu");
  BOOST_TEST(relu->module() == "body.1");
  BOOST_TEST(relu->location().line() == line + 3);
}

// A module of the user's own that opens no scope: its holder does, and a Layer has none to open.
struct ScaledImpl : nn::Layer<ScaledImpl> {
  Tensor compute(Operand x) { return x.tensor() * 2; }
  Tensor compute(Operand x, const Tensor& y, const Tensor& z) { return x.tensor() * y + z; }
  void reset() override {}
};
GRADUS_MODULE(Scaled);

BOOST_AUTO_TEST_CASE(a_users_own_module_opens_its_scope_unasked) {
  struct Net : nn::Module {
    Leaf leaf = register_module("leaf", Leaf());
    Scaled scaled = register_module("scaled", Scaled());
  };
  nn::Module outer;
  const auto net = outer.register_module("net", std::make_shared<Net>());
  const Tensor x = gradus::ones({2, 3}).requires_grad_();
  BOOST_TEST(net->leaf(x).grad_fn()->module() == "net.leaf");
  BOOST_TEST(net->scaled(x).grad_fn()->module() == "net.scaled");
  BOOST_TEST(net->scaled->forward(x, x, x).grad_fn()->module() == "net.scaled");
  const int line = __LINE__;
  const Tensor y = gradus::relu(net->scaled->forward(x));
  BOOST_TEST(y.grad_fn()->module() == "");  // made of what the module returned
  const auto inside = y.grad_fn()->next_edges()[0].node;
  BOOST_TEST(inside->module() == "net.scaled");
  BOOST_TEST(inside->location().line() == line + 1);
  BOOST_TEST(Scaled()->to_string() == "Scaled()");
}

BOOST_AUTO_TEST_CASE(holders_share_and_may_be_empty) {
  const Leaf leaf(4);
  const Leaf copy = leaf;
  BOOST_TEST((copy.ptr() == leaf.ptr()));
  BOOST_TEST(copy->weight.is_same(leaf->weight));
  Leaf empty{nullptr};
  BOOST_TEST(empty.is_empty());
  BOOST_TEST(!static_cast<bool>(empty));
  const auto used = "Leaf: an empty holder was used: it was made with {nullptr}";
  check_error<ModuleError>([&] { (void)empty->weight; }, {used});
  check_error<ModuleError>([&] { *empty; }, {used});
  check_error<ModuleError>([&] { empty(gradus::ones({1})); }, {used});
  check_error<ModuleError>(
      [&] {
        nn::Linear { nullptr } -> forward(gradus::ones({1}));
      },
      {"Linear: an empty holder"});
  empty = leaf;
  BOOST_TEST(empty->weight.is_same(leaf->weight));
  const Leaf from_pointer = std::make_shared<LeafImpl>(5);
  BOOST_TEST(from_pointer->start == 5);
  Leaf assigned{nullptr};
  assigned = std::make_shared<LeafImpl>(6);
  BOOST_TEST(assigned->start == 6);
}

BOOST_AUTO_TEST_CASE(a_copy_by_value_shares) {
  Tree tree;
  Tree copy = tree;
  BOOST_TEST(copy.a->weight.is_same(tree.a->weight));
  BOOST_TEST(copy.parameters()[0].is_same(tree.scale));
  copy.register_parameter("more", gradus::ones({1}));
  BOOST_TEST(copy.parameters().size() == 4u);
  BOOST_TEST(tree.parameters().size() == 3u);
  const Tree moved = std::move(copy);
  BOOST_TEST(keys(moved.named_parameters()) == (Names{"scale", "more", "a.weight", "inner.b.weight"}));
  std::vector<Tree> row(2);
  row.push_back(moved);
  BOOST_TEST(row.back().parameters().size() == 4u);
  BOOST_TEST(!row[0].scale.is_same(row[1].scale));
}

namespace {

struct PairImpl : nn::Cloneable<PairImpl> {
  PairImpl() { reset(); }
  void reset() override {
    first = register_module("first", Leaf(1));
    row = register_module("row", nn::Sequential());
    if (fewer) return;
    own = register_parameter("own", gradus::ones({2}));
  }
  Leaf first{nullptr};
  nn::Sequential row{nullptr};
  Tensor own;
  bool fewer = false;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_clone_shares_nothing) {
  auto original = std::make_shared<PairImpl>();
  original->row->push_back("in", Leaf(5));
  original->row->push_back(nn::Linear(3, 2));
  original->first->start = 8;
  {
    const gradus::NoGradGuard no_grad;
    original->own.fill_(9);
    original->first->count.fill_(3);
  }
  original->own.requires_grad_(false);
  original->row->eval();
  const auto root = std::make_shared<nn::Module>();
  root->register_module("pair", original);

  const auto clone = std::dynamic_pointer_cast<PairImpl>(original->clone());
  BOOST_REQUIRE(clone != nullptr);
  const auto theirs = original->state_dict(), mine = clone->state_dict();
  BOOST_TEST(mine.keys() == theirs.keys());
  BOOST_TEST(mine.size() == 7u);
  for (const auto& [name, value] : mine) {
    BOOST_TEST(!value.is_same(theirs[name]));
    BOOST_TEST((value.array().storage() != theirs[name].array().storage()));
    BOOST_TEST(value.equal(theirs[name]));
    BOOST_TEST(value.requires_grad() == theirs[name].requires_grad());
  }
  // The members are what is registered.
  BOOST_TEST(clone->own.is_same(mine["own"]));
  BOOST_TEST(clone->first->weight.is_same(mine["first.weight"]));
  BOOST_TEST(clone->row->at<LeafImpl>(0).weight.is_same(mine["row.in.weight"]));
  BOOST_TEST(clone->first->start == 8);
  BOOST_TEST(!clone->row->is_training());
  BOOST_TEST(clone->is_training());
  BOOST_TEST(clone->path() == "");
  BOOST_TEST(clone->row->ptr(0)->path() == "row.in");
  BOOST_TEST(original->row->ptr(0)->path() == "pair.row.in");
  BOOST_TEST(clone->to_string() == original->to_string());
  BOOST_TEST(clone->row->forward(gradus::ones({2, 3})).equal(original->row->forward(gradus::ones({2, 3}))));
}

namespace {

// Shares in every way: a module in several places, and a weight under another name.
struct TiedImpl : nn::Cloneable<TiedImpl> {
  TiedImpl() { reset(); }
  void reset() override {
    row = register_module("row", nn::Sequential());
    first = register_module("first", Leaf(3));
    again = register_module("again", first);
    list = register_module("list", nn::ModuleList());
    decoder = register_parameter("decoder", first->weight);
    late = register_parameter("late", gradus::zeros({2, 2}));
    count = register_buffer("count", first->count);
  }
  nn::Sequential row{nullptr};
  Leaf first{nullptr}, again{nullptr};
  nn::ModuleList list{nullptr};
  Tensor decoder, late, count;
};
GRADUS_MODULE(Tied);

// Made anew in two places, then made one by hand.
struct ByHandImpl : nn::Cloneable<ByHandImpl> {
  ByHandImpl() { reset(); }
  void reset() override {
    a = register_module("a", Leaf(1));
    b = register_module("b", Leaf(2));
    own = register_parameter("own", gradus::ones({2}));
    other = register_parameter("other", gradus::ones({2}));
  }
  void tie() {
    b = replace_module("b", a);
    other = parameters_["other"] = own;
  }
  Leaf a{nullptr}, b{nullptr};
  Tensor own, other;
};
GRADUS_MODULE(ByHand);

// Which of a state's tensors are one and the same: for each, the first that is it.
std::vector<std::size_t> identities(const nn::Module& module) {
  const auto all = module.state_dict().values();
  std::vector<std::size_t> firsts;
  for (const Tensor& t : all) {
    std::size_t first = 0;
    while (!all[first].is_same(t)) ++first;
    firsts.push_back(first);
  }
  return firsts;
}

void check_clone(const nn::Module& original, const nn::Module& clone) {
  const auto theirs = original.state_dict(), mine = clone.state_dict();
  BOOST_TEST(mine.keys() == theirs.keys());
  BOOST_TEST(identities(clone) == identities(original));
  BOOST_TEST(clone.parameters().size() == original.parameters().size());
  BOOST_TEST(clone.buffers().size() == original.buffers().size());
  BOOST_TEST(clone.modules(false).size() <= original.modules(false).size() + 1);
  for (const auto& [name, value] : mine) {
    BOOST_TEST(value.equal(theirs[name]), name);
    for (const Tensor& t : theirs.values()) BOOST_TEST(!value.is_same(t), name);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_clone_keeps_shared_what_is_shared) {
  const gradus::NoGradGuard no_grad;
  {  // in a container, and in containers within
    nn::Linear l(2, 2);
    nn::Sequential inner(l, nn::ReLU()), s(l, nn::ReLU(), l, inner, inner);
    const auto copy = std::dynamic_pointer_cast<nn::SequentialImpl>(s->clone());
    BOOST_TEST(copy->parameters().size() == 2u);
    check_clone(*s, *copy);
    BOOST_TEST(copy->ptr(0) == copy->ptr(2));
    BOOST_TEST(copy->ptr(3) == copy->ptr(4));
    BOOST_TEST(copy->at<nn::Sequential>(3).ptr(0) == copy->ptr(0));
    BOOST_TEST(copy->ptr(0) != s->ptr(0));
    nn::ModuleList list;
    for (int i = 0; i < 3; ++i) list->push_back(i == 1 ? std::shared_ptr<nn::Module>(s.ptr()) : l.ptr());
    const auto copies = std::dynamic_pointer_cast<nn::ModuleListImpl>(list->clone());
    check_clone(*list, *copies);
    BOOST_TEST(copies->ptr(0) == copies->ptr(2));
    BOOST_TEST(copies->at<nn::Sequential>(1).ptr(0) == copies->ptr(0));
  }
  {  // between members, containers and parameters
    Tied tied;
    tied->row->push_back(tied->first);
    tied->row->push_back(nn::Sequential(tied->first, nn::Linear(2, 2)));
    tied->list->push_back(tied->row);
    tied->list->push_back(tied->first);
    tied->first->weight.fill_(5);
    const auto copy = std::dynamic_pointer_cast<TiedImpl>(tied->clone());
    check_clone(*tied, *copy);
    // The members are what is registered, and what is in the containers.
    BOOST_TEST(copy->decoder.is_same(copy->first->weight));
    BOOST_TEST(copy->again->weight.is_same(copy->first->weight));
    BOOST_TEST(copy->count.is_same(copy->first->count));
    BOOST_TEST(copy->row->at<Leaf>(0).weight.is_same(copy->first->weight));
    BOOST_TEST(copy->again.ptr() == copy->first.ptr());
    BOOST_TEST((copy->row->ptr(0) == copy->first.ptr()));
    BOOST_TEST((copy->list->ptr(1) == copy->first.ptr()));
    copy->decoder.fill_(7);
    BOOST_TEST(copy->row->at<Leaf>(0).weight[0][0].item<double>() == 7);
    BOOST_TEST(tied->first->weight[0][0].item<double>() == 5);
    // A copy of the copy, and within another: no tie is lost, and none comes about between two clones.
    check_clone(*copy, *copy->clone());
    nn::Sequential both{nn::AnyModule(nn::Functional(gradus::relu))};
    nn::ModuleList pair;
    pair->push_back(tied);
    pair->push_back(std::dynamic_pointer_cast<nn::Module>(copy));
    pair->push_back(tied);
    check_clone(*pair, *pair->clone());
  }
  {  // tied by hand after reset()
    ByHand hand;
    hand->tie();
    hand->a->start = 4;
    const auto copy = std::dynamic_pointer_cast<ByHandImpl>(hand->clone());
    BOOST_TEST(identities(*copy) == identities(*hand));
    BOOST_TEST(copy->b->weight.is_same(copy->a->weight));
    BOOST_TEST(copy->b->start == 4);
    BOOST_TEST(copy->other.is_same(copy->own));
    BOOST_TEST(copy->parameters().size() == hand->parameters().size());
  }
  {  // a reset() that keeps what it made, and one that clones
    struct Keeping : nn::Cloneable<Keeping> {
      Keeping() { Keeping::reset(); }
      void reset() override {
        own = register_parameter("own", gradus::ones({2}));
        kept = gradus::ones({2});
        register_parameter("kept", kept);
      }
      void tie() { kept = parameters_["kept"] = own; }
      Tensor own, kept;
    };
    const auto keeping = std::make_shared<Keeping>();
    const auto copy = std::dynamic_pointer_cast<Keeping>(keeping->clone());
    BOOST_TEST(copy->kept.is_same(copy->parameters()[1]));
    keeping->tie();
    check_error<ModuleError>([&] { keeping->clone(); }, {"reset() of Keeping must take 'kept', which is shared",
                                                         "kept = register_parameter(\"kept\""});
    struct Copying : nn::Cloneable<Copying> {
      Copying() { Copying::reset(); }
      void reset() override {
        for (int i = 0; i < 2; ++i) copies[i] = register_module("copy" + std::to_string(i), model->clone());
      }
      Leaf model;
      std::shared_ptr<nn::Module> copies[2];
    };
    const auto copying = std::make_shared<Copying>();
    check_clone(*copying, *copying->clone());
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_cloned_says_why) {
  check_error<ModuleError>([] { Tree().clone(); }, {"clone: Tree does not say how it is copied", "nn::Cloneable"});
  PairImpl pair;
  pair.fewer = true;
  check_error<ModuleError>([&] { pair.clone(); }, {"reset() of Pair must register the parameters", "[own], not []"});
  struct Derived : PairImpl {};
  check_error<ModuleError>([] { Derived().clone(); }, {"Derived must derive from nn::Cloneable itself", "Pair"});
  struct Sharing : nn::Cloneable<Sharing> {
    Sharing() { Sharing::reset(); }
    void reset() override { register_module("leaf", leaf); }
    Leaf leaf;
  };
  check_error<ModuleError>([] { Sharing().clone(); }, {"reset() of Sharing must make 'leaf' anew"});
}

BOOST_AUTO_TEST_CASE(networks_are_built_in_several_threads_at_once) {
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&right, t] {
      for (int i = 0; i < 50; ++i) {
        const auto root = std::make_shared<nn::Module>();
        const auto tree = root->register_module("t" + std::to_string(i), std::make_shared<Tree>());
        right[t] += tree->b->path() == "t" + std::to_string(i) + ".inner.b";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(right == std::vector<int>(4, 50), boost::test_tools::per_element());
}

// A module in the manner of PyTorch's tutorials, with its macros.
namespace {

struct ScaleOptions {
  explicit ScaleOptions(double by) : factor_(by) {}
  TORCH_ARG(double, factor);
  TORCH_ARG(std::string, label) = "none";
};

struct ScaleImpl : torch::nn::Module {
  explicit ScaleImpl(double by) : ScaleImpl(ScaleOptions(by)) {}
  explicit ScaleImpl(const ScaleOptions& chosen) : options(chosen) {
    TORCH_CHECK(options.factor() > 0, "factor must be positive: ", options.factor(), " for ", options.label());
    weight = register_parameter("weight", torch::full({1}, options.factor()));
  }
  torch::Tensor forward(torch::Tensor x, bool twice) { return twice ? x * weight * 2 : x * weight; }
  ScaleOptions options;
  torch::Tensor weight;
};
TORCH_MODULE(Scale);

struct Streamed {};
std::ostream& operator<<(std::ostream& stream, const Streamed&) { return stream << "streamed"; }

}  // namespace

BOOST_AUTO_TEST_CASE(macros_of_pytorch) {
  Scale scale(ScaleOptions(3).label("x"));
  BOOST_TEST(scale->options.label() == "x");
  scale->options.label() = "y";
  BOOST_TEST(scale->options.label() == "y");
  BOOST_TEST(scale->forward(torch::ones({1}), true).item<float>() == 6);
  BOOST_TEST(scale(torch::ones({1}), false).item<float>() == 3);
  check_error<c10::Error>([] { Scale(-1.5); }, {"factor must be positive: -1.5 for none"});
  const at::Tensor x = torch::ones({2, 3});
  check_error<gradus::Error>(
      [&] {
        TORCH_CHECK(x.dim() == 3, "sizes ", x.sizes(), ' ', x.dtype(), ' ', true, -7, ' ', Streamed(), std::string("!"),
                    std::vector<std::int64_t>{1, 2}, x.device());
      },
      {"sizes [2, 3] float32 1-7 streamed![1, 2]cpu"});
  check_error<gradus::Error>([&] { TORCH_CHECK(x.dim() == 3); }, {"x.dim() == 3"});
  TORCH_CHECK(x.dim() == 2, "not thrown");
  int evaluated = 0;
  TORCH_CHECK(x.dim() == 2, ++evaluated);
  TORCH_CHECK_VALUE(x.dim() == 2, ++evaluated);
  TORCH_INTERNAL_ASSERT(x.dim() == 2, ++evaluated);
  BOOST_TEST(evaluated == 0);
  check_error<c10::ValueError>([&] { TORCH_CHECK_VALUE(x.dim() == 3, "dim ", x.dim()); }, {"dim 2"});
  check_error<c10::IndexError>([&] { TORCH_CHECK_INDEX(x.dim() == 3, "dim ", x.dim()); }, {"dim 2"});
  check_error<c10::TypeError>([&] { TORCH_CHECK_TYPE(x.dim() == 3); }, {"x.dim() == 3"});
  check_error<c10::Error>([&] { TORCH_INTERNAL_ASSERT(x.dim() == 3, "dim ", x.dim()); },
                          {"internal assert", "x.dim() == 3", "dim 2"});
  check_error<c10::Error>([&] { TORCH_INTERNAL_ASSERT(x.dim() == 3); }, {"internal assert", "x.dim() == 3"});
}

BOOST_AUTO_TEST_SUITE_END()
