// A program in the manner of PyTorch's C++ frontend, with one changed include: k-means, principal components, ridge regression
// and order statistics of drawn data, with their gradients. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace torch::indexing;

namespace {

const auto kDouble = torch::TensorOptions().dtype(torch::kFloat64);

// Uniform numbers of a generator of its own: every library has the same.
class Draw {
 public:
  double uniform() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }
  torch::Tensor normal(int64_t rows, int64_t columns) {
    std::vector<double> numbers;
    for (int64_t i = 0; i < rows * columns; i++) {
      const double radius = std::sqrt(-2 * std::log(1 - uniform()));
      numbers.push_back(radius * std::cos(2 * M_PI * uniform()));
    }
    return torch::tensor(numbers, kDouble).view({rows, columns});
  }

 private:
  std::uint64_t state_ = 2024;
};

void print(const char* what, const torch::Tensor& x) {
  const torch::Tensor flat = x.detach().to(torch::kFloat64).contiguous().view(-1);
  std::printf("%s:", what);
  for (int64_t i = 0; i < flat.numel(); i++) {
    const double value = flat[i].item<double>();
    std::printf(" %.5f", std::abs(value) < 5e-6 ? 0.0 : value);  // no -0
  }
  std::printf("\n");
}

// Three clouds about centres of their own, in a mixed-up order.
torch::Tensor clouds(Draw& draw, int64_t each) {
  const torch::Tensor centres =
      torch::tensor({{0.0, 0.0, 1.0, 2.0}, {4.0, -1.0, 0.0, 0.5}, {-2.0, 3.0, 2.5, -1.0}}, kDouble);
  const torch::Tensor x = draw.normal(3 * each, 4) * 0.6 + centres.repeat_interleave(each, 0);
  const torch::Tensor order = torch::arange(3 * each, torch::kInt64).mul(17).remainder(3 * each);
  return x.index_select(0, order);
}

torch::Tensor k_means(const torch::Tensor& x, int64_t k) {
  torch::Tensor centres = x.index({Slice(0, k)}).clone(), nearest;
  for (int round = 0; round < 25; round++) {
    nearest = torch::cdist(x, centres).argmin(1);
    const torch::Tensor count = torch::bincount(nearest, {}, k).clamp_min(1).to(torch::kFloat64).unsqueeze(1);
    const torch::Tensor moved = torch::zeros_like(centres).index_add_(0, nearest, x) / count;
    if (torch::allclose(moved, centres)) break;
    centres = moved;
  }
  print("centres", std::get<0>(centres.sort(0)));
  print("sizes", std::get<0>(torch::bincount(nearest).sort()));
  print("inertia", (x - centres.index({nearest})).square().sum());
  return nearest;
}

void components(const torch::Tensor& x) {
  const torch::Tensor z = (x - x.mean(0, true)) / x.std(0, true, true);
  const auto [u, s, v] = torch::linalg_svd(z, /*full_matrices=*/false);
  print("explained", torch::cumsum(s * s / (s * s).sum(), 0));
  print("directions", v.index({Slice(0, 2)}).abs());
  const auto [values, vectors] = torch::linalg_eigh(torch::matmul(z.t(), z) / static_cast<double>(z.size(0) - 1));
  print("spectrum", values.flip({0}));
  print("the same", (values.flip({0}) - s * s / static_cast<double>(z.size(0) - 1)).abs().max());
  const torch::Tensor loss =
      (torch::matmul(z, v.index({0})).square() * torch::linspace(0, 1, z.size(0), kDouble)).sum();
  print("slope of a component", torch::autograd::grad({loss}, {x})[0].index({Slice(0, 2)}));
}

// The weight decay that serves held-out data best, by gradient descent through the solution.
void ridge(Draw& draw, const torch::Tensor& x) {
  const torch::Tensor truth = torch::tensor({1.0, -2.0, 0.0, 0.5}, kDouble);
  const torch::Tensor y = torch::mv(x, truth) + 0.8 * draw.normal(x.size(0), 1).squeeze(1);
  const int64_t half = x.size(0) / 2;
  const torch::Tensor seen = x.index({Slice(None, half)}), rest = x.index({Slice(half, None)});
  torch::Tensor log_decay = torch::full({}, 2.0, kDouble).requires_grad_();
  torch::optim::Adam adam({log_decay}, torch::optim::AdamOptions(0.3));
  for (int step = 0; step < 12; step++) {
    const torch::Tensor gram = torch::matmul(seen.t(), seen) + torch::exp(log_decay) * torch::eye(4, kDouble);
    const torch::Tensor weight = torch::linalg_solve(gram, torch::mv(seen.t(), y.index({Slice(None, half)})));
    const torch::Tensor loss = (torch::mv(rest, weight) - y.index({Slice(half, None)})).square().mean();
    adam.zero_grad();
    loss.backward();
    if (step % 4 == 3) print("decay, its slope, loss", torch::stack({log_decay, log_decay.grad(), loss}));
    if (step == 11) print("weights", weight);
    adam.step();
  }
}

void order_statistics(const torch::Tensor& x) {
  const torch::Tensor q = torch::tensor({0.0, 0.1, 0.25, 0.5, 0.9, 1.0}, kDouble);
  for (const char* way : {"linear", "lower", "higher", "midpoint", "nearest"}) {
    print(way, torch::quantile(x, q, 0, false, way));
  }
  const torch::Tensor spread = (torch::quantile(x, 0.75, 0) - torch::quantile(x, 0.25, 0)).square().sum();
  print("slope of the spread", torch::autograd::grad({spread}, {x})[0].abs().sum(0));
  print("medians", std::get<0>(x.median(0)));
  print("fifth smallest", std::get<0>(x.kthvalue(5, 0)));
  print("histogram", torch::histc(x.detach(), 8, -4, 6));
  const torch::Tensor edges = torch::linspace(-3, 5, 9, kDouble);
  print("the same by edges", torch::bincount(torch::bucketize(x.detach().flatten(), edges), {}, 10));
  print("ranks", torch::searchsorted(std::get<0>(x.detach().t().contiguous().sort(1)), torch::zeros({4, 1}, kDouble)));
  const torch::Tensor centred = x - x.mean(0), deviation = x.std(0, false);
  print("skewness", centred.pow(3).mean(0) / deviation.pow(3));
  print("kurtosis", centred.pow(4).mean(0) / deviation.square().square() - 3);
  print("a mean without extremes", std::get<0>(x.sort(0)).index({Slice(3, -3)}).mean(0));
  print("running extremes", std::get<0>(torch::cummax(x.index({Slice(0, 6), 0}), 0)));
  print("variances and means", torch::stack({x.var(0), x.mean(0)}));
  print("log of the mean exponential", torch::logsumexp(x, 0) - std::log(static_cast<double>(x.size(0))));
}

}  // namespace

int main() {
  Draw draw;
  const torch::Tensor x = clouds(draw, 16).requires_grad_();
  const torch::Tensor nearest = k_means(x.detach(), 3);
  for (int64_t i = 0; i < 3; i++) {
    const torch::Tensor mine = x.detach().index({nearest == nearest[i]});
    print("deviations within", mine.std(0));
  }
  components(x);
  ridge(draw, x.detach());
  order_statistics(x);
}
