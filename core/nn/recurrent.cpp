#include "recurrent.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "../array/create.h"
#include "../array/numbers.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/gemm_strips.h"
#include "../ops/matmul.h"
#include "../ops/pointwise.h"
#include "../ops/reduce.h"
#include "../simd/recurrent.h"

namespace gradus::core {
namespace {

using kernels::GemmStrips;
using kernels::Workspace;
using std::int64_t;

constexpr int64_t kRows = 32;      // sequences that go through all steps together: their states stay near
constexpr double kTaskWork = 1e6;  // multiplications of a task, at least

bool is_simple(RecurrentKind kind) { return kind == RecurrentKind::kTanh || kind == RecurrentKind::kRelu; }

/// Which rows of x belong to which step.
struct Steps {
  Steps(const char* op, const RecurrentInputs& in) {
    if (!in.batch_sizes.defined()) {
      expect_form(in.x.dim() == 3, op, "input", "[T, N, I]", in.x.shape());
      T = in.x.shape()[0];
      N = in.x.shape()[1];
      for (int64_t t = 0; t < T; ++t) sizes.push_back(N);
    } else {
      expect_form(in.x.dim() == 2, op, "packed input", "[sum of batch_sizes, I]", in.x.shape());
      sizes = steps_of(op, in.batch_sizes, in.x.shape());
      T = static_cast<int64_t>(sizes.size());
      N = T == 0 ? 0 : sizes[0];
    }
    for (const int64_t size : sizes) {
      first.push_back(rows);
      rows += size;
    }
  }
  int64_t size(int64_t t) const { return t < 0 || t >= T ? 0 : sizes[static_cast<std::size_t>(t)]; }
  int64_t at(int64_t t) const { return first[static_cast<std::size_t>(t)]; }

  int64_t T = 0, N = 0, rows = 0;
  std::vector<int64_t> sizes, first;
};

/// The sizes, checked.
struct Layer {
  Layer(const char* op, RecurrentKind of, const RecurrentInputs& inputs)
      : kind(of), in(inputs), G(gates_of(of)), reverse(inputs.reverse), steps(op, checked(op, inputs)) {
    I = in.x.size(-1);
    expect_form(in.w_hh.dim() == 2 && in.w_hh.shape()[0] % G == 0, op, "weight_hh", "[gates of H, R]", in.w_hh.shape());
    H = in.w_hh.shape()[0] / G;
    R = in.w_hr.defined() ? in.w_hr.size(0) : H;
    const auto expect = [&](const Array& a, const char* what, const char* form, const Shape& shape) {
      if (!a.defined()) return;
      expect_shape(op, what, a.shape(), form, shape);
      if (a.dtype() != in.x.dtype()) {
        fail<DTypeError>("{}: {} must have input's dtype: {} for {}; to() converts", op, what, a.dtype(), in.x.dtype());
      }
    };
    expect(in.w_ih, "weight_ih", "[gates of H, I]", {G * H, I});
    expect(in.w_hh, "weight_hh", "[gates of H, R]", {G * H, R});
    expect(in.b_ih, "bias_ih", "[gates of H]", {G * H});
    expect(in.b_hh, "bias_hh", "[gates of H]", {G * H});
    expect(in.h0, "h_0", "[N, R]", {steps.N, R});
    expect(in.c0, "c_0", "[N, H]", {steps.N, H});
    if (in.w_hr.defined()) expect(in.w_hr, "weight_hr", "[P, H]", {R, H});
    // A GRU's m stands beside its gates. Rows a bit longer where they would crowd the first cache.
    wide = kind == RecurrentKind::kGru ? 4 * H : G * H;
  }
  static const RecurrentInputs& checked(const char* op, const RecurrentInputs& inputs) {
    expect_floating(op, "input", inputs.x);
    expect_defined(op, "weight_ih", inputs.w_ih);
    expect_defined(op, "weight_hh", inputs.w_hh);
    return inputs;
  }
  /// Of step t the rows [begin, end), in one or two runs: body(first, last, row), the state before being that of the packed
  /// row `row`, or, where row < 0, the initial one.
  template <class Body>
  void runs(int64_t t, int64_t begin, int64_t end, const Body& body) const {
    const int64_t before = reverse ? t + 1 : t - 1;
    const int64_t known = std::clamp(steps.size(before), begin, end);
    if (begin < known) body(begin, known, steps.at(before) + begin);
    if (known < end) body(known, end, int64_t{-1});
  }
  /// The work on blocks of sequences, in parallel.
  template <class Body>
  void for_sequences(const Body& body) const {
    const int64_t N = steps.N, blocks = ceil_div(N, kRows), step = ceil_div(N, std::max<int64_t>(1, blocks));
    const double work = static_cast<double>(steps.rows) * static_cast<double>(G * H) * static_cast<double>(R);
    const int64_t together = static_cast<int64_t>(kTaskWork * static_cast<double>(blocks) / (work + 1)) + 1;
    parallel_for(blocks, together, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b) body(b * step, std::min(N, (b + 1) * step));
    });
  }
  Array empty_gates(DType dtype) const {
    const auto width = static_cast<int64_t>(size_of(dtype));
    const int64_t crowded = wide * width % 4096 == 0 ? 64 / width : 0;
    return empty({steps.rows, wide + crowded}, dtype).narrow(1, 0, wide);
  }
  /// The columns of the gates that the input's part i goes to, and its rows of w_ih: a GRU's m is not the input's.
  int64_t parts() const { return kind == RecurrentKind::kGru ? 2 : 1; }
  int64_t part_rows(int64_t i) const { return parts() == 1 ? G * H : i == 0 ? 2 * H : H; }
  int64_t part_row(int64_t i) const { return i == 0 ? 0 : 2 * H; }
  int64_t part_column(int64_t i) const { return i == 0 ? 0 : 3 * H; }

