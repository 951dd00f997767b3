// Operations and rules with one mistake each, which the compiler names; what it says stands behind `// SAYS`, once for each
// time. Compiled with -DRIGHT they are the same without the mistake.
#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>

using namespace gradus;
using namespace gradus::autograd;
using core::Array;

// What an operation needs, for those below to spoil.
struct Twice {
  static constexpr std::string_view name = "twice";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
struct TwiceRule {
  static constexpr std::string_view name = "twice_rule";
  static Array forward(const Array& x) { return x * 2; }
  static std::array<Array, 1> backward(DyArray<> dy) { return {dy * 2}; }
  static Tensor reference(const Tensor& x) { return x * 2; }
};
struct Product {
  static constexpr std::string_view name = "product";
  static Array forward(const Array& a, const Array& b) { return a * b; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy * b; }, [](Dy<> dy, In<0> a) { return dy * a; });
};

#define COMMA ,
#ifdef RIGHT
#define WRONG(right, ...) right
#else
#define WRONG(right, ...) __VA_ARGS__
#endif

// SAYS an operation has a `static constexpr std::string_view name`, which is not empty
struct NoName {
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
  WRONG(static constexpr std::string_view name = "no_name";, )
};
// SAYS an operation has a `static constexpr std::string_view name`, which is not empty
struct EmptyName : Twice {
  static constexpr std::string_view name = WRONG("empty_name", "");
};
// SAYS an operation has a `static constexpr std::string_view name`, which is not empty
struct VariableName : Twice {
  static WRONG(constexpr, inline) std::string_view name = "variable_name";
};

