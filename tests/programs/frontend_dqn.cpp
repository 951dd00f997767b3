// A program in the manner of PyTorch's C++ frontend, with one changed include: deep Q-learning of a pole on a cart, with a
// replay memory and a target network. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <tuple>
#include <vector>

#include "frontend_train.h"
#include "frontend_pole.h"

namespace {

struct DuelingNetImpl : torch::nn::Module {
  DuelingNetImpl(int64_t inputs, int64_t actions) {
    features = register_module("features", torch::nn::Linear(inputs, 24));
    value = register_module("value", torch::nn::Linear(24, 1));
    advantage = register_module("advantage", torch::nn::Linear(24, actions));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(features(x));
    const auto a = advantage(x);
    return value(x) + a - a.mean(-1, true);
  }
  torch::nn::Linear features{nullptr}, value{nullptr}, advantage{nullptr};
};
TORCH_MODULE(DuelingNet);

using Transition = std::tuple<torch::Tensor, int64_t, double, torch::Tensor, bool>;

class ReplayMemory {
 public:
  explicit ReplayMemory(size_t capacity) : capacity_(capacity) {}
  void push(const Transition& t) {
    if (memory_.size() == capacity_) memory_.pop_front();
    memory_.push_back(t);
  }
  std::vector<Transition> sample(size_t count, Generator& draw) const {
    std::vector<Transition> out;
    for (size_t i = 0; i < count; ++i) out.push_back(memory_[draw.below(memory_.size())]);
    return out;
  }
  size_t size() const { return memory_.size(); }

 private:
  size_t capacity_;
  std::deque<Transition> memory_;
};

void load_state(torch::nn::Module& target, const torch::nn::Module& source, double rate = 1) {
  torch::autograd::GradMode::set_enabled(false);
  auto into = target.named_parameters(/*recurse=*/true);
  const auto from = source.named_parameters(true);
  for (auto& pair : from) {
    if (auto* t = into.find(pair.key())) t->copy_(rate * pair.value() + (1 - rate) * *t);
  }
  torch::autograd::GradMode::set_enabled(true);
}

torch::Tensor learn(DuelingNet& policy, DuelingNet& target, torch::optim::Optimizer& optimizer,
                    const std::vector<Transition>& batch) {
  std::vector<torch::Tensor> states, next_states;
  std::vector<int64_t> actions;
  std::vector<double> rewards;
  std::vector<float> alive;
  for (const auto& t : batch) {
    states.push_back(std::get<0>(t));
    actions.push_back(std::get<1>(t));
    rewards.push_back(std::get<2>(t));
    next_states.push_back(std::get<3>(t));
    alive.push_back(std::get<4>(t) ? 0.f : 1.f);
  }
  const auto count = static_cast<int64_t>(batch.size());
  const auto action = torch::from_blob(actions.data(), {count, 1}, torch::kInt64).clone();
  const auto reward = torch::from_blob(rewards.data(), {count}, torch::dtype(torch::kDouble)).clone();
  const auto q = policy->forward(torch::stack(states)).gather(1, action).squeeze(1);
  torch::Tensor expected;
  {
    torch::NoGradGuard no_grad;
    const auto next = torch::stack(next_states);
    const auto best = std::get<1>(policy->forward(next).max(1, /*keepdim=*/true));  // the double variant
    expected = reward + 0.98 * target->forward(next).gather(1, best).squeeze(1) * torch::tensor(alive);
  }
  const auto loss = torch::nn::functional::smooth_l1_loss(q, expected);
  optimizer.zero_grad();
  loss.backward();
  for (auto& p : policy->parameters()) p.grad().data().clamp_(-1, 1);
  optimizer.step();
  return loss;
}

}  // namespace

int main() {
  DuelingNet policy(4, 2), target(4, 2);
  set_parameters(*policy);
  set_parameters(*target, 50);
  load_state(*target, *policy);
  target->eval();
  torch::optim::RMSprop optimizer(policy->parameters(), torch::optim::RMSpropOptions(4e-3).alpha(0.95).centered(true));
  Generator draw;
  Pole pole(draw);
  ReplayMemory memory(150);
  int step = 0, lasted = 0, longest = 0;
  double epsilon = 0.9;
  for (int frame = 0; step < 50; ++frame) {
    const auto state = pole.observe();
    int64_t action = draw.below(2);
    if (draw.uniform() > epsilon) {
      torch::NoGradGuard no_grad;
      action = policy->forward(state.unsqueeze(0)).argmax(1)[0].item().toLong();
    }
    const bool fell = pole.push(static_cast<int>(action));
    memory.push(std::make_tuple(state, action, fell ? -1.0 : 0.1, pole.observe(), fell));
    longest = std::max(longest, ++lasted);
    if (fell) {
      pole.reset(draw);
      lasted = 0;
    }
    epsilon = std::max(0.05, epsilon * 0.99);
    if (memory.size() < 60 || frame % 4 != 0) continue;
    report(step, learn(policy, target, optimizer, memory.sample(32, draw)));
    if (++step % 8 == 0) load_state(*target, *policy, 0.7);
  }
  std::printf("the longest episode: %d, epsilon %.5f\n", longest, epsilon);
}
