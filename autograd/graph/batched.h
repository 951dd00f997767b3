// Batched tensors, which func::vmap hands to the function that it maps: to everybody who asks, a tensor of one example's
// shape; behind it all examples, stacked along dimension 0, an ordinary tensor with its own history. An operation on them is
// an operation on the stacked tensors, recorded as any other, so that gradients flow through. How it goes over the batch its
// struct says by `static constexpr Batch batch = Batch::kDims;`, or by a function of its own:
//
//   static Tensor batch([const Attrs&,] const Examples& x);     // all examples' results from all examples' inputs
//
// What nothing is known of is computed example by example, and the results are stacked.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/fields.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/shape.h"
#include "formulas.h"
#include "../tensor/operand.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

/// How an operation goes over a batch.
enum class Batch {
  kExamples,   ///< one example after the other
  kEach,       ///< as it is: element by element
  kMatrices,   ///< as it is: it looks at the last two dimensions of inputs that have two at least
  kBroadcast,  ///< operands broadcast: dimensions of size 1 go behind the batch's where an example has fewer
  kDims,       ///< its attributes move behind the batch's dimension, by their fields' names (see BehindBatch)
  kNever       ///< the function that is mapped is called for each example
};

/// The inputs of one call, of which some are batched.
class GRADUS_API Examples {
 public:
  Examples(std::int64_t level, const Operand* inputs, int count);
  std::int64_t size() const { return size_; }
  int count() const { return count_; }
  /// Whether an input is the same for all examples (an absent one is), and thus has no dimension for them.
  bool shared(int i) const;
  /// What an example has.
  std::int64_t dim(int i) const { return inputs_[i].tensor().dim(); }
  core::Shape shape(int i) const { return core::Shape(inputs_[i].tensor().sizes()); }
  /// All examples, along dimension 0; where they are shared, what they share. Undefined for an absent input.
  Tensor operator[](int i) const;
  /// All examples, shared ones repeated without memory.
  Tensor stacked(int i) const;
  /// With so many dimensions behind the batch's: new ones of size 1 come directly behind it. Shared ones are as they are.
  Tensor aligned(int i, std::int64_t dims) const;
  /// A dimension of an example as one of all.
  std::int64_t behind(int i, std::int64_t dim, const char* op) const;
  /// The shape of all results, from an example's.
  core::Shape all_of(const core::Shape& one) const;
  /// All examples with their first dimension as one: [size * n, ..]; and a result back, [size, n, ..].
  Tensor merged(int i) const { return stacked(i).flatten(0, 1); }
  Tensor split(const Tensor& y, std::int64_t n) const;
  /// Places along a dimension of n, counted through all examples as one; undefined when one is outside, which is an error
  /// of its example.
  Tensor own_places(int i, std::int64_t n) const;
  Location at(int i) const { return inputs_[i].at(); }

 private:
  std::int64_t level_, size_ = 0;
  const Operand* inputs_;
  int count_;
};

/// Moves attributes behind a batch's dimension, by their fields' names: `dim`, `dim1` and `dim2` (std::int64_t), `dim` and
/// `dims` (core::Dims) are dimensions, and move by one; `shape` and `sizes` (core::Shape) get the batch's size in front, and
/// `times` (core::Dims), how often each dimension is repeated, a 1; where there is a `shape`, dimensions are counted in that,
/// else in the input. Fields of other names stay as they are.
class GRADUS_API BehindBatch {
 public:
  /// Of inputs that have `rank` dimensions; of numbers, which have none, every dimension becomes dimension 1.
  BehindBatch(std::string_view op, std::int64_t size, int rank, bool point)
      : op_(op), size_(size), rank_(rank), point_(point) {}
  /// Whether there is a field that moves, and none that has the name of one but another type.
  template <class Attrs>
  static constexpr bool knows() {
    if constexpr (core::HasFields<Attrs>)
      return fields_known(Attrs::fields) == Known::kMoves;
    else
      return false;
  }
  template <class Attrs>
  void move(Attrs& attrs) {
    if constexpr (core::HasFields<Attrs>) {
      core::each_field(attrs, [this](const char* name, auto& value) { this->look(name, value); });
      core::each_field(attrs, [this](const char* name, auto& value) { this->change(name, value); });
    }
  }

