#include "check_hints.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

double max_abs(const Array& x) {
  return x.numel() == 0 ? 0 : core::reduce(core::Reduction::Max, core::abs(x)).item<double>();
}
bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::abs(b); }

// c with a = c b but for an error relative to a, if there is one.
std::optional<double> multiple(const Array& a, const Array& b, double tolerance) {
  const double bb = core::sum(b * b).item<double>();
  if (bb == 0 || a.shape() != b.shape()) return {};
  const double c = core::sum(a * b).item<double>() / bb;
  if (!(max_abs(a - b * c) <= tolerance * max_abs(a))) return {};
  return c;
}

core::Dims all_but(int dim, int n) {
  core::Dims dims;
  for (int d = 0; d < n; ++d) {
    if (d != dim) dims.push_back(d);
  }
  return dims;
}

// The same with one c for each index of a dimension; where b is zero, so must a be.
std::optional<Array> multiple_along(const Array& a, const Array& b, int dim, double tolerance) {
  const std::int64_t others = a.numel() / std::max<std::int64_t>(1, a.shape()[dim]);
  if (a.dim() < 2 || a.shape()[dim] < 2 || others < 3) return {};  // too few numbers fit anything
  const core::Dims rest = all_but(dim, a.dim());
  const Array bb = core::sum(b * b, rest, true);
  const Array c = core::sum(a * b, rest, true) / core::where(bb > 0, bb, 1.0);
  if (!(max_abs(a - b * c) <= tolerance * max_abs(a))) return {};
  return c.reshape({c.numel()});
}

// "dimension 0 of x (size 7)", "dimensions 0 and 2 of x (sizes 7 x 4)".
std::string dimensions(const NamedArray& of, unsigned subset) {
  std::vector<std::string> dims;
  std::vector<std::int64_t> sizes;
  for (int d = 0; d < of.value.dim(); ++d) {
    if ((subset >> d & 1u) == 0) continue;
    dims.push_back(std::to_string(d));
    sizes.push_back(of.value.shape()[d]);
  }
  if (dims.size() == 1) return fmt::format("dimension {} of {} (size {})", dims[0], of.name, sizes[0]);
  const std::string last = dims.back();
  dims.pop_back();
  return fmt::format("dimensions {} and {} of {} (sizes {})", fmt::join(dims, ", "), last, of.name,
                     fmt::join(sizes, " x "));
}

// What a count N, from some least one on, has to do with a factor: of 2, N - 1 and 1 are alike.
struct CountRelation {
  double least;
  double (*factor)(double N);
  const char* as;  // where it may be another's factor
  const char* text;
};
constexpr CountRelation kCountRelations[] = {
    {2, [](double N) { return 1 / N; }, "as of ", "a mean where a sum is due, over "},
    {2, [](double N) { return N; }, "as of ", "a sum where a mean is due, over "},
    {3, [](double N) { return (N - 1) / N; }, "as if ", "divided by N where N - 1 is due, N counting "},
    {3, [](double N) { return N / (N - 1); }, "as if ", "divided by N - 1 where N is due, N counting "},
};

// Whether it is a factor that a formula may well have of its own: 2/3 of what is due may be an exponent that was mistaken.
bool is_plain(double factor, double tolerance) {
  constexpr int kSmall = 6;
  for (int q = 1; q <= kSmall; ++q) {
    const double p = std::round(factor * q);
    if (p >= 1 && p <= kSmall && near(factor * q, p, tolerance)) return true;
  }
  return false;
}

class Explanation {
 public:
  explicit Explanation(const Mistake& m) : m_(m), size_(max_abs(m.right)) {}

  // The first kind of relation that fits is told: later ones would be consequences of it.
  std::string find() {
    if (m_.wrong.numel() == 0 || !std::isfinite(size_)) return {};
    const double size = max_abs(m_.wrong);
    if (!std::isfinite(size)) return fmt::format("{} is not finite everywhere", m_.wrong_name);
    if (size == 0) return fmt::format("{} is zero: the gradient is not computed, or not passed on", m_.wrong_name);
    if (const auto c = multiple(m_.wrong, m_.right, m_.tolerance)) return factor(*c);
    difference_ = m_.wrong - m_.right;
    // What is left of the digits after the subtraction.
    tolerance_ = std::min(1e-2, m_.tolerance * std::max(1.0, size_ / max_abs(difference_)));
    transposed();
    if (found_.empty()) missing_terms();
    if (found_.empty()) proportional();
    if (found_.empty()) constant();
    if (found_.empty()) factor_along();
    return fmt::format("{}", fmt::join(found_, "; or "));
  }

