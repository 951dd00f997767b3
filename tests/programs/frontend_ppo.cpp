// A program in the manner of PyTorch's C++ frontend, with one changed include: proximal policy optimisation of a pole on a
// cart. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

#include "frontend_train.h"
#include "frontend_pole.h"

namespace {

struct ActorCriticImpl : torch::nn::Module {
  torch::nn::Linear shared_, hidden_, policy_, value_;
  ActorCriticImpl(int64_t in, int64_t width, int64_t out)
      : shared_(torch::nn::Linear(in, width)), hidden_(width, width), policy_(width, out), value_(width, 1) {
    register_module("shared", shared_);
    register_module("hidden", hidden_);
    register_module("policy", policy_);
    register_module("value", value_);
  }
  auto forward(torch::Tensor x) -> std::tuple<torch::Tensor, torch::Tensor> {
    x = torch::tanh(shared_->forward(x));
    x = torch::tanh(hidden_->forward(x));
    return std::make_tuple(torch::log_softmax(policy_->forward(x), -1), value_->forward(x).squeeze(-1));
  }
};
TORCH_MODULE(ActorCritic);

struct Rollout {
  std::vector<torch::Tensor> states, actions, log_probs, values, rewards, alive;
};

Rollout play(ActorCritic& model, Pole& pole, Generator& draw, int steps) {
  torch::NoGradGuard no_grad;
  Rollout r;
  for (int i = 0; i <= steps; ++i) {
    const auto state = pole.observe().unsqueeze(0);
    auto [log_prob, value] = model->forward(state);
    r.values.push_back(value);
    if (i == steps) break;  // the value after the last step
    const auto action =
        torch::full({1, 1}, draw.uniform() < log_prob[0][1].exp().item<double>() ? 1 : 0, torch::kInt64);
    const bool fell = pole.push(action.item<int>());
    if (fell) pole.reset(draw);
    r.states.push_back(state);
    r.actions.push_back(action);
    r.log_probs.push_back(log_prob.gather(1, action));
    r.rewards.push_back(torch::full({1}, fell ? -1.0 : 0.1, torch::kDouble));
    r.alive.push_back(torch::full({1}, fell ? 0.0 : 1.0, torch::kDouble));
  }
  return r;
}

// Generalised advantages and the returns that they stand for.
std::vector<torch::Tensor> returns(const Rollout& r, double gamma, double lambda) {
  torch::Tensor advantage = torch::zeros({1}, torch::kFloat64);
  std::vector<torch::Tensor> out(r.rewards.size());
  for (int64_t i = static_cast<int64_t>(r.rewards.size()) - 1; i >= 0; i--) {
    const auto delta = r.rewards[i] + gamma * r.values[i + 1] * r.alive[i] - r.values[i];
    advantage = delta + gamma * lambda * r.alive[i] * advantage;
    out[i] = advantage + r.values[i];
  }
  return out;
}

}  // namespace

int main() {
  Generator draw;
  ActorCritic model(4, 16, 2);
  set_parameters(*model);
  // The critic learns faster.
  std::vector<torch::optim::OptimizerParamGroup> groups;
  std::vector<torch::Tensor> actor, critic;
  for (auto& item : model->named_parameters())
    (item.key().rfind("value", 0) == 0 ? critic : actor).push_back(item.value());
  groups.push_back(torch::optim::OptimizerParamGroup(actor));
  groups.push_back(torch::optim::OptimizerParamGroup(critic, std::make_unique<torch::optim::AdamOptions>(2e-2)));
  torch::optim::Adam optimizer(groups, torch::optim::AdamOptions(5e-3).eps(1e-5));
  Pole pole(draw);
  int step = 0;
  while (step < 50) {
    const auto memory = play(model, pole, draw, 96);
    const torch::Tensor states = torch::cat(memory.states), actions = torch::cat(memory.actions),
                        old_log_probs = torch::cat(memory.log_probs).detach(),
                        target = torch::cat(returns(memory, 0.98, 0.95)).detach();
    auto advantages = target - torch::cat(memory.values).slice(0, 0, target.size(0));
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8);
    std::printf("frames to a fall: %.5f\n", 96 / (97 - torch::cat(memory.alive).sum().item<double>()));
    for (int batch = 0; batch < 10; ++batch, ++step) {
      std::vector<int64_t> chosen;
      for (int i = 0; i < 32; ++i) chosen.push_back(draw.below(96));
      const auto index = torch::tensor(chosen);
      auto [log_probs, values] = model->forward(states.index_select(0, index));
      const auto now = log_probs.gather(1, actions.index_select(0, index)).squeeze(1);
      const auto ratio = (now - old_log_probs.index_select(0, index).squeeze(1)).exp();
      const auto advantage = advantages.index_select(0, index);
      const auto surrogate = torch::min(ratio * advantage, torch::clamp(ratio, 1.0 - 0.2, 1.0 + 0.2) * advantage);
      const auto entropy = -(log_probs.exp() * log_probs).sum(-1).mean();
      const auto value_loss = (target.index({index}) - values).pow(2).mean();
      auto loss = -surrogate.mean() + 0.5 * value_loss - 0.01 * entropy;
      optimizer.zero_grad();
      loss.backward();
      torch::nn::utils::clip_grad_norm_(model->parameters(), 0.5);
      optimizer.step();
      report(step, loss);
    }
  }
}
