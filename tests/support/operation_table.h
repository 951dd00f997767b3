// One line for each differentiable operation: all proofs of test_operations.cpp run from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/tensor/tensor.h>

namespace gradus::test {

/// How one operand is drawn. The numbers of a line differ from each other and from 0 by a margin that is large beside
/// the step of a finite difference, so that no kink is near.
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

/// The operand number `position` of a line, with another shape if one is given. Always the same numbers.
Tensor drawn(const Draw& draw, int position, const std::vector<std::int64_t>* shape = nullptr);

struct OperationLine {
  std::string name;  ///< of the node, as autograd::operations() lists it
  std::function<Tensor(const std::vector<Tensor>&)> call;
  std::vector<Draw> operands;
  unsigned traits = 0;
  std::vector<Shapes> more_shapes = {};  ///< other shapes for the operands, 0-d and empty ones among them
  double eps = 1e-6;

  static constexpr unsigned kPointwise = 1;   ///< any shape will do
  static constexpr unsigned kBroadcasts = 2;  ///< and operands may broadcast
  static constexpr unsigned kFlat = 4;        ///< the gradient is 0
  static constexpr unsigned kDense = 8;       ///< reads the memory's layout: contiguous operands only
  static constexpr unsigned kNoTies = 16;     ///< stride-0 operands would put it on a kink
  static constexpr unsigned kComposed = 32;   ///< made of other operations: there is no node of this name
  static constexpr unsigned kLinear = 64;     ///< the second order in the operands is 0
  bool is(unsigned trait) const { return (traits & trait) != 0; }
};

const std::vector<OperationLine>& operation_table();

/// Operations that other suites prove, each with the suite's name.
struct ProvenElsewhere {
  std::string operation, suite;
};
const std::vector<ProvenElsewhere>& proven_elsewhere();

}  // namespace gradus::test
