#include "check_layouts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/random.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Memory that nobody should read, but that those who do can: as large as a contiguous array would be.
Array gap(std::int64_t size, DType dtype) {
  return is_floating_point(dtype) ? core::full({size}, kNaN, dtype) : core::zeros({size}, dtype);
}

}  // namespace

void append_numbers(Numbers& numbers, const Array& x) {
  const Array dense = x.to(kFloat64).contiguous();
  const auto* data = dense.data_ptr<double>();
  numbers.insert(numbers.end(), data, data + dense.numel());
}

Numbers numbers_of(const Array& x) {
  Numbers numbers;
  append_numbers(numbers, x);
  return numbers;
}

Numbers numbers_of(const std::vector<Tensor>& tensors) {
  Numbers numbers;
  for (const Tensor& t : tensors) append_numbers(numbers, t.array());
  return numbers;
}

Array copy_as_laid_out(const Array& x) {
  if (x.is_contiguous()) return x.clone();
  Array once = x;  // each expanded dimension cut down to what is there
  for (int d = 0; d < x.dim(); ++d) {
    if (x.stride(d) == 0 && x.size(d) > 1) once = once.narrow(d, 0, 1);
  }
  std::int64_t span = 1;
  for (int d = 0; d < once.dim(); ++d) span += (once.size(d) - 1) * once.stride(d);
  if (x.numel() == 0 || once.may_overlap_itself() || span > 16 * once.numel() + 64) return x.clone();
  const Array memory = gap(std::max(span, x.numel()), x.dtype());
  return memory.as_strided(once.sizes(), once.strides(), 0).copy_(once).expand(x.sizes());
}

Array transposed(const Array& x) {
  if (x.dim() == 0) return x;
  core::Dims reversed;
  for (int d = x.dim() - 1; d >= 0; --d) reversed.push_back(d);
  const Array other = x.permute(reversed).clone().permute(reversed);
  if (!other.is_contiguous() || x.numel() < 2) return other;
  return gap(2 * x.numel(), x.dtype()).view({x.numel(), 2}).select(1, 0).view(x.sizes()).copy_(x);
}

const char* transposed_name(std::int64_t dims) { return dims == 1 ? "strided" : "transposed"; }

Array expanded(const Array& x) {
  int dim = x.dim() > 1 ? 1 : 0;
  if (x.dim() > 0 && x.size(dim) < 2) {
    for (dim = 0; dim < x.dim() && x.size(dim) < 2; ++dim) {
    }
  }
  if (dim >= x.dim() || x.numel() == 0) return {};
  return copy_as_laid_out(x.narrow(dim, 0, 1).expand(x.sizes()));
}

std::int64_t first_changed(const Array& now, const Array& before) {
  const Array a = now.contiguous(), b = before.contiguous();
  const std::size_t size = static_cast<std::size_t>(size_of(a.dtype()));
  const auto* p = static_cast<const std::byte*>(a.data());
  const auto* q = static_cast<const std::byte*>(b.data());
  if (a.numel() == 0 || std::memcmp(p, q, size * static_cast<std::size_t>(a.numel())) == 0) return -1;
  for (std::int64_t i = 0; i < a.numel(); ++i, p += size, q += size) {
    if (std::memcmp(p, q, size) != 0) return i;
  }
  return -1;
}

namespace {

double largest_of(const Numbers& x) {
  double largest = 0;
  for (double v : x) {
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  }
  return largest;
}

bool finite(const Outcome& outcome) {
  const auto all = [](const std::vector<Numbers>& tensors) {
    return std::all_of(tensors.begin(), tensors.end(), [](const Numbers& x) {
      return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); });
    });
  };
  return all(outcome.values) && all(outcome.gradients);
}

// The same inputs, input i a rounding's difference away.
std::vector<Array> nudged(const std::vector<Array>& inputs, std::size_t i) {
  std::vector<Array> other = inputs;
  const Array noise = core::randn(inputs[i].sizes(), inputs[i].dtype(), {1, 0});
  other[i] = inputs[i] + noise * (1e-12 * largest_of(numbers_of(inputs[i])));
  return other;
}

}  // namespace

