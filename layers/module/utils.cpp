#include "utils.h"

#include <algorithm>

#include "../../autograd/func/checkpoint.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "module_hooks.h"

namespace gradus::nn::utils {

using core::fail;
using detail::ModuleHooks;

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  if (parameters.empty()) core::fail<ValueError>("parameters_to_vector: there must be at least one parameter");
  std::vector<Tensor> flat;
  for (const Tensor& p : parameters) flat.push_back(p.reshape({-1}));
  return cat(flat);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  std::int64_t total = 0;
  for (const Tensor& p : parameters) total += p.numel();
  if (vector.dim() != 1 || vector.numel() != total) {
    fail<ShapeError>("vector_to_parameters: the vector must have an element for each of the parameters', [{}]: {}",
                     total, vector.sizes());
  }
  const NoGradGuard no_grad;
  std::int64_t at = 0;
  for (const Tensor& p : parameters) {
    p.copy_(vector.slice(0, at, at + p.numel()).view(p.sizes()));
    at += p.numel();
  }
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  if (!(clip_value >= 0)) fail<ValueError>("clip_grad_value_: clip_value must not be negative: {}", clip_value);
  const NoGradGuard no_grad;
  for (const Tensor& p : parameters) {
    if (p.grad().defined()) p.grad().clamp_(-clip_value, clip_value);
  }
}

namespace {

const Tensor& part(const Module& module, const std::string& name) {
  return ModuleHooks::parameters(const_cast<Module&>(module))[name];
}
const Tensor& buffer(const Module& module, const std::string& name) {
  return ModuleHooks::buffers(const_cast<Module&>(module))[name];
}

Tensor leaf(const Tensor& values, const Tensor& like) {
  const Tensor made(values.array().clone());
  made.requires_grad_(like.requires_grad());
  return made;
}

// The norm over all dimensions but one, which stays; over all.
Tensor norm_but(const Tensor& v, int dim) {
  if (dim < 0) return v.norm(2);
  std::vector<std::int64_t> others;
  for (std::int64_t d = 0; d < v.dim(); ++d) {
    if (d != dim) others.push_back(d);
  }
  return others.empty() ? v.abs() : v.norm(2, others, true);
}

void check_dim(const char* op, int dim, const Tensor& member) {
  if (dim < -1 || dim >= member.dim()) {
    fail<IndexError>("{}: dim must be one of the parameter's, or -1: {} for {}", op, dim, member.sizes());
  }
}

class WeightNorm final : public detail::Reparametrisation {
 public:
  using Reparametrisation::Reparametrisation;
  const char* kind() const override { return "weight_norm"; }
  void begin(Module& module) override {
    check_dim(kind(), dim, member);
    ModuleHooks::expect_free(module, kind(), {name + "_g", name + "_v"});
    const Tensor v = leaf(member, member), g = leaf(norm_but(member.detach(), dim), member);
    ModuleHooks::parameters(module).erase(name);
    module.register_parameter(name + "_g", g, member.requires_grad());
    module.register_parameter(name + "_v", v, member.requires_grad());
  }
  Tensor compute(const Module& module, bool) override {
    const Tensor &g = part(module, name + "_g"), &v = part(module, name + "_v");
    return v * (g / norm_but(v, dim));
  }
  void end(Module& module) override {
    ModuleHooks::parameters(module).erase(name + "_g");
    ModuleHooks::parameters(module).erase(name + "_v");
  }
  std::shared_ptr<Reparametrisation> fresh() const override { return std::make_shared<WeightNorm>(name, dim); }
};

class SpectralNorm final : public detail::Reparametrisation {
 public:
  SpectralNorm(std::string of, int along, std::int64_t n_power_iterations, double epsilon)
      : Reparametrisation(std::move(of), along), iterations(n_power_iterations), eps(epsilon) {}
  const char* kind() const override { return "spectral_norm"; }
  void begin(Module& module) override {
    check_dim(kind(), dim, member);
    ModuleHooks::expect_free(module, kind(), {name + "_orig", name + "_u", name + "_v"});
    const Tensor weight = leaf(member, member), w = matrix(weight.detach());
    const NoGradGuard no_grad;
    const Tensor u = unit(randn({w.size(0)}, w.options())), v = unit(randn({w.size(1)}, w.options()));
    iterate(w, u, v, 15);
    ModuleHooks::parameters(module).erase(name);
    module.register_parameter(name + "_orig", weight, member.requires_grad());
    module.register_buffer(name + "_u", u);
    module.register_buffer(name + "_v", v);
  }
  Tensor compute(const Module& module, bool advance) override {
    const Tensor& weight = part(module, name + "_orig");
    const Tensor w = matrix(weight), &u = buffer(module, name + "_u"), &v = buffer(module, name + "_v");
    if (advance && module.is_training() && !func::recomputing()) {
      const NoGradGuard no_grad;
      iterate(w.detach(), u, v, iterations);
    }
    // Copies: another forward before this one's backward pass moves them on.
    return weight / dot(u.clone(), mv(w, v.clone()));
  }
  void end(Module& module) override {
    ModuleHooks::parameters(module).erase(name + "_orig");
    ModuleHooks::buffers(module).erase(name + "_u");
    ModuleHooks::buffers(module).erase(name + "_v");
  }
  std::shared_ptr<Reparametrisation> fresh() const override {
    return std::make_shared<SpectralNorm>(name, dim, iterations, eps);
  }

