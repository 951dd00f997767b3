#include "fold.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "../array/create.h"
#include "../base/operation_key.h"
#include "../simd/pointwise.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"
#include "copy.h"
#include "recording.h"

namespace gradus::core::kernels {
namespace {

/// Elements of one block: enough to be worth a thread's while, few enough to share the work of one long row.
constexpr std::int64_t kBlock = 32768;
/// Accumulators that stay in the first-level cache beside the rows that are added to them.
constexpr std::int64_t kColumns = 512;

/// What combines with anything to that thing.
Scalar identity_of(Fold op, DType dtype) {
  const double infinity = std::numeric_limits<double>::infinity();
  switch (op) {
    case Fold::Prod:
    case Fold::All:
      return 1;
    case Fold::Max:
      if (is_floating_point(dtype)) return -infinity;
      return dtype == kInt32   ? std::int64_t{std::numeric_limits<std::int32_t>::min()}
             : dtype == kInt64 ? std::numeric_limits<std::int64_t>::min()
                               : std::int64_t{0};
    case Fold::Min:
      if (is_floating_point(dtype)) return infinity;
      return dtype == kInt32   ? std::int64_t{std::numeric_limits<std::int32_t>::max()}
             : dtype == kInt64 ? std::numeric_limits<std::int64_t>::max()
             : dtype == kUInt8 ? std::int64_t{255}
                               : std::int64_t{1};
    default:
      return 0;
  }
}

/// A few dimensions of the input, and where an index over them leads.
struct Walk {
  int n = 0;
  std::int64_t count = 1;
  std::int64_t size[kMaxDims], stride[kMaxDims];  // innermost first
  void add(std::int64_t s, std::int64_t step) {
    size[n] = s;
    stride[n++] = step;
    count *= s;
  }
  std::int64_t offset(std::int64_t index) const {
    std::int64_t at = 0;
    for (int i = 0; i < n; ++i) {
      at += index % size[i] * stride[i];
      index /= size[i];
    }
    return at;
  }
};

/// The shape as dimensions that are kept and reduced in turn, adjacent ones of a kind merged. The innermost is `length`
/// elements long.
struct Geometry {
  Geometry(const Shape& shape, const Dims& dims) {
    bool reduced[kMaxDims] = {};
    for (std::int64_t d : dims) reduced[d] = true;
    std::int64_t step = 1;
    bool started = false, current = true;
    std::int64_t size = 1;
    const auto close = [&] {
      if (!inner_done) {
        length = size;
        rows = current;  // the innermost is reduced: rows are folded to numbers
        inner_done = true;
      } else {
        (current ? over : kept).add(size, step / size);
      }
    };
    for (int i = shape.size() - 1; i >= 0; --i) {
      if (shape[i] == 1) continue;
      if (started && reduced[i] != current) {
        close();
        size = 1;
      }
      started = true;
      current = reduced[i];
      size *= shape[i];
      step *= shape[i];
    }
    close();
  }
  bool inner_done = false;
  bool rows = true;
  std::int64_t length = 1;
  Walk kept, over;
};

struct Task {
  const Array* inputs[2];
  const double* centre;
  int accumulators;
  char* acc;
  std::int64_t acc_size;
  FoldKernels kernels;

