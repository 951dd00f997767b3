// An optimizer's state: what it says, that a training goes on from a file as if it had never stopped, and that what does
// not fit is refused and changes nothing.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <gradus/gradus.h>

#include "../support/folder.h"
#include "../support/pytorch.h"
#include "optimizer_table.h"

using namespace gradus;

namespace {

// A transposed matrix, a vector, one number, and one that gets no gradient.
std::vector<Tensor> parameters(DType dtype, std::uint64_t seed = 5) {
  Generator generator(seed);
  std::vector<Tensor> all = {randn({4, 3}, generator, dtype).t(), randn({5}, generator, dtype),
                             randn({}, generator, dtype), randn({2}, generator, dtype)};
  for (Tensor& p : all) p = p.detach().requires_grad_();
  return all;
}

std::vector<Tensor> copies(const std::vector<Tensor>& of) {
  std::vector<Tensor> all;
  for (const Tensor& p : of) all.push_back(p.detach().clone().requires_grad_());
  return all;
}

void train(optim::Optimizer& optimizer, int steps, std::uint64_t seed) {
  Generator generator(seed);
  const std::vector<Tensor> p = optimizer.parameters();
  for (int step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < 3; ++i) p[i].mutable_grad() = randn(p[i].sizes(), generator, p[i].dtype());
    optimizer.step();
  }
}

bool same(const optim::NamedState& a, const optim::NamedState& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || !test::same_bits(a[i].second, b[i].second)) return false;
  }
  return true;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!test::same_bits(a[i].detach(), b[i].detach())) return false;
  }
  return a.size() == b.size();
}

optim::NamedState cloned(const optim::NamedState& state) {
  optim::NamedState all;
  for (const auto& [name, tensor] : state) all.emplace_back(name, tensor.clone());
  return all;
}

// Calls load() on an optimizer that has made two steps: E, with these texts, and not a bit of the optimizer has changed.
template <class E, class Load>
void check_refused(optim::Optimizer& optimizer, Load load, const std::vector<std::string>& texts) {
  const optim::NamedState before = cloned(optimizer.state_dict());
  try {
    load(optimizer);
    BOOST_ERROR("not refused: " << texts[0]);
  } catch (const E& error) {
    for (const std::string& text : texts) {
      BOOST_TEST(std::string(error.what()).find(text) != std::string::npos, error.what() << " lacks " << text);
    }
  }
  BOOST_TEST(same(optimizer.state_dict(), before));
}

std::vector<optim::OptimizerParamGroup> two_groups(const std::vector<Tensor>& p) {
  std::vector<optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{p[0], p[1]});
  groups.emplace_back(std::vector<Tensor>{p[2], p[3]});
  return groups;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer_state)

// For every optimizer, its options, and both dtypes: a training that is saved and goes on in another optimizer, made with
// other options, gives the same bits as one that was not interrupted; at any moment.
BOOST_AUTO_TEST_CASE(a_training_goes_on_from_a_file) {
  const test::Folder folder;
  const std::string path = folder / "optimizer.safetensors";
  test::each_optimizer([&]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    for (const Options& options : rows) {
      for (const DType dtype : {kFloat32, kFloat64}) {
        for (const int steps : {0, 1, 3}) {
          const std::vector<Tensor> p = parameters(dtype);
          O whole(two_groups(p), options);
          whole.param_groups()[1].options().set_lr(0.7);
          train(whole, steps, 1);
          save(whole, path);
          const std::vector<Tensor> q = copies(p);
          O resumed(two_groups(q), Options(123));
          train(resumed, 2, 9);  // whatever it knew before
          for (std::size_t i = 0; i < p.size(); ++i) q[i].array().copy_(p[i].array());
          load(resumed, path);
          BOOST_TEST(same(resumed.state_dict(), whole.state_dict()));
          train(whole, 3, 2);
          train(resumed, 3, 2);
          BOOST_TEST(same(p, q));
          BOOST_TEST(same(resumed.state_dict(), whole.state_dict()));
          BOOST_TEST(resumed.state(q[3]) == nullptr);
        }
      }
    }
  });
}

