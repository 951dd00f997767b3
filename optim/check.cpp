#include "check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "../autograd/graph/grad_mode.h"
#include "../autograd/tensor/create.h"
#include "../core/base/fail.h"

namespace gradus::optim {
namespace {

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::int64_t value) { return fmt::format("{}", value); }
std::string text_of(double value) { return fmt::format("{:g}", value); }
std::string text_of(const std::tuple<double, double>& value) {
  return fmt::format("({:g}, {:g})", std::get<0>(value), std::get<1>(value));
}
std::string text_of(const std::tuple<double, double, double>& value) {
  return fmt::format("({:g}, {:g}, {:g})", std::get<0>(value), std::get<1>(value), std::get<2>(value));
}
std::string text_of(const std::optional<std::string>& value) { return value.value_or("none"); }
std::string text_of(const Tensor&) { return {}; }

std::string text_of(Optimizer& optimizer) {
  std::string text(optimizer.name());
  const char* before = "(";
  for (const Field& field : optimizer.defaults().named_fields()) {
    if (field.is_flag() && !optimizer.defaults().goes_uphill()) continue;
    text += before + fmt::format("{}={}", field.name, field.visit([](const auto* at) { return text_of(*at); }));
    before = ", ";
  }
  return text + ")";
}

// max|a - b| / max|b|; infinity where the two cannot be compared.
double error_of(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes() || a.dtype() != b.dtype()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0 || equal(a, b)) return 0;
  const double error = (a.to(kFloat64) - b.to(kFloat64)).abs().max().item<double>();
  const double scale = b.to(kFloat64).abs().max().item<double>();
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : scale > 0 ? error / scale : error;
}

std::vector<Tensor> parameters(DType dtype, Generator& generator) {
  std::vector<Tensor> all;
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{5, 7}, {1003}, {}, {0, 3}}) {
    const Tensor start = randn(shape, generator, dtype);
    all.push_back((start.dim() == 2 ? start.t() : start).detach().requires_grad_());
  }
  return all;
}

// "exp_avg" of "state.0.exp_avg"; the parameter's own name is empty.
std::string field_of(const std::string& name) { return name.substr(name.rfind('.') + 1); }

void compare(CheckReport& report, const std::string& what, const Tensor& fused, const Tensor& reference, int step,
             DType dtype) {
  const double error = error_of(fused, reference);
  auto row = std::find_if(report.rows.begin(), report.rows.end(),
                          [&](const CheckReport::Row& r) { return r.what == what && r.dtype == dtype; });
  if (row == report.rows.end()) row = report.rows.insert(row, {what, dtype});
  row->error = std::max(row->error, error);
  if (row->first_step == 0 && !(error <= (dtype == kFloat32 ? 1e-5 : 1e-12))) row->first_step = step;
}

void run(CheckReport& report, const detail::MakeOptimizer& make, int steps, DType dtype) {
  Generator generator(20260401);
  const std::vector<Tensor> fused = parameters(dtype, generator);
  std::vector<Tensor> reference;
  for (const Tensor& p : fused) reference.push_back(p.detach().clone().requires_grad_());
  const std::unique_ptr<Optimizer> by_kernel = make(fused), by_formula = make(reference);
  by_formula->use_reference();
  report.subject = text_of(*by_kernel);
  for (int step = 1; step <= steps; ++step) {
    for (std::size_t i = 0; i < fused.size(); ++i) {
      if (i == 1 && step == 1) continue;
      fused[i].mutable_grad() = randn(fused[i].sizes(), generator, dtype) + 0.1;
      reference[i].mutable_grad() = fused[i].grad().clone();
    }
    by_kernel->step();
    by_formula->step();
    for (std::size_t i = 0; i < fused.size(); ++i) compare(report, "parameter", fused[i], reference[i], step, dtype);
    const NamedState a = by_kernel->state_dict(), b = by_formula->state_dict();
    if (a.size() != b.size())
      core::fail<ValueError>("check: {} keeps another state by its reference", by_kernel->name());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].first.starts_with("state."))
        compare(report, field_of(a[i].first), a[i].second, b[i].second, step, dtype);
    }
  }
}

}  // namespace

bool CheckReport::ok() const {
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.first_step == 0; });
}

std::ostream& operator<<(std::ostream& out, const CheckReport& report) {
  out << "check of " << report.subject << "\nfused: the kernel; reference: the formula; error: max|a-b| / max|b|\n";
  out << fmt::format("{:<18} {:<8} {:<16} verdict\n", "after each step", "dtype", "fused-reference");
  for (const CheckReport::Row& row : report.rows) {
    out << fmt::format("{:<18} {:<8} {:<16.1e} {}\n", row.what, row.dtype, row.error,
                       row.first_step == 0 ? "agree" : fmt::format("DIFFER from step {} on", row.first_step));
  }
  return out << (report.ok() ? "ok" : "NOT OK") << '\n';
}

namespace detail {

CheckReport check(const MakeOptimizer& make, int steps) {
  const NoGradGuard no_grad;
  CheckReport report;
  for (const DType dtype : {kFloat32, kFloat64}) run(report, make, steps, dtype);
  return report;
}

}  // namespace detail
}  // namespace gradus::optim
