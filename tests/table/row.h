// The table of differentiable operations, in a file for each family: one row an operation, one line a row. All
// properties of tests/autograd/test_operations.cpp hold for all rows, and run by name:
// gradus_tests --run_test='operations/*/exp*', --run_test=operations/second_order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gradus/autograd/tensor/tensor.h>

namespace gradus::test {

/// How one operand is drawn. The numbers of a row differ from each other and from 0 by a margin that is large beside the
/// step of a finite difference, so that no kink is near.
struct Draw {
  enum class Kind {
    Real,     ///< float64 in [low, high], all different, none near 0
    Between,  ///< float64, a quarter to three eighths past an integer: no step of floor, round, ... is near
    Dyadic,   ///< float64, multiples of 1/256: float32 holds them exactly
    Index,    ///< int64 in [0, high)
    Mask      ///< bool
  };
  std::vector<std::int64_t> shape;
  double low = -2, high = 2;
  Kind kind = Kind::Real;
  bool differentiable() const { return kind != Kind::Index && kind != Kind::Mask; }
};
using Shapes = std::vector<std::vector<std::int64_t>>;
using Operands = std::vector<Tensor>;
using Call = std::function<Tensor(const Operands&)>;
using Change = std::function<void(const Tensor& y, const Operands&)>;

/// The operand number `position` of a row, with another shape if one is given. Always the same numbers.
Tensor drawn(const Draw& draw, int position, const std::vector<std::int64_t>* shape = nullptr);

// Traits.
constexpr unsigned kPointwise = 1;     ///< any shape will do
constexpr unsigned kBroadcasts = 2;    ///< and operands may broadcast
constexpr unsigned kFlat = 4;          ///< the gradient is 0
constexpr unsigned kDense = 8;         ///< reads the memory's layout: contiguous operands only
constexpr unsigned kNoTies = 16;       ///< stride-0 operands would put it on a kink
constexpr unsigned kComposed = 32;     ///< made of other operations: there is no node of this name
constexpr unsigned kLinear = 64;       ///< the second order in the operands is 0
constexpr unsigned kRecords = 128;     ///< the gradient of another operation: it records whatever its operands require
constexpr unsigned kOverwrites = 256;  ///< nothing of the first operand is left

/// A use that must be refused, with the row's own operands.
struct WrongUse {
  std::function<void(const Operands&)> call;
  std::function<void(const std::function<void()>&, const std::string&)> check;  ///< check_error of the error's type
  std::string says;                                                             ///< a part of the message
};

struct Row {
  std::string name;  ///< of the node, as autograd::operations() lists it
  Call call;
  std::vector<Draw> operands;
  unsigned traits = 0;
  std::vector<Shapes> more_shapes = {};  ///< other shapes for the operands, 0-d and empty ones among them
  double eps = 1e-6;
  Change change = {};  ///< the in-place form: y, a clone of the first operand, becomes the result
  std::vector<WrongUse> wrong_uses = {};
  Call out_of_place = {};  ///< in the row that an in-place form has of its own: what it must agree with

  bool is(unsigned trait) const { return (traits & trait) != 0; }

  /// The in-place form, on which every property is held, too, and which has the bits and gradients of this one. Its row is
  /// named `name` with an underscore behind it.
  template <class F>
  Row in_place(F f) && {
    if constexpr (std::is_invocable_v<F, const Tensor&>)
      change = [f](const Tensor& y, const Operands&) { f(y); };
    else
      change = f;
    return std::move(*this);
  }
  /// `f(operands)` or `f(first operand)` throws an E that says so, in the name of the operation.
  template <class E, class F>
  Row wrong(std::string says, F f) &&;
};

/// A row for each operation, and one for each in-place form.
const std::vector<Row>& operation_table();

/// Operations that other suites prove, each with the suite's name.
struct ProvenElsewhere {
  std::string operation, suite;
};
const std::vector<ProvenElsewhere>& proven_elsewhere();

// The families.
std::vector<Row> pointwise_rows();
std::vector<Row> reduction_rows();
std::vector<Row> scan_rows();
std::vector<Row> product_rows();
std::vector<Row> linalg_rows();
std::vector<Row> view_rows();
std::vector<Row> joining_rows();
std::vector<Row> indexing_rows();
std::vector<Row> writing_rows();
std::vector<Row> shape_rows();
std::vector<Row> product_form_rows();
std::vector<Row> elementwise_rows();
std::vector<Row> statistics_rows();
std::vector<Row> nn_function_rows();

}  // namespace gradus::test