// What was switched on since the last step, and the dtype that the parameters have now, go with it.
BOOST_AUTO_TEST_CASE(changes_between_steps) {
  const test::Folder folder;
  const std::string path = folder / "optimizer.safetensors";
  const auto check = [&]<class O, class Options>(test::Of<O>, const Options& options, auto change) {
    const std::vector<Tensor> p = parameters(kFloat32);
    O whole(p, options);
    train(whole, 2, 1);
    change(static_cast<Options&>(whole.param_groups()[0].options()));
    for (const Tensor& t : p) t.set_data(t.detach().to(kFloat64));
    save(whole, path);
    const std::vector<Tensor> q = copies(p);
    O resumed(q, options);
    load(resumed, path);
    train(whole, 3, 2);
    train(resumed, 3, 2);
    BOOST_TEST(same(p, q));
  };
  check(test::Of<optim::Adam>(), optim::AdamOptions(0.1), [](optim::AdamOptions& o) { o.amsgrad(true); });
  check(test::Of<optim::Adam>(), optim::AdamOptions(0.1).amsgrad(true),
        [](optim::AdamOptions& o) { o.amsgrad(false); });
  // The first velocity is the gradient, undampened, on both sides.
  check(test::Of<optim::SGD>(), optim::SGDOptions(0.1).dampening(0.5), [](optim::SGDOptions& o) { o.momentum(0.9); });
}

BOOST_AUTO_TEST_CASE(names_are_those_of_pytorch) {
  const std::vector<Tensor> p = parameters(kFloat32);
  optim::Adam adam(two_groups(p), optim::AdamOptions(0.1).betas({0.8, 0.9}));
  train(adam, 2, 1);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : adam.state_dict()) {
    if (name.find("1") == std::string::npos && name.find("2") == std::string::npos) names.push_back(name);
  }
  const std::vector<std::string> expected = {
      "param_groups.0.lr",      "param_groups.0.betas",  "param_groups.0.eps", "param_groups.0.weight_decay",
      "param_groups.0.amsgrad", "param_groups.0.params", "state.0.step",       "state.0.exp_avg",
      "state.0.exp_avg_sq"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  for (const auto& [name, tensor] : adam.state_dict()) {
    if (name == "param_groups.1.params") BOOST_TEST(equal(tensor, gradus::tensor({2, 3})));
    if (name == "param_groups.0.betas") BOOST_TEST(equal(tensor, gradus::tensor({0.8, 0.9}, kFloat64)));
    if (name == "state.0.step") BOOST_TEST(tensor.item<std::int64_t>() == 2);
    if (name == "state.0.exp_avg") BOOST_TEST(tensor.sizes() == p[0].sizes());
  }
}

