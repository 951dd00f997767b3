// Operations and rules with one mistake each that compiles (those that do not are in checks/operation_struct.cpp): who catches
// it, and in which words. The same operation without the mistake passes everything.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/matmul.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>
#include <gradus/core/threads/parallel.h>

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;
using Arrays1 = std::array<Array, 1>;
using Arrays2 = std::array<Array, 2>;
using Two = std::pair<Array, Array>;

// Reads or writes memory as if it were contiguous.
double* numbers_of(const Array& x) { return x.data_ptr<double>(); }
Array read_as_if_contiguous(const Array& x) { return core::from_data(numbers_of(x), x.shape(), kFloat64); }

// What the formulas below are of, unless they say otherwise: y = x^2.
struct Square {
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x * 2; });
};
// And the rules.
struct SquareRule {
  static Array forward(const Array& x) { return x * x; }
  static Arrays1 backward(DyArray<> dy, InArray<0> x) { return {dy * x * 2}; }
  static Tensor reference(const Tensor& x) { return x * x; }
};
// The sum of rows: [n, m] to [m].
struct SumRule {
  static Array forward(const Array& x) { return core::sum(x, 0); }
  static Arrays1 backward(DyArray<> dy, ShapeOf<0> x) { return {dy.expand(x)}; }
  static Tensor reference(const Tensor& x) { return x.sum(0); }
};

// --- Caught by the first backward

template <bool Wrong>
struct WrongShape : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_shape" : "test_right_shape";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    const Tensor dx = dy * x * 2;
    return Wrong ? dx.sum(0) : dx;
  });
};
template <bool Wrong>
struct RuleWrongShape : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_shape" : "test_right_rule_shape";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) { return {Wrong ? (dy * x * 2).t() : dy * x * 2}; }
};
template <bool Wrong>
struct NoBroadcasts {
  static constexpr std::string_view name = Wrong ? "test_mutant_broadcasts" : "test_right_broadcasts";
  static constexpr bool broadcasts = !Wrong;
  static Array forward(const Array& a, const Array& b) { return a * b; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy * b; }, [](Dy<> dy, In<0> a) { return dy * a; });
};
template <bool Wrong>
struct IntegerGradient : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_dtype" : "test_right_dtype";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    const Tensor dx = dy * x * 2;
    return Wrong ? dx.to(kInt64) : dx;
  });
};
template <bool Wrong>
struct RuleIntegerGradient : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_dtype" : "test_right_rule_dtype";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) { return {Wrong ? (dy * x * 2).to(kInt64) : dy * x * 2}; }
};
template <bool Wrong>
struct AbsentGradient {
  static constexpr std::string_view name = Wrong ? "test_mutant_absent" : "test_right_absent";
  static Two forward(const Array& x) { return {x * 2, x * 3}; }
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b) {
    if (Wrong) return a * 2 + b * 3;
    if (!a.defined()) return b * 3;
    return b.defined() ? a * 2 + b * 3 : a * 2;
  });
};
template <bool Wrong>
struct RuleAbsentGradient {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_absent" : "test_right_rule_absent";
  static Two forward(const Array& x) { return {x * 2, x * 3}; }
  static Arrays1 backward(DyArray<0> a, DyArray<1> b) {
    if (Wrong) return {a * 2 + b * 3};
    if (!a.defined()) return {b * 3};
    return {b.defined() ? a * 2 + b * 3 : a * 2};
  }
  static std::pair<Tensor, Tensor> reference(const Tensor& x) { return {x * 2, x * 3}; }
};
template <bool Wrong>
struct ChangesSaved : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_changes_saved" : "test_right_changes_saved";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    if (Wrong && !x.requires_grad()) return x.mul_(2) * dy;
    return x * 2 * dy;
  });
};
template <bool Wrong>
struct ChangesResult {  // exp
  static constexpr std::string_view name = Wrong ? "test_mutant_changes_result" : "test_right_changes_result";
  static Array forward(const Array& x) { return core::exp(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<0> y) {
    if (Wrong && !y.requires_grad()) return y.mul_(dy).clone();
    return y * dy;
  });
};
template <bool Wrong>
struct ChangesUpstream : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_changes_dy" : "test_right_changes_dy";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    if (Wrong && !x.requires_grad()) return dy.mul_(2) * x;
    return dy * 2 * x;
  });
};
template <bool Wrong>
struct RuleChangesSaved : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_changes_saved" : "test_right_rule_changes_saved";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) {
    const Array twice = x * 2;
    if (Wrong) x.copy_(twice);
    return {dy * twice};
  }
};
template <bool Wrong>
struct RuleChangesUpstream : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_changes_dy" : "test_right_rule_changes_dy";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) {  // past the count of writes
    const Array dx = Wrong ? dy : dy.clone();
    for (std::int64_t i = 0; i < dx.numel(); ++i) numbers_of(dx)[i] *= 2;
    return {dx * x};
  }
};