 private:
  void say(std::string text) { found_.push_back(std::move(text)); }

  // wrong = c right.
  std::string factor(double c) {
    if (near(c, 1, 1e-4)) return {};  // a relation between rounding errors
    if (near(c, -1, m_.tolerance)) return fmt::format("{} = -{}: the sign is wrong", m_.wrong_name, m_.right_name);
    const std::string sign = c < 0 ? "the sign is wrong, and " : "";
    const double size = std::abs(c);
    if (m_.wrong.numel() == 1 && m_.terms.size() > 1) missing_terms();
    for (const CountRelation& relation : kCountRelations) count(relation, size);
    for (const NamedNumber& number : m_.numbers) attribute(number, size);
    if (near(size, 0.5, m_.tolerance)) say("half of what is due: a factor 2 forgotten, as that of d(x^2) = 2 x dx");
    if (near(size, 2, m_.tolerance)) say("twice what is due: something counted twice");
    const double inverse = std::round(1 / size);
    const bool whole = inverse > 1 && near(1 / size, inverse, m_.tolerance);
    std::string relation = fmt::format("{} = {}", m_.wrong_name, c < 0 ? "-" : "");
    relation += whole ? fmt::format("{} / {}", m_.right_name, inverse) : fmt::format("{:.6g} {}", size, m_.right_name);
    if (found_.empty()) return fmt::format("{}: {}one factor everywhere", relation, sign);
    return fmt::format("{}: {}{}", relation, sign, fmt::join(found_, "; or "));
  }

  // The smallest sets of a tensor's dimensions whose extents make the factor; the first tensor that has one will do.
  void count(const CountRelation& relation, double c) {
    for (const NamedArray& tensor : m_.tensors) {
      const int n = tensor.value.dim();
      std::vector<std::string> fitting;
      for (int dims = 1; dims <= n && fitting.empty(); ++dims) {
        for (unsigned subset = 1; subset < 1u << n; ++subset) {
          if (std::popcount(subset) != dims) continue;
          double N = 1;
          for (int d = 0; d < n; ++d) N *= (subset >> d & 1u) != 0 ? static_cast<double>(tensor.value.shape()[d]) : 1;
          if (N >= relation.least && near(c, relation.factor(N), m_.tolerance))
            fitting.push_back(dimensions(tensor, subset));
        }
      }
      if (fitting.empty()) continue;
      const bool plain = is_plain(c, m_.tolerance);
      say(fmt::format("{}{}{}{}", plain ? "one factor everywhere, " : "", plain ? relation.as : "", relation.text,
                      fmt::join(fitting, " or ")));
      return;
    }
  }

  void attribute(const NamedNumber& number, double c) {
    const double p = number.value, tolerance = std::max(m_.tolerance, 1e-5);  // attributes are known by their text
    const auto fits = [&](double factor, const char* inverse, const char* direct) {
      if (!near(c, factor, tolerance)) return;
      const std::string name = number.name.substr(0, number.name.find(' '));
      say(fmt::format("a factor {} is missing, or {} is there once too often ({} = {:g})",
                      fmt::format(fmt::runtime(inverse), name), fmt::format(fmt::runtime(direct), name), number.name,
                      p));
    };
    if (!(p > 0) || p == 1) return;
    fits(p, "1/{}", "{}");
    fits(1 / p, "{}", "1/{}");
    if (p < 1) fits(1 - p, "1/(1 - {})", "1 - {}");
    if (p < 1) fits(1 / (1 - p), "1 - {}", "1/(1 - {})");
  }

  void transposed() {
    for (int i = 0; i < m_.right.dim(); ++i) {
      for (int j = i + 1; j < m_.right.dim(); ++j) {
        const auto c = multiple(m_.wrong, m_.right.transpose(i, j), m_.tolerance);
        if (!c) continue;
        if (near(*c, 1, m_.tolerance))
          say(fmt::format("it is transposed: dimensions {} and {} are exchanged", i, j));
        else
          say(fmt::format("it is transposed, dimensions {} and {} exchanged, and multiplied by {:.6g}", i, j, *c));
      }
    }
  }