  RecurrentKind kind;
  const RecurrentInputs& in;
  int64_t G, H = 0, R = 0, I = 0, wide = 0;
  bool reverse;
  Steps steps;
};

template <class T>
T* row_of(const Array& a, int64_t row) {
  return a.defined() ? static_cast<T*>(a.data()) + row * a.strides()[0] : nullptr;
}
int64_t stride_of(const Array& a) { return a.defined() ? a.strides()[0] : 0; }

Array as_rows(const Array& a, int64_t rows) { return a.reshape({rows, a.size(-1)}).contiguous(); }

/// b_ih + b_hh, what there is of them, for rows [first, first + count); of b_hh only where it is added before the cell.
Array bias_of(const Layer& l, int64_t i) {
  const int64_t first = l.part_row(i), count = l.part_rows(i);
  const Array input = l.in.b_ih.defined() ? l.in.b_ih.narrow(0, first, count) : Array();
  if (!l.in.b_hh.defined() || i == 1) return input;
  const Array own = l.in.b_hh.narrow(0, first, count);
  return input.defined() ? input + own : own;
}

template <class T>
void forward(const Layer& l, const RecurrentResult& out) {
  const Steps& steps = l.steps;
  const Array h0 = l.in.h0.defined() ? l.in.h0.contiguous() : Array();
  const Array c0 = l.in.c0.defined() ? l.in.c0.contiguous() : Array();
  const Array y = out.y.view({steps.rows, l.R}), gates = is_simple(l.kind) ? y : out.gates;
  const Array h = l.in.w_hr.defined() ? out.raw : y;
  const Array x = as_rows(l.in.x, steps.rows);
  for (int64_t i = 0; i < l.parts(); ++i) {
    gemm(gates.narrow(1, l.part_column(i), l.part_rows(i)), x, l.in.w_ih.narrow(0, l.part_row(i), l.part_rows(i)).t(),
         1, 0, bias_of(l, i));
  }
  // What is added to the gates, and a GRU's m, which is all h's.
  const bool gru = l.kind == RecurrentKind::kGru, lstm = l.kind == RecurrentKind::kLstm;
  const GemmStrips<T> added(l.in.w_hh.narrow(0, 0, gru ? 2 * l.H : l.G * l.H).t());
  const GemmStrips<T> fresh = gru ? GemmStrips<T>(l.in.w_hh.narrow(0, 2 * l.H, l.H).t()) : GemmStrips<T>();
  const GemmStrips<T> projection = l.in.w_hr.defined() ? GemmStrips<T>(l.in.w_hr.t()) : GemmStrips<T>();
  const Array b_hn = gru && l.in.b_hh.defined() ? l.in.b_hh.narrow(0, 2 * l.H, l.H).contiguous() : Array();
  const kernels::CellKernels<T> cell = kernels::cell_kernels(l.kind, T());
  const Array& states = lstm ? out.cells : y;
  const Array& initial = lstm ? c0 : h0;
  l.for_sequences([&](int64_t begin, int64_t end) {
    const Workspace<T> room(std::max(added.room(end - begin), projection.room(end - begin)));
    for (int64_t s = 0; s < steps.T; ++s) {
      const int64_t t = l.reverse ? steps.T - 1 - s : s, here = steps.at(t), last = std::min(end, steps.size(t));
      l.runs(t, begin, last, [&](int64_t i, int64_t until, int64_t row) {
        const int64_t rows = until - i;
        T* const g = row_of<T>(gates, here + i);
        const T* const before = row >= 0 ? row_of<T>(y, row) : row_of<T>(h0, i);
        if (before != nullptr) {
          added.multiply(rows, before, l.R, g, stride_of(gates), true, room.data());
          if (gru) fresh.multiply(rows, before, l.R, g + 2 * l.H, stride_of(gates), false, room.data());
        } else if (gru) {
          for (int64_t r = 0; r < rows; ++r) std::fill_n(g + 2 * l.H + r * stride_of(gates), l.H, T(0));
        }
        cell.step({rows, l.H, g, stride_of(gates), row >= 0 ? row_of<T>(states, row) : row_of<T>(initial, i), l.H,
                   row_of<T>(b_hn, 0), row_of<T>(out.cells, here + i), l.H, row_of<T>(h, here + i), l.H});
        if (l.in.w_hr.defined()) {
          projection.multiply(rows, row_of<T>(h, here + i), l.H, row_of<T>(y, here + i), l.R, false, room.data());
        }
      });
    }
  });
  // Each sequence's last state: at step 0, or where it ends.
  const auto last_of = [&](const Array& from, const Array& to) {
    for (int64_t t = l.reverse ? 0 : steps.T - 1; t >= 0; --t) {
      const int64_t i = l.reverse ? 0 : steps.size(t + 1), n = steps.size(t) - i;
      if (n > 0) to.narrow(0, i, n).copy_(from.narrow(0, steps.at(t) + i, n));
    }
  };
  last_of(y, out.h_n);
  if (lstm) last_of(out.cells, out.c_n);
}

