#include "check_jacobian.h"

#include <algorithm>
#include <cmath>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/random.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

// 1 or -1.
Numbers draw_signs(std::int64_t n, core::Generator& random) {
  Numbers signs = numbers_of(core::rand({n}, kFloat64, random.take(core::words_of({n}, kFloat64))));
  for (double& s : signs) s = s < 0.5 ? -1 : 1;
  return signs;
}

constexpr const char* kAbsent =
    "wrong where they are absent: Dy<k> is undefined when output k was not used, which a formula that reads it has to "
    "ask for with defined()";
constexpr std::int64_t kBlock = 8, kWork = std::int64_t{1} << 26;

}  // namespace

JacobianCheck::JacobianCheck(Probe& probe, const Probe::Call& call, std::size_t given, const GradcheckOptions& options)
    : probe_(probe), call_(call), given_(given), options_(options) {
  for (const Tensor& y : call_.y) {
    if (y.requires_grad()) differentiable_.push_back(starts_.size());
    starts_.push_back(n_out_);
    n_out_ += y.numel();
  }
}

std::string JacobianCheck::input_name(std::size_t i) const {
  return i < given_ ? fmt::format("input {}", i) : fmt::format("dy {}", i - given_);
}

std::string JacobianCheck::element_name(std::int64_t k) const {
  if (starts_.size() == 1) return fmt::format("output element {}", k);
  // Of outputs that start at the same place all but the last are empty.
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), k);
  const auto o = static_cast<std::size_t>(next - starts_.begin()) - 1;
  return fmt::format("element {} of output {}", k - starts_[o], o);
}
bool JacobianCheck::close(double analytic, double numerical) const {
  return analytic == numerical || std::abs(analytic - numerical) <= options_.atol + options_.rtol * std::abs(numerical);
}
void JacobianCheck::fail(std::size_t input, const std::string& where, double analytic, double numerical,
                         const std::string& hint) const {
  core::fail<GradError>(
      "{}: the gradient of {} with respect to {} disagrees: analytic {:.10g}, finite difference {:.10g}{}", probe_.op(),
      where, input_name(input), analytic, numerical, hint);
}

// The outputs' elements from `first` on weighted with `weights`: gradients for those outputs alone, or zeros for the
// others.
std::vector<Array> JacobianCheck::upstream(std::int64_t first, const Numbers& weights, bool absent) const {
  std::vector<Array> dy;
  const auto last = first + static_cast<std::int64_t>(weights.size());
  for (std::size_t o = 0; o < starts_.size(); ++o) {
    const std::int64_t n = call_.y[o].numel();
    const std::int64_t begin = std::max(first, starts_[o]), end = std::min(last, starts_[o] + n);
    dy.push_back(begin < end || !absent ? core::zeros(call_.y[o].sizes(), kFloat64) : Array());
    if (begin >= end) continue;
    auto* to = dy.back().data_ptr<double>();
    for (std::int64_t k = begin; k < end; ++k) to[k - starts_[o]] = weights[static_cast<std::size_t>(k - first)];
  }
  return dy;
}
std::vector<Array> JacobianCheck::row(std::int64_t first, const Numbers& weights) const {
  try {
    return probe_.gradients(call_, upstream(first, weights, true));
  } catch (Error& error) {
    if (differentiable_.size() > 1) error.add_note(kAbsent);
    throw;
  }
}

// Whether zeros in place of absent gradients make a gradient right.
std::string JacobianCheck::hint_of_absence(std::size_t w, std::int64_t k, std::int64_t j, double numerical) const {
  if (differentiable_.size() < 2) return "";
  const Array dx = probe_.gradients(call_, upstream(k, {1}, false))[w];
  return close(numbers_of(dx)[static_cast<std::size_t>(j)], numerical)
             ? fmt::format("; right with zeros for the other outputs' gradients, {}", kAbsent)
             : "";
}

void JacobianCheck::run() {
  std::vector<std::size_t> whole;  // positions in wanted()
  const std::vector<std::size_t>& wanted = probe_.wanted();
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    const std::int64_t n_in = probe_.inputs()[wanted[w]].numel();
    if (n_in == 0 || n_out_ == 0) continue;
    if (n_in * n_out_ <= options_.whole_jacobian)
      whole.push_back(w);
    else
      by_blocks(w);
  }
  if (whole.empty()) return;
  std::vector<Numbers> rows(wanted.size());  // [out, in] for each input
  for (std::int64_t k = 0; k < n_out_; ++k) {
    const std::vector<Array> dx = row(k, {1});
    for (const std::size_t w : whole) append_numbers(rows[w], dx[w]);
  }
  for (const std::size_t w : whole) {
    const std::int64_t n_in = probe_.inputs()[wanted[w]].numel();
    for (std::int64_t j = 0; j < n_in; ++j) {
      const Numbers column = probe_.difference(wanted[w], j, n_in, ones(j), options_.eps);
      for (std::int64_t k = 0; k < n_out_; ++k) {
        compare_entry(w, j, k, rows[w][static_cast<std::size_t>(k * n_in + j)], column[static_cast<std::size_t>(k)]);
      }
    }
  }
}

