// Containers and modules of any type: AnyModule, AnyValue, Sequential with other things than tensors, ModuleList, ModuleDict,
// ParameterList, ParameterDict, Functional with bound arguments.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <gradus/torch.h>

#include "../support/arrays.h"

using gradus::IndexError;
using gradus::ModuleError;
using gradus::test::check_error;
using torch::Tensor;
namespace nn = torch::nn;

namespace {

using Names = std::vector<std::string>;

// Forwards of all sorts, after the frontend's documentation.
struct SumImpl : nn::Module {
  int forward(int a, double b, const std::string& text) {
    return a + static_cast<int>(b) + static_cast<int>(text.size());
  }
};
TORCH_MODULE(Sum);
struct DefaultsImpl : nn::Module {
  int forward(int a, int b = 2, double c = 3.0) { return a + b + static_cast<int>(c); }

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, nn::AnyValue(2)}, {2, nn::AnyValue(3.0)})
};
struct SplitImpl : nn::Module {
  std::tuple<Tensor, Tensor> forward(Tensor x) { return {x, x * 2}; }
};
struct JoinImpl : nn::Module {
  Tensor forward(const std::tuple<Tensor, Tensor>& parts) { return std::get<0>(parts) + std::get<1>(parts); }
};
struct CountImpl : nn::Module {
  std::size_t forward(const std::vector<Tensor>& list) const { return list.size(); }
};
struct ChangeImpl : nn::Module {
  Tensor forward(Tensor& x) { return x = x + 1; }
};
struct AddImpl : nn::Cloneable<AddImpl> {
  explicit AddImpl(double number = 1) : b(number) {}
  void reset() override {}
  Tensor forward(Tensor x) { return x + b; }
  double b;
};
TORCH_MODULE(Add);