 private:
  enum class Known { kOther, kMoves, kWrongType };
  static constexpr Known both(Known a, Known b) { return a > b ? a : b; }
  template <class Value>
  static constexpr Known field_known(std::string_view name) {
    const bool dim = name == "dim", one = dim || name == "dim1" || name == "dim2";
    const bool several = dim || name == "dims" || name == "shape" || name == "sizes" || name == "times";
    if (std::is_same_v<Value, std::int64_t> ? one : std::is_same_v<Value, core::Dims> && several) return Known::kMoves;
    return one || several ? Known::kWrongType : Known::kOther;
  }
  static constexpr Known fields_known(const core::Fields<>&) { return Known::kOther; }
  template <class Part, class S>
  static constexpr Known part_known(Part S::*) {
    return fields_known(Part::fields);
  }
  template <class Value, class S>
  static constexpr Known member_known(const char* name, Value S::*) {
    return field_known<Value>(name);
  }
  template <class First, class... Rest>
  static constexpr Known fields_known(const core::Fields<First, Rest...>& fields) {
    if constexpr (requires { fields.part; })
      return both(part_known(fields.part), fields_known(fields.rest));
    else if constexpr (std::is_same_v<First, const char*>)
      return both(member_known(fields.name, fields.member), fields_known(fields.rest));
    else
      return both(member_known(fields.name.name, fields.member), fields_known(fields.rest));
  }
  template <class Other>
  void look(const char*, const Other&) {}
  void look(const char* name, const core::Shape& value);
  template <class Other>
  void change(const char*, const Other&) const {}
  void change(const char* name, std::int64_t& value) const;
  void change(const char* name, core::Dims& value) const;
  std::int64_t moved(std::int64_t dim) const;
  std::string_view op_;
  std::int64_t size_;
  int rank_;
  bool point_;
};

/// A vmap that is running in this thread.
class GRADUS_API BatchLevel {
 public:
  explicit BatchLevel(std::int64_t size);
  ~BatchLevel();
  BatchLevel(const BatchLevel&) = delete;
  BatchLevel& operator=(const BatchLevel&) = delete;
  /// The innermost one's, or null.
  static const BatchLevel* innermost() noexcept;
  const BatchLevel* outer() const noexcept { return outer_; }
  std::int64_t level() const noexcept { return level_; }
  std::int64_t size() const noexcept { return size_; }

 private:
  const BatchLevel* outer_;
  std::int64_t level_, size_;
};

/// Thrown where the numbers of a batched tensor are asked for: its vmap catches it and calls the function for each example.
/// No std::exception, so that nobody else does.
struct NotBatched {
  std::int64_t level;
  std::string_view op;  ///< what is known of who asked
};

/// A batched tensor of examples stacked along dimension 0.
GRADUS_API Tensor batched(const Tensor& examples, std::int64_t level);
/// The examples of a tensor that is batched at this level; of any other, undefined.
GRADUS_API Tensor examples_of(const Tensor& x, std::int64_t level);
/// A leaf, or where `x` has a history a result, with the numbers of `x`, for a gradient to be taken by; inside vmap of each
/// example its own, so that the gradient is each example's.
GRADUS_API Tensor fresh_leaf_for(const Tensor& x);
/// The numbers of all examples, of all vmaps, for those who watch or check values; of any other tensor, its array;
/// undefined for an undefined one.
GRADUS_API const core::Array& numbers_of_all(const Tensor& x);
/// Without a word on standard error about what goes example by example, until it is called with true again.
GRADUS_API void warn_of_loops(bool warn) noexcept;
/// How many operations, and how many mapped functions, have gone example by example in this process.
struct BatchLoops {
  std::int64_t operations = 0, functions = 0;
};
GRADUS_API BatchLoops batch_loops() noexcept;

