// The plain meaning of a program, beside which run_programs --plain holds what the library did: a tensor is a list of
// places in a list of numbers, a write goes to the places one by one, and an operation is computed from contiguous copies
// of its operands, out of place and unrecorded. What the library adds to that (strides, views, writes in place, recorded
// histories and formulas) is what is compared: values with this, gradients with its differences.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "program_operations.h"

namespace programs {

struct Statement {
  std::vector<int> results;
  std::string operation;
  std::vector<std::string> words;
};

/// What two evaluations of a program disagree about.
struct Disagreement : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PlainTensor {
  std::shared_ptr<std::vector<double>> numbers;  ///< shared by a tensor and its views
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> shape;
  DType dtype = gradus::kFloat64;

  Tensor value() const;
  void set(const Tensor& from) const;
};

class PlainProgram {
 public:
  /// A statement that the library has carried out, with its tensors and what it made. Throws a Disagreement where a result
  /// is a view and should not be, or the other way round.
  void follow(const Statement& s, const Slots& slots, const std::vector<Tensor>& results);
  /// All tensors have the numbers that this says.
  void compare(const Slots& slots) const;
  /// Gradients of a sum of all that requires one, against differences. How many were compared.
  int compare_gradients(const Slots& slots) const;

 private:
  using Tensors = std::map<int, PlainTensor>;
  void carry_out(std::size_t number, Tensors& tensors, bool again) const;
  bool is_made(int slot) const;  // by `tensor`
  double total(const std::map<int, double>& weights, int leaf, std::size_t element, double step) const;

  std::vector<Statement> statements_;
  std::vector<std::vector<bool>> is_view_;                       // which results were views,
  std::vector<std::vector<int>> seen_;                           // and of which operands
  mutable std::map<std::size_t, std::vector<Tensor>> constant_;  // results that have no gradient, by statement
  Tensors tensors_;
};

}  // namespace programs
