#include "muon.h"

#include <algorithm>
#include <cmath>

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "../../core/base/message.h"

namespace gradus::optim {

MuonOptions::~MuonOptions() = default;
Muon::~Muon() = default;
namespace {

// To the nearest number that bfloat16 has.
Tensor rounded(const Tensor& x) { return x.to(kBFloat16).to(kFloat32); }

// X of the formula out of u.
Tensor orthogonal(const Tensor& u, const MuonOptions& o) {
  const auto [a, b, c] = o.ns_coefficients();
  const bool is_tall = u.size(0) > u.size(1);
  Tensor x = rounded(is_tall ? u.t() : u);
  const double norm = rounded(x.norm()).item<double>(), least = rounded(full({}, o.eps(), kFloat32)).item<double>();
  x = rounded(x / std::max(norm, least));
  for (std::int64_t i = 0; i < o.ns_steps(); ++i) {
    const Tensor gram = rounded(matmul(x, x.t()));
    const Tensor update = rounded(b * gram + c * matmul(gram, gram));
    x = rounded(a * x + matmul(update, x));
  }
  return is_tall ? x.t() : x;
}

double adjusted(const MuonOptions& o, const Tensor& w) {
  const auto rows = static_cast<double>(w.size(0)), columns = static_cast<double>(w.size(1));
  const std::string how = o.adjust_lr_fn().value_or("original");
  if (how == "match_rms_adamw") return o.lr() * 0.2 * std::sqrt(std::max(rows, columns));
  return o.lr() * std::sqrt(how == "original" ? std::max(1.0, rows / columns) : rows / columns);
}

}  // namespace

MuonOptions::MuonOptions(double lr) : lr_(lr) {}
void MuonOptions::check() const {
  detail::expect_not_negative("Muon",
                              {{"lr", lr_}, {"weight_decay", weight_decay_}, {"momentum", momentum_}, {"eps", eps_}});
  if (!(ns_steps_ >= 0 && ns_steps_ < 100)) {
    core::fail<ValueError>("Muon: ns_steps must lie in [0, 100): {}", ns_steps_);
  }
  const std::string how = adjust_lr_fn_.value_or("original");
  if (how != "original" && how != "match_rms_adamw" && how != "spectral_unclamped") {
    core::fail<ValueError>("Muon: adjust_lr_fn must be original, match_rms_adamw or spectral_unclamped: {}",
                           core::in_quotes(how));
  }
}
std::vector<Field> MuonOptions::named_fields() {
  return {{"lr", &lr_},
          {"weight_decay", &weight_decay_},
          {"momentum", &momentum_},
          {"nesterov", &nesterov_},
          {"ns_coefficients", &ns_coefficients_},
          {"eps", &eps_},
          {"ns_steps", &ns_steps_},
          {"adjust_lr_fn", &adjust_lr_fn_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> MuonParamState::named_fields() { return {{"momentum_buffer", &momentum_buffer_}}; }

void MuonRule::expect(const Tensor& parameter) {
  if (parameter.dim() != 2) {
    core::fail<ValueError>("Muon: parameters must be matrices: one is {}; AdamW is for the others", parameter.sizes());
  }
}

void MuonRule::prepare(State& s, const Options&, const Tensor& w) { detail::start_state(s.momentum_buffer(), w); }

Tensor MuonRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const double momentum = o.momentum();
  Tensor& b = s.momentum_buffer();
  b = momentum * b + (1 - momentum) * g;
  const Tensor u = o.nesterov() ? momentum * b + (1 - momentum) * g : b;
  return w * (1 - o.lr() * o.weight_decay()) - adjusted(o, w) * orthogonal(u, o).to(w.dtype());
}

void MuonRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  w.array().copy_(reference(s, o, w, g).array());
}

template class OptimizerOf<MuonRule>;

}  // namespace gradus::optim
