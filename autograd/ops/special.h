// Special functions, and the names that torch::special has for them.
#pragma once

#include <cstdint>
#include <optional>

#include "../../core/base/export.h"
#include "../tensor/operand.h"
#include "pointwise.h"
#include "reduce.h"

namespace gradus {

GRADUS_API Tensor erfinv(Operand x);  ///< the inverse of erf; infinite at -1 and 1, NaN beyond
GRADUS_API Tensor& erfinv_(Operand x);
GRADUS_API Tensor i0(Operand x);  ///< the modified Bessel function of the first kind and order 0
GRADUS_API Tensor& i0_(Operand x);
GRADUS_API Tensor sinc(Operand x);  ///< sin(pi x) / (pi x), 1 at 0
GRADUS_API Tensor& sinc_(Operand x);
/// log(x / (1 - x)); with eps, of x held within [eps, 1 - eps], where alone the gradient is not 0.
GRADUS_API Tensor logit(Operand x, std::optional<double> eps = {});
GRADUS_API Tensor& logit_(Operand x, std::optional<double> eps = {});
GRADUS_API Tensor& polygamma_(Operand x, std::int64_t n);

namespace special {

using gradus::digamma;
using gradus::erf;
using gradus::erfc;
using gradus::erfinv;
using gradus::exp2;
using gradus::expm1;
using gradus::i0;
using gradus::log1p;
using gradus::log_softmax;
using gradus::logit;
using gradus::logsumexp;
using gradus::polygamma;
using gradus::round;
using gradus::sinc;
using gradus::softmax;
using gradus::xlogy;
GRADUS_API Tensor expit(Operand x);               ///< sigmoid
GRADUS_API Tensor gammaln(Operand x);             ///< lgamma
GRADUS_API Tensor psi(Operand x);                 ///< digamma
GRADUS_API Tensor i1(Operand x);                  ///< the derivative of i0
GRADUS_API Tensor entr(Operand x);                ///< -x log(x), 0 at 0, -infinity below
GRADUS_API Tensor ndtr(Operand x);                ///< the normal law's distribution function
GRADUS_API Tensor xlog1py(Operand a, Operand b);  ///< a log(1 + b), 0 where a is 0 and b is not NaN
GRADUS_API Tensor xlog1py(Operand a, const Scalar& b);
GRADUS_API Tensor xlog1py(const Scalar& a, Operand b);

}  // namespace special

GRADUS_API Tensor special_entr(Operand x);
GRADUS_API Tensor special_erf(Operand x);
GRADUS_API Tensor special_erfc(Operand x);
GRADUS_API Tensor special_erfinv(Operand x);
GRADUS_API Tensor special_exp2(Operand x);
GRADUS_API Tensor special_expit(Operand x);
GRADUS_API Tensor special_expm1(Operand x);
GRADUS_API Tensor special_gammaln(Operand x);
GRADUS_API Tensor special_i0(Operand x);
GRADUS_API Tensor special_i1(Operand x);
GRADUS_API Tensor special_log1p(Operand x);
GRADUS_API Tensor special_ndtr(Operand x);
GRADUS_API Tensor special_psi(Operand x);
GRADUS_API Tensor special_round(Operand x, std::int64_t decimals = 0);
GRADUS_API Tensor special_sinc(Operand x);
GRADUS_API Tensor special_log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor special_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor special_logit(Operand x, std::optional<double> eps = {});
GRADUS_API Tensor special_logsumexp(Operand x, IntArrayRef dim, bool keepdim = false);
GRADUS_API Tensor special_polygamma(std::int64_t n, Operand x);
GRADUS_API Tensor special_xlog1py(Operand a, Operand b);
GRADUS_API Tensor special_xlogy(Operand a, Operand b);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class SpecialMembers {
 public:
  Tensor erfinv(Location at = Location::here()) const { return gradus::erfinv({self(), at}); }
  Tensor& erfinv_(Location at = Location::here()) const { return gradus::erfinv_({self(), at}); }
  Tensor i0(Location at = Location::here()) const { return gradus::i0({self(), at}); }
  Tensor& i0_(Location at = Location::here()) const { return gradus::i0_({self(), at}); }
  Tensor sinc(Location at = Location::here()) const { return gradus::sinc({self(), at}); }
  Tensor& sinc_(Location at = Location::here()) const { return gradus::sinc_({self(), at}); }
  Tensor logit(std::optional<double> eps = {}, Location at = Location::here()) const {
    return gradus::logit({self(), at}, eps);
  }
  Tensor& logit_(std::optional<double> eps = {}, Location at = Location::here()) const {
    return gradus::logit_({self(), at}, eps);
  }
  Tensor polygamma(std::int64_t n, Location at = Location::here()) const { return gradus::polygamma(n, {self(), at}); }
  Tensor& polygamma_(std::int64_t n, Location at = Location::here()) const {
    return gradus::polygamma_({self(), at}, n);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
