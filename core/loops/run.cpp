#include "run.h"

#include <algorithm>

#include "../array/create.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"
#include "copy.h"
#include "plan.h"
#include "recording.h"

namespace gradus::core::kernels {
namespace {

constexpr std::int64_t kBufferElements = Plan::kTileElements;

/// Room for a tile of any dtype. Left uninitialised: only what was written is read.
struct Buffer {
  alignas(64) char bytes[kBufferElements * 8];
};

/// Tiles of one block of a parallel loop; all of them where the loop is not worth a second thread.
std::int64_t grain_of(std::int64_t elements, std::int64_t block, std::int64_t tile) {
  if (elements <= 2 * block) return elements;
  if (tile == 1) return even_grain(elements, block, 64);  // of vectors and lines of the cache
  return std::max<std::int64_t>(block / std::max<std::int64_t>(tile, 1), 1);
}

const void* number_of(const Input& input) {
  if (input.number != nullptr) return input.number;
  return input.array->numel() == 1 && input.array->dtype() == input.dtype ? input.array->data() : nullptr;
}

/// The common case, without a plan: contiguous arrays of one shape and the kernel's dtypes, and numbers. False when it
/// is not that.
bool run_contiguous(const Array& out, const Loop& loop) {
  if (out.dtype() != loop.result || !out.is_contiguous()) return false;
  const char* data[3];
  const void* number[3] = {};
  int numbers = 0, last = 0;  // how many there are, and which
  for (int k = 0; k < loop.count; ++k) {
    const Input& input = loop.inputs[k];
    const Array* const array = input.array;
    if (array != nullptr && array->dtype() == input.dtype && array->shape() == out.shape() && array->is_contiguous()) {
      data[k] = static_cast<const char*>(array->data());
    } else {
      number[k] = number_of(input);
      if (number[k] == nullptr) return false;
      ++numbers;
      last = k;
    }
  }
  const std::int64_t n = out.numel();
  char* const to = static_cast<char*>(out.data());
  const std::int64_t to_size = size_of(loop.result);
  const Kernel one = numbers == 1 && last < 2 ? loop.number_kernels[last] : nullptr;
  const Kernel kernel = one != nullptr ? one : loop.kernel;
  const auto plain = [&](std::int64_t begin, std::int64_t end) {
    const void* in[3];
    for (int k = 0; k < loop.count; ++k) {
      in[k] = number[k] != nullptr ? number[k] : data[k] + begin * size_of(loop.inputs[k].dtype);
    }
    kernel(to + begin * to_size, in, static_cast<std::size_t>(end - begin), loop.param);
  };
  const auto with_numbers = [&](std::int64_t begin, std::int64_t end) {
    Buffer buffers[3];
    const std::int64_t piece = std::min(end - begin, kBufferElements);
    for (int k = 0; k < loop.count; ++k) {
      if (number[k] == nullptr) continue;
      const DType dtype = loop.inputs[k].dtype;
      tile_copy(dtype, dtype)(buffers[k].bytes, 0, size_of(dtype), static_cast<const char*>(number[k]), 0, 0, 1, piece);
    }
    for (std::int64_t i = begin; i < end; i += piece) {
      const void* in[3];
      for (int k = 0; k < loop.count; ++k) {
        in[k] = number[k] != nullptr ? buffers[k].bytes : data[k] + i * size_of(loop.inputs[k].dtype);
      }
      loop.kernel(to + i * to_size, in, static_cast<std::size_t>(std::min(piece, end - i)), loop.param);
    }
  };
  const std::int64_t grain = grain_of(n, loop.block, 1);
  if (numbers > 0 && one == nullptr) {
    parallel_for(n, grain, with_numbers);
  } else {
    parallel_for(n, grain, plain);
  }
  return true;
}

/// From this width on a kernel is called for each row of a tile; narrower rows are gathered into one block first.
constexpr std::int64_t kRowCall = 32;
/// How often a number that goes with a whole row is written into a buffer: longer rows take as many calls.
constexpr std::int64_t kNumberRun = 128;

/// Runs a range of a plan's tiles. Operand 0 is the result.
class TileLoop {
 public:
  TileLoop(Plan* plan, const Array& out, const Loop& loop) : plan_(*plan), loop_(loop), to_(out.dtype()) {
    operands_ = loop.count + 1;
    bool buffered = plan->size(0) < kRowCall && plan->dims() > 1;
    for (int k = 0; k < operands_; ++k) {
      stored_[k] = k == 0                                ? to_
                   : loop.inputs[k - 1].array != nullptr ? loop.inputs[k - 1].array->dtype()
                                                         : loop.inputs[k - 1].dtype;
      computed_[k] = k == 0 ? loop.result : loop.inputs[k - 1].dtype;
      straight_[k] = stored_[k] == computed_[k] && plan->col_stride(k) == size_of(stored_[k]);
    }
    kernel_ = loop.kernel;
    for (int k = 1; k < std::min(operands_, 3) && !buffered; ++k) {
      const bool single =
          stored_[k] == computed_[k] && plan->col_stride(k) == 0 && loop.number_kernels[k - 1] != nullptr;
      bool beside = true;  // the others are read where they lie, too
      for (int other = 1; other < operands_; ++other) beside = beside && (other == k || straight_[other]);
      if (!single || !beside) continue;
      kernel_ = loop.number_kernels[k - 1];  // reads the number where it lies
      straight_[k] = true;
      single_ = k;
    }
    for (int k = 0; k < operands_; ++k) buffered = buffered || !straight_[k];
    plan->cut(buffered);
    by_row_ = plan->tile_rows() == 1 || plan->tile_cols() >= kRowCall;
    for (int k = 0; k < operands_; ++k) {
      number_[k] = k > 0 && by_row_ && !straight_[k] && plan->col_stride(k) == 0;
      in_runs_ = in_runs_ || number_[k];
    }
    if (!by_row_) {
      for (int k = 0; k < operands_; ++k) {
        straight_[k] = straight_[k] && plan->tile_cols() == plan->size(0) &&
                       plan->row_stride(k) == plan->tile_cols() * size_of(stored_[k]);
      }
    }
  }