// At least as many as element j needs.
const Numbers& JacobianCheck::ones(std::int64_t j) {
  ones_.resize(std::max(ones_.size(), static_cast<std::size_t>(j) + 1), 1);
  return ones_;
}
void JacobianCheck::compare_entry(std::size_t w, std::int64_t j, std::int64_t k, double analytic,
                                  double numerical) const {
  if (close(analytic, numerical)) return;
  fail(probe_.wanted()[w], fmt::format("{} (flat index {} of the input)", element_name(k), j), analytic, numerical,
       hint_of_absence(w, k, j, numerical));
}

// Inputs j, j + n, j + 2n, ... are a block, and neighbouring outputs: entries that lie near the diagonal meet few of
// their like.
void JacobianCheck::by_blocks(std::size_t w) {
  const std::size_t i = probe_.wanted()[w];
  const std::int64_t n_in = probe_.inputs()[i].numel();
  const auto blocks = [most = std::max<std::int64_t>(1, kWork / (n_in + n_out_))](std::int64_t n) {
    return std::min(most, (n + kBlock - 1) / kBlock);
  };
  const std::int64_t columns = blocks(n_in), size = (n_out_ + blocks(n_out_) - 1) / blocks(n_out_);
  const std::int64_t rows = (n_out_ + size - 1) / size;
  core::Generator random(options_.seed);
  const Numbers v = draw_signs(n_in, random), u = draw_signs(n_out_, random);
  Numbers analytic(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto begin = u.begin() + r * size, end = u.begin() + std::min(n_out_, (r + 1) * size);
    const Numbers g = numbers_of(row(r * size, Numbers(begin, end))[w]);
    double* sums = analytic.data() + r * columns;
    for (std::int64_t j = 0, c = 0; j < n_in; ++j, c = c + 1 == columns ? 0 : c + 1) {
      sums[c] += v[static_cast<std::size_t>(j)] * g[static_cast<std::size_t>(j)];
    }
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    const Numbers d = probe_.difference(i, c, columns, v, options_.eps);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t end = std::min(n_out_, (r + 1) * size);
      double numerical = 0;
      for (std::int64_t k = r * size; k < end; ++k) {
        numerical += u[static_cast<std::size_t>(k)] * d[static_cast<std::size_t>(k)];
      }
      const double sum = analytic[static_cast<std::size_t>(r * columns + c)];
      if (close(sum, numerical)) continue;
      find_entry(w, c, columns, r * size, end, v, u);
      fail(i,
           fmt::format("a sum, with random signs, of {} to {} (by elements {}, {}, ... of the input)",
                       element_name(r * size), element_name(end - 1), c, c + columns),
           sum, numerical, "");
    }
  }
}

// Halves a block that is wrong, each time keeping the half that is more so, and fails with the entry that is left,
// where that is wrong by itself.
void JacobianCheck::find_entry(std::size_t w, std::int64_t j, std::int64_t every, std::int64_t from, std::int64_t to,
                               const Numbers& v, const Numbers& u) {
  const std::size_t i = probe_.wanted()[w];
  const std::int64_t n_in = probe_.inputs()[i].numel();
  const auto weights = [&](std::int64_t begin, std::int64_t end) {
    return Numbers(u.begin() + begin, u.begin() + end);
  };
  const Numbers g = numbers_of(row(from, weights(from, to))[w]);
  // How far the inputs first, first + every, ... before last are off.
  const auto inputs_off = [&](std::int64_t first, std::int64_t last) {
    Numbers signs(v.size());
    double analytic = 0, numerical = 0;
    for (std::int64_t e = first; e < last; e += every) {
      signs[static_cast<std::size_t>(e)] = v[static_cast<std::size_t>(e)];
      analytic += v[static_cast<std::size_t>(e)] * g[static_cast<std::size_t>(e)];
    }
    const Numbers d = probe_.difference(i, first, every, signs, options_.eps);
    for (std::int64_t k = from; k < to; ++k)
      numerical += u[static_cast<std::size_t>(k)] * d[static_cast<std::size_t>(k)];
    return std::abs(analytic - numerical);
  };
  std::int64_t last = n_in;
  while (j + every < last) {
    const std::int64_t middle = j + ((last - j + every - 1) / every + 1) / 2 * every;
    (inputs_off(j, middle) >= inputs_off(middle, last) ? last : j) = middle;
  }
  const Numbers column = probe_.difference(i, j, n_in, ones(j), options_.eps);
  const auto outputs_off = [&](std::int64_t begin, std::int64_t end) {
    double numerical = 0;
    for (std::int64_t k = begin; k < end; ++k)
      numerical += u[static_cast<std::size_t>(k)] * column[static_cast<std::size_t>(k)];
    return std::abs(numbers_of(row(begin, weights(begin, end))[w])[static_cast<std::size_t>(j)] - numerical);
  };
  while (from + 1 < to) {
    const std::int64_t middle = from + (to - from) / 2;
    (outputs_off(from, middle) >= outputs_off(middle, to) ? to : from) = middle;
  }
  const double analytic = numbers_of(row(from, {1})[w])[static_cast<std::size_t>(j)];
  compare_entry(w, j, from, analytic, column[static_cast<std::size_t>(from)]);
}

}  // namespace gradus::autograd::detail
