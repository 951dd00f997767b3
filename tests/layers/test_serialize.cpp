// Saving and loading: a module's state goes through a file and back; what does not fit changes nothing.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <gradus/core/files/files.h>
#include <gradus/core/files/safetensors.h>
#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/folder.h"

namespace nn = gradus::nn;
using gradus::FileError;
using gradus::ModuleError;
using gradus::Tensor;
using gradus::ValueError;
using gradus::test::check_error;
using gradus::test::Folder;
using gradus::test::values;

namespace {

struct Net : nn::Module {
  Net() {
    body = register_module(
        "body", nn::Sequential(nn::Linear(4, 3), nn::ReLU(), nn::Linear(nn::LinearOptions(3, 2).bias(false))));
    count = register_buffer("count", gradus::zeros({}, gradus::kLong));
    mean = register_buffer("mean", gradus::zeros({3}, gradus::kDouble));
  }
  Tensor forward(Tensor x) { return body->forward(x); }
  nn::Sequential body{nullptr};
  Tensor count, mean;
};

using Names = std::vector<std::string>;
const Names kNames = {"count", "mean", "body.0.weight", "body.0.bias", "body.2.weight"};

std::vector<std::vector<double>> numbers(const nn::Module& module) {
  std::vector<std::vector<double>> all;
  for (const auto& [name, tensor] : module.state_dict()) all.push_back(values(tensor.array()));
  return all;
}

// One correct step: the module still learns.
void check_usable(Net& net) {
  net.zero_grad();
  net.forward(gradus::ones({2, 4})).sum().backward();
  const gradus::NoGradGuard no_grad;
  for (const Tensor& p : net.parameters()) {
    BOOST_REQUIRE(p.grad().defined());
    p.sub_(p.grad(), 0.1);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(serialize)

BOOST_AUTO_TEST_CASE(a_state_goes_through_a_file) {
  const Folder folder;
  const std::string path = folder / "net.safetensors";
  Net net;
  net.count.fill_(7);
  net.mean.fill_(0.1);
  gradus::save(net, path);
  BOOST_TEST(folder.names() == std::set<std::string>{"net.safetensors"});

  auto other = std::make_shared<Net>();
  BOOST_TEST((numbers(*other) != numbers(net)));
  const auto before = other->state_dict();
  gradus::load(other, path);
  BOOST_TEST((numbers(*other) == numbers(net)));
  // In place: an optimizer that holds the parameters keeps working.
  for (const auto& [name, tensor] : other->state_dict()) {
    BOOST_TEST(tensor.is_same(before[name]));
    BOOST_TEST((tensor.array().storage() == before[name].array().storage()));
  }
  for (const Tensor& p : other->parameters()) BOOST_TEST((p.requires_grad() && p.is_leaf()));
  check_usable(*other);
  // Saving it again gives the same bytes; through a shared_ptr, a holder and unqualified names too.
  const auto shared = std::make_shared<Net>(net);
  save(shared, folder / "b");
  BOOST_TEST((gradus::core::read_file(path, 10000) == gradus::core::read_file(folder / "b", 10000)));
  nn::Linear a(2, 2), b(2, 2);
  save(a, folder / "linear");
  load(b, folder / "linear");
  BOOST_TEST(a->weight.equal(b->weight));
}

BOOST_AUTO_TEST_CASE(the_file_is_pytorchs_state_dict) {
  const Folder folder;
  const Net net;
  gradus::save(net, folder / "a");
  const auto file = gradus::core::Safetensors::read(folder / "a");
  Names names;
  for (const auto& e : file.entries()) names.push_back(e.name);
  BOOST_TEST(names == kNames);
  BOOST_TEST(file.entries()[2].shape == (gradus::core::Shape{3, 4}));  // [out, in]
  BOOST_TEST((file.metadata() == gradus::core::Metadata{{"format", "pt"}}));
}

BOOST_AUTO_TEST_CASE(a_saved_value_that_is_loaded_over_is_noticed) {
  const Folder folder;
  Net net;
  gradus::save(net, folder / "a");
  const Tensor y = net.forward(gradus::ones({2, 4})).square().sum();
  gradus::load(net, folder / "a");
  check_error<gradus::GradError>([&] { y.backward(); }, {"linear"});
  check_usable(net);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_listed_and_changes_nothing) {
  const Folder folder;
  Net net;
  const auto before = numbers(net);
  const auto written = [&](const std::function<void(nn::NamedTensors&)>& change) {
    nn::NamedTensors state;
    for (const auto& [name, tensor] : net.state_dict()) state.insert(name, gradus::ones_like(tensor));
    change(state);
    gradus::save(state, folder / "a");
    return folder / "a";
  };
  const auto refused = [&](const std::function<void(nn::NamedTensors&)>& change, const Names& pieces) {
    const std::string path = written(change);
    check_error<ModuleError>([&] { gradus::load(net, path); }, pieces);
    BOOST_TEST((numbers(net) == before));
  };
  refused([](auto& s) { s.erase("mean"); },
          {"load: the state in '", "must be that of Net:\n  missing in the file: mean"});
  refused(
      [](auto& s) {
        s.insert("more", gradus::ones({1}));
        s.insert("yet", gradus::ones({1}));
      },
      {"not in the module: 'more', 'yet'"});
  refused(
      [](auto& s) {
        s["body.2.weight"] = gradus::ones({3, 2});
      },
      {"not alike: body.2.weight is float32 [3, 2] in the file and float32 [2, 3] in the module"});
  refused([](auto& s) { s["count"] = gradus::ones({1}, gradus::kLong); },
          {"count is int64 [1] in the file and int64 [] in the module"});
  refused([](auto& s) { s["mean"] = gradus::ones({3}); },
          {"mean is float32 [3] in the file and float64 [3] in the module"});
  refused(
      [](auto& s) {
        s.erase("count");
        s.erase("body.0.bias");
        s.insert("x", gradus::ones({1}));
        s["mean"] = gradus::ones({4}, gradus::kDouble);
      },
      {"missing in the file: count, body.0.bias", "not in the module: 'x'", "not alike: mean is float64 [4]"});
  refused(
      [](auto& s) {
        for (int i = 0; i < 25; ++i) s.insert("e" + std::to_string(i), gradus::ones({1}));
      },
      {"'e9' and 15 more"});
  check_usable(net);

  Net spread;
  spread.register_buffer("spread", gradus::ones({1}).expand({3}));
  gradus::save(spread, folder / "spread");
  check_error<ModuleError>([&] { gradus::load(spread, folder / "spread"); }, {"spread of the module shares memory"});

  gradus::load(net, written([](auto&) {}));
  for (const auto& all : numbers(net)) BOOST_TEST(all == std::vector<double>(all.size(), 1));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_changes_nothing) {
  const Folder folder;
  Net net;
  gradus::save(Net(), folder / "whole");
  const gradus::core::Bytes whole = gradus::core::read_file(folder / "whole", 10000);
  const auto before = numbers(net);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    gradus::core::write_file_atomically(folder / "cut", {{whole.data(), size}});
    check_error<FileError>([&] { gradus::load(net, folder / "cut"); }, {"cut'"});
    BOOST_REQUIRE((numbers(net) == before));
  }
  check_error<FileError>([&] { gradus::load(net, folder / "absent"); }, {"absent'"});
  check_usable(net);
}

BOOST_AUTO_TEST_CASE(an_unwritable_path_is_an_error_and_the_old_file_stays) {
  const Folder folder;
  Net net;
  check_error<FileError>([&] { gradus::save(net, folder / "no/such/folder"); }, {"no/such/folder"});
  check_error<FileError>([&] { gradus::save(net, folder.path.string()); }, {folder.path.string()});
  gradus::save(net, folder / "a");
  nn::NamedTensors undefined;
  undefined.insert("x", Tensor());
  check_error<ValueError>([&] { gradus::save(undefined, folder / "a"); }, {"'x' must be defined"});
  Net other;
  gradus::load(other, folder / "a");
  BOOST_TEST((numbers(other) == numbers(net)));
  if (geteuid() != 0) {  // root may write everywhere
    chmod((folder / "a").c_str(), 0444);
    check_error<FileError>([&] { gradus::save(net, folder / "a"); }, {"cannot write"});
  }
  check_usable(net);
}

BOOST_AUTO_TEST_CASE(shared_parameters_are_under_each_name) {
  const Folder folder;
  struct Tied : nn::Module {
    Tied() {
      a = register_module("a", nn::Linear(2, 2));
      register_module("b", a);
    }
    nn::Linear a{nullptr};
  };
  const Tied tied;
  gradus::save(tied, folder / "a");
  BOOST_TEST(gradus::load_tensors(folder / "a").keys() == (Names{"a.weight", "a.bias", "b.weight", "b.bias"}));
  Tied other;
  gradus::load(other, folder / "a");
  BOOST_TEST(other.a->weight.equal(tied.a->weight));
}

BOOST_AUTO_TEST_CASE(tensors_go_through_a_file_by_name) {
  const Folder folder;
  nn::NamedTensors tensors;
  tensors.insert("x", gradus::ones({2, 3}).requires_grad_());
  tensors.insert("view", tensors["x"].t());
  tensors.insert("n", gradus::arange(5));
  gradus::save(tensors, folder / "a");
  const nn::NamedTensors read = gradus::load_tensors(folder / "a");
  BOOST_TEST(read.keys() == (Names{"x", "view", "n"}));
  for (const auto& [name, tensor] : read) {
    BOOST_TEST(tensor.equal(tensors[name]));
    BOOST_TEST((tensor.dtype() == tensors[name].dtype()));
    BOOST_TEST(!tensor.requires_grad());
    BOOST_TEST(tensor.is_contiguous());
  }
  read["x"].fill_(5);  // its own memory
  BOOST_TEST(gradus::load_tensors(folder / "a")["x"].equal(tensors["x"]));
}

BOOST_AUTO_TEST_CASE(a_file_is_loaded_while_others_save_it) {
  const Folder folder;
  const std::string path = folder / "a";
  const auto constant = [](double value) {
    Net net;
    for (const auto& [name, tensor] : net.state_dict()) {
      const gradus::NoGradGuard no_grad;
      tensor.fill_(value);
    }
    return net;
  };
  gradus::save(constant(1), path);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      const Net net = constant(t + 1);
      for (int i = 0; i < 50; ++i) gradus::save(net, path);
    });
  }
  Net net;
  int mixed = 0;
  for (int i = 0; i < 100; ++i) {
    gradus::load(net, path);
    const double first = net.count.item<double>();
    for (const auto& all : numbers(net)) mixed += all != std::vector<double>(all.size(), first);
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(mixed == 0);
  BOOST_TEST(folder.names() == std::set<std::string>{"a"});
}

BOOST_AUTO_TEST_SUITE_END()
