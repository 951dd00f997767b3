// A program in the manner of PyTorch's C++ frontend, with one changed include: message passing on graphs, for the kind of
// each node and for one number of each graph. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "frontend_train.h"

namespace {

namespace F = torch::nn::functional;

struct Graph {
  torch::Tensor nodes, source, target, member;  // member: of which graph a node is
  int64_t size() const { return nodes.size(0); }
};

// The mean over what comes in, beside the node itself: GraphSAGE's convolution.
struct MeanConvImpl : torch::nn::Module {
  MeanConvImpl(int64_t in, int64_t out) : own(in, out), others(torch::nn::LinearOptions(in, out).bias(false)) {
    register_module("own", own);
    register_module("others", others);
  }
  torch::Tensor forward(const torch::Tensor& x, const Graph& g) {
    const auto degree =
        torch::zeros({g.size()}, x.options()).index_add_(0, g.target, torch::ones_like(g.target, x.dtype()));
    const auto sum = torch::zeros_like(x).index_add(0, g.target, x.index_select(0, g.source));
    return own->forward(x) + others->forward(sum / degree.clamp_min(1).unsqueeze(-1));
  }
  torch::nn::Linear own, others;
};
TORCH_MODULE(MeanConv);

// With a softmax over each node's edges: a graph attention layer of several heads.
class AttentionConvImpl : public torch::nn::Module {
 public:
  AttentionConvImpl(int64_t in, int64_t out, int64_t heads)
      : heads_(heads), out_(out), project(register_module("project", torch::nn::Linear(in, heads * out))) {
    from = register_parameter("from", torch::empty({heads, out}));
    to = register_parameter("to", torch::empty({heads, out}));
    torch::nn::init::xavier_uniform_(from);
    torch::nn::init::kaiming_normal_(to, 0.0, torch::kFanOut, torch::kReLU);
  }
  torch::Tensor forward(const torch::Tensor& x, const Graph& g) {
    const auto h = project(x).view({-1, heads_, out_});
    const auto score = (h * from).sum(-1).index({g.source}) + (h * to).sum(-1).index({g.target});
    const auto weight = torch::exp(torch::leaky_relu(score, 0.2));
    const auto index = g.target.unsqueeze(1).expand({-1, heads_});
    const auto all = torch::zeros({g.size(), heads_}, x.options()).scatter_add(0, index, weight);
    const auto share = weight / all.gather(0, index);
    auto out = torch::zeros_like(h);
    out.index_add_(0, g.target, share.unsqueeze(-1) * h.index({g.source}));
    return torch::elu(out.flatten(1));
  }

 private:
  int64_t heads_, out_;
  torch::nn::Linear project{nullptr};
  torch::Tensor from, to;
};
TORCH_MODULE(AttentionConv);

struct NetImpl : torch::nn::Module {
  NetImpl() : conv(4, 12), attention(12, 4, 3), norm(torch::nn::LayerNormOptions({12})), kind(12, 3), number(24, 1) {
    register_module("conv", conv);
    register_module("attention", attention);
    register_module("norm", norm);
    register_module("kind", kind);
    register_module("number", number);
  }
  std::pair<torch::Tensor, torch::Tensor> forward(const Graph& g, int64_t graphs) {
    auto x = F::dropout(torch::relu(conv->forward(g.nodes, g)), F::DropoutFuncOptions().p(0.0).training(is_training()));
    x = norm(x + attention->forward(x, g));
    const auto index = g.member.unsqueeze(1).expand_as(x);
    const auto sum = torch::zeros({graphs, x.size(1)}, x.options()).scatter_add_(0, index, x);
    const auto highest = torch::stack([&] {
      std::vector<torch::Tensor> each;
      for (int64_t i = 0; i < graphs; ++i) each.push_back(x.index({g.member == i}).amax(0));
      return each;
    }());
    return {kind->forward(x), number->forward(torch::cat({sum, highest}, 1)).squeeze(1)};
  }
  MeanConv conv;
  AttentionConv attention;
  torch::nn::LayerNorm norm;
  torch::nn::Linear kind, number;
};
TORCH_MODULE(Net);

}  // namespace

int main() {
  // Rings with chords, in one batch: a node's kind is how many edges meet in it, a graph's number the share of its chords.
  const int64_t graphs = 5, length = 8;
  std::vector<int64_t> source, target, member;
  for (int64_t g = 0; g < graphs; ++g) {
    const int64_t first = g * length;
    const auto join = [&](int64_t a, int64_t b) {
      source.insert(source.end(), {first + a, first + b});
      target.insert(target.end(), {first + b, first + a});
    };
    for (int64_t i = 0; i < length; ++i) {
      join(i, (i + 1) % length);
      member.push_back(g);
    }
    for (int64_t i = 0; i <= g; ++i) join(i % 4, 4 + (i * (g + 1)) % 4);
  }
  std::vector<double> chords(graphs);
  at::parallel_for(0, graphs, /*grain_size=*/2, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) chords[g] = static_cast<double>(g + 1) / length;
  });
  const Graph graph{spread({graphs * length, 4}, 1), torch::tensor(source), torch::tensor(target),
                    torch::tensor(member)};
  const auto degree = torch::bincount(graph.target, /*weights=*/{}, graph.size());
  const auto kinds = torch::clamp(degree - 2, 0, 2);
  const auto numbers = torch::tensor(chords, torch::kFloat64);
  std::printf("kinds:");
  for (int64_t i = 0; i < 3; ++i) std::printf(" %d", static_cast<int>((kinds == i).sum().item<int64_t>()));
  std::printf("\n");

  Net net;
  set_parameters(*net);
  torch::optim::Adagrad optimizer(net->parameters(), torch::optim::AdagradOptions(5e-2).lr_decay(1e-3));
  for (int step = 0; step < 50; ++step) {
    net->zero_grad();
    auto [kind, number] = net->forward(graph, graphs);
    const auto loss =
        F::cross_entropy(kind, kinds, F::CrossEntropyFuncOptions().weight(torch::tensor({1., 2., 3.}, kDouble))) +
        F::huber_loss(number, numbers, F::HuberLossFuncOptions().delta(0.5));
    loss.backward();
    optimizer.step();
    report(step, loss);
  }
  net->eval();
  torch::NoGradGuard guard;
  const auto found = std::get<1>(torch::max(net->forward(graph, graphs).first, 1));
  std::printf("right: %.5f\n", found.eq(kinds).to(torch::kFloat64).mean().item<double>());
}
