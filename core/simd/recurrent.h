// One step of a recurrent cell behind its matrix products: the nonlinearities and what follows from them, and their
// gradients, in one pass over the gates. Internal to core.
#pragma once

#include <cstdint>

#include "../base/recurrent_kind.h"

namespace gradus::core::kernels {

/// `rows` sequences of `units` numbers each. The gates of a row stand side by side, `units` numbers each: those of an LSTM
/// i f g o, of a GRU r z m n, m being what h contributes to n; a simple cell has one, which is h itself. Before the step they
/// are sums of products, after it the gates' values.
template <class T>
struct CellStep {
  std::int64_t rows, units;
  T* gates;
  std::int64_t gates_row;
  const T* state;  ///< before the step: c of an LSTM, h of a GRU; null: 0
  std::int64_t state_row;
  const T* bias;  ///< of a GRU's m, or null
  T* c;           ///< of an LSTM
  std::int64_t c_row;
  T* h;
  std::int64_t h_row;
};

/// The gradients of a step. Of a simple cell `gates` is h.
template <class T>
struct CellGradient {
  std::int64_t rows, units;
  const T* gates;
  std::int64_t gates_row;
  const T* state;  ///< as in the step
  std::int64_t state_row;
  const T* c;
  std::int64_t c_row;
  const T* above;  ///< the gradient of h that comes from what reads it, or null
  std::int64_t above_row;
  T* dh;  ///< the one from the step after, or null; a GRU leaves in it what reaches the h before past the products
  std::int64_t dh_row;
  T* dc;  ///< of an LSTM's c: in, from the step after; out, for the step before
  std::int64_t dc_row;
  T* dgates;  ///< of the sums of products
  std::int64_t dgates_row;
};

template <class T>
struct CellKernels {
  void (*step)(const CellStep<T>&);
  void (*gradient)(const CellGradient<T>&);
};

CellKernels<float> cell_kernels(RecurrentKind kind, float);
CellKernels<double> cell_kernels(RecurrentKind kind, double);

}  // namespace gradus::core::kernels