namespace detail {

/// The innermost vmap that a tensor is batched in; 0 for any other, and for an undefined one.
std::int64_t level_of(const Tensor& x);
/// So many examples that are all the same, without memory.
Tensor repeated(const Tensor& x, std::int64_t size);
/// ValueError for a batched tensor whose vmap does not run in this thread.
void check_running(const Tensor& x);

template <class Op>
inline constexpr bool has_batch_function = requires {
  requires std::is_function_v<decltype(Op::batch)>;
};
template <class Op>
constexpr Batch batch_of() {
  if constexpr (has_batch_function<Op>)
    return Batch::kExamples;
  else if constexpr (requires { Op::batch; })
    return Op::batch;
  else if constexpr (requires { requires Op::broadcasts; })
    return Batch::kBroadcast;
  else
    return Batch::kExamples;
}

/// What the mechanism needs of an operation that goes over a batch.
struct BatchedCall {
  std::string_view name;
  Batch how;
  int outputs;
  /// On any operands; with attributes moved.
  core::FunctionRef<void(const Operand* inputs, BehindBatch* behind, Tensor* outputs)> compute;
  /// The operation's own function, where it has one: undefined results leave the call to a loop.
  core::FunctionRef<void(const Examples& inputs, Tensor* outputs)> own;
  bool has_own;
};
GRADUS_API void run_batched(const BatchedCall& call, const Operand* inputs, int count, Tensor* outputs);
/// NotBatched, of the innermost vmap that an input is batched in.
[[noreturn]] GRADUS_API void go_by_examples(std::string_view op, const Operand* inputs, int count);
/// The same in place of the first input, `write` being it on any operands; `op` its name, with an _ at its end.
GRADUS_API void write_batched(const BatchedCall& call, const char* op,
                              core::FunctionRef<void(const Operand* inputs, BehindBatch* behind)> write,
                              const Operand* inputs, int count);
/// autograd::grad where outputs or inputs are batched: examples are independent, so that it is that of all examples. False,
/// and nothing is done, where none is.
GRADUS_API bool grad_of_batched(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                                const std::vector<Tensor>& gradients, std::optional<bool> retain_graph,
                                bool create_graph, bool allow_unused, std::vector<Tensor>& results);
/// GradError where a tensor is batched: `.grad` is none's of a single example.
GRADUS_API void refuse_batched(const char* op, const std::vector<Tensor>& tensors);
/// Says once for each text what goes example by example, an operation or the function that is mapped; counts both.
GRADUS_API void tell_of_loop(bool operation, std::string_view text);
[[noreturn]] GRADUS_API void fail_not_batched(const Body& body, std::string_view op);

template <class Result>
void lay_out(Result&& y, Tensor* outputs) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Result>, Tensor>) {
    outputs[0] = std::forward<Result>(y);
  } else {
    std::apply([&](auto&&... each) { ((*outputs++ = std::move(each)), ...); }, std::forward<Result>(y));
  }
}
template <class Result>
Result gathered(Tensor* y) {
  if constexpr (std::is_same_v<Result, Tensor>) {
    return std::move(y[0]);
  } else {
    return [&]<std::size_t... K>(std::index_sequence<K...>) { return Result{std::move(y[K])...}; }
    (std::make_index_sequence<std::tuple_size_v<Result>>{});
  }
}

/// Calls `run(attributes, inputs)`, with attributes moved where they have to be.
template <class Op, class Run>
decltype(auto) run_behind(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, BehindBatch* behind,
                          const Run& run) {
  if constexpr (HasAttrs<Op> && batch_of<Op>() == Batch::kDims) {
    if (behind != nullptr) {
      auto moved = attrs;
      behind->move(moved);
      return run(moved, inputs);
    }
  }
  return run(attrs, inputs);
}
/// An operation over a batch: `run(attributes, inputs)` computes it on whatever the inputs are; `over(call)` uses that.
template <class Op, class Run, class Over>
void over_batch_call(const typename AttrsOf<Op>::type& attrs, const Run& run, const Over& over) {
  static_assert(batch_of<Op>() != Batch::kDims || BehindBatch::knows<typename AttrsOf<Op>::type>(),
                "Batch::kDims moves attributes by their fields' names: name a std::int64_t dim, dim1 or dim2, or a "
                "core::Dims dim, dims, shape, sizes or times in `fields`; else write a function `batch`");
  const auto compute = [&](const Operand* in, BehindBatch* behind, Tensor* out) {
    lay_out(run_behind<Op>(attrs, in, behind, run), out);
  };
  const auto own = [&]([[maybe_unused]] const Examples& x, [[maybe_unused]] Tensor* out) {
    if constexpr (has_batch_function<Op>) {
      if constexpr (HasAttrs<Op>)
        lay_out(Op::batch(attrs, x), out);
      else
        lay_out(Op::batch(x), out);
    }
  };
  over(BatchedCall{Op::name, batch_of<Op>(), Traits<Op>::outputs, compute, own, has_batch_function<Op>});
}
template <class Op, class Result, class Run>
Result over_batch(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count, const Run& run) {
  if constexpr (Traits<Op>::gives_list) {  // of any length: the function that is mapped is called for each example
    go_by_examples(Op::name, inputs, count);
  } else {
    Tensor y[Traits<Op>::outputs];
    over_batch_call<Op>(attrs, run, [&](const BatchedCall& call) { run_batched(call, inputs, count, y); });
    return gathered<Result>(y);
  }
}
/// In place: `write(attributes, inputs)` is the form in place.
template <class Op, class Run, class Write>
void write_over_batch(const typename AttrsOf<Op>::type& attrs, const char* op, const Operand* inputs, int count,
                      const Run& run, const Write& write) {
  over_batch_call<Op>(attrs, run, [&](const BatchedCall& call) {
    const auto on_any = [&](const Operand* in, BehindBatch* behind) { run_behind<Op>(attrs, in, behind, write); };
    write_batched(call, op, on_any, inputs, count);
  });
}

}  // namespace detail
}  // namespace gradus::autograd