 private:
  Tensor matrix(const Tensor& weight) const {
    const Tensor first = dim > 0 ? weight.movedim(dim, 0) : weight;
    return first.reshape({first.dim() == 0 ? 1 : first.size(0), -1});
  }
  Tensor unit(const Tensor& x) const { return x / x.norm(2).clamp_min(eps); }
  void iterate(const Tensor& w, const Tensor& u, const Tensor& v, std::int64_t times) const {
    for (std::int64_t i = 0; i < times; ++i) {
      v.copy_(unit(mv(w.t(), u)));
      u.copy_(unit(mv(w, v)));
    }
  }
  const std::int64_t iterations;
  const double eps;
};

void check_absent(const Module& module, const std::string& name, const char* op) {
  const ModuleHooks* hooks = ModuleHooks::find(module);
  if (hooks == nullptr) return;
  for (const auto& computed : hooks->computed) {
    if (computed->name == name) {
      fail<ModuleError>("{}: '{}' of {} must not be computed already: it is by {}", op, name, module.name(),
                        computed->kind());
    }
  }
}

void remove(Module& module, const std::string& name, const char* kind) {
  ModuleHooks* hooks = ModuleHooks::find(module);
  if (hooks != nullptr) {
    auto& all = hooks->computed;
    for (auto at = all.begin(); at != all.end(); ++at) {
      if ((*at)->name != name || std::string_view((*at)->kind()) != kind) continue;
      ModuleHooks::make_parameter(module, **at);
      all.erase(at);
      return;
    }
  }
  fail<ModuleError>("remove_{}: '{}' of {} must have been given to {}", kind, name, module.name(), kind);
}

}  // namespace

void weight_norm(Module& module, const std::string& name, int dim) {
  check_absent(module, name, "weight_norm");
  ModuleHooks::begin(module, std::make_shared<WeightNorm>(name, dim));
}
void remove_weight_norm(Module& module, const std::string& name) { remove(module, name, "weight_norm"); }

void spectral_norm(Module& module, const std::string& name, std::int64_t n_power_iterations, double eps, int dim) {
  check_absent(module, name, "spectral_norm");
  if (n_power_iterations < 1) {
    fail<ValueError>("spectral_norm: n_power_iterations must be positive: {}", n_power_iterations);
  }
  if (dim == -1) dim = module.name().starts_with("ConvTranspose") ? 1 : 0;
  ModuleHooks::begin(module, std::make_shared<SpectralNorm>(name, dim, n_power_iterations, eps));
}
void remove_spectral_norm(Module& module, const std::string& name) { remove(module, name, "spectral_norm"); }

}  // namespace gradus::nn::utils