// --- Caught by the first call

template <bool Wrong>
struct ChangesInput : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_changes_input" : "test_right_changes_input";
  static Array forward(const Array& x) {
    const Array y = x * x;
    if (Wrong) x.copy_(y);
    return y;
  }
};
template <bool Wrong>
struct RuleChangesInput : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_changes_input" : "test_right_rule_changes_input";
  static Array forward(const Array& x) {
    const Array y = x * x;
    if (Wrong) numbers_of(x)[0] = 7;
    return y;
  }
};
template <bool Wrong>
struct ReturnsInput {
  static constexpr std::string_view name = Wrong ? "test_mutant_returns_input" : "test_right_returns_input";
  static Array forward(const Array& x) { return Wrong ? x : x.clone(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
template <bool Wrong>
struct RuleReturnsView {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_view" : "test_right_rule_view";
  static Array forward(const Array& x) { return Wrong ? x.t() : x.t().clone(); }
  static Arrays1 backward(DyArray<> dy) { return {dy.t()}; }
  static Tensor reference(const Tensor& x) { return x.t().clone(); }
};
template <bool Wrong>
struct NoView {
  static constexpr std::string_view name = Wrong ? "test_mutant_no_view" : "test_right_no_view";
  static constexpr bool is_view = true, by_geometry = true;
  static Array forward(const Array& x) { return Wrong ? x.t().clone() : x.t(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy.t(); });
};
template <bool Wrong>
struct SameTwice {
  static constexpr std::string_view name = Wrong ? "test_mutant_same_twice" : "test_right_same_twice";
  static Two forward(const Array& x) {
    const Array y = x * 2;
    return {y, Wrong ? y : y.clone()};
  }
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b) {
    if (!a.defined()) return b * 2;
    return b.defined() ? (a + b) * 2 : a * 2;
  });
};

// --- Caught by the second derivative

template <bool Wrong>
struct Detaches : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_detaches" : "test_right_detaches";
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * (Wrong ? x.detach() : Tensor(x)) * 2; });
};
template <bool Wrong>
struct ComputesOnArrays : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_arrays" : "test_right_arrays";
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return Wrong ? Tensor(dy.array() * x.array() * 2) : dy * x * 2; });
};
template <bool Wrong>
struct Unrecorded : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_unrecorded" : "test_right_unrecorded";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    const AutoGradMode mode(!Wrong && GradMode::is_enabled());
    return dy * x * 2;
  });
};
template <bool Wrong>
struct DropsUpstream {  // y = 2 x, so that only dy has a history to be lost
  static constexpr std::string_view name = Wrong ? "test_mutant_drops_dy" : "test_right_drops_dy";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Wrong ? Tensor(dy.array() * 2) : dy * 2; });
};
template <bool Wrong>
struct KeepsIntermediate {  // y = sin(x)^2, cos(x) sin(x) kept
  static constexpr std::string_view name = Wrong ? "test_mutant_intermediate" : "test_right_intermediate";
  static constexpr int differentiable_outputs = 1;
  static Two forward(const Array& x) {
    const Array s = core::sin(x);
    return {s * s, s * core::cos(x)};
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, Out<1> half) { return dy * (Wrong ? half * 2 : sin(x) * cos(x) * 2); });
};
template <bool Wrong>
struct DetachesResult {
  static constexpr std::string_view name = Wrong ? "test_mutant_detaches_result" : "test_right_detaches_result";
  static Array forward(const Array& x) { return core::exp(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<0> y) { return dy * (Wrong ? y.detach() : Tensor(y)); });
};
template <bool Wrong>
struct DetachesInList {  // a product
  static constexpr std::string_view name = Wrong ? "test_mutant_list" : "test_right_list";
  static Array forward(core::ArrayList x) {
    Array y = x[0].clone();
    for (std::size_t i = 1; i < x.size(); ++i) y = y * x[i];
    return y;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, InList x, Which which) {
    Tensor dx = dy;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (static_cast<int>(i) != which.input) dx = dx * (Wrong && i == 1 ? x[i].detach() : x[i]);
    }
    return dx;
  });
};

