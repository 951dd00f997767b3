// A program in the manner of PyTorch's C++ frontend, with one changed include: a Kalman filter that tracks a point, and
// polynomials fitted by least squares in four ways. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>

namespace {

const auto kOptions = torch::TensorOptions().dtype(torch::kFloat64);

// Numbers that every library draws alike.
torch::Tensor noise(int64_t n, double phase) {
  torch::Tensor i = torch::arange(n, kOptions);
  return torch::sin(i * 12.9898 + phase) * torch::cos(i * 78.233 - phase);
}

void print(const char* what, const torch::Tensor& x) {
  torch::Tensor flat = x.contiguous().view(-1);
  std::printf("%s:", what);
  for (int64_t i = 0; i < flat.numel(); i++) std::printf(" %.6f", flat[i].item<double>());
  std::printf("\n");
}

// x' = F x + w, z = H x + v, with covariances Q of w and R of v.
struct KalmanFilter {
  torch::Tensor F, H, Q, R, x, P;
  torch::Tensor log_likelihood = torch::zeros({}, kOptions);

  KalmanFilter(double dt, const torch::Tensor& log_noise) {
    F = torch::eye(4, kOptions);
    F[0][2] = dt;
    F[1][3] = dt;
    H = torch::eye(2, 4, kOptions);
    Q = 0.01 * torch::eye(4, kOptions);
    R = torch::exp(log_noise) * torch::eye(2, kOptions);
    x = torch::zeros({4}, kOptions);
    P = 10 * torch::eye(4, kOptions);
  }

  void predict() {
    x = torch::matmul(F, x);
    P = torch::linalg_multi_dot({F, P, F.t()}) + Q;
  }

  void update(const torch::Tensor& z) {
    torch::Tensor S = torch::linalg_multi_dot({H, P, H.t()}) + R;
    torch::Tensor L = torch::linalg_cholesky(S);
    torch::Tensor residual = z - torch::matmul(H, x);
    torch::Tensor gain = torch::cholesky_solve(torch::matmul(H, P), L).t();
    torch::Tensor whitened = torch::linalg_solve_triangular(L, residual.unsqueeze(1), /*upper=*/false, true, false);
    log_likelihood = log_likelihood - 0.5 * (whitened.square().sum() + torch::logdet(S) + 2 * std::log(2 * M_PI));
    x = x + torch::matmul(gain, residual);
    torch::Tensor rest = torch::eye(4, kOptions) - torch::matmul(gain, H);
    // Joseph's form keeps it symmetric and positive definite.
    P = torch::matmul(torch::matmul(rest, P), rest.t()) + torch::matmul(torch::matmul(gain, R), gain.t());
  }
};

void track() {
  const int64_t steps = 40;
  torch::Tensor t = torch::arange(steps, kOptions) * 0.1;
  torch::Tensor path = torch::stack({torch::cos(t), torch::sin(t)}, 1);
  torch::Tensor seen = path + 0.1 * torch::stack({noise(steps, 0.3), noise(steps, 1.7)}, 1);
  torch::Tensor log_noise = torch::full({}, -3.0, kOptions).requires_grad_();
  // The noise is learned: the likelihood is differentiated through the filter.
  torch::optim::SGD optimizer({log_noise}, torch::optim::SGDOptions(0.01));
  for (int epoch = 0; epoch < 5; epoch++) {
    KalmanFilter filter(0.1, log_noise);
    for (int64_t i = 0; i < steps; i++) {
      filter.predict();
      filter.update(seen[i]);
    }
    optimizer.zero_grad();
    (-filter.log_likelihood).backward();
    if (epoch == 0 || epoch == 4) {
      print("log likelihood", filter.log_likelihood.detach());
      print("slope", log_noise.grad());
      print("state", filter.x.detach());
      print("spectrum of P", torch::linalg_eigvalsh(filter.P.detach()));
    }
    optimizer.step();
  }
}

void fit() {
  torch::Tensor u = torch::linspace(-1, 1, 25, kOptions);
  torch::Tensor y = torch::sin(3 * u) + 0.05 * noise(25, 0.9);
  std::vector<torch::Tensor> powers;
  for (int k = 0; k < 5; k++) powers.push_back(u.pow(k));
  torch::Tensor A = torch::stack(powers, 1);
  torch::Tensor by_lstsq = std::get<0>(torch::linalg_lstsq(A, y.unsqueeze(1), {}, {})).squeeze(1);
  auto [Q, R] = torch::linalg_qr(A, "reduced");
  torch::Tensor by_qr = torch::linalg_solve_triangular(R, torch::matmul(Q.t(), y).unsqueeze(1), true).squeeze(1);
  auto [U, S, Vh] = torch::linalg_svd(A, /*full_matrices=*/false);
  torch::Tensor by_svd = torch::matmul(Vh.t(), torch::matmul(U.t(), y) / S);
  torch::Tensor by_normal = torch::linalg_solve(torch::matmul(A.t(), A), torch::matmul(A.t(), y));
  print("coefficients", by_lstsq);
  print("singular values", S);
  const torch::Tensor pairs = torch::stack({by_qr, by_svd, by_normal}, 0) - by_lstsq;
  std::printf("they agree: %d\n", torch::linalg_vector_norm(pairs).item<double>() < 1e-10);
  torch::Tensor G = torch::matmul(A.t(), A);
  print("determinant", torch::det(G));
  print("norms",
        torch::stack({torch::linalg_matrix_norm(A, "fro", {-2, -1}), torch::linalg_matrix_norm(A, "nuc", {-2, -1})}));
  print("identity", torch::matmul(torch::inverse(G), G).diagonal());
  print("turned", torch::matrix_exp(torch::tensor({{0.0, -0.5}, {0.5, 0.0}}, kOptions)));
}

}  // namespace

int main() {
  track();
  fit();
}
