// Many pointwise operations in one pass over memory: internal to core and to autograd/fused.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../array/array.h"
#include "../simd/chain.h"
#include "../simd/pointwise.h"
#include "copy.h"

namespace gradus::core::kernels {

/// One call of a kernel. Operands and result are numbers of values.
struct Instruction {
  std::string_view name;  ///< the operation's: "mul"
  Kernel kernel = nullptr;
  DType result = kFloat32;
  int count = 0;
  std::array<int, 3> in{-1, -1, -1};
  int number = -1;  ///< the operand, a constant, that the kernel reads as a single number
  int param_bytes = 0;
  alignas(8) std::array<unsigned char, 24> param{};
  int out = -1;
};

/// A straight line of instructions, without memory of its own. Values are inputs, constants and results; equal ones are one.
/// It is built, finished, and then run by any number of threads: tile by tile, every instruction over a tile that stays in
/// the first cache, by the very kernels that run the operations one by one. So the bits are theirs.
class Program {
 public:
  enum class Kind : std::uint8_t { Input, Constant, Result };
  struct Value {
    Kind kind;
    DType dtype;
    int index = 0;     ///< which input, or which instruction
    Element constant;  ///< of a constant
  };
  /// The bytes of a register: what an instruction reads and writes of a value at a time. All of them, and as much of the
  /// operands, shall not exceed so much of the first cache.
  static constexpr std::int64_t kMostRegisterBytes = 4096, kLeastRegisterBytes = 512, kCacheBytes = 16384;

  /// Slots have numbers of 16 bits, and each value may take two; nor are longer programs quicker than their operations.
  static constexpr std::size_t kMostValues = 4096, kMostOutputs = 4096;

  Program() = default;
  Program(Program&&) noexcept = default;
  Program& operator=(Program&&) noexcept = default;

  int add_input(DType dtype);
  int add_constant(const Element& element, DType dtype);
  /// The value of an instruction; that of the same instruction before, if there was one.
  int add(Instruction instruction);
  /// -1: there is no such output. Values and outputs are no more than the most. Drops what no output needs and gives values their registers.
  void finish(const std::vector<int>& outputs);

  /// Whether its kernels are of the instruction set in use (simd/instruction_set.h).
  bool is_current() const { return chain_of(kFloat32) == made_with_; }

  int inputs() const { return inputs_; }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<Instruction>& instructions() const { return instructions_; }
  const std::vector<int>& outputs() const { return outputs_; }
  bool reads_input(int input) const { return reads_[static_cast<std::size_t>(input)]; }

  /// Inputs of the dtypes that were said, which broadcast to the shape; those that are not read may be undefined. Outputs
  /// are new and contiguous; some may be one array, or an input that is like them.
  void run(const Shape& shape, const Array* const* inputs, Array* outputs) const;

 private:
  struct Step {
    Kernel kernel;
    const void* param;
    std::uint16_t in[3] = {}, out = 0;
    Chain chain = nullptr;  // in place of the kernel: so many of chained_
    std::uint32_t first = 0, count = 0;
  };
  class Range;
  void drop_unused();
  void schedule();
  void assign_registers();
  void chain();
  ChainOp chain_op_of(const Instruction& step) const;

  std::vector<Value> values_;
  std::vector<Instruction> instructions_;
  std::vector<int> outputs_;
  std::vector<bool> reads_;
  int inputs_ = 0;
  // Slots, in this order: inputs, outputs, numbers, constants written out, registers.
  std::vector<Step> steps_;  // one for each instruction, until they are chained
  std::vector<ChainStep> chained_;
  std::vector<int> numbers_, filled_;  // values
  std::vector<int> written_by_;        // for each output the instruction's value that is written there, else -1
  int first_output_ = 0, first_number_ = 0, first_filled_ = 0, first_register_ = 0, registers_ = 0;
  std::int64_t register_bytes_ = 0, tile_ = 0;
  Chain made_with_ = nullptr;
};

}  // namespace gradus::core::kernels