// SAYS an operation has one `static Array forward([const Attrs&,] const Array& x, ...)`, neither overloaded nor a template
struct NoForward {
  static constexpr std::string_view name = "no_forward";
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
  WRONG(static Array forward(const Array& x);, )
};
// SAYS an operation has one `static Array forward([const Attrs&,] const Array& x, ...)`, neither overloaded nor a template
struct TwoForwards {
  static constexpr std::string_view name = "two_forwards";
  static Array forward(const Array& x) { return x * 2; }
  WRONG(, static Array forward(const Array& x, const Array& y);)
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
// SAYS an operation has one `static Array forward([const Attrs&,] const Array& x, ...)`, neither overloaded nor a template
struct TemplateForward {
  static constexpr std::string_view name = "template_forward";
  static Array forward(WRONG(const Array&, const auto&) x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
// SAYS forward is static: an operation has no state
struct MemberForward {
  static constexpr std::string_view name = "member_forward";
  WRONG(static, ) Array forward(const Array& x) WRONG(, const) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
// SAYS forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input
struct AttrsBehind {
  static constexpr std::string_view name = "attrs_behind";
  struct Attrs {
    double by = 1;
  };
  static Array forward(WRONG(const Attrs& a COMMA const Array& x, const Array& x, const Attrs& a)) { return x * a.by; }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) noexcept { return dy * a.by; });
};
// SAYS forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input
struct TensorForward {
  static constexpr std::string_view name = "tensor_forward";
  static Array forward(WRONG(const Array&, const Tensor&) x) noexcept { return WRONG(x, x.array()) * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
// SAYS forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input
struct ListBefore {
  static constexpr std::string_view name = "list_before";
  static Array forward(WRONG(const Array& x COMMA core::ArrayList rest, core::ArrayList rest, const Array& x)) {
    return x * static_cast<double>(rest.size());
  }
  static constexpr auto gradients = formulas([](Dy<> dy, InList rest) { return dy * static_cast<double>(rest.size()); },
                                             [](Dy<> dy) { return dy * 0; });
};
// SAYS forward returns an Array; a std::tuple, std::pair or std::array of Arrays; or a std::vector of them
struct PairWithNumber {
  static constexpr std::string_view name = "pair_with_number";
  static std::pair<Array, WRONG(Array, double)> forward(const Array& x) { return {x * 2, WRONG(x * 3, 3.0)}; }
  static constexpr auto gradients = formulas([](Dy<0> dy) { return dy * 2; });
};
// SAYS forward returns an Array; a std::tuple, std::pair or std::array of Arrays; or a std::vector of them
struct TensorResult {
  static constexpr std::string_view name = "tensor_result";
  static WRONG(Array, Tensor) forward(const Array& x) { return WRONG(x * 2, Tensor(x * 2)); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
// SAYS an operation has at least one input
struct NoInputs {
  static constexpr std::string_view name = "no_inputs";
  static Array forward(WRONG(const Array& x, )) { return WRONG(x * 2, Array()); }
  static constexpr auto gradients = formulas(WRONG([](Dy<> dy) { return dy * 2; }, ));
};
// SAYS broadcasts, is_view, by_geometry, idempotent, moves, reads_stored, history_kept and no_second_order are `static constexpr bool`
struct VariableFlag : Product {
  static WRONG(constexpr, inline) bool broadcasts = true;
};
// SAYS an operation with is_view returns one Array, a view of its first input
struct TwoViews {
  static constexpr std::string_view name = "two_views";
  WRONG(, static constexpr bool is_view = true;)
  static std::pair<Array, Array> forward(const Array& x) { return {x * 2, x * 3}; }
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b) { return a * 2 + b * 3; });
};
// SAYS by_geometry is said of views: is_view = true
struct GeometryOfNoView : Twice {
  static constexpr bool by_geometry = WRONG(false, true);
};

struct Both {
  static constexpr std::string_view name = "both";
  static std::pair<Array, Array> forward(const Array& x) { return {x * 2, x * 3}; }
  static constexpr auto gradients = formulas([](Dy<0> a) { return a * 2; });
};
// SAYS differentiable_outputs lies between 1 and the number of forward's results
struct NoneDifferentiable : Both {
  static constexpr int differentiable_outputs = WRONG(1, 0);
};
// SAYS differentiable_outputs lies between 1 and the number of forward's results
struct TooManyDifferentiable : Both {
  static constexpr int differentiable_outputs = WRONG(2, 3);
};
// SAYS differentiable_outputs lies between 1 and the number of forward's results
struct MaskBeyond : Both {
  static constexpr std::uint32_t differentiable_mask = WRONG(0b01, 0b101);
};
// SAYS differentiable_outputs lies between 1 and the number of forward's results
struct BothWays : Both {
  static constexpr std::uint32_t differentiable_mask = 0b01;
  WRONG(, static constexpr int differentiable_outputs = 1;)
};
// SAYS constant_outputs has a bit for each result that no gradient flows to
struct ConstantWithGradient : Both {
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t constant_outputs = WRONG(0b10, 0b01);
};

namespace mine {
struct Colour {
  int code = 0;
};
WRONG(std::string text_of(const Colour& colour);, )
// SAYS a field that is listed has a text: declare `std::string text_of(const T&)` in the namespace
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
// SAYS each attribute has a default: `double p = 0.5`
struct NoDefault {
  static constexpr std::string_view name = "no_default";
  struct Attrs {
    double p WRONG(= 1, );
    bool twice = false;
    static constexpr auto fields = named("p", &Attrs::p, "twice", &Attrs::twice);
  };
  static Array forward(const Attrs& a, const Array& x) { return x * a.p; }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return dy * a.p; });
};
// SAYS Attrs can be made of nothing: give each member an initialiser
struct ReferenceAttribute {
  static constexpr std::string_view name = "reference_attribute";
  struct Attrs {
    const double WRONG(, &) p WRONG(= 1, );
  };
  static Array forward(const Attrs& a, const Array& x) { return x * a.p; }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return dy * a.p; });
};

// SAYS backward, or a formula, reads an input that is kept as a shape only
struct FormulaOfARule : TwiceRule {
  static constexpr std::uint32_t shape_only = 1u;
  static constexpr auto gradients = formulas([](Dy<> dy, WRONG(ShapeOf<0>, In<0>)) { return dy * 2; });
};
// SAYS an operation has one gradient formula per input, no_gradient where there is none
struct TooManyFormulasOfARule : TwiceRule {
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; } WRONG(, COMMA no_gradient));
};
// SAYS an operation has `static constexpr auto gradients = formulas(...)`, or it is a rule
struct NoGradients {
  static constexpr std::string_view name = "no_gradients";
  static Array forward(const Array& x) { return x * 2; }
  WRONG(static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });, )
};
// SAYS an operation has `static constexpr auto gradients = formulas(...)`, or it is a rule
struct TwoBackwards {
  static constexpr std::string_view name = "two_backwards";
  static Array forward(const Array& x) { return x * 2; }
  static std::array<Array, 1> backward(DyArray<> dy) { return {dy * 2}; }
  WRONG(, static std::array<Array, 1> backward(DyArray<> dy, InArray<0>);)
  static Tensor reference(const Tensor& x) { return x * 2; }
};
// SAYS gradients is what formulas(...) returns, a constant
struct BareLambda : Twice {
  static constexpr auto gradients = WRONG(formulas, )([](Dy<> dy) { return dy * 2; });
};
// SAYS a formula says what it reads in its parameters' types
struct GenericFormula : Twice {
  static constexpr auto gradients = formulas([](WRONG(Dy<>, auto) dy) { return dy * 2; });
};
// SAYS a formula has no state: it is a lambda without mutable
struct MutableFormula : Twice {
  static constexpr auto gradients = formulas([n = 2.0](Dy<> dy) WRONG(, mutable) { return dy * n; });
};
// SAYS an operation has one gradient formula per input, no_gradient where there is none
struct TooManyFormulas : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; } WRONG(, COMMA no_gradient));
};
// SAYS an operation has one gradient formula per input, no_gradient where there is none
struct TooFewFormulas : Product {
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> b) { return dy * b; } WRONG(COMMA no_gradient, ));
};
// SAYS a gradient formula returns a Tensor
struct PairOfGradients : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy) { return WRONG(dy * 2, std::pair(dy * 2 COMMA dy * 3)); });
};
// SAYS a formula's parameters are Dy<k>, In<i>, Out<k>, ShapeOf<i>, InList, OutList, DyList, Which or const Attrs&
struct PlainTensor : Twice {
  static constexpr auto gradients = formulas([](WRONG(Dy<>, Tensor) dy) { return dy * 2; });
};
// SAYS a formula computes on Tensors, Dy<k>, In<i>, Out<k>, so that it can be differentiated again
struct FormulaOnArrays : Twice {
  static constexpr auto gradients = formulas([](WRONG(Dy<>, DyArray<>) dy) { return Tensor(dy * 2); });
};
// SAYS a formula takes what it reads by value or by const reference
struct ChangesByReference : Twice {
  static constexpr auto gradients = formulas([](WRONG(const, ) Dy<>& dy) { return dy * 2; });
};
// SAYS a formula reads an input that the operation does not have
struct InBeyond : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy, In<WRONG(0, 1)> x) { return dy * 2 + x * 0; });
};
// SAYS a formula reads an input that the operation does not have
struct InFarBeyond : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy, In<WRONG(0, 40)> x) { return dy * 2 + x * 0; });
};
// SAYS a formula reads an input that the operation does not have
struct ShapeBeyond : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<WRONG(0, -1)>) { return dy * 2; });
};
// SAYS InList is there where forward takes an ArrayList, OutList and DyList where it returns a std::vector
struct ListOfNone : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy WRONG(, COMMA InList)) { return dy * 2; });
};
// SAYS an output is read that the operation does not have
struct OutBeyond : Twice {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<WRONG(0, 1)> y) { return dy * 2 + y * 0; });
};
// SAYS a gradient is read that the operation does not have
struct DyBeyond : Twice {
  static constexpr auto gradients = formulas([](Dy<WRONG(0, 1)> dy) { return dy * 2; });
};
// SAYS a gradient is read that the operation does not have
struct DyOfNoGradient : Both {
  static constexpr int differentiable_outputs = 1;
  static constexpr auto gradients = formulas([](Dy<WRONG(0, 1)> dy) { return dy * 2; });
};