Tensor one() { return torch::ones({1}); }
double number(const Tensor& x) { return x.item<double>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(containers)

BOOST_AUTO_TEST_CASE(values_of_any_type) {
  nn::AnyValue five(5);
  BOOST_TEST(five.get<int>() == 5);
  BOOST_TEST(five.try_get<double>() == nullptr);
  BOOST_TEST((five.type_info() == typeid(int)));
  nn::AnyValue copy = five;
  copy.get<int>() = 6;
  BOOST_TEST(five.get<int>() == 5);
  five = copy;
  BOOST_TEST(five.get<int>() == 6);
  BOOST_TEST(nn::AnyValue("text").get<const char*>() == std::string("text"));
  BOOST_TEST(nn::AnyValue().is_empty());
  check_error<gradus::TypeError>([&] { five.get<std::vector<std::string>>(); },
                                 {"get must ask for the type that is held", "std::vector<std::string> for int"});
}

BOOST_AUTO_TEST_CASE(modules_of_any_forward) {
  nn::AnyModule any(Sum{});
  BOOST_TEST(any.forward<int>(1, 2.5, std::string("abc")) == 6);
  BOOST_TEST(any.any_forward(1, 2.5, std::string("abc")).get<int>() == 6);
  BOOST_TEST((any.type_info() == typeid(SumImpl)));
  check_error<ModuleError>([&] { any.forward<int>(1, 2, std::string("abc")); },
                           {"forward: argument 1 of Sum must be of type double: it is of type int"});
  check_error<ModuleError>([&] { any.forward<int>(1, 2.5); }, {"Sum must be called with 3 arguments: 2 were given"});
  check_error<ModuleError>([&] { any.forward(1, 2.5, std::string()); },
                           {"asked for, gradus::Tensor: it is of type int; forward<int>(..)"});
  check_error<ModuleError>([&] { any.forward(one()); }, {"3 arguments: 1 were given"});

  const nn::AnyModule defaults(DefaultsImpl{});
  BOOST_TEST(defaults.forward<int>(1) == 6);
  BOOST_TEST(defaults.forward<int>(1, 4) == 8);
  BOOST_TEST(defaults.forward<int>(1, 4, 5.0) == 10);
  check_error<ModuleError>([&] { defaults.any_forward(); }, {"called with 1 to 3 arguments: 0 were given"});
  check_error<ModuleError>([&] { defaults.forward<int>(1, 4, 5.0, 6); }, {"1 to 3 arguments: 4 were given"});

  // Tensors alone: with and without saying so.
  const nn::AnyModule add(Add(3));
  BOOST_TEST(number(add.forward(one())) == 4);
  BOOST_TEST(number(add.forward<>(one())) == 4);
  BOOST_TEST(number(add.forward<Tensor>(one())) == 4);
  BOOST_TEST(number(add.any_forward(one()).get<Tensor>()) == 4);
  check_error<ModuleError>([&] { add.forward(3); }, {"argument 0 of Add must be of type gradus::Tensor"});
  check_error<ModuleError>([&] { nn::AnyModule(nn::Linear(1, 1)).forward(3); }, {"argument 0 of Linear", "type int"});
  BOOST_TEST(nn::AnyModule(std::make_shared<CountImpl>()).forward<std::size_t>(std::vector<Tensor>(3)) == 3u);
  BOOST_TEST(number(nn::AnyModule(ChangeImpl()).forward(one())) == 2);
  // A holder is given back.
  Add held = add.get<Add>();
  BOOST_TEST(held->b == 3);
  held->b = 5;
  BOOST_TEST(add.get<AddImpl>().b == 5);
  nn::AnyModule assigned;
  assigned = Add(7);
  BOOST_TEST(number(assigned.forward(one())) == 8);
  BOOST_TEST(nn::AnyModule().clone().is_empty());
}

BOOST_AUTO_TEST_CASE(a_chain_of_any_modules) {
  std::vector<nn::AnyModule> chain{SplitImpl(), JoinImpl(), nn::Linear(1, 2), AddImpl(1)};
  nn::AnyValue value(torch::ones({2, 1}));
  for (const nn::AnyModule& module : chain) value = module.any_forward(std::move(value));
  BOOST_TEST((value.get<Tensor>().sizes() == torch::IntArrayRef({2, 2})));
}

BOOST_AUTO_TEST_CASE(sequential_passes_on_what_there_is) {
  nn::Sequential seq(SplitImpl(), JoinImpl(), Add(1));
  BOOST_TEST(number(seq->forward(one())) == 4);
  BOOST_TEST(number(seq(one())) == 4);
  nn::Sequential split(Add(1), std::make_shared<SplitImpl>());
  const auto [x, y] = split->forward<std::tuple<Tensor, Tensor>>(one());
  BOOST_TEST(number(y) == 4);
  check_error<ModuleError>([&] { split->forward(one()); },
                           {"it is of type std::tuple<gradus::Tensor, gradus::Tensor>"});
  BOOST_TEST(nn::Sequential(Sum())->forward<int>(1, 1.0, std::string("a")) == 3);
  BOOST_TEST(nn::Sequential(Sum(), DefaultsImpl())->forward<int>(1, 1.0, std::string("a")) == 8);
  check_error<ModuleError>([&] { nn::Sequential(Sum(), Add())->forward(1, 1.0, std::string("a")); },
                           {"argument 0 of Add", "in (1): Add()"});
  check_error<ModuleError>(
      [&] { nn::Sequential(Add(), CountImpl())->forward<int>(one()); },
      {"argument 0 of Count must be of type std::vector<gradus::Tensor>: it is of type gradus::Tensor"});
  // One inside another.
  BOOST_TEST(number(nn::Sequential(nn::Sequential(Add(1), SplitImpl(), JoinImpl()), Add(2))->forward(one())) == 8);
  // Lists of modules.
  nn::Sequential grown;
  grown->extend(std::vector<nn::AnyModule>{Add(1), nn::Linear(1, 1)});
  grown->extend(std::vector<std::shared_ptr<AddImpl>>{std::make_shared<AddImpl>(2)});
  grown->extend(*seq);
  BOOST_TEST(grown->size() == 6u);
  const nn::NamedAnyModule named("first", Add(9));
  BOOST_TEST(named.name() == "first");
  BOOST_TEST(number(named.module().forward(one())) == 10);
}

BOOST_AUTO_TEST_CASE(a_list_of_modules) {
  nn::ModuleList list(nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Dropout(0.5));
  list->push_back(AddImpl(7));
  list->insert(1, Add(8));
  BOOST_TEST(list->named_children().keys() == (Names{"0", "1", "2", "3", "4"}));
  BOOST_TEST(list->at<AddImpl>(1).b == 8);
  BOOST_TEST(list->ptr<AddImpl>(4)->b == 7);
  BOOST_TEST(list->ptr<nn::LinearImpl>(4) == nullptr);
  BOOST_TEST((list->children()[2] == list->ptr(2)));
  BOOST_TEST(list[2]->name() == "BatchNorm1d");
  BOOST_TEST(list->ptr(2)->path() == "2");
  list->insert(5, std::make_shared<AddImpl>(9));
  check_error<IndexError>([&] { list->insert(7, Add()); }, {"6: 7"});
  nn::ModuleList more;
  more->extend(*list);
  more->extend(std::vector<std::shared_ptr<AddImpl>>{std::make_shared<AddImpl>(1)});
  more->extend(*more);
  BOOST_TEST(more->size() == 14u);
  std::size_t linears = 0;
  for (const auto& module : *more) linears += module->as<nn::Linear>() != nullptr;
  BOOST_TEST(linears == 2u);
}

BOOST_AUTO_TEST_CASE(a_dictionary_of_modules) {
  nn::ModuleDict dict({{"linear", nn::Linear(3, 4).ptr()}, {"pool", nn::Flatten().ptr()}});
  BOOST_TEST(dict->keys() == (Names{"linear", "pool"}));
  BOOST_TEST(dict->size() == 2u);
  BOOST_TEST(dict->contains("pool"));
  BOOST_TEST(!dict->empty());
  dict->insert("add", Add(4));
  BOOST_TEST(dict->at<AddImpl>("add").b == 4);
  BOOST_TEST(dict["add"]->name() == "Add");
  torch::OrderedDict<std::string, std::shared_ptr<nn::Module>> ordered{{"add", Add(5).ptr()}, {"last", Add(6).ptr()}};
  dict->update(ordered);
  BOOST_TEST(dict->at<Add>("add").b == 5);
  dict->update(std::map<std::string, std::shared_ptr<nn::Module>>{{"b", Add(1).ptr()}});
  dict->update(std::vector<std::pair<std::string, std::shared_ptr<nn::Module>>>{{"c", Add(2).ptr()}});
  nn::ModuleDict other;
  other->update(*dict);
  BOOST_TEST(other->keys() == (Names{"linear", "pool", "add", "last", "b", "c"}));
  BOOST_TEST((other["linear"] == dict["linear"]));
  Names seen;
  for (const auto& item : *dict) seen.push_back(item.key() + ":" + item.value()->name());
  BOOST_TEST(seen.front() == "linear:Linear");
  BOOST_TEST(dict->items().back().first == "c");
  BOOST_TEST(dict->pop("linear")->name() == "Linear");
  BOOST_TEST(dict->parameters().empty());
  check_error<IndexError>([&] { dict->pop("linear"); }, {"no 'linear'"});
  check_error<IndexError>([&] { dict["linear"]; }, {"no 'linear'"});
  check_error<ModuleError>([&] { dict->at<nn::Linear>("add"); }, {"must be a Linear: it is a Add"});
  const auto copy = std::dynamic_pointer_cast<nn::ModuleDictImpl>(other->clone());
  BOOST_TEST(copy->keys() == other->keys());
  BOOST_TEST(copy->parameters()[0].equal(other->parameters()[0]));
  BOOST_TEST(!copy->parameters()[0].is_same(other->parameters()[0]));
  dict->clear();
  BOOST_TEST(dict->children().empty());
}

BOOST_AUTO_TEST_CASE(parameters_by_position) {
  const Tensor a = torch::ones({2, 3}).requires_grad_(), b = torch::zeros({4});
  nn::ParameterList list(a, b);
  BOOST_TEST(list->size() == 2u);
  BOOST_TEST(list[0].is_same(a));
  BOOST_TEST(list->at(0).requires_grad());
  BOOST_TEST(!list->at(1).requires_grad());
  list->append(torch::ones({1}));
  *list += std::vector<Tensor>{torch::ones({5})};
  list->extend(*list);
  BOOST_TEST(list->size() == 8u);
  BOOST_TEST(list->named_parameters(false).keys().front() == "0");
  BOOST_TEST(list->parameters().size() == 4u);  // shared ones once
  check_error<IndexError>([&] { list[8]; }, {"ParameterList", "8: 8"});
  nn::ParameterList small(a);
  BOOST_TEST(small->to_string() == "ParameterList(\n  (0): Parameter containing: [float32 of size 2x3]\n)");
  const auto copy = std::dynamic_pointer_cast<nn::ParameterListImpl>(list->clone());
  BOOST_TEST(copy->at(0).equal(a));
  BOOST_TEST(!copy->at(0).is_same(a));
  BOOST_TEST(copy->at(4).is_same(copy->at(0)));
  BOOST_TEST(copy->at(0).requires_grad());
}

BOOST_AUTO_TEST_CASE(parameters_by_name) {
  nn::ParameterDict dict;
  dict->insert("a", torch::ones({2}).requires_grad_());
  dict->insert("b", torch::zeros({3}));
  BOOST_TEST(dict->keys() == (Names{"a", "b"}));
  check_error<ModuleError>([&] { dict->insert("a", torch::ones({2})); }, {"a parameter 'a' already"});
  torch::OrderedDict<std::string, Tensor> more{{"b", torch::ones({1})}, {"c", torch::ones({1})}};
  dict->update(more);
  BOOST_TEST(dict->get("b").numel() == 1);
  BOOST_TEST(dict["c"].defined());
  BOOST_TEST(dict->pop("c").numel() == 1);
  BOOST_TEST(!dict->contains("c"));
  check_error<IndexError>([&] { dict["c"]; }, {"no 'c'"});
  nn::ParameterDict copied(more);
  BOOST_TEST(copied->values().size() == 2u);
  dict->clear();
  BOOST_TEST(dict->empty());
}

namespace {

// A module that holds all of them; what is shared stays so in a clone.
struct HolderImpl : nn::Cloneable<HolderImpl> {
  HolderImpl() { HolderImpl::reset(); }
  void reset() override {
    list = register_module("list", nn::ModuleList(nn::Linear(2, 2)));
    dict = register_module("dict", nn::ModuleDict());
    weights = register_module("weights", nn::ParameterList());
    dict->insert("shared", list->ptr(0));
    weights->append(list->at<nn::Linear>(0).weight);
  }
  nn::ModuleList list{nullptr};
  nn::ModuleDict dict{nullptr};
  nn::ParameterList weights{nullptr};
};

}  // namespace

BOOST_AUTO_TEST_CASE(clones_keep_shared_what_is_shared) {
  const auto original = std::make_shared<HolderImpl>();
  const auto copy = std::dynamic_pointer_cast<HolderImpl>(original->clone());
  BOOST_TEST(original->parameters().size() == 2u);
  BOOST_TEST(copy->parameters().size() == 2u);
  BOOST_TEST(copy->state_dict().keys() == original->state_dict().keys());
  BOOST_TEST((copy->dict["shared"] == copy->list->ptr(0)));
  BOOST_TEST(copy->weights[0].is_same(copy->list->at<nn::Linear>(0).weight));
  BOOST_TEST(!copy->weights[0].is_same(original->weights[0]));
}

BOOST_AUTO_TEST_CASE(functions_with_bound_arguments) {
  const Tensor x = torch::arange(16, torch::kFloat).reshape({1, 1, 4, 4});
  nn::Sequential seq(nn::Functional(torch::max_pool2d, 2, 2, 0, 1, false), nn::Functional(torch::relu),
                     nn::Functional([](const Tensor& t, double by) { return t * by; }, 0.5),
                     nn::Functional(torch::log_softmax, 1, torch::nullopt));
  BOOST_TEST((seq->forward(x).sizes() == torch::IntArrayRef({1, 1, 2, 2})));
  BOOST_TEST(!nn::Functional(torch::relu)->is_serializable());
}

BOOST_AUTO_TEST_SUITE_END()