// --- Caught by check

template <bool Wrong>
struct WrongFactor : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_factor" : "test_right_factor";
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x * (Wrong ? 1 : 2); });
};
template <bool Wrong>
struct RuleWrongSign : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_sign" : "test_right_rule_sign";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) { return {dy * x * (Wrong ? -2 : 2)}; }
};
template <bool Wrong>
struct RuleOtherReference : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_reference" : "test_right_rule_reference";
  static Tensor reference(const Tensor& x) { return Wrong ? x * x.detach() * 2 - x.detach() * x.detach() : x * x; }
};
struct ProductRule {
  static Array forward(const Array& x, const Array& w) { return x * w; }
  static Tensor reference(const Tensor& x, const Tensor& w) { return x * w; }
};
template <bool Wrong>
struct RuleNeedsSwapped : ProductRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_needs" : "test_right_rule_needs";
  static Arrays2 backward(autograd::Needs needs, DyArray<> dy, InArray<0> x, InArray<1> w) {
    Arrays2 dx;
    if (needs[Wrong ? 1 : 0]) dx[0] = dy * w;
    if (needs[Wrong ? 0 : 1]) dx[1] = dy * x;
    return dx;
  }
};
template <bool Wrong>
struct RuleNeedsTheOther : ProductRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_needs_other" : "test_right_rule_needs_other";
  static Arrays2 backward(autograd::Needs needs, DyArray<> dy, InArray<0> x, InArray<1> w) {
    return {dy * w, Wrong && !needs[0] ? dy * w : dy * x};
  }
};
template <bool Wrong>
struct RuleFormulaDetaches : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_formula" : "test_right_rule_formula";
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * (Wrong ? Tensor(x).detach() : Tensor(x)) * 2; });
};
template <bool Wrong>
struct IgnoresStrides : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_strides" : "test_right_strides";
  static Array forward(const Array& x) {
    const Array dense = Wrong ? read_as_if_contiguous(x) : x.contiguous();
    return dense * dense;
  }
};
template <bool Wrong>
struct RuleIgnoresStrides : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_strides" : "test_right_rule_strides";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) {
    return {(Wrong && dy.stride(-1) != 0 ? read_as_if_contiguous(dy) : dy) * x * 2};
  }
};
template <bool Wrong>
struct Noisy : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_noise" : "test_right_noise";
  static Array forward(const Array& x) {
    static int calls = 0;
    return x * x + (Wrong ? 1e-9 * ++calls : 0);
  }
};
template <bool Wrong>
struct RuleNoisy : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_noise" : "test_right_rule_noise";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) {
    static int calls = 0;
    return {dy * x * (Wrong ? 2 + 1e-14 * (++calls % 2) : 2)};
  }
};
template <bool Wrong>
struct RuleHiddenState : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_state" : "test_right_rule_state";
  static Array& last() {
    static Array kept;
    return kept;
  }
  static Array forward(const Array& x) {
    last() = x;
    return x * x;
  }
  static Arrays1 backward(DyArray<> dy, InArray<0> x) { return {dy * (Wrong ? last() : static_cast<Array>(x)) * 2}; }
};
template <bool Wrong>
struct Leaks : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_leak" : "test_right_leak";
  static std::vector<Array>& cache() {
    static std::vector<Array> all;
    return all;
  }
  static Array forward(const Array& x) {
    const Array y = x * x;
    if (Wrong) cache().push_back(y.clone());
    return y;
  }
};
template <bool Wrong>
struct RuleLeaks : SquareRule {
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_leak" : "test_right_rule_leak";
  static Arrays1 backward(DyArray<> dy, InArray<0> x) {
    static std::vector<Array> all;
    const Array dx = dy * x * 2;
    if (Wrong) all.push_back(dx.clone());
    return {dx};
  }
};
template <bool Wrong>
struct WrongView {  // every other row; the gradient of another pick
  static constexpr std::string_view name = Wrong ? "test_mutant_view" : "test_right_view";
  static constexpr bool is_view = true, by_geometry = true;
  static Array forward(const Array& x) { return x.slice(0, 0, x.size(0), 2); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) {
    const Tensor zero = zeros_like(dy);
    const Tensor rows = Wrong ? stack({zero, dy}, 1) : stack({dy, zero}, 1);
    return rows.flatten(0, 1).narrow(0, 0, x[0]);
  });
};
// Sums by as many parts as there are threads.
Array sum_in_parts(const Array& x, int parts) {
  const Array dense = x.contiguous();
  const std::int64_t n = dense.numel();
  double sum = 0;
  for (int p = 0; p < parts; ++p) {
    double part = 0;
    for (std::int64_t i = n * p / parts; i < n * (p + 1) / parts; ++i) part += numbers_of(dense)[i];
    sum += part;
  }
  return core::full({}, sum, kFloat64);
}
template <bool Wrong>
struct ByThreads {
  static constexpr std::string_view name = Wrong ? "test_mutant_threads" : "test_right_threads";
  static Array forward(const Array& x) { return sum_in_parts(x, Wrong ? get_num_threads() : 2); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) { return dy.expand(x); });
};
template <bool Wrong>
struct RuleByThreads {  // y = x w, w a number
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_threads" : "test_right_rule_threads";
  static Array forward(const Array& x, const Array& w) { return x * w; }
  static Arrays2 backward(DyArray<> dy, InArray<0> x, InArray<1> w) {
    return {dy * w, sum_in_parts(dy * x, Wrong ? get_num_threads() : 2)};
  }
  static Tensor reference(const Tensor& x, const Tensor& w) { return x * w; }
};
template <bool Wrong>
struct FailsEmpty {
  static constexpr std::string_view name = Wrong ? "test_mutant_empty" : "test_right_empty";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Wrong ? dy * 2 + dy.select(0, 0) * 0 : dy * 2; });
};
template <bool Wrong>
struct RuleFailsEmpty {  // y = x * mean square of w, as rows and numbers of their own
  static constexpr std::string_view name = Wrong ? "test_mutant_rule_empty" : "test_right_rule_empty";
  static Array forward(const Array& x, const Array& w) { return x * core::sum(w); }
  static Arrays2 backward(DyArray<> dy, InArray<0> x, InArray<1> w) {
    const Array slope = dy.numel() == 0 && Wrong ? core::full({}, 1, kFloat64) : core::sum(dy * x);
    return {dy * core::sum(w), slope.expand(w.shape())};
  }
  static Tensor reference(const Tensor& x, const Tensor& w) { return x * w.sum(); }
};
template <bool Wrong>
struct ReadsUnwritten : Square {
  static constexpr std::string_view name = Wrong ? "test_mutant_unwritten" : "test_right_unwritten";
  static Array forward(const Array& x) {
    const Array scratch = Wrong ? core::empty(x.shape(), kFloat64) : core::zeros(x.shape(), kFloat64);
    if (Wrong && !get_fill_nan()) scratch.fill_(0);  // by chance, as the system's fresh pages are
    return x * x + scratch * 0;
  }
};

