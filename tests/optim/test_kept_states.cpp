// An optimizer's states stay where they are, may be edited by hand, and go to files that can be read again.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <sstream>

#include <gradus/gradus.h>
#include <gradus/torch.h>

#include "../support/arrays.h"
#include "../support/folder.h"
#include "../support/pytorch.h"
#include "optimizer_table.h"

using namespace gradus;
using namespace gradus::optim;
using test::check_error;

namespace {

Tensor parameter() {
  const Tensor w = tensor({0.3, -0.7, 1.1}, requires_grad());
  w.mutable_grad() = tensor({1.0, -2.0, 0.5});
  return w;
}

// (A w - b)^4, whose gradient's square is more than half precision holds.
double lbfgs_distance(DType dtype) {
  const Tensor w = tensor({0.3, -0.7, 1.1}, kFloat64).to(dtype).requires_grad_();
  const Tensor a = tensor({3., 1., -1., 1., 4., .5, -1., .5, 5.}, kFloat64).view({3, 3}).to(dtype);
  const Tensor b = tensor({1., -2., .5}, kFloat64).to(dtype);
  LBFGS lbfgs({w}, LBFGSOptions(1).line_search_fn("strong_wolfe"));
  for (int step = 0; step < 2; ++step) {
    lbfgs.step([&] {
      lbfgs.zero_grad();
      const Tensor loss = (matmul(a, w) - b).pow(4).sum();
      loss.backward();
      return loss;
    });
  }
  const Tensor solution = tensor({0.668, -0.704, 0.304}, kFloat64);
  return (w.detach().to(kFloat64) - solution).abs().max().item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kept_states)

// Before, a step put another object in the place of the state: what referred to it was freed.
BOOST_AUTO_TEST_CASE(references_to_states_last) {
  test::each_optimizer([]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    for (const bool reference : {false, true}) {
      const Tensor w = parameter();
      O optimizer({w}, rows.back());
      optimizer.use_reference(reference);
      optimizer.step();
      const auto* const kept = optimizer.state(w);
      const OptimizerParamState& entry = *optimizer.state().begin()->second;
      BOOST_TEST(kept == &entry);
      optimizer.step();
      BOOST_TEST(optimizer.state(w) == kept);
      const NamedState after = optimizer.state_dict();
      optimizer.step();
      optimizer.load_state_dict(after);
      BOOST_TEST(optimizer.state(w) == kept);
      BOOST_TEST(optimizer.state().size() == 1U);
    }
  });

  const Tensor w = parameter();
  Adam adam({w}, AdamOptions(0.1));
  adam.step();
  auto& state = static_cast<AdamParamState&>(*adam.state().begin()->second);
  adam.step();
  BOOST_TEST(state.step() == 2);
  state.step(10);  // by hand: the next step goes on from there
  adam.step();
  BOOST_TEST(state.step() == 11);

  LBFGS lbfgs({w}, LBFGSOptions(0.1).max_iter(2));
  const auto closure = [&] {
    lbfgs.zero_grad();
    const Tensor loss = square(w).sum();
    loss.backward();
    return loss;
  };
  lbfgs.step(closure);
  const LBFGSParamState& kept = *lbfgs.state(w);
  const std::int64_t before = kept.func_evals();
  lbfgs.step(closure);
  BOOST_TEST(&kept == lbfgs.state(w));
  BOOST_TEST(kept.func_evals() > before);
}

BOOST_AUTO_TEST_CASE(a_step_that_fails_leaves_the_state) {
  const Tensor w = parameter();
  Adam adam({w}, AdamOptions(0.1));
  adam.step();
  auto& state = static_cast<AdamParamState&>(*adam.state().begin()->second);
  const Tensor m = state.exp_avg().clone(), before = w.detach().clone();
  w.mutable_grad() = ones({4});
  BOOST_CHECK_THROW(adam.step(), ShapeError);
  BOOST_TEST(state.step() == 1);
  BOOST_TEST(test::same_bits(state.exp_avg(), m));
  BOOST_TEST(test::same_bits(w.detach(), before));
}

BOOST_AUTO_TEST_CASE(states_by_the_frontends_keys) {
  const Tensor w = parameter();
  Adam adam({w}, AdamOptions(0.1));
  adam.step();
  BOOST_TEST(adam.state().count(w.unsafeGetTensorImpl()) == 1U);
  BOOST_TEST(adam.state().find(w.unsafeGetTensorImpl())->second.get() == adam.state(w));
  BOOST_TEST(adam.state().find(c10::guts::to_string(w.unsafeGetTensorImpl()))->second.get() == adam.state(w));
}

