// Every operation on tensors, as a free function. Names, arguments, defaults and meanings are PyTorch's; each notes its
// formula where it is not its name. Operands broadcast and promote where PyTorch's do. Defined, with their gradients,
// in the file of their family: pointwise.cpp, activation.cpp, reduce.cpp, scan.cpp, matmul.cpp, views.cpp, combine.cpp,
// inplace.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

// Pointwise, one operand (pointwise.cpp).
GRADUS_API Tensor neg(Operand x);
GRADUS_API Tensor abs(Operand x);
GRADUS_API Tensor sign(Operand x);
GRADUS_API Tensor square(Operand x);
GRADUS_API Tensor relu(Operand x);  ///< max(x, 0); NaN stays
GRADUS_API Tensor floor(Operand x);
GRADUS_API Tensor ceil(Operand x);
GRADUS_API Tensor round(Operand x);  ///< half to even
GRADUS_API Tensor trunc(Operand x);
GRADUS_API Tensor sqrt(Operand x);
GRADUS_API Tensor rsqrt(Operand x);  ///< 1 / sqrt(x)
GRADUS_API Tensor reciprocal(Operand x);
GRADUS_API Tensor exp(Operand x);
GRADUS_API Tensor exp2(Operand x);
GRADUS_API Tensor expm1(Operand x);
GRADUS_API Tensor log(Operand x);
GRADUS_API Tensor log1p(Operand x);
GRADUS_API Tensor log2(Operand x);
GRADUS_API Tensor log10(Operand x);
GRADUS_API Tensor sin(Operand x);
GRADUS_API Tensor cos(Operand x);
GRADUS_API Tensor tan(Operand x);
GRADUS_API Tensor asin(Operand x);
GRADUS_API Tensor acos(Operand x);
GRADUS_API Tensor atan(Operand x);
GRADUS_API Tensor sinh(Operand x);
GRADUS_API Tensor cosh(Operand x);
GRADUS_API Tensor tanh(Operand x);
GRADUS_API Tensor sigmoid(Operand x);  ///< 1 / (1 + exp(-x))
GRADUS_API Tensor erf(Operand x);
GRADUS_API Tensor isnan(Operand x);
GRADUS_API Tensor isinf(Operand x);
GRADUS_API Tensor isfinite(Operand x);
GRADUS_API Tensor logical_not(Operand x);

// Activations (activation.cpp); relu, sigmoid and tanh are above.
/// x Phi(x), Phi the distribution function of the normal law; "tanh": its approximation
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. ValueError for any other word than "none" and "tanh".
GRADUS_API Tensor gelu(Operand x, std::string_view approximate = "none");
GRADUS_API Tensor silu(Operand x);  ///< x sigmoid(x)
/// log(1 + exp(beta x)) / beta; x itself where beta x > threshold. ValueError unless beta > 0.
GRADUS_API Tensor softplus(Operand x, const Scalar& beta = 1, const Scalar& threshold = 20);
GRADUS_API Tensor leaky_relu(Operand x, const Scalar& negative_slope = 0.01);  ///< x > 0 ? x : negative_slope x
GRADUS_API Tensor elu(Operand x, const Scalar& alpha = 1);                     ///< x > 0 ? x : alpha (exp(x) - 1)
GRADUS_API Tensor tanh_backward(Operand dy, Operand y);                        ///< dy (1 - y^2), y = tanh(x)
GRADUS_API Tensor sigmoid_backward(Operand dy, Operand y);                     ///< dy y (1 - y), y = sigmoid(x)

