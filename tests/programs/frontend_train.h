// What the frontend's trained programs share: numbers that every library draws alike, and how losses are printed. No guard:
// the check that compiles the programs all in one file, a program a namespace, includes it in each. The programs include what
// it needs.
namespace {

const auto kDouble = torch::TensorOptions().dtype(torch::kFloat64);

/// Numbers between -1 and 1, without a generator.
inline torch::Tensor spread(at::IntArrayRef sizes, double phase) {
  int64_t count = 1;
  for (const auto size : sizes) count *= size;
  return torch::sin(torch::arange(count, kDouble).square() * 0.7391 + phase).view(sizes);
}

/// In double precision, with weights by formula, whose size follows the number of inputs.
inline void set_parameters(torch::nn::Module& module, double phase = 0) {
  module.to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  for (auto& pair : module.named_parameters()) {
    auto& parameter = pair.value();
    const bool is_scale = parameter.dim() == 1 && pair.key().find("weight") != std::string::npos;
    const double size = parameter.dim() > 1 ? 1.4 / std::sqrt(parameter.numel() / parameter.size(0)) : 0.1;
    parameter.copy_(size * spread(parameter.sizes(), phase += 1) + (is_scale ? 1 : 0));
  }
}

/// Every fifth loss.
inline void report(int step, const torch::Tensor& loss) {
  if (step % 5 == 4) std::printf("step %d: loss %.5f\n", step + 1, loss.item<double>());
}

}  // namespace
