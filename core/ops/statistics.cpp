// Order statistics and counts; running extremes.
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../threads/parallel.h"
#include "scan.h"

namespace gradus::core {
namespace {

/// Elements of one block of a parallel loop.
constexpr std::int64_t kBlock = 16384;

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) return x != x;
  return false;
}
/// NaN above all.
template <class T>
bool before(T a, T b) {
  return is_nan(b) ? !is_nan(a) : a < b;
}

/// A dimension as rows.
struct Rows {
  Rows(const char* op, const Array& array, std::int64_t d) : x(array) {
    expect_defined(op, "the operand", x);
    dim = wrap_dim(d, x.dim(), op);
    const bool last = x.dim() == 0 || dim == x.dim() - 1;
    data = (last ? x : x.movedim(dim, -1)).contiguous();
    n = x.dim() == 0 ? 1 : x.shape()[dim];
    if (x.dim() != 0) over.push_back(dim);
    result = reduced_shape(x.shape(), over, false);
    count = numel_of(result);
  }
  Array kept(const Array& y, bool keepdim) const { return keepdim ? y.view(reduced_shape(x.shape(), over, true)) : y; }
  std::int64_t grain() const { return std::max<std::int64_t>(kBlock / std::max<std::int64_t>(n, 1), 1); }
  Array x, data;
  int dim = 0;
  Dims over;
  Shape result;
  std::int64_t n = 1, count = 1;
};

/// One element of each row: choose(row, n, scratch of n elements) is its place.
template <class Choose>
std::tuple<Array, Array> chosen(const char* op, const Rows& rows, bool keepdim, const Choose& choose) {
  if (rows.n == 0) {
    fail<IndexError>("{}: there must be at least one element to choose from: dimension {} of {}", op, rows.dim,
                     rows.x.shape());
  }
  const Array values = empty(rows.result, rows.x.dtype()), places = empty(rows.result, kInt64);
  dispatch(rows.x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = rows.data.template data_ptr<T>();
    T* const to = values.template data_ptr<T>();
    std::int64_t* const at = places.data_ptr<std::int64_t>();
    parallel_for(rows.count, rows.grain(), [&](std::int64_t begin, std::int64_t end) {
      const Array scratch = empty({rows.n}, rows.x.dtype());
      for (std::int64_t r = begin; r < end; ++r) {
        const T* const row = from + r * rows.n;
        at[r] = choose(row, rows.n, scratch.data_ptr<T>());
        to[r] = row[at[r]];
      }
    });
  });
  return {rows.kept(values, keepdim), rows.kept(places, keepdim)};
}
template <class T>
std::int64_t first_nan(const T* row, std::int64_t n) {
  return std::find_if(row, row + n, is_nan<T>) - row;
}
/// The place of the k-th smallest of a row's numbers, k from 0; of the first NaN where there are no more than k.
template <class T>
std::int64_t kth_of(const T* row, std::int64_t n, T* scratch, std::int64_t k) {
  T* const end = std::copy_if(row, row + n, scratch, [](T value) { return !is_nan(value); });
  if (k >= end - scratch) return first_nan(row, n);
  std::nth_element(scratch, scratch + k, end);
  return std::find(row, row + n, scratch[k]) - row;
}

}  // namespace

std::tuple<Array, Array> kthvalue(const Array& x, std::int64_t k, std::int64_t dim, bool keepdim) {
  const Rows rows("kthvalue", x, dim);
  if (k < 1 || k > rows.n) {
    fail<IndexError>("kthvalue: k must be in [1, {}], the size of dimension {}: {}", rows.n, rows.dim, k);
  }
  return chosen("kthvalue", rows, keepdim,
                [k](const auto* row, std::int64_t n, auto* scratch) { return kth_of(row, n, scratch, k - 1); });
}

std::tuple<Array, Array> median(const Array& x, std::int64_t dim, bool keepdim, bool ignore_nan) {
  const Rows rows(ignore_nan ? "nanmedian" : "median", x, dim);
  return chosen(ignore_nan ? "nanmedian" : "median", rows, keepdim,
                [ignore_nan](const auto* row, std::int64_t n, auto* scratch) {
                  using T = std::remove_pointer_t<decltype(scratch)>;
                  const std::int64_t nans = std::count_if(row, row + n, is_nan<T>);
                  if (nans > 0 && (!ignore_nan || nans == n)) return first_nan(row, n);
                  return kth_of(row, n, scratch, (n - nans - 1) / 2);
                });
}

std::tuple<Array, Array> mode(const Array& x, std::int64_t dim, bool keepdim) {
  const Rows rows("mode", x, dim);
  return chosen("mode", rows, keepdim, [](const auto* row, std::int64_t n, auto* scratch) {
    using T = std::remove_pointer_t<decltype(scratch)>;
    std::copy(row, row + n, scratch);
    std::sort(scratch, scratch + n, before<T>);
    std::int64_t best = 0, most = 0;
    for (std::int64_t i = 0, run = 0; i < n; i += run) {
      run = 1;
      while (i + run < n && scratch[i + run] == scratch[i]) ++run;
      if (run > most) {
        most = run;
        best = i;
      }
    }
    const T value = scratch[best];
    std::int64_t at = n - 1;
    while (at > 0 && !(row[at] == value || (is_nan(value) && is_nan(row[at])))) --at;
    return at;
  });
}

Array histc(const Array& x, std::int64_t bins, double low, double high) {
  const Array from = x.contiguous(), result = zeros({bins}, x.dtype());
  const std::int64_t n = from.numel(), block = 1 << 18, blocks = (n + block - 1) / block;
  const Array counts = zeros({std::max<std::int64_t>(blocks, 1), bins}, kInt64);
  const auto count = [&](auto tag, auto number) {
    using T = decltype(tag);
    using C = decltype(number);
    const T* const values = from.data_ptr<T>();
    // Where a product would overflow, a power of two makes all of them small enough; otherwise it is 1.
    const C bin_count = static_cast<C>(bins),
            scale = std::isfinite((static_cast<C>(high) - static_cast<C>(low)) * bin_count) ? C{1} : C{0x1p-70};
    const C least = static_cast<C>(low) * scale, most = static_cast<C>(high) * scale, width = most - least;
    parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        std::int64_t* const to = counts.data_ptr<std::int64_t>() + b * bins;
        for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i) {
          const C value = static_cast<C>(values[i]) * scale;
          if (!(value >= least && value <= most)) continue;  // infinite ones and NaN, too
          const auto bin = width > 0 ? static_cast<std::int64_t>((value - least) * bin_count / width) : 0;
          ++to[std::min(bin, bins - 1)];
        }
      }
    });
    T* const y = result.data_ptr<T>();
    for (std::int64_t b = 0; b < blocks; ++b) {
      for (std::int64_t i = 0; i < bins; ++i) y[i] += static_cast<T>(counts.data_ptr<std::int64_t>()[b * bins + i]);
    }
  };
  // In float32, as PyTorch, where that holds the bounds and tells them apart.
  const double largest = static_cast<double>(std::numeric_limits<float>::max());
  const auto is_float = [largest](double v) { return std::fabs(v) <= largest; };
  if (x.dtype() == kFloat64) {
    count(double(), double());
  } else if (is_float(low) && is_float(high) && static_cast<float>(low) < static_cast<float>(high)) {
    count(float(), float());
  } else {
    count(float(), double());
  }
  return result;
}

Array bincount(const Array& x, const Array& weights, std::int64_t minlength) {
  const Array from = x.to(kInt64).contiguous();
  const std::int64_t n = from.numel();
  const std::int64_t* const values = from.data_ptr<std::int64_t>();
  std::int64_t size = minlength;
  for (std::int64_t i = 0; i < n; ++i) {
    if (values[i] < 0) fail<ValueError>("bincount: the numbers must not be negative: {}", values[i]);
    if (values[i] == std::numeric_limits<std::int64_t>::max()) {
      fail<ValueError>("bincount: there must be a place for each number up to the largest: {}", values[i]);
    }
    size = std::max(size, values[i] + 1);
  }
  if (!weights.defined()) {
    const Array result = zeros({size}, kInt64);
    std::int64_t* const y = result.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) ++y[values[i]];
    return result;
  }
  const Array heavy = weights.to(kFloat64).contiguous(), result = zeros({size}, kFloat64);
  double* const y = result.data_ptr<double>();
  for (std::int64_t i = 0; i < n; ++i) y[values[i]] += heavy.data_ptr<double>()[i];
  return result.to(weights.dtype() == kFloat32 ? kFloat32 : kFloat64);
}

Array searchsorted(const Array& sequence, const Array& x, bool right, const Array& sorter) {
  const Array edges = sequence.contiguous(), from = x.contiguous(),
              order = sorter.defined() ? sorter.contiguous() : sorter;
  const Array result = empty(x.shape(), kInt64);
  const std::int64_t n = edges.dim() == 0 ? 1 : edges.shape()[edges.dim() - 1];
  const std::int64_t m = edges.dim() <= 1 || x.dim() == 0 ? x.numel() : x.shape()[x.dim() - 1];
  dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *const values = from.template data_ptr<T>(), *const all = edges.template data_ptr<T>();
    const std::int64_t* const orders = order.defined() ? order.data_ptr<std::int64_t>() : nullptr;
    std::int64_t* const y = result.data_ptr<std::int64_t>();
    parallel_for(x.numel(), kBlock / 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / m * n;
        const T value = values[i];
        std::int64_t low = 0, count = n;
        while (count > 0) {
          const std::int64_t half = count / 2, at = low + half;
          const T middle = all[row + (orders != nullptr ? orders[row + at] : at)];
          const bool behind = right ? !(middle > value) : !(middle >= value);  // NaN goes behind all
          low = behind ? at + 1 : low;
          count = behind ? count - half - 1 : half;
        }
        y[i] = low;
      }
    });
  });
  return result;
}

std::tuple<Array, Array> running_extremum(const Array& x, std::int64_t dim, bool largest) {
  const Rows rows(largest ? "cummax" : "cummin", x, dim);
  const Array values = empty(rows.data.shape(), x.dtype()), places = empty(rows.data.shape(), kInt64);
  dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(rows.n == 0 ? 0 : rows.count, rows.grain(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* const from = rows.data.template data_ptr<T>() + r * rows.n;
        T* const to = values.template data_ptr<T>() + r * rows.n;
        std::int64_t* const at = places.data_ptr<std::int64_t>() + r * rows.n;
        T best = from[0];
        std::int64_t place = 0;
        for (std::int64_t i = 0; i < rows.n; ++i) {
          const T value = from[i];
          if (is_nan(value) || (!is_nan(best) && (largest ? value >= best : value <= best))) {
            best = value;
            place = i;
          }
          to[i] = best;
          at[i] = place;
        }
      }
    });
  });
  if (x.dim() == 0 || rows.dim == x.dim() - 1) return {values, places};
  return {values.movedim(-1, rows.dim).contiguous(), places.movedim(-1, rows.dim).contiguous()};
}

Array logcumsumexp(const Array& x, std::int64_t dim) {
  const Rows rows("logcumsumexp", x, dim);
  expect_floating("logcumsumexp", "the operand", x.dtype());
  const Array y = empty(rows.data.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      parallel_for(rows.n == 0 ? 0 : rows.count, std::max<std::int64_t>(rows.grain() / 8, 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t r = begin; r < end; ++r) {
                       const T* const from = rows.data.template data_ptr<T>() + r * rows.n;
                       T* const to = y.data_ptr<T>() + r * rows.n;
                       // exp(largest) sum is what has been added up
                       double most = -std::numeric_limits<double>::infinity(), sum = 0;
                       for (std::int64_t i = 0; i < rows.n; ++i) {
                         const auto value = static_cast<double>(from[i]);
                         if (value > most) {
                           sum = sum * std::exp(most - value) + 1;
                           most = value;
                         } else if (value == most) {
                           sum += 1;  // infinite ones, too
                         } else {
                           sum += std::exp(value - most);  // NaN stays
                         }
                         to[i] = static_cast<T>(std::isinf(most) && sum == sum ? most : most + std::log(sum));
                       }
                     }
                   });
    }
  });
  return x.dim() == 0 || rows.dim == x.dim() - 1 ? y : y.movedim(-1, rows.dim).contiguous();
}

}  // namespace gradus::core
