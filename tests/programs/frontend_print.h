// What several of the frontend's programs print with. No guard: the check that compiles them all in one file, a program a
// namespace, includes it in each. The programs include what it needs.
namespace {

const auto kDouble = torch::TensorOptions().dtype(torch::kFloat64);

void print(const std::string& what, const torch::Tensor& x) {
  std::printf("%s:", what.c_str());
  if (!x.defined()) std::printf(" undefined");
  const torch::Tensor flat = x.defined() ? x.detach().to(torch::kFloat64).contiguous().view(-1) : torch::zeros({0});
  for (int64_t i = 0; i < flat.numel(); i++) {
    const double value = flat[i].item<double>();
    std::printf(" %.5f", std::abs(value) < 5e-6 ? 0.0 : value);  // no -0
  }
  std::printf("\n");
}

template <class F>
void refused(const char* what, F&& f) {
  try {
    f();
    std::printf("%s: nothing was thrown\n", what);
  } catch (const std::exception&) {
    std::printf("%s: refused\n", what);
  }
}

}  // namespace