// Pointwise, two operands or a number.
GRADUS_API Tensor add(Operand a, Operand b, const Scalar& alpha = 1);  ///< a + alpha b
GRADUS_API Tensor add(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor sub(Operand a, Operand b, const Scalar& alpha = 1);  ///< a - alpha b
GRADUS_API Tensor sub(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor rsub(Operand a, const Scalar& b);  ///< b - a
GRADUS_API Tensor mul(Operand a, Operand b);
GRADUS_API Tensor mul(Operand a, const Scalar& b);
GRADUS_API Tensor div(Operand a, Operand b);
GRADUS_API Tensor div(Operand a, const Scalar& b);
GRADUS_API Tensor pow(Operand a, Operand b);
GRADUS_API Tensor pow(Operand a, const Scalar& b);
GRADUS_API Tensor pow(const Scalar& a, Operand b);
GRADUS_API Tensor maximum(Operand a, Operand b);  ///< NaN wins; a tie gives each half of the gradient
GRADUS_API Tensor minimum(Operand a, Operand b);
GRADUS_API Tensor fmod(Operand a, Operand b);       ///< sign of a
GRADUS_API Tensor remainder(Operand a, Operand b);  ///< sign of b
GRADUS_API Tensor atan2(Operand a, Operand b);
GRADUS_API Tensor eq(Operand a, Operand b);
GRADUS_API Tensor ne(Operand a, Operand b);
GRADUS_API Tensor lt(Operand a, Operand b);
GRADUS_API Tensor le(Operand a, Operand b);
GRADUS_API Tensor gt(Operand a, Operand b);
GRADUS_API Tensor ge(Operand a, Operand b);
GRADUS_API Tensor eq(Operand a, const Scalar& b);
GRADUS_API Tensor ne(Operand a, const Scalar& b);
GRADUS_API Tensor lt(Operand a, const Scalar& b);
GRADUS_API Tensor le(Operand a, const Scalar& b);
GRADUS_API Tensor gt(Operand a, const Scalar& b);
GRADUS_API Tensor ge(Operand a, const Scalar& b);
GRADUS_API Tensor logical_and(Operand a, Operand b);
GRADUS_API Tensor logical_or(Operand a, Operand b);
GRADUS_API Tensor logical_xor(Operand a, Operand b);
GRADUS_API Tensor where(Operand condition, Operand a, Operand b);  ///< condition (Bool) ? a : b
GRADUS_API Tensor where(Operand condition, Operand a, const Scalar& b);
GRADUS_API Tensor where(Operand condition, const Scalar& a, Operand b);
/// x held within [low, high]; the gradient passes where low <= x <= high.
GRADUS_API Tensor clamp(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high = {});
GRADUS_API Tensor clamp_min(Operand x, const Scalar& low);
GRADUS_API Tensor clamp_max(Operand x, const Scalar& high);
/// value where the mask (Bool, broadcast) is true, else x.
GRADUS_API Tensor masked_fill(Operand x, Operand mask, const Scalar& value);

// Reductions (reduce.cpp). No dimensions: all.
GRADUS_API Tensor sum(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
GRADUS_API Tensor mean(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
/// Variance with divisor count - 1 (unbiased) or count.
GRADUS_API Tensor var(Operand x);
GRADUS_API Tensor var(Operand x, IntArrayRef dim, bool unbiased = true, bool keepdim = false);
GRADUS_API Tensor std(Operand x);  ///< its gradient at 0 is 0, its second derivative there NaN
GRADUS_API Tensor std(Operand x, IntArrayRef dim, bool unbiased = true, bool keepdim = false);
GRADUS_API Tensor max(Operand x);  ///< of equal ones each takes the same share of the gradient
GRADUS_API Tensor min(Operand x);
GRADUS_API std::tuple<Tensor, Tensor> max(Operand x, std::int64_t dim,
                                          bool keepdim = false);  ///< of equal ones the first
GRADUS_API std::tuple<Tensor, Tensor> min(Operand x, std::int64_t dim, bool keepdim = false);
GRADUS_API Tensor amax(Operand x, IntArrayRef dim = {}, bool keepdim = false);
GRADUS_API Tensor amin(Operand x, IntArrayRef dim = {}, bool keepdim = false);
GRADUS_API Tensor argmax(Operand x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
GRADUS_API Tensor argmin(Operand x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
GRADUS_API Tensor all(Operand x);
GRADUS_API Tensor any(Operand x);
GRADUS_API Tensor all(Operand x, std::int64_t dim, bool keepdim = false);
GRADUS_API Tensor any(Operand x, std::int64_t dim, bool keepdim = false);
/// (sum |x|^p)^(1/p); the gradient at 0 is 0, the second derivative there NaN.
GRADUS_API Tensor norm(Operand x, const Scalar& p = 2);
GRADUS_API Tensor norm(Operand x, const Scalar& p, IntArrayRef dim, bool keepdim = false);
GRADUS_API Tensor logsumexp(Operand x, IntArrayRef dim, bool keepdim = false);
GRADUS_API Tensor softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});

/// x summed down to a shape that broadcasts to x's: what undoes a broadcast.
GRADUS_API Tensor sum_to_size(Operand x, IntArrayRef shape);

// Along a dimension (scan.cpp). Gradients of products are right where factors are 0.
GRADUS_API Tensor cumsum(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor cumprod(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
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

// Matrix products (matmul.cpp).
GRADUS_API Tensor matmul(Operand a,
                         Operand b);          ///< as NumPy's: 1-d operands join as rows and columns, batches broadcast
GRADUS_API Tensor mm(Operand a, Operand b);   ///< 2-d
GRADUS_API Tensor bmm(Operand a, Operand b);  ///< 3-d, batch by batch
GRADUS_API Tensor mv(Operand a, Operand x);
GRADUS_API Tensor dot(Operand a, Operand b);
GRADUS_API Tensor outer(Operand a, Operand b);  ///< a[i] b[j]
/// beta input + alpha a b.
GRADUS_API Tensor addmm(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
/// Writes a b into `out` ([m, n], same dtype) without history; GradError when something requires grad.
GRADUS_API Tensor& mm_out(Tensor& out, Operand a, Operand b);

// Views and copies (views.cpp).
GRADUS_API Tensor reshape(Operand x, IntArrayRef shape);
GRADUS_API Tensor flatten(Operand x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
GRADUS_API Tensor permute(Operand x, IntArrayRef dims);
GRADUS_API Tensor transpose(Operand x, std::int64_t dim0, std::int64_t dim1);
GRADUS_API Tensor t(Operand x);
GRADUS_API Tensor movedim(Operand x, std::int64_t source, std::int64_t destination);
GRADUS_API Tensor squeeze(Operand x);
GRADUS_API Tensor squeeze(Operand x, std::int64_t dim);
GRADUS_API Tensor unsqueeze(Operand x, std::int64_t dim);
GRADUS_API Tensor select(Operand x, std::int64_t dim, std::int64_t index);
GRADUS_API Tensor slice(Operand x, std::int64_t dim, std::optional<std::int64_t> start = {},
                        std::optional<std::int64_t> stop = {}, std::int64_t step = 1);
GRADUS_API Tensor narrow(Operand x, std::int64_t dim, std::int64_t start, std::int64_t length);
GRADUS_API Tensor diagonal(Operand x, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1);
GRADUS_API Tensor as_strided(Operand x, IntArrayRef shape, IntArrayRef strides,
                             std::optional<std::int64_t> storage_offset = {});
GRADUS_API std::vector<Tensor> split(Operand x, std::int64_t size, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> chunk(Operand x, std::int64_t chunks, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> unbind(Operand x, std::int64_t dim = 0);
GRADUS_API Tensor clone(Operand x);
GRADUS_API Tensor flip(Operand x, IntArrayRef dims);
/// Copies of x side by side: repeats[i] of them along dimension i; leading dimensions may be new.
GRADUS_API Tensor repeat(Operand x, IntArrayRef repeats);

// Joining and picking (combine.cpp).
GRADUS_API Tensor cat(OperandList tensors, std::int64_t dim = 0);
GRADUS_API Tensor stack(OperandList tensors, std::int64_t dim = 0);
GRADUS_API Tensor index_select(Operand x, std::int64_t dim, Operand index);
GRADUS_API Tensor gather(Operand x, std::int64_t dim, Operand index);
/// zeros(shape) with x[i][j].. added at [index[i][j]..][j].. (along dim): the gradient of gather.
GRADUS_API Tensor scatter_add(IntArrayRef shape, std::int64_t dim, Operand index, Operand x);
/// x with `value` around it, two counts for each dimension, the last one first; negative counts cut off.
GRADUS_API Tensor constant_pad_nd(Operand x, IntArrayRef pad, const Scalar& value = 0);
GRADUS_API Tensor tril(Operand x, std::int64_t diagonal = 0);
GRADUS_API Tensor triu(Operand x, std::int64_t diagonal = 0);

// Questions without gradient.
GRADUS_API bool equal(const Tensor& a, const Tensor& b);
GRADUS_API bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
                         bool equal_nan = false);

}  // namespace gradus
