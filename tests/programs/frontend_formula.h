// Weights and data by a formula, and losses printed, for the frontend's programs that train. No guard, as frontend_print.h.
namespace {

[[maybe_unused]] torch::Tensor wave(const std::vector<int64_t>& sizes, double phase, double scale = 1.0) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  const torch::Tensor at = torch::arange(count, torch::kFloat64);
  return torch::sin(at * at * 0.37 + phase).view(sizes) * scale;  // squared, so that matrices have full rank
}

// Every parameter, in float64. Matrices as large as it is usual.
[[maybe_unused]] void set_weights(torch::nn::Module& module, double phase = 0.0, double gain = 1.5) {
  module.to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    torch::Tensor& p = item.value();
    if (p.dim() < 2) continue;
    p.copy_(wave(p.sizes().vec(), phase += 0.9, gain / std::sqrt(static_cast<double>(p[0].numel()))));
  }
  for (auto& item : module.named_parameters()) {
    torch::Tensor& p = item.value();
    const bool scale = item.key().find("norm") != std::string::npos && item.key().find("weight") != std::string::npos;
    if (p.dim() < 2) p.copy_(wave(p.sizes().vec(), phase += 0.9, 0.1) + (scale ? 1.0 : 0.0));
  }
}

[[maybe_unused]] void print_loss(int step, const char* name, const torch::Tensor& loss) {
  if (step % 5 == 0) std::printf("%s %d: %.5f\n", name, step, loss.item<double>());
}

// A folder that is gone at the end.
struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "frontend_XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace
