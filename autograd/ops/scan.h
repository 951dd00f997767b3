// Running sums and products, products, orders of elements.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor cumsum(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor cumprod(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor& cumsum_(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor& cumprod_(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
/// (the largest so far, its index: of equal ones the last); NaN wins.
GRADUS_API std::tuple<Tensor, Tensor> cummax(Operand x, std::int64_t dim);
GRADUS_API std::tuple<Tensor, Tensor> cummin(Operand x, std::int64_t dim);
/// log(exp(x[0]) + .. + exp(x[k])) without overflow.
GRADUS_API Tensor logcumsumexp(Operand x, std::int64_t dim);
GRADUS_API Tensor prod(Operand x, std::optional<DType> dtype = {});
GRADUS_API Tensor prod(Operand x, std::int64_t dim, bool keepdim = false, std::optional<DType> dtype = {});
/// y[k] = b[k] + a[k] y[k - 1], or y[k + 1] when reversed; before the first there is a 0.
GRADUS_API Tensor linear_recurrence(Operand a, Operand b, std::int64_t dim, bool reverse = false);
/// (values, indices); equal elements keep their order whether or not `stable` asks for it, NaN is greater than all.
GRADUS_API std::tuple<Tensor, Tensor> sort(Operand x, std::int64_t dim = -1, bool descending = false);
GRADUS_API std::tuple<Tensor, Tensor> sort(Operand x, ::std::optional<bool> stable, std::int64_t dim = -1,
                                           bool descending = false);
GRADUS_API Tensor argsort(Operand x, std::int64_t dim = -1, bool descending = false);
/// The k largest (smallest) along a dimension, and where they are; in order, `sorted` or not.
GRADUS_API std::tuple<Tensor, Tensor> topk(Operand x, std::int64_t k, std::int64_t dim = -1, bool largest = true,
                                           bool sorted = true);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ScanMembers {
 public:
  Tensor cumsum(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumsum({self(), at}, dim, dtype);
  }
  Tensor cumprod(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumprod({self(), at}, dim, dtype);
  }
  Tensor& cumsum_(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumsum_({self(), at}, dim, dtype);
  }
  Tensor& cumprod_(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumprod_({self(), at}, dim, dtype);
  }
  std::tuple<Tensor, Tensor> cummax(std::int64_t dim, Location at = Location::here()) const {
    return gradus::cummax({self(), at}, dim);
  }
  std::tuple<Tensor, Tensor> cummin(std::int64_t dim, Location at = Location::here()) const {
    return gradus::cummin({self(), at}, dim);
  }
  Tensor logcumsumexp(std::int64_t dim, Location at = Location::here()) const {
    return gradus::logcumsumexp({self(), at}, dim);
  }
  Tensor prod(std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::prod({self(), at}, dtype);
  }
  Tensor prod(std::int64_t dim, bool keepdim = false, std::optional<DType> dtype = {},
              Location at = Location::here()) const {
    return gradus::prod({self(), at}, dim, keepdim, dtype);
  }
  std::tuple<Tensor, Tensor> sort(std::int64_t dim = -1, bool descending = false,
                                  Location at = Location::here()) const {
    return gradus::sort({self(), at}, dim, descending);
  }
  std::tuple<Tensor, Tensor> sort(::std::optional<bool> stable, std::int64_t dim = -1, bool descending = false,
                                  Location at = Location::here()) const {
    return gradus::sort({self(), at}, stable, dim, descending);
  }
  Tensor argsort(std::int64_t dim = -1, bool descending = false, Location at = Location::here()) const {
    return gradus::argsort({self(), at}, dim, descending);
  }
  std::tuple<Tensor, Tensor> topk(std::int64_t k, std::int64_t dim = -1, bool largest = true, bool sorted = true,
                                  Location at = Location::here()) const {
    return gradus::topk({self(), at}, k, dim, largest, sorted);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