  void missing_terms() {
    if (!difference_.defined()) difference_ = m_.wrong - m_.right, tolerance_ = m_.tolerance;
    for (const NamedArray& term : m_.terms) {
      const auto c = multiple(difference_, term.value, tolerance_);
      if (!c) continue;
      if (near(*c, -1, tolerance_))
        say(fmt::format("the term '{}' is missing", term.name));
      else if (near(*c, -0.5, tolerance_))
        say(fmt::format("half of the term '{}' is missing: a factor 2 forgotten", term.name));
      else if (near(*c, 1, tolerance_))
        say(fmt::format("the term '{}' is counted twice", term.name));
      else if (near(*c, -2, tolerance_))
        say(fmt::format("the term '{}' has the wrong sign", term.name));
      else
        say(fmt::format("the term '{}' has the factor {:.6g}", term.name, 1 + *c));
    }
    for (std::size_t i = 0; i < m_.terms.size() && found_.empty(); ++i) {
      for (std::size_t j = i + 1; j < m_.terms.size(); ++j) {
        const auto c = multiple(difference_, m_.terms[i].value + m_.terms[j].value, tolerance_);
        if (c && near(*c, -1, tolerance_)) {
          say(fmt::format("the terms '{}' and '{}' are missing", m_.terms[i].name, m_.terms[j].name));
        }
      }
    }
  }

  void proportional() {
    for (const NamedArray& tensor : m_.tensors) {
      const Array& x = tensor.value;
      if (x.shape() != m_.right.shape() || x.numel() < 3) continue;
      if (const auto c = multiple(difference_, x, tolerance_)) {
        say(fmt::format("the difference is proportional to {}: {:.6g} times it", tensor.name, *c));
      } else if (x.dim() >= 2) {
        // x_hat = (x - mean) / std, each channel's deviation being part of its factor.
        const Array centred = x - core::mean(x, all_but(1, x.dim()), true);
        if (multiple_along(difference_, centred, 1, tolerance_)) {
          say(fmt::format(
              "the difference is proportional to x_hat, that is {} standardised over all but dimension 1, by "
              "a factor for each index of that dimension",
              tensor.name));
        }
      }
    }
  }

  void constant() {
    std::vector<int> along;
    int longer = 0;
    for (int d = 0; d < difference_.dim(); ++d) {
      if (difference_.shape()[d] < 2) continue;
      ++longer;
      const bool same = max_abs(difference_ - difference_.narrow(d, 0, 1)) <= tolerance_ * max_abs(difference_);
      if (same && max_abs(m_.right - m_.right.narrow(d, 0, 1)) > tolerance_ * size_) along.push_back(d);
    }
    if (along.empty()) return;
    if (static_cast<int>(along.size()) == longer) {
      say(fmt::format("the difference is the same everywhere, {:.6g}: a constant is missing or one too many",
                      core::mean(difference_).item<double>()));
    } else {
      say(
          fmt::format("the difference is constant along dimension {}: a term that is summed or averaged over it is "
                      "missing or wrong",
                      fmt::join(along, " and ")));
    }
  }

  void factor_along() {
    for (int d = 0; d < m_.right.dim(); ++d) {
      const auto c = multiple_along(m_.wrong, m_.right, d, m_.tolerance);
      if (!c) continue;
      for (const NamedArray& tensor : m_.tensors) {
        if (tensor.value.shape() != c->shape()) continue;
        const auto is = [&](const Array& a, const Array& b) {
          return max_abs(a - b) <= 10 * m_.tolerance * max_abs(b);
        };
        if (is(*c, tensor.value))
          say(fmt::format("{} is multiplied in once too often, along dimension {}", tensor.name, d));
        if (is(*c * tensor.value, core::abs(tensor.value) * 0.0 + 1)) {
          say(fmt::format("the factor {} is missing, along dimension {}", tensor.name, d));
        }
      }
      if (found_.empty()) say(fmt::format("as if it were right but for one factor for each index of dimension {}", d));
    }
  }

  const Mistake& m_;
  const double size_;
  Array difference_;
  double tolerance_ = 0;
  std::vector<std::string> found_;
};

}  // namespace

std::string explain(const Mistake& mistake) {
  if (mistake.wrong.shape() != mistake.right.shape()) return {};
  return Explanation(mistake).find();
}

}  // namespace gradus::autograd::detail