  void operator()(std::int64_t begin, std::int64_t end) const {
    Buffer buffers[Plan::kMaxOperands];
    const char* held[Plan::kMaxOperands] = {};  // what an input's buffer was filled from: numbers and rows stay
    std::int64_t held_rows = 0, held_cols = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const Plan::Tile tile = plan_.tile(i);
      const bool same_form = tile.rows == held_rows && tile.cols == held_cols;
      char* data[Plan::kMaxOperands];
      std::int64_t row_stride[Plan::kMaxOperands];
      for (int k = 0; k < operands_; ++k) {
        const std::int64_t cols = number_[k] ? std::min(tile.cols, kNumberRun) : tile.cols;
        data[k] = straight_[k] ? tile.data[k] : buffers[k].bytes;
        row_stride[k] = straight_[k] ? plan_.row_stride(k) : cols * size_of(computed_[k]);
        if (k == 0 || straight_[k] || (same_form && held[k] == tile.data[k])) continue;
        tile_copy(computed_[k], stored_[k])(data[k], row_stride[k], size_of(computed_[k]), tile.data[k],
                                            plan_.row_stride(k), plan_.col_stride(k), tile.rows, cols);
        held[k] = tile.data[k];
      }
      held_rows = tile.rows;
      held_cols = tile.cols;
      const std::int64_t calls = by_row_ ? tile.rows : 1, length = by_row_ ? tile.cols : tile.rows * tile.cols;
      const std::int64_t run = in_runs_ ? kNumberRun : length;
      for (std::int64_t r = 0; r < calls; ++r) {
        for (std::int64_t c = 0; c < length; c += run) {
          const void* in[3];
          for (int k = 1; k < operands_; ++k) {
            in[k - 1] = data[k] + r * row_stride[k] + (number_[k] || k == single_ ? 0 : c * size_of(computed_[k]));
          }
          kernel_(data[0] + r * row_stride[0] + c * size_of(computed_[0]), in,
                  static_cast<std::size_t>(std::min(run, length - c)), loop_.param);
        }
      }
      if (!straight_[0]) {
        tile_copy(stored_[0], computed_[0])(tile.data[0], plan_.row_stride(0), plan_.col_stride(0), data[0],
                                            row_stride[0], size_of(computed_[0]), tile.rows, tile.cols);
      }
    }
  }

 private:
  const Plan& plan_;
  const Loop& loop_;
  Kernel kernel_;
  int single_ = 0;  // the operand that is one number for each row and that kernel_ reads as such; 0: none
  const DType to_;
  int operands_;
  DType stored_[Plan::kMaxOperands] = {}, computed_[Plan::kMaxOperands] = {};
  bool straight_[Plan::kMaxOperands];  // the kernel reads or writes the operand's own memory
  bool number_[Plan::kMaxOperands];    // one number for each row
  bool by_row_, in_runs_ = false;
};

void run_by_plan(const Array& out, const Loop& loop) {
  Plan plan(out.shape());
  plan.add(out);
  for (int k = 0; k < loop.count; ++k) {
    const Input& input = loop.inputs[k];
    if (input.array != nullptr) {
      plan.add(*input.array);
    } else {
      plan.add_number(input.number, size_of(input.dtype));
    }
  }
  plan.finish();
  const TileLoop tiles(&plan, out, loop);
  parallel_for(plan.tiles(), grain_of(plan.numel(), loop.block, plan.tile_rows() * plan.tile_cols()), tiles);
}

}  // namespace

void run(const Array& out, const Loop& loop) {
  if (!run_contiguous(out, loop)) run_by_plan(out, loop);
  if (ProgramRecording* const recording = ProgramRecording::active(); recording != nullptr) [[unlikely]]
    recording->ran(out, loop);
}

Array run(const Shape& shape, const Loop& loop) {
  Array out = empty(shape, loop.result);
  run(out, loop);
  return out;
}

}  // namespace gradus::core::kernels
