// Sequential, ModuleList, AnyModule, Flatten, Identity, Functional.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace nn = gradus::nn;
using gradus::IndexError;
using gradus::ModuleError;
using gradus::ShapeError;
using gradus::Tensor;
using gradus::test::check_error;
using gradus::test::values;

namespace {

using Names = std::vector<std::string>;

// The forms that a user's forward may have.
struct AddImpl : nn::Cloneable<AddImpl> {
  explicit AddImpl(double number = 1) : b(number) {}
  void reset() override {}
  Tensor forward(Tensor x) { return x + b; }
  double b;
};
GRADUS_MODULE(Add);
struct ConstImpl : nn::Module {
  Tensor forward(const Tensor& x) const { return x * 2; }
};
GRADUS_MODULE(Const);
struct OperandImpl : nn::Module {
  Tensor forward(gradus::Operand x) { return gradus::neg(x); }
};
struct JoinImpl : nn::Module {
  Tensor forward(const Tensor& x, const Tensor& y) { return x + y * 10; }
};
GRADUS_MODULE(Join);
struct OptionalImpl : nn::Module {
  Tensor forward(Tensor x, Tensor y = {}, const Tensor& z = {}) {
    if (y.defined()) x = x + y * 10;
    return z.defined() ? x + z * 100 : x;
  }
};
GRADUS_MODULE(Optional);

Tensor one() { return gradus::ones({1}); }
double number(const Tensor& x) { return x.item<double>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(sequential)

BOOST_AUTO_TEST_CASE(modules_of_every_form_follow_each_other) {
  Add add(5);
  nn::Sequential seq(add, Const(), std::make_shared<OperandImpl>(), AddImpl(1));
  BOOST_TEST(seq->size() == 4u);
  BOOST_TEST(number(seq->forward(one())) == -11);
  BOOST_TEST(number(seq(one())) == -11);
  add->b = 6;  // shared, not copied
  BOOST_TEST(number(seq->forward(one())) == -13);
  BOOST_TEST(seq->named_children().keys() == (Names{"0", "1", "2", "3"}));
}

BOOST_AUTO_TEST_CASE(modules_are_pushed_back) {
  nn::Sequential seq;
  BOOST_TEST(seq->is_empty());
  seq->push_back(Add(1));
  seq->push_back("twice", Const());
  seq->push_back(std::make_shared<AddImpl>(3));
  seq->push_back(AddImpl(4));
  seq->push_back(nn::AnyModule(Add(5)));
  seq->push_back("shared", std::make_shared<OperandImpl>());
  seq->push_back(nn::NamedAnyModule("named", Add(6)));
  BOOST_TEST(seq->named_children().keys() == (Names{"0", "twice", "2", "3", "4", "shared", "named"}));
  BOOST_TEST(number(seq->forward(one())) == -(4 + 3 + 4 + 5) + 6);
  check_error<ModuleError>([&] { seq->push_back("twice", Add()); }, {"Sequential has a submodule 'twice' already"});
  check_error<ModuleError>([&] { seq->push_back("a.b", Add()); }, {"must not have a dot"});
  check_error<ModuleError>([&] { seq->push_back(Add{nullptr}); }, {"Add: an empty holder"});
  check_error<ModuleError>([&] { seq->push_back(nn::AnyModule()); }, {"AnyModule: an empty one"});
  BOOST_TEST(seq->size() == 7u);
  BOOST_TEST(number(seq->forward(one())) == -10);

  const nn::Sequential named({{"first", Add(1)}, {"second", Const()}});
  BOOST_TEST(named->named_children().keys() == (Names{"first", "second"}));
  BOOST_TEST(number(named->forward(one())) == 4);
}

BOOST_AUTO_TEST_CASE(the_first_may_take_several_tensors) {
  nn::Sequential seq(Join(), Add(1));
  const Tensor x = one();
  BOOST_TEST(number(seq->forward(x, x * 2)) == 22);
  BOOST_TEST(number(seq(x, x * 2)) == 22);
  check_error<ModuleError>(
      [&] { seq->forward(x); },
      {"forward: Join must be called with as many tensors as its forward takes: 1 were given", "in (0): Join()"});
  check_error<ModuleError>([&] { nn::Sequential(Add(1), Join())->forward(x); },
                           {"Join", "1 were given", "in (1): Join()"});
  nn::Sequential any((Optional()));
  BOOST_TEST(number(any->forward(x)) == 1);
  BOOST_TEST(number(any->forward(x, x)) == 11);
  BOOST_TEST(number(any->forward(x, x, x)) == 111);
  nn::Sequential nested(nn::Sequential(Join()), Add(1));
  BOOST_TEST(number(nested->forward(x, x)) == 12);
}

BOOST_AUTO_TEST_CASE(modules_are_looked_up) {
  nn::Sequential seq(Add(3), Const());
  BOOST_TEST(seq->at<AddImpl>(0).b == 3);
  BOOST_TEST(seq->at<Add>(0).b == 3);
  BOOST_TEST(seq->ptr<AddImpl>(0)->b == 3);
  BOOST_TEST(seq->ptr(1)->name() == "Const");
  BOOST_TEST(seq[1]->name() == "Const");
  Names names;
  for (const auto& m : *seq) names.push_back(m.ptr()->name());
  BOOST_TEST(names == (Names{"Add", "Const"}));
  check_error<IndexError>([&] { seq[2]; }, {"Sequential: an index must be below the number of modules, 2: 2"});
  check_error<IndexError>([&] { seq->ptr(static_cast<std::size_t>(-1)); }, {"2: -1"});
  check_error<ModuleError>([&] { seq->at<Const>(0); }, {"the module must be a Const: it is a Add"});
}

BOOST_AUTO_TEST_CASE(copies_of_the_holder_are_the_same_and_extend_appends) {
  nn::Sequential seq(Add(1));
  nn::Sequential same(seq), other(Add(2), Const());
  same->push_back(Add(2));
  BOOST_TEST(seq->size() == 2u);
  seq->extend(*other);
  BOOST_TEST(seq->named_children().keys() == (Names{"0", "1", "2", "3"}));
  BOOST_TEST(number(seq->forward(one())) == 12);
  seq->extend(*seq);
  BOOST_TEST(seq->size() == 8u);
  // By value: what is inside is shared, the row is not.
  nn::SequentialImpl copy = *seq;
  copy.push_back(Add(100));
  BOOST_TEST(seq->size() == 8u);
  BOOST_TEST((copy.ptr(0) == seq->ptr(0)));
}

BOOST_AUTO_TEST_CASE(an_empty_one_cannot_run) {
  check_error<ModuleError>([] { nn::Sequential()->forward(one()); }, {"Sequential: forward needs a module"});
  check_error<ModuleError>(
      [] {
        nn::Sequential { nullptr } -> forward(one());
      },
      {"Sequential: an empty holder"});
  check_error<ModuleError>([] { nn::AnyModule().forward(one()); }, {"AnyModule: an empty one"});
}

BOOST_AUTO_TEST_CASE(an_error_says_which_module) {
  nn::Sequential inner({{"hidden", nn::Linear(4, 3)}, {"out", nn::Linear(5, 2)}});
  nn::Sequential seq(Add(), inner);
  const Tensor x = gradus::ones({2, 4});
  check_error<ShapeError>(
      [&] { seq->forward(x); },
      {"linear:", "[2, 3]", "in (out): Linear(in_features=5, out_features=2, bias=true)", "in (1): Sequential()"});
  // It stays usable.
  BOOST_TEST(inner->at<nn::Linear>(0).forward(x).sizes().vec() == (std::vector<std::int64_t>{2, 3}));
}

BOOST_AUTO_TEST_CASE(gradients_flow_through) {
  nn::Sequential seq(nn::Linear(3, 2), Add(1), nn::ReLU());
  const Tensor x = gradus::ones({5, 3});
  seq->forward(x).sum().backward();
  BOOST_TEST(seq->parameters().size() == 2u);
  for (const Tensor& p : seq->parameters()) BOOST_TEST(p.grad().defined());
}

BOOST_AUTO_TEST_CASE(a_clone_is_independent) {
  nn::Sequential seq(Add(1), nn::Linear(1, 1));
  auto copy = std::dynamic_pointer_cast<nn::SequentialImpl>(seq->clone());
  copy->at<Add>(0).b = 50;
  BOOST_TEST(seq->at<Add>(0).b == 1);
  BOOST_TEST(!copy->parameters()[0].is_same(seq->parameters()[0]));
  BOOST_TEST(copy->parameters()[0].equal(seq->parameters()[0]));
  check_error<ModuleError>([] { nn::Sequential(Const())->clone(); }, {"clone: Const does not say how it is copied"});
}

BOOST_AUTO_TEST_CASE(any_module_holds_what_it_was_given) {
  const nn::AnyModule any(Add(3));
  BOOST_TEST(number(any.forward(one())) == 4);
  BOOST_TEST(any.get<Add>()->b == 3);
  BOOST_TEST(any.ptr<AddImpl>()->b == 3);
  BOOST_TEST(any.ptr()->name() == "Add");
  BOOST_TEST(!any.is_empty());
  BOOST_TEST(any.clone().get<Add>()->b == 3);
  check_error<ModuleError>([&] { any.get<Const>(); }, {"must be a Const: it is a Add"});
  check_error<ModuleError>([&] { any.forward(one(), one()); }, {"Add", "2 were given"});
}

BOOST_AUTO_TEST_CASE(a_list_registers_and_has_no_forward) {
  nn::ModuleList list;
  list->push_back(Add(1));
  list->push_back(nn::Linear(2, 2));
  list->push_back(std::make_shared<ConstImpl>());
  BOOST_TEST(list->size() == 3u);
  BOOST_TEST(list->parameters().size() == 2u);
  BOOST_TEST(list->at<Add>(0).b == 1);
  BOOST_TEST(list[1]->name() == "Linear");
  Names names;
  for (const auto& m : *list) names.push_back(m->name());
  BOOST_TEST(names == (Names{"Add", "Linear", "Const"}));
  check_error<IndexError>([&] { list->ptr(3); }, {"ModuleList", "3: 3"});
  check_error<ModuleError>([&] { list->at<Const>(0); }, {"must be a Const: it is a Add"});
  nn::ModuleList small;
  small->push_back(Add(7));
  const auto copy = std::dynamic_pointer_cast<nn::ModuleListImpl>(small->clone());
  copy->at<Add>(0).b = 8;
  BOOST_TEST(small->at<Add>(0).b == 7);
  BOOST_TEST(small->to_string() == "ModuleList(\n  (0): Add()\n)");
}

BOOST_AUTO_TEST_CASE(flatten_joins_dimensions) {
  const Tensor x = Tensor(gradus::test::counting({2, 3, 4, 5}));
  using Sizes = std::vector<std::int64_t>;
  BOOST_TEST(nn::Flatten()(x).sizes().vec() == (Sizes{2, 60}));
  BOOST_TEST(nn::Flatten(nn::FlattenOptions().start_dim(0))(x).sizes().vec() == (Sizes{120}));
  BOOST_TEST(nn::Flatten(nn::FlattenOptions().start_dim(-3).end_dim(2))(x).sizes().vec() == (Sizes{2, 12, 5}));
  BOOST_TEST(nn::Flatten()(x).equal(x.reshape({2, 60})));
  check_error<IndexError>([&] { nn::Flatten(nn::FlattenOptions().end_dim(4))(x); }, {"4"});
}

BOOST_AUTO_TEST_CASE(identity_and_functions_are_modules) {
  const Tensor x = gradus::tensor({-1.0, 2.0}).requires_grad_();
  BOOST_TEST(nn::Identity()(x).is_same(x));
  nn::Sequential seq(nn::Identity(), nn::Functional(gradus::relu), nn::Functional([](Tensor t) { return t * 3; }),
                     nn::Functional(gradus::log_softmax, 0, std::nullopt));
  BOOST_TEST(seq->forward(x).allclose(gradus::log_softmax(gradus::tensor({0.0, 6.0}), 0)));
  // PyTorch's own example, with all arguments bound.
  BOOST_TEST(equal(nn::Functional(gradus::elu, 1, 1, 1)(x), elu(x)));
  const Tensor scaled = nn::Functional(gradus::elu, 1.5, 2., 0.5)(x);
  BOOST_TEST(scaled.allclose(gradus::tensor({-1.1804080208620997, 4.0})));
}

BOOST_AUTO_TEST_SUITE_END()