  const double* centre_of(std::int64_t result) const { return centre == nullptr ? nullptr : centre + result; }
  void read(const void** in, std::int64_t offset) const {
    for (int k = 0; k < 2; ++k) {
      in[k] = inputs[k]->defined() ? static_cast<const char*>(inputs[k]->data()) + offset * inputs[k]->element_size()
                                   : nullptr;
    }
  }
};

/// Rows to numbers. Units are rows, or pieces of long ones; a block is some units of one result.
std::int64_t piece_of_row(const Geometry& g) {
  return g.length <= kBlock ? g.length : even_grain(g.length, kBlock, 64);
}
std::int64_t blocks_of_rows(const Geometry& g) {
  const std::int64_t piece = piece_of_row(g), units = g.over.count * ceil_div(g.length, piece);
  return ceil_div(units, kBlock / piece);
}

void fold_rows(const Geometry& g, const Task& task, std::int64_t blocks) {
  const std::int64_t piece = piece_of_row(g), pieces = ceil_div(g.length, piece);
  const std::int64_t units = g.over.count * pieces, per_block = kBlock / piece;
  const std::int64_t items = g.kept.count * blocks, elements = g.kept.count * g.over.count * g.length;
  const std::int64_t work = std::min(per_block, units) * piece;  // of one item
  const std::int64_t grain =
      elements <= 2 * kBlock ? items : even_grain(items, std::max<std::int64_t>(kBlock / work, 1));
  if (units == 1 && g.kept.n <= 1) {  // each row a result: the usual case, and short rows feel every division and call
    const std::int64_t step = g.kept.n == 1 ? g.kept.stride[0] : 0;
    parallel_for(items, grain, [&](std::int64_t begin, std::int64_t end) {
      const void* in[2];
      task.read(in, begin * step);
      task.kernels.row(in, static_cast<std::size_t>(step), static_cast<std::size_t>(end - begin), 1,
                       static_cast<std::size_t>(g.length), task.centre_of(begin),
                       task.acc + begin * task.accumulators * task.acc_size);
    });
    return;
  }
  // Whole rows that lie equally far apart are folded in one call.
  const std::int64_t adjacent = pieces == 1 && g.over.n > 0 ? g.over.size[0] : 1;
  const std::int64_t stride = adjacent > 1 ? g.over.stride[0] : 0;
  parallel_for(items, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t result = item / blocks, first = item % blocks * per_block;
      const std::int64_t base = g.kept.offset(result), last = std::min(first + per_block, units);
      for (std::int64_t u = first; u < last;) {
        const std::int64_t at = u % pieces * piece, count = std::min(adjacent - u % adjacent, last - u);
        const void* in[2];
        task.read(in, base + g.over.offset(u / pieces) + at);
        task.kernels.row(in, static_cast<std::size_t>(stride), 1, static_cast<std::size_t>(count),
                         static_cast<std::size_t>(std::min(piece, g.length - at)), task.centre_of(result),
                         task.acc + item * task.accumulators * task.acc_size);
        u += count;
      }
    }
  });
}

/// Rows added to a row of accumulators, in strips of at most kColumns columns, about equally wide. A block is some rows of a
/// strip: many where there are many, so that few rows of accumulators are left to be added, and half as many where that would
/// leave a thread without work.
std::int64_t columns_of_strip(const Geometry& g) {
  const std::int64_t wide = ceil_div(g.length, ceil_div(g.length, kColumns));
  return std::min(ceil_div(wide, 16) * 16, kColumns);  // vectors and lines of the cache
}
std::int64_t rows_per_block(const Geometry& g) {
  const std::int64_t most = 2 * kBlock / std::min(g.length, columns_of_strip(g));
  return g.over.count <= 2 * most ? most / 2 : most;
}

void fold_columns(const Geometry& g, const Task& task, std::int64_t blocks) {
  const std::int64_t width = columns_of_strip(g), strips = ceil_div(g.length, width), per_block = rows_per_block(g);
  const std::int64_t items = g.kept.count * blocks * strips, elements = g.kept.count * g.over.count * g.length;
  const std::int64_t work = std::min(per_block, g.over.count) * std::min(g.length, width);
  const std::int64_t grain = elements <= 2 * kBlock ? items : std::max<std::int64_t>(kBlock / work, 1);
  const std::int64_t adjacent = g.over.n > 0 ? g.over.size[0] : 1, stride = g.over.n > 0 ? g.over.stride[0] : 0;
  parallel_for(items, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t column = item % strips * width, block = item / strips % blocks;
      const std::int64_t result = item / strips / blocks, columns = std::min(width, g.length - column);
      const std::int64_t base = g.kept.offset(result) + column;
      const std::int64_t last = std::min((block + 1) * per_block, g.over.count);
      char* const acc = task.acc + ((result * blocks + block) * task.accumulators * g.length + column) * task.acc_size;
      for (std::int64_t row = block * per_block; row < last;) {
        const std::int64_t count = std::min(adjacent - row % adjacent, last - row);
        const void* in[2];
        task.read(in, base + g.over.offset(row));
        task.kernels.column(in, static_cast<std::size_t>(stride), static_cast<std::size_t>(count),
                            static_cast<std::size_t>(columns), task.centre_of(result * g.length + column), acc,
                            static_cast<std::size_t>(g.length));
        row += count;
      }
    }
  });
}