/// The h that each step began with, a row for each of x's.
template <class T>
Array states_before(const Layer& l, const Array& y, const Array& h0) {
  const Array all = empty({l.steps.rows, l.R}, y.dtype());
  const auto bytes = static_cast<std::size_t>(l.R) * sizeof(T);
  for (int64_t t = 0; t < l.steps.T; ++t) {
    l.runs(t, 0, l.steps.size(t), [&](int64_t i, int64_t until, int64_t row) {
      const T* const from = row >= 0 ? row_of<T>(y, row) : row_of<T>(h0, i);
      const auto all_bytes = static_cast<std::size_t>(until - i) * bytes;
      T* const to = row_of<T>(all, l.steps.at(t) + i);
      if (from != nullptr)
        std::memcpy(to, from, all_bytes);
      else
        std::memset(to, 0, all_bytes);
    });
  }
  return all;
}

template <class T>
std::array<Array, 8> backward(const Layer& l, const RecurrentResult& out, const Array& dy, const Array& dh_n,
                              const Array& dc_n, const std::array<bool, 8>& wanted) {
  const Steps& steps = l.steps;
  const DType dtype = l.in.x.dtype();
  const bool gru = l.kind == RecurrentKind::kGru, lstm = l.kind == RecurrentKind::kLstm,
             projected = l.in.w_hr.defined();
  const Array h0 = l.in.h0.defined() ? l.in.h0.contiguous() : Array();
  const Array c0 = l.in.c0.defined() ? l.in.c0.contiguous() : Array();
  const Array y = as_rows(out.y, steps.rows), gates = is_simple(l.kind) ? y : out.gates;
  const Array above = dy.defined() ? as_rows(dy, steps.rows) : Array();
  const Array cells = lstm ? out.cells : Array();
  const Array dgates = l.empty_gates(dtype), dprojected = projected ? empty({steps.rows, l.R}, dtype) : Array();
  // The gradients on their way to earlier steps: at last those of the initial states.
  const auto start = [&](const Array& from, int64_t width) {
    return from.defined() ? from.clone() : zeros({steps.N, width}, dtype);
  };
  const Array dh = start(dh_n, l.R), dc = lstm ? start(dc_n, l.H) : Array();
  const GemmStrips<T> by_h(l.in.w_hh), by_raw = projected ? GemmStrips<T>(l.in.w_hr) : GemmStrips<T>();
  const kernels::CellKernels<T> cell = kernels::cell_kernels(l.kind, T());
  const Array& states = lstm ? cells : y;
  const Array& initial = lstm ? c0 : h0;
  l.for_sequences([&](int64_t begin, int64_t end) {
    const Workspace<T> room(std::max(by_h.room(end - begin), by_raw.room(end - begin)));
    const Workspace<T> draw(projected ? (end - begin) * l.H : 0);
    for (int64_t s = 0; s < steps.T; ++s) {
      const int64_t t = l.reverse ? s : steps.T - 1 - s, here = steps.at(t), last = std::min(end, steps.size(t));
      l.runs(t, begin, last, [&](int64_t i, int64_t until, int64_t row) {
        const int64_t rows = until - i;
        const T* from_above = row_of<T>(above, here + i);
        T* carried = row_of<T>(dh, i);
        if (projected) {
          T* const sums = row_of<T>(dprojected, here + i);
          for (int64_t p = 0; p < rows * l.R; ++p)
            sums[p] = carried[p] + (from_above == nullptr ? T(0) : from_above[p]);
          by_raw.multiply(rows, sums, l.R, draw.data(), l.H, false, room.data());
          from_above = draw.data();
        }
        T* const to = row_of<T>(dgates, here + i);
        cell.gradient({rows, l.H, row_of<T>(gates, here + i), stride_of(gates),
                       row >= 0 ? row_of<T>(states, row) : row_of<T>(initial, i), l.H, row_of<T>(cells, here + i), l.H,
                       from_above, l.H, projected ? nullptr : carried, l.H, row_of<T>(dc, i), l.H, to,
                       stride_of(dgates)});
        by_h.multiply(rows, to, stride_of(dgates), carried, l.R, gru, room.data());
      });
    }
  });

  std::array<Array, 8> gradients;
  if (wanted[0]) {
    gradients[0] = empty(l.in.x.shape(), dtype);
    const Array dx = gradients[0].view({steps.rows, l.I});
    for (int64_t i = 0; i < l.parts(); ++i) {
      gemm(dx, dgates.narrow(1, l.part_column(i), l.part_rows(i)), l.in.w_ih.narrow(0, l.part_row(i), l.part_rows(i)),
           1, i == 0 ? 0 : 1);
    }
  }
  if (wanted[1]) {
    gradients[1] = empty({l.G * l.H, l.I}, dtype);
    const Array x = as_rows(l.in.x, steps.rows);
    for (int64_t i = 0; i < l.parts(); ++i) {
      gemm(gradients[1].narrow(0, l.part_row(i), l.part_rows(i)),
           dgates.narrow(1, l.part_column(i), l.part_rows(i)).t(), x);
    }
  }
  if (wanted[2]) {
    gradients[2] = empty({l.G * l.H, l.R}, dtype);
    gemm(gradients[2], dgates.narrow(1, 0, l.G * l.H).t(), states_before<T>(l, y, h0));
  }
  if (wanted[3] || wanted[4]) {
    const Array sums = sum(dgates, 0);
    if (wanted[3]) {
      gradients[3] = empty({l.G * l.H}, dtype);
      for (int64_t i = 0; i < l.parts(); ++i) {
        gradients[3].narrow(0, l.part_row(i), l.part_rows(i)).copy_(sums.narrow(0, l.part_column(i), l.part_rows(i)));
      }
    }
    if (wanted[4]) gradients[4] = sums.narrow(0, 0, l.G * l.H).clone();
  }
  if (wanted[5]) gradients[5] = dh;
  if (wanted[6]) gradients[6] = dc;
  if (wanted[7]) {
    gradients[7] = empty({l.R, l.H}, dtype);
    gemm(gradients[7], dprojected.t(), out.raw);
  }
  return gradients;
}

}  // namespace