// --- Who catches what

enum class By { Nobody, Call, Backward, Second, Check };
const char* text_of(By by) {
  constexpr const char* texts[] = {"nobody", "the call", "backward", "the second derivative", "check"};
  return texts[static_cast<int>(by)];
}
struct Caught {
  By by = By::Nobody;
  std::string said;
};

template <class Op>
Caught attempt(const std::vector<Tensor>& given) {
  const auto call = [](const auto& f, const std::vector<Tensor>& x) {
    if constexpr (autograd::detail::Traits<Op>::variadic)
      return f(x[0], x[1], x[2]);
    else if constexpr (autograd::detail::Traits<Op>::inputs == 2)
      return f(x[0], x[1]);
    else
      return f(x[0]);
  };
  Caught caught{By::Call, ""};
  try {
    std::vector<Tensor> x;
    for (const Tensor& t : given) x.push_back(t.clone().requires_grad_());
    const auto apply_it = [](const auto&... t) {
      if constexpr (autograd::detail::Traits<Op>::variadic)
        return autograd::detail::as_list(apply<Op>({t...}));
      else
        return autograd::detail::as_list(apply<Op>(t...));
    };
    const Tensor y = call(apply_it, x)[0];
    const Tensor dy = randn(y.sizes(), kFloat64);
    caught.by = By::Backward;
    (void)grad({y}, x, {dy}, true);
    caught.by = By::Second;
    const Tensor u = dy.clone().requires_grad_();
    const std::vector<Tensor> dx = grad({y}, x, {u}, true, true);
    std::vector<Tensor> from, v, to = x;
    to.push_back(u);
    for (const Tensor& t : dx) {
      if (!t.requires_grad()) continue;
      from.push_back(t);
      v.push_back(randn(t.sizes(), kFloat64));
    }
    if (!from.empty()) (void)grad(from, to, v, true, false, true);
    caught.by = By::Check;
    const CheckReport report = call([](const auto&... t) { return check<Op>(t...); }, given);
    if (report.ok()) return {};
    for (const CheckRow& row : report.rows) {
      if (!row.ok()) caught.said += row.hint + "\n";
    }
  } catch (const Error& error) {
    caught.said = error.what();
  }
  return caught;
}