// SAYS a rule has a fixed number of inputs and outputs
struct ListRule {
  static constexpr std::string_view name = "list_rule";
  static WRONG(Array, std::vector<Array>) forward(const Array& x) { return {x * 2}; }
  static std::array<Array, 1> backward(DyArray<> dy) { return {dy * 2}; }
  static Tensor reference(const Tensor& x) { return x * 2; }
};
// SAYS backward is static: a rule has no state
struct MemberBackward {
  static constexpr std::string_view name = "member_backward";
  static Array forward(const Array& x) { return x * 2; }
  WRONG(static, ) std::array<Array, 1> backward(DyArray<> dy) { return {dy * 2}; }
  static Tensor reference(const Tensor& x) { return x * 2; }
};
// SAYS a rule has a reference that the graph can differentiate
struct NoReference {
  static constexpr std::string_view name = "no_reference";
  static Array forward(const Array& x) { return x * 2; }
  static std::array<Array, 1> backward(DyArray<> dy) { return {dy * 2}; }
  WRONG(static Tensor reference(const Tensor& x);, )
};
// SAYS a reference takes what forward takes
struct OtherReference : TwiceRule {
  static Tensor reference(const Tensor& x WRONG(, COMMA const Tensor& y)) { return x * WRONG(2, y); }
};
// SAYS a reference returns forward's differentiable outputs, all of them and no others
struct ReferenceOfTwo : TwiceRule {
  static WRONG(Tensor, std::pair<Tensor COMMA Tensor>) reference(const Tensor& x) {
    return WRONG(x * 2, {x * 2 COMMA x});
  }
};
// SAYS a reference returns forward's differentiable outputs, all of them and no others
struct ReferenceAsVector : TwiceRule {
  static WRONG(Tensor, std::vector<Tensor>) reference(const Tensor& x) { return {x * 2}; }
};
// SAYS backward's parameters are DyArray<k>, InArray<i>, OutArray<k>, ShapeOf<i>, Needs or const Attrs&
struct BackwardOnTensors : TwiceRule {
  static std::array<Array, 1> backward(WRONG(DyArray<>, Dy<>) dy) { return {WRONG(dy, dy.array()) * 2}; }
};
// SAYS backward returns std::array<Array, number of inputs>
struct OneGradientTooMany : TwiceRule {
  static std::array<Array, WRONG(1, 2)> backward(DyArray<> dy) { return {dy * 2}; }
};
// SAYS backward, or a formula, reads an input that is kept as a shape only
struct ReadsShapeOnly : TwiceRule {
  static constexpr std::uint32_t shape_only = WRONG(0, 1);
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0>) { return {dy * 2}; }
};
// SAYS backward reads, or shape_only names, an input that there is not
struct ShapeOnlyBeyond : TwiceRule {
  static constexpr std::uint32_t shape_only = 1u << WRONG(0, 2);
};
// SAYS input_names has one name per input
struct TooManyNames : TwiceRule {
  static constexpr std::array<const char*, WRONG(1, 2)> input_names = {"x"};
};
// SAYS idempotent is a property of rules
struct IdempotentFormula : Twice {
  WRONG(, static constexpr bool idempotent = true;)
};
// SAYS an idempotent rule has one input and one output
struct IdempotentOfTwo {
  static constexpr std::string_view name = "idempotent_of_two";
  WRONG(, static constexpr bool idempotent = true;)
  static Array forward(const Array& x, const Array& y) { return x * y; }
  static std::array<Array, 2> backward(DyArray<> dy, InArray<0> x, InArray<1> y) { return {dy * y, dy * x}; }
  static Tensor reference(const Tensor& x, const Tensor& y) { return x * y; }
};
// SAYS an idempotent rule keeps its input
struct IdempotentForgets : TwiceRule {
  static constexpr bool idempotent = true;
  static constexpr std::uint32_t shape_only = WRONG(0, 1);
};