std::vector<int64_t> steps_of(const char* op, const Array& batch_sizes, IntArrayRef packed) {
  expect_defined(op, "batch_sizes", batch_sizes);
  if (batch_sizes.dtype() != kInt64 || batch_sizes.dim() != 1)
    fail<ValueError>("{}: batch_sizes must be int64 [T]: {} {}", op, batch_sizes.dtype(), batch_sizes.shape());
  expect_form(!packed.empty(), op, "packed data", "[sum of batch_sizes, ..]", packed);
  std::vector<int64_t> sizes = whole_numbers(batch_sizes);
  int64_t rows = 0;
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    if (sizes[t] < 1 || (t > 0 && sizes[t] > sizes[t - 1])) {
      fail<ValueError>("{}: batch_sizes must be above 0 and not grow: {} at step {}; pack_padded_sequence makes them",
                       op, sizes[t], t);
    }
    if (__builtin_add_overflow(rows, sizes[t], &rows)) rows = std::numeric_limits<int64_t>::max();
  }
  if (rows != packed[0])
    fail<ValueError>("{}: batch_sizes must add up to the rows of the packed data: {} for {}", op, rows, packed);
  return sizes;
}

RecurrentResult recurrent_forward(const char* op, RecurrentKind kind, const RecurrentInputs& inputs) {
  const Layer l(op, kind, inputs);
  const Steps& steps = l.steps;
  const DType dtype = inputs.x.dtype();
  RecurrentResult out;
  Shape shape = inputs.x.shape();
  shape[shape.size() - 1] = l.R;
  out.y = empty(shape, dtype);
  out.h_n = empty({steps.N, l.R}, dtype);
  if (!is_simple(kind)) out.gates = empty({steps.rows, l.wide}, dtype);
  if (kind == RecurrentKind::kLstm) {
    out.c_n = empty({steps.N, l.H}, dtype);
    out.cells = empty({steps.rows, l.H}, dtype);
    if (inputs.w_hr.defined()) out.raw = empty({steps.rows, l.H}, dtype);
  }
  if (steps.T == 0) fail<ShapeError>("{}: input must have at least one step: {}", op, inputs.x.shape());
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) forward<T>(l, out);
  });
  return out;
}

std::array<Array, 8> recurrent_backward(const char* op, RecurrentKind kind, const RecurrentInputs& inputs,
                                        const RecurrentResult& result, const Array& dy, const Array& dh_n,
                                        const Array& dc_n, const std::array<bool, 8>& wanted) {
  const Layer l(op, kind, inputs);
  std::array<Array, 8> gradients;
  dispatch(inputs.x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) gradients = backward<T>(l, result, dy, dh_n, dc_n, wanted);
  });
  return gradients;
}

}  // namespace gradus::core