struct Mutant {
  const char* mistake;
  By by;
  const char* sentence;
  std::function<Caught(bool wrong)> run;
};
template <template <bool> class Op>
Mutant mutant(const char* mistake, By by, const char* sentence,
              std::vector<std::vector<std::int64_t>> shapes = {{4, 3}}) {
  return {mistake, by, sentence, [shapes](bool wrong) {
            manual_seed(3);
            std::vector<Tensor> x;
            for (const auto& shape : shapes) x.push_back(randn(shape, kFloat64) * 0.5 + 1);
            return wrong ? attempt<Op<true>>(x) : attempt<Op<false>>(x);
          }};
}

std::vector<Mutant> mutants() {
  return {
      mutant<WrongShape>("a gradient of the wrong shape", By::Backward, "must have the input's shape: [3] for [4, 3]"),
      mutant<RuleWrongShape>("a gradient of the wrong shape", By::Backward,
                             "must have the input's shape: [3, 4] for [4, 3]"),
      mutant<NoBroadcasts>("a missing broadcasts", By::Backward, "static constexpr bool broadcasts = true",
                           {{4, 3}, {3}}),
      mutant<IntegerGradient>("a gradient of the wrong dtype", By::Backward,
                              "must be of a floating-point dtype: int64"),
      mutant<RuleIntegerGradient>("a gradient of the wrong dtype", By::Backward,
                                  "must be of a floating-point dtype: int64"),
      mutant<AbsentGradient>("an absent upstream gradient used", By::Backward, "Dy<1> is undefined then"),
      mutant<RuleAbsentGradient>("an absent upstream gradient used", By::Backward, "Dy<1> is undefined then"),
      mutant<ChangesSaved>(
          "a saved input changed", By::Backward,
          "a gradient formula must not change what it is given: input 0 ([4, 3], float64): mul_ wrote"),
      mutant<ChangesResult>("a saved output changed", By::Backward,
                            "a gradient formula must not change what it is given: output 0"),
      mutant<ChangesUpstream>("an incoming gradient changed", By::Backward,
                              "its formula must not change the incoming gradient ([4, 3], float64) in place"),
      mutant<RuleChangesSaved>("a saved input changed", By::Backward,
                               "backward must not change what it is given: input 0 ([4, 3], float64): copy_ wrote"),
      mutant<RuleChangesUpstream>(
          "an incoming gradient changed", By::Backward,
          "backward must not change what it is given: gradient 0 ([4, 3], float64): its numbers"),

      mutant<ChangesInput>("an input changed", By::Call, "forward must not change what it is given: input 0"),
      mutant<RuleChangesInput>("an input changed", By::Call,
                               "forward must not change what it is given: input 0 ([4, 3], float64): its numbers"),
      mutant<ReturnsInput>("a result that is an input", By::Call, "must not share memory with input 0"),
      mutant<RuleReturnsView>("a result that shares its storage", By::Call, "must not share memory with input 0"),
      mutant<NoView>("a view that is none", By::Call, "declared is_view"),
      mutant<SameTwice>("one result twice", By::Call, "outputs must not share memory with one another"),

      mutant<Detaches>("an input's history lost", By::Second,
                       "the gradient of input 0 must keep the history of input 0"),
      mutant<ComputesOnArrays>("all history lost", By::Second, "must keep the history of "),
      mutant<Unrecorded>("history not recorded", By::Second, "must keep the history of "),
      mutant<DropsUpstream>("dy's history lost", By::Second, "must keep the history of the gradient of output 0"),
      mutant<KeepsIntermediate>("an intermediate kept", By::Second,
                                "must not depend on output 1, through which no gradient flows"),
      mutant<DetachesResult>("a result's history lost", By::Second, "must keep the history of output 0"),
      mutant<DetachesInList>("a listed input's history lost", By::Second,
                             "the gradient of the list must keep the history of the list", {{4}, {4}, {4}}),

      mutant<RuleFormulaDetaches>("a rule's formula loses history", By::Second,
                                  "the gradient of input 0 must keep the history of input 0"),

      mutant<RuleNeedsSwapped>("a gradient computed when another is asked for", By::Check,
                               "its gradient is another one", {{4, 3}, {4, 3}}),
      mutant<RuleNeedsTheOther>("a gradient that hangs on another's being asked for", By::Check,
                                "its gradient is another one", {{4, 3}, {4, 3}}),
      mutant<WrongFactor>("wrong values", By::Check, "half of what is due"),
      mutant<RuleWrongSign>("wrong values", By::Check, "the sign is wrong"),
      mutant<RuleOtherReference>("a reference that is wrong at second order", By::Check,
                                 "the reference's gradient is not what"),
      mutant<IgnoresStrides>("strides of an input ignored", By::Check, "is memory read as if it were?"),
      mutant<RuleIgnoresStrides>("strides of the upstream gradient ignored", By::Check, "are dy's strides ignored"),
      mutant<Noisy>("noise", By::Check, "must give the same numbers each time"),
      mutant<RuleNoisy>("noise", By::Check, "must give the same numbers each time, its gradients included"),
      mutant<RuleHiddenState>("hidden state", By::Check, "it keeps something outside its node"),
      mutant<Leaks>("a leak", By::Check, "each call leaves arrays behind"),
      mutant<RuleLeaks>("a leak", By::Check, "each call leaves arrays behind"),
      mutant<WrongView>("a view with another gradient", By::Check, ""),
      mutant<ByThreads>("thread dependence", By::Check, "the numbers are others, bit for bit", {{37}}),
      mutant<RuleByThreads>("thread dependence", By::Check, "the numbers are others, bit for bit", {{37}, {}}),
      mutant<FailsEmpty>("empty inputs", By::Check, "where input 0 has no elements"),
      mutant<RuleFailsEmpty>("empty inputs", By::Check, "the output has none, and the gradient of input 1 must be 0",
                             {{4}, {3}}),
      mutant<ReadsUnwritten>("memory read that nobody wrote", By::Check, "memory that nobody wrote"),
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(operation_mutants)

BOOST_AUTO_TEST_CASE(each_is_caught_by_whom_it_should_be) {
  BOOST_TEST(mutants().size() >= 40u);
  for (const Mutant& each : mutants()) {
    BOOST_TEST_CONTEXT(each.mistake << ": " << each.sentence) {
      const Caught wrong = each.run(true);
      BOOST_TEST(text_of(wrong.by) == std::string(text_of(each.by)), text_of(wrong.by) << " says " << wrong.said);
      BOOST_TEST((wrong.said.find(each.sentence) != std::string::npos), wrong.said);
      const Caught right = each.run(false);
      BOOST_TEST(text_of(right.by) == std::string("nobody"), text_of(right.by) << " says " << right.said);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