/// A fold of a contiguous array that is not empty, into accumulators [results, blocks, accumulators, columns].
class Folding {
 public:
  Folding(Fold op, const Array& x, const Dims& dims)
      : g_(x.shape(), dims),
        blocks_(g_.rows ? blocks_of_rows(g_) : ceil_div(g_.over.count, rows_per_block(g_))),
        kernels_(fold_kernels(op, x.dtype())) {}
  std::int64_t results() const { return g_.kept.count; }
  std::int64_t blocks() const { return blocks_; }
  std::int64_t columns() const { return g_.rows ? 1 : g_.length; }
  void run(const Array& x, const Array& other, const double* centre, int accumulators, void* acc,
           std::int64_t acc_size) const {
    const Task task{{&x, &other}, centre, accumulators, static_cast<char*>(acc), acc_size, kernels_};
    g_.rows ? fold_rows(g_, task, blocks_) : fold_columns(g_, task, blocks_);
  }

 private:
  Geometry g_;
  std::int64_t blocks_;
  FoldKernels kernels_;
};

void divide(double* values, std::int64_t n, double by) {
  const Kernel kernel = number_kernel(key_of("div"), kFloat64, 1);
  parallel_for(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    const void* const in[2] = {values + begin, &by};
    kernel(values + begin, in, static_cast<std::size_t>(end - begin), nullptr);
  });
}

void tell_recording(const Array& x) {
  if (ProgramRecording* const recording = ProgramRecording::active()) recording->read(x, "a reduction");
}

}  // namespace

DType accumulator_of(Fold op, DType dtype) {
  switch (op) {
    case Fold::Max:
    case Fold::Min:
      return dtype;
    case Fold::All:
    case Fold::Any:
      return kBool;
    default:
      return is_floating_point(dtype) ? kFloat64 : kInt64;
  }
}

std::array<Array, 2> fold(Fold op, const Array& x, const Dims& dims, const Array& centre, const Array& other) {
  tell_recording(x);
  const Shape kept_shape = reduced_shape(x.shape(), dims, false);
  const DType acc_dtype = accumulator_of(op, x.dtype());
  const int accumulators = op >= Fold::CentredMoments ? 2 : 1;
  const Scalar identity = identity_of(op, x.dtype());
  if (x.numel() == 0) {
    return {full(kept_shape, identity, acc_dtype), accumulators == 2 ? full(kept_shape, identity, acc_dtype) : Array()};
  }
  const Folding folding(op, x, dims);
  Array acc = full({folding.results(), folding.blocks(), accumulators, folding.columns()}, identity, acc_dtype);
  folding.run(x.contiguous(), other.defined() ? other.contiguous() : Array(),
              centre.defined() ? centre.data_ptr<double>() : nullptr, accumulators, acc.data(), acc.element_size());
  if (folding.blocks() > 1) {  // the blocks' values are folded like any others
    acc = fold(op >= Fold::Squares ? Fold::Sum : op, acc, Dims{1})[0];
  }
  if (accumulators == 1) return {acc.view(kept_shape), Array()};
  acc = acc.view({folding.results(), accumulators, folding.columns()});
  return {acc.select(1, 0).reshape(kept_shape), acc.select(1, 1).reshape(kept_shape)};
}

Array fold_to(DType dtype, Fold op, const Array& x, const Dims& dims, bool keepdim, double divisor) {
  const Shape shape = reduced_shape(x.shape(), dims, keepdim);
  if (x.numel() > 0) {
    constexpr std::int64_t few = 32;
    const Folding folding(op, x, dims);
    const std::int64_t results = folding.results() * folding.columns();
    if (folding.blocks() == 1 && results <= few) {  // what is small has accumulators on the stack, and one new array
      tell_recording(x);
      const DType acc_dtype = accumulator_of(op, x.dtype());
      const std::int64_t size = size_of(acc_dtype);
      const Element identity(identity_of(op, x.dtype()), acc_dtype);
      alignas(8) unsigned char acc[few * 8];
      for (std::int64_t i = 0; i < results; ++i)
        std::memcpy(acc + i * size, identity.bytes, static_cast<std::size_t>(size));
      folding.run(x.contiguous(), Array(), nullptr, 1, acc, size);
      if (divisor != 1) {  // by hand: it is sooner done than the kernel is found
        for (std::int64_t i = 0; i < results; ++i) reinterpret_cast<double*>(acc)[i] /= divisor;
      }
      Array out = empty(shape, dtype);
      tile_copy(dtype, acc_dtype)(static_cast<char*>(out.data()), 0, size_of(dtype), reinterpret_cast<const char*>(acc),
                                  0, size, 1, results);
      return out;
    }
  }
  const Array value = fold(op, x, dims)[0];
  if (divisor != 1) divide(value.data_ptr<double>(), value.numel(), divisor);
  return value.view(shape).to(dtype);
}

}  // namespace gradus::core::kernels