BOOST_AUTO_TEST_CASE(negative_counts_are_refused) {
  const Tensor w = parameter();
  Adam adam({w}, AdamOptions(0.1));
  adam.step();
  const Tensor before = w.detach().clone();
  auto& state = static_cast<AdamParamState&>(*adam.state().begin()->second);
  state.step(-7);
  check_error<ValueError>([&] { adam.step(); }, {"optimizer: step", "must not be negative: -7"});
  BOOST_TEST(test::same_bits(w.detach(), before));
  state.step(0);
  adam.step();
  BOOST_TEST(w.detach().isfinite().all().item<bool>());

  LBFGS lbfgs({w}, LBFGSOptions(0.1));
  const auto closure = [&] {
    lbfgs.zero_grad();
    const Tensor loss = square(w).sum();
    loss.backward();
    return loss;
  };
  lbfgs.step(closure);
  static_cast<LBFGSParamState&>(*lbfgs.state().begin()->second).n_iter(-1);
  check_error<ValueError>([&] { lbfgs.step(closure); }, {"n_iter", "-1"});
}

BOOST_AUTO_TEST_CASE(lbfgs_in_half_precision) {
  BOOST_TEST(lbfgs_distance(kFloat32) < 2e-3);
  BOOST_TEST(lbfgs_distance(kFloat16) < 0.05);
  BOOST_TEST(lbfgs_distance(kBFloat16) < 0.05);
}

BOOST_AUTO_TEST_CASE(files_without_a_place_for_the_name_are_refused) {
  const test::Folder folder;
  const Tensor w = parameter();
  Adam adam({w}, AdamOptions(0.1));
  adam.step();
  StepLR schedule(adam, 2);
  for (const char* name : {"x.npz", "x.npy", "X.NPZ"}) {
    const std::string path = folder / name;
    check_error<ValueError>([&] { save(adam, path); }, {name, ".pt or .safetensors", "optimizer is 'Adam'"});
    check_error<ValueError>([&] { save(schedule, path); }, {name, ".pt or .safetensors", "schedule is 'StepLR'"});
    BOOST_TEST(!std::filesystem::exists(path));
  }
  for (const char* name : {"x.pt", "x.PTH", "x.safetensors"}) {
    save(adam, folder / name);
    load(adam, folder / name);
    save(schedule, folder / name);
    load(schedule, folder / name);
  }
}

BOOST_AUTO_TEST_CASE(a_negative_step_size_is_refused) {
  SGD sgd({parameter()}, SGDOptions(0.1));
  check_error<ValueError>([&] { StepLR(sgd, -1, 0.1); }, {"StepLR: step_size must be at least 1: -1"});
  StepLR schedule(sgd, 2U, 0.5);
  for (int i = 0; i < 4; ++i) schedule.step();
  BOOST_TEST(schedule.get_last_lr()[0] == 0.025);
}

BOOST_AUTO_TEST_CASE(tensors_that_cannot_be_read_again_are_not_saved) {
  const test::Folder folder;
  const Tensor t = tensor({1.5, -2});
  for (const char* name : {"u.PT", "u.Npy", "u.NPZ", "u.SafeTensors"}) {
    const std::string path = folder / name;
    save(t, path);
    Tensor read;
    load(read, path);
    BOOST_TEST(test::same_bits(read, t), name);
    const core::Bytes bytes = core::read_file(path, 1 << 16);
    const std::string start(bytes.begin(), bytes.begin() + 2);
    BOOST_TEST((start == "PK") == (name[2] == 'P' || std::string(name) == "u.NPZ"), name);
  }
  const std::string path = folder / "none.pt";
  check_error<ValueError>([&] { save(Tensor(), path); }, {"save: ", "must be defined"});
  check_error<ValueError>([&] { save(std::vector<Tensor>{t, Tensor()}, path); }, {"save: ", "number 1"});
  std::stringstream stream;
  BOOST_CHECK_THROW(save(Tensor(), stream), ValueError);
  BOOST_TEST(!std::filesystem::exists(path));
  check_error<FileError>([] { pickle_load({}); }, {"pickle_load: ", "torch.save", "there are none"});
  check_error<FileError>([] { pickle_load({'a', 'b', 'c', 'd'}); }, {"pickle_load: ", "torch.save"});
  BOOST_TEST(test::same_bits(pickle_load(pickle_save(t)).toTensor(), t));
}

BOOST_AUTO_TEST_SUITE_END()