// SAYS a formula says what it reads in its parameters' types
struct InPlace : Twice {
  static constexpr auto gradients = formulas([](WRONG(Dy<>, auto) dy) { return dy * 2; });
};
// SAYS forward is static: an operation has no state
struct InCheck {
  static constexpr std::string_view name = "in_check";
  WRONG(static, ) Array forward(const Array& x) WRONG(, const) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};

// SAYS its own formulas call a function that is declared before Op
Tensor cubed(Operand x);
struct Cube {
  static constexpr std::string_view name = "cube";
  static Array forward(const Array& x) { return x * x * x; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * WRONG(cubed, apply<Cube>)(x) / x * 3; });
};
Tensor cubed(Operand x) { return apply<Cube>(x); }

template <class Op>
void call_one(const Tensor& x) {
  if constexpr (detail::HasAttrs<Op>)
    (void)apply<Op>({}, x);
  else
    (void)apply<Op>(x);
}
template <class... Op>
void call(const Tensor& x) {
  (call_one<Op>(x), ...);
}
void calls(Tensor& x) {
  call<Twice, NoName, EmptyName, VariableName, NoForward, TwoForwards, TemplateForward, MemberForward, TensorForward,
       PairWithNumber, TensorResult, NoInputs, TwoViews, GeometryOfNoView, NoneDifferentiable, TooManyDifferentiable,
       MaskBeyond, BothWays, ConstantWithGradient, FormulaOfARule, TooManyFormulasOfARule, NoGradients, TwoBackwards,
       BareLambda, GenericFormula, MutableFormula, TooManyFormulas, PairOfGradients, PlainTensor, FormulaOnArrays,
       ChangesByReference, InBeyond, InFarBeyond, ShapeBeyond, ListOfNone, OutBeyond, DyBeyond, DyOfNoGradient,
       ListRule, MemberBackward, NoReference, OtherReference, ReferenceOfTwo, ReferenceAsVector, BackwardOnTensors,
       OneGradientTooMany, ReadsShapeOnly, ShapeOnlyBeyond, TooManyNames, IdempotentFormula, IdempotentForgets,
       AttrsBehind, mine::Painted, NoDefault WRONG(COMMA ReferenceAttribute, )>(x);
  (void)apply<ListBefore>(x, {x, x});
  (void)apply<VariableFlag>(x, x);
  (void)apply<TooFewFormulas>(x, x);
  (void)apply<IdempotentOfTwo>(x, x);
  WRONG(, (void)apply<ReferenceAttribute>({1.0}, x);)
  // By the other doors.
  apply_inplace<InPlace>({}, x);
  (void)check<InCheck>(x);
}