Apart farthest(const Outcome& a, const Outcome& b) {
  double all = 0;
  for (const auto* tensors : {&b.values, &b.gradients}) {
    for (const Numbers& x : *tensors) all = std::max(all, largest_of(x));
  }
  Apart worst;
  const auto compare = [&](const std::vector<Numbers>& these, const std::vector<Numbers>& those, bool gradient) {
    for (std::size_t t = 0; t < std::min(these.size(), those.size()); ++t) {
      const Numbers &x = these[t], &y = those[t];
      const double tolerance = 1e-7 * largest_of(y) + 1e-12 * all;
      for (std::size_t e = 0; e < std::max(x.size(), y.size()); ++e) {
        const double u = e < x.size() ? x[e] : kNaN, v = e < y.size() ? y[e] : kNaN;
        const bool same = e < x.size() && e < y.size() && (u == v || (std::isnan(u) && std::isnan(v)));
        const double factor = same ? 0 : std::isfinite(u - v) ? std::abs(u - v) / tolerance : HUGE_VAL;
        if (factor > worst.factor) worst = {factor, gradient, t, e, u, v};
      }
    }
  };
  compare(a.values, b.values, false);
  // A wrong value is the nearer cause.
  if (worst.factor <= 1) compare(a.gradients, b.gradients, true);
  return worst;
}

std::vector<LayoutFault> layout_faults(const std::vector<Array>& inputs,
                                       const std::function<Outcome(const std::vector<Array>&)>& evaluate,
                                       std::vector<std::string>& notes) {
  std::vector<LayoutFault> faults;
  const Outcome given = evaluate(inputs);
  if (!given.refused.empty()) return faults;
  const auto run = [&](std::size_t i, const Array& x, const std::string& layout) {
    std::vector<Array> other = inputs;
    other[i] = x;
    try {
      Outcome outcome = evaluate(other);
      if (!outcome.refused.empty())
        notes.push_back(fmt::format("input {} {} is refused: {}", i, layout, outcome.refused));
      return outcome;
    } catch (Error& error) {
      error.add_note(fmt::format("where input {} is {}", i, layout));
      throw;
    }
  };
  const auto compare = [&](std::size_t i, const Array& x, const std::string& layout) {
    const Outcome outcome = run(i, x, layout);
    if (!outcome.refused.empty()) return;
    const Apart apart = farthest(outcome, given);
    if (apart.factor > 1) faults.push_back({i, layout, apart});
  };
  const auto compare_expanded = [&](std::size_t i, const Array& wide) {
    std::vector<Array> plain = inputs;
    plain[i] = wide.clone();
    const Outcome expected = evaluate(plain);
    if (!expected.refused.empty() || !finite(expected)) {
      notes.push_back(fmt::format("input {} expanded was not tried: the same numbers, contiguous, give {}", i,
                                  expected.refused.empty() ? "infinity or NaN" : expected.refused));
      return;
    }
    const Outcome outcome = run(i, wide, "expanded");
    if (!outcome.refused.empty()) return;
    const Apart apart = farthest(outcome, expected);
    if (apart.factor <= 1) return;
    if (is_floating_point(wide.dtype())) {
      const Outcome near = evaluate(nudged(plain, i));
      if (!near.refused.empty() || farthest(near, expected).factor > 0.1 * apart.factor) {
        notes.push_back(fmt::format("input {} expanded proves nothing: there the function jumps, or has a kink", i));
        return;
      }
    }
    faults.push_back({i, "expanded", apart});
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Array& x = inputs[i];
    if (!x.defined() || x.dim() == 0 || x.numel() < 2) continue;
    if (!x.is_contiguous()) compare(i, x.clone(), "contiguous");
    if (const Array other = transposed(x); other.strides() != x.strides()) compare(i, other, transposed_name(x.dim()));
    if (const Array wide = expanded(x); wide.defined()) compare_expanded(i, wide);
  }
  return faults;
}

}  // namespace gradus::autograd::detail
