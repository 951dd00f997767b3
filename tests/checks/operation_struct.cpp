// Operations and a rule, most of them with a mistake in each CASE but 0; what the compiler says then stands at the end.
#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>

using namespace gradus;
using namespace gradus::autograd;
using core::Array;

#ifndef CASE
#define CASE 0
#endif

namespace mine {

struct Colour {
  int code = 0;
};
#if CASE != 1
std::string text_of(const Colour& colour) { return std::to_string(colour.code); }
#endif

struct Painted {
  static constexpr std::string_view name = "painted";
  struct Attrs {
    Colour colour;
    unsigned coats = 1;
    static constexpr auto fields = named("colour", &Attrs::colour, "coats", &Attrs::coats);
  };
  static Array forward(const Attrs& a, const Array& x) { return x * static_cast<double>(a.coats); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return dy * static_cast<double>(a.coats); });
};

}  // namespace mine

Tensor cubed(Operand x);
struct Cube {
  static constexpr std::string_view name = "cube";
  static Array forward(const Array& x) { return x * x * x; }
#if CASE == 1
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * apply<Cube>(x) / x * 3; });
#else
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * cubed(x) / x * 3; });
#endif
};
Tensor cubed(Operand x) { return apply<Cube>(x); }

#if CASE == 1
using Two = std::vector<Array>;
#elif CASE == 2
using Two = std::pair<Array, double>;
#else
using Two = std::pair<Array, Array>;
#endif
struct Both {
  static constexpr std::string_view name = "both";
#if CASE == 3
  static constexpr int differentiable_outputs = 0;
#elif CASE == 4
  static constexpr int differentiable_outputs = 3;
#elif CASE == 5
  static constexpr int differentiable_outputs = 1;
#endif
  static Two forward(const Array& x) { return {x * 2, x * 3}; }
#if CASE == 6
  static constexpr auto gradients = formulas([](Dy<2> dy) { return dy * 2; });
#elif CASE == 7
  static constexpr auto gradients = formulas([](Dy<0> dy, Out<2> y) { return dy * y; });
#elif CASE == 8
  static constexpr auto gradients = formulas([](Dy<0> dy, In<1> x) { return dy * x; });
#elif CASE == 9
  static constexpr auto gradients = formulas([](Dy<0> dy) { return dy * 2; }, no_gradient);
#else
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b) { return a * 2 + b * 3; });
#endif
};

struct Rule {
  static constexpr std::string_view name = "rule";
  static std::array<Array, 2> forward(const Array& x, const Array& w) { return {x * w, x}; }
#if CASE == 1
  static std::array<Array, 1> backward(DyArray<0> a, DyArray<1>) { return {a}; }
#else
  static std::array<Array, 2> backward(DyArray<0> a, DyArray<1> b, InArray<0> x, InArray<1> w) {
    return {a * w + b, a * x};
  }
#endif
#if CASE == 2
  static Tensor reference(const Tensor& x, const Tensor& w) { return x * w; }
#elif CASE == 3
  static std::tuple<Tensor, Tensor, Tensor> reference(const Tensor& x, const Tensor& w) {
    return {x * w, x * 1, w * 1};
  }
#elif CASE == 4
  static std::tuple<Tensor, Tensor> reference(const Tensor& x) { return {x, x}; }
#elif CASE == 5
  static std::vector<Tensor> reference(const Tensor& x, const Tensor& w) { return {x * w, x * 1}; }
#elif CASE != 6
  static std::tuple<Tensor, Tensor> reference(const Tensor& x, const Tensor& w) { return {x * w, x * 1}; }
#endif
#if CASE == 7
  static constexpr std::uint32_t shape_only = 1u << 2;
  static constexpr bool idempotent = true;
#elif CASE == 8
  static constexpr std::string_view input_names[] = {"x"};
#endif
};

struct Scaled {
  static constexpr std::string_view name = "scaled";
  struct Attrs {
    double by = 1;
  };
#if CASE == 1
  static Array forward(const Array& x, const Attrs& a) { return x * a.by; }
#elif CASE == 2
  static Tensor forward(const Attrs& a, const Tensor& x) { return x * a.by; }
#else
  static Array forward(const Attrs& a, const Array& x) noexcept { return x * a.by; }
#endif
#if CASE == 9
  static constexpr bool idempotent = true;
#endif
#if CASE == 3
  static constexpr auto gradients = formulas([](Tensor dy, const Attrs& a) { return dy * a.by; });
#elif CASE != 4
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) noexcept { return dy * a.by; });
#endif
};

// CASE 1: declare `std::string text_of(const T&)` in the namespace
// CASE 1: its own formulas call a function that is declared before Op
// CASE 1: forward returns an Array, or a std::tuple, std::pair or std::array of Arrays
// CASE 1: backward returns std::array<Array, number of inputs>
// CASE 1: forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input
// CASE 2: forward returns an Array, or a std::tuple, std::pair or std::array of Arrays
// CASE 2: a reference returns forward's differentiable outputs, all of them and no others
// CASE 2: forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input
// CASE 3: differentiable_outputs lies between 1 and the number of forward's results
// CASE 3: a reference returns forward's differentiable outputs, all of them and no others
// CASE 3: a formula's parameters are Dy<k>, In<i>, Out<k>, ShapeOf<i>, Which or const Attrs&
// CASE 4: differentiable_outputs lies between 1 and the number of forward's results
// CASE 4: a reference takes what forward takes
// CASE 4: an operation has `static constexpr auto gradients = formulas(...)`, or it is a rule
// CASE 5: Dy<k> counts the differentiable outputs from 0
// CASE 5: a reference returns forward's differentiable outputs, all of them and no others
// CASE 6: Dy<k> counts the differentiable outputs from 0
// CASE 6: a rule has a reference that the graph can differentiate
// CASE 7: Out<k> counts forward's results from 0
// CASE 7: shape_only names, an input that there is not
// CASE 7: an idempotent rule has one input and one output
// CASE 7: an idempotent rule keeps its input
// CASE 8: a formula reads an input that the operation does not have
// CASE 8: input_names has one name per input
// CASE 9: one gradient formula per input
// CASE 9: idempotent is a property of rules

void calls(const Tensor& x) {
  (void)apply<mine::Painted>({}, x);
  (void)cubed(x);
  (void)apply<Both>(x);
  (void)apply<Rule>(x, x);
  (void)apply<Scaled>({2}, x);
}