BOOST_AUTO_TEST_CASE(another_state_is_refused) {
  const test::Folder folder;
  const std::string path = folder / "file.safetensors";
  const std::vector<Tensor> p = parameters(kFloat32);
  optim::Adam adam(two_groups(p), optim::AdamOptions(0.1));
  train(adam, 2, 1);
  const auto from_file = [&](optim::Optimizer& o) { load(o, path); };

  save(optim::AdamW(parameters(kFloat32)), path);
  check_refused<ValueError>(adam, from_file, {"must hold the state of Adam", "that of 'AdamW'"});
  save(*nn::Linear(2, 3), path);
  check_refused<ValueError>(adam, from_file, {"it names no optimizer"});
  nn::Linear linear(2, 3);
  save(adam, path);
  BOOST_CHECK_THROW(load(linear, path), ModuleError);
  check_refused<FileError>(adam, [&](optim::Optimizer& o) { load(o, folder / "absent"); }, {"absent"});

  {
    optim::Adam one(parameters(kFloat32), optim::AdamOptions(0.1));
    save(one, path);
    check_refused<ValueError>(adam, from_file, {"missing: param_groups.1.lr", "param_groups.0.params are", path});
    optim::Adam doubles(two_groups(parameters(kFloat64)), optim::AdamOptions(0.1));
    train(doubles, 1, 1);
    save(doubles, path);
    check_refused<ValueError>(adam, from_file, {"state.0.exp_avg is float64 [3, 4] and must be float32 [3, 4]"});
    std::vector<Tensor> others = parameters(kFloat32);
    others[1] = ones({6}, requires_grad());
    optim::Adam other(two_groups(others), optim::AdamOptions(0.1));
    train(other, 1, 1);
    save(other, path);
    check_refused<ValueError>(adam, from_file, {"state.1.exp_avg is float32 [6] and must be float32 [5]"});
  }

  // Entry by entry: left out, of another dtype, of another shape, or not known.
  const optim::NamedState whole = cloned(adam.state_dict());
  optim::NamedState between = whole;
  for (auto& [name, tensor] : between) {
    if (name == "state.0.step") tensor = full({}, 1.5, kFloat64);
  }
  check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(between); },
                            {"not alike: state.0.step is float64 [] and must be int64 []"});
  int converted = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const std::string& name = whole[i].first;
    optim::NamedState changed = whole;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); }, {"missing: " + name});
    changed = whole;
    // A number may have another dtype where it is one of its own, too: of 2^53 + 1 there is no float64, of 1.5 no int64.
    const Tensor& value = whole[i].second;
    const bool is_number = value.dim() == 0 || name.ends_with("betas");
    changed[i].second = !is_number                  ? value.to(kUInt8)
                        : value.dtype() == kFloat64 ? full(value.sizes(), (std::int64_t{1} << 53) + 1, kInt64)
                                                    : full(value.sizes(), 1.5, kFloat64);
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); }, {"not alike: " + name});
    changed[i].second = value.to(kFloat32);
    if (is_number && equal(changed[i].second.to(value.dtype()), value)) {
      adam.load_state_dict(changed);
      BOOST_TEST(same(adam.state_dict(), whole), name);
      ++converted;
    }
    changed = whole;
    changed[i].second = ones({9, 9}, whole[i].second.dtype());
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); }, {"not alike: " + name});
    changed = whole;
    changed.push_back(changed[i]);
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); }, {"is given twice"});
    changed.back().first += "\x1b[2J";
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); },
                              {"unknown: '" + name + "\\u001b"});
    changed.back() = {"undefined", Tensor()};
    check_refused<ValueError>(adam, [&](optim::Optimizer& o) { o.load_state_dict(changed); }, {"is undefined"});
  }
  BOOST_TEST(converted > 0);
  const auto with = [&](const std::string& name, const Tensor& value) {
    return [&, name, value](optim::Optimizer& o) {
      optim::NamedState changed = whole;
      for (auto& [entry, tensor] : changed) {
        if (entry == name) tensor = value;
      }
      changed.emplace_back("param_groups.1.initial_lr", full({}, name.empty() ? -1.0 : 1.0, kFloat64));
      o.load_state_dict(changed);
    };
  };
  check_refused<ValueError>(adam, with("param_groups.1.lr", full({}, -2.0, kFloat64)), {"lr must not be negative: -2"});
  check_refused<ValueError>(adam, with("param_groups.0.betas", ones({2}, kFloat64)),
                            {"betas must lie in [0, 1): 1, 1"});
  check_refused<ValueError>(adam, with("state.0.step", full({}, -3, kInt64)), {"state.0.step is -3"});
  check_refused<ValueError>(adam, with("param_groups.1.params", tensor({2, 4})), {"counted through all groups"});
  check_refused<ValueError>(adam, with("", Tensor()), {"initial_lr must not be negative: -1"});
  adam.load_state_dict(whole);
  // What was loaded is a copy.
  for (const auto& [name, tensor] : whole) tensor.zero_();
  BOOST_TEST(adam.state(p[0])->exp_avg().abs().sum().item<double>() > 0);

  adam.param_groups()[0].params().pop_back();
  BOOST_CHECK_THROW(adam.load_state_dict(whole), ValueError);
}

// Cut short anywhere, or with any byte turned: an error of the library's and the optimizer as it was, or a state that fits.
BOOST_AUTO_TEST_CASE(damaged_files) {
  const test::Folder folder;
  const std::string path = folder / "whole", damaged = folder / "damaged";
  optim::SGD sgd(parameters(kFloat32), optim::SGDOptions(0.1).momentum(0.9));
  train(sgd, 1, 1);
  save(sgd, path);
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const optim::NamedState before = cloned(sgd.state_dict());
  int refused = 0, loaded = 0;
  const auto attempt = [&](const std::string& content) {
    std::ofstream(damaged, std::ios::binary) << content;
    try {
      load(sgd, damaged);
      sgd.load_state_dict(before);
      ++loaded;
    } catch (const Error&) {
      ++refused;
    }
    BOOST_REQUIRE(same(sgd.state_dict(), before));
  };
  for (std::size_t size = 0; size < bytes.size(); size += 3) attempt(bytes.substr(0, size));
  BOOST_TEST(loaded == 0);
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::string turned = bytes;
    turned[i] = static_cast<char>(turned[i] ^ (1 << (i / 2 % 7)));
    attempt(turned);
  }
  BOOST_TEST(refused > 100);
  BOOST_TEST(loaded > 0);
}

BOOST_AUTO_TEST_CASE(a_load_without_memory_changes_nothing) {
  const test::Folder folder;
  const std::string path = folder / "optimizer";
  constexpr std::int64_t kSize = 1 << 18;
  const std::vector<Tensor> p = {ones({4}, requires_grad()), ones({kSize}, requires_grad())};
  for (const Tensor& t : p) t.mutable_grad() = ones_like(t);
  optim::Adam adam(p, optim::AdamOptions(0.1));
  adam.step();
  save(adam, path);
  adam.step();
  const optim::NamedState before = cloned(adam.state_dict());
  empty_cache();
  set_memory_limit(memory_stats().held_bytes + 5 * kSize);  // one of the two averages
  BOOST_CHECK_THROW(load(adam, path), Error);
  set_memory_limit(std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(same(adam.state_dict(), before));
  load(adam, path);
  BOOST_TEST(adam.state(p[0])->step() == 1);
}

// Who holds a reference to a group's options holds it still.
BOOST_AUTO_TEST_CASE(options_stay_where_they_are) {
  const test::Folder folder;
  const std::string path = folder / "optimizer";
  const Tensor w = ones({2}, requires_grad());
  optim::RMSprop optimizer(std::vector<Tensor>{w}, optim::RMSpropOptions(0.1).momentum(0.5));
  auto& options = static_cast<optim::RMSpropOptions&>(optimizer.param_groups()[0].options());
  save(optimizer, path);
  options.lr(0.7).momentum(0);
  load(optimizer, path);
  BOOST_TEST(&optimizer.param_groups()[0].options() == &options);
  BOOST_TEST(options.lr() == 0.1);
  BOOST_TEST(options.momentum() == 0.5);
}

// As programs for PyTorch's C++ frontend do: a parameter takes another's place, and its state follows it.
BOOST_AUTO_TEST_CASE(a_state_is_moved_to_another_parameter) {
  const Tensor p = ones({2, 3}, requires_grad()), q = ones({2}, requires_grad());
  optim::Adam adam({p, q}, optim::AdamOptions(0.5));
  BOOST_TEST(adam.state().empty());
  BOOST_TEST(adam.size() == 2U);
  p.mutable_grad() = ones_like(p);
  q.mutable_grad() = ones_like(q);
  adam.step();
  BOOST_TEST(adam.state().size() == 2U);
  void* const key = &p.body();
  auto& kept = static_cast<optim::AdamParamState&>(*adam.state()[key]);
  BOOST_TEST(kept.step() == 1);
  BOOST_TEST(&kept == adam.state(p));
  auto longer = std::make_unique<optim::AdamParamState>(kept);
  longer->exp_avg(cat({longer->exp_avg(), zeros({1, 3})}, 0));
  longer->exp_avg_sq(cat({longer->exp_avg_sq(), zeros({1, 3})}, 0));
  BOOST_TEST(adam.state().erase(key) == 1U);
  Tensor& place = adam.param_groups()[0].params()[0];
  place = cat({p.detach(), zeros({1, 3})}, 0).requires_grad_();
  // The keys of older versions are text.
  const std::string text = std::to_string(reinterpret_cast<std::uintptr_t>(&place.body()));
  BOOST_TEST((adam.state().find(text) == adam.state().end()));
  adam.state()[text] = std::move(longer);
  BOOST_TEST(adam.state().count(text) == 1U);
  place.mutable_grad() = ones_like(place);
  adam.step();
  BOOST_TEST(adam.state(place)->step() == 2);
  BOOST_TEST(adam.state(place)->exp_avg()[0][0].item<float>() > adam.state(place)->exp_avg()[2][0].item<float>());
  int entries = 0;
  for (const auto& [address, state] : adam.state()) entries += address != nullptr && state != nullptr;
  BOOST_TEST(entries == 2);

  // Another's kind of state, and of a parameter that has gone.
  adam.state()[&place.body()] = std::make_unique<optim::SGDParamState>();
  test::check_error<ValueError>([&] { adam.step(); }, {"the states of Adam must be of its own kind, AdamParamState"});
  adam.state().erase(&place.body());
  adam.param_groups()[0].params().erase(adam.param_groups()[0].params().begin());
  adam.step();
  BOOST_TEST(adam.state().size() == 1U);
  BOOST_TEST(adam.state(q)->step() == 3);  // its own, in another place
  adam.add_parameters({p});
  BOOST_TEST(adam.size() == 2U);
  test::check_error<ValueError>([&] { adam.add_parameters({p}); }, {"is given twice"});
  adam.param_groups()[0].params().push_back(q * 2);
  test::check_error<ValueError>([&] { adam.step(); }, {"must be leaves"});
}

BOOST_AUTO_TEST_CASE(parameters_without_gradient) {
  nn::Sequential model(nn::Linear(2, 3), nn::Linear(2, 3));
  optim::SGD sgd(model->parameters(), 0.1);
  BOOST_TEST(sgd.without_gradient().empty());
  model->named_parameters()["0.weight"].mutable_grad() = ones({3, 2});
  model->named_parameters()["1.bias"].mutable_grad() = ones({3});
  sgd.step();
  const std::vector<std::string> expected = {"0.bias", "1.weight"};
  BOOST_TEST(sgd.without_gradient(*model) == expected);
  BOOST_TEST(sgd.without_gradient().size() == 2U);
  const std::vector<std::string> elsewhere = {"", ""};
  BOOST_TEST(sgd.without_gradient(*nn::Linear(2, 3)) == elsewhere);
}

namespace {

// An optimizer as users of PyTorch's C++ frontend write them.
struct DecayingOptions : public optim::OptimizerCloneableOptions<DecayingOptions> {
  DecayingOptions(double lr) : lr_(lr) {}
  GRADUS_ARG(double, lr);

 public:
  double get_lr() const override { return lr(); }
  void set_lr(const double lr) override { this->lr(lr); }
};
struct DecayingState : public optim::OptimizerCloneableParamState<DecayingState> {
  GRADUS_ARG(std::int64_t, step) = 0;
};
class Decaying : public optim::Optimizer {
 public:
  explicit Decaying(std::vector<optim::OptimizerParamGroup> groups, DecayingOptions defaults)
      : Optimizer(std::move(groups), std::make_unique<DecayingOptions>(defaults)) {}
  explicit Decaying(std::vector<Tensor> params, DecayingOptions defaults)
      : Decaying({optim::OptimizerParamGroup(std::move(params))}, defaults) {}
  Tensor step(LossClosure closure = nullptr) override {
    NoGradGuard no_grad;
    Tensor loss = {};
    if (closure != nullptr) {
      AutoGradMode enable_grad(true);
      loss = closure();
    }
    for (auto& group : param_groups_) {
      for (auto& p : group.params()) {
        if (!p.grad().defined()) continue;
        auto found = state_.find(&p.body());
        if (found == state_.end()) state_[&p.body()] = std::make_unique<DecayingState>();
        auto& state = static_cast<DecayingState&>(*state_[&p.body()]);
        state.step(state.step() + 1);
        const auto& options = static_cast<DecayingOptions&>(group.options());
        p.add_(p.grad(), -options.lr() / static_cast<double>(state.step()));
      }
    }
    return loss;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_optimizer_in_an_archive) {
  const std::vector<Tensor> p = parameters(kFloat32), q = copies(p);
  optim::RAdam whole(p, 0.1), resumed(q, 0.2);
  train(whole, 3, 1);
  serialize::OutputArchive out;
  whole.save(out);
  std::stringstream stream;
  out.save_to(stream);
  serialize::InputArchive in;
  in.load_from(stream);
  for (std::size_t i = 0; i < p.size(); ++i) q[i].array().copy_(p[i].array());
  resumed.load(in);
  train(whole, 2, 2);
  train(resumed, 2, 2);
  BOOST_TEST(same(p, q));
}

BOOST_AUTO_TEST_CASE(an_optimizer_in_the_frontends_manner) {
  const Tensor p = zeros({2}, requires_grad());
  Decaying optimizer(std::vector<Tensor>{p}, 0.5);
  for (int i = 0; i < 3; ++i) {
    const Tensor loss = optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor sum = p.sum();
      sum.backward();
      return sum;
    });
    BOOST_TEST(loss.defined());
  }
  BOOST_TEST(allclose(p, full({2}, -0.5 - 0.25 - 0.5 / 3)));
  BOOST_TEST(static_cast<DecayingState&>(*optimizer.state()[&p.body()]).step() == 3);
  optim::StepLR schedule(optimizer, 1, 0.5);
  schedule.step();
  BOOST_TEST(static_cast<DecayingOptions&>(optimizer.param_groups()[0].options()).lr() == 0.25);
  BOOST_TEST(static_cast<const DecayingOptions&>(optimizer.defaults()).lr() == 0.5);
  test::check_error<ValueError>([&] { optimizer.state_dict(); }, {"its options must override named_fields()"});
  Decaying moved(std::move(optimizer));
  moved.step();
  BOOST_TEST(static_cast<DecayingState&>(*moved.state()[&p.body()]).step() == 4);
}

BOOST_AUTO_TEST_SUITE_END()
