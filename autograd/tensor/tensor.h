// Tensor: numbers that remember how they were made.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/ops/random.h"
#include "body.h"
#include "device.h"
#include "../ops/functions.h"
#include "../graph/node.h"
#include "operand.h"

namespace gradus {

/// A handle to one shared body: an Array and its history. Copies are the same tensor: what is changed through one is
/// seen through all. Function names, arguments, defaults and meanings are those of PyTorch's C++ frontend; every
/// operation has a member and, in autograd/ops/functions.h, a free function.
class GRADUS_API Tensor {
 public:
  /// Undefined.
  Tensor() noexcept = default;
  Tensor(const Tensor&) noexcept = default;
  Tensor(Tensor&&) noexcept = default;
  ~Tensor() = default;
  Tensor& operator=(const Tensor&) & noexcept = default;
  Tensor& operator=(Tensor&&) & noexcept = default;
  /// `x[0] = y`, `x.index({Slice(), 1}) = 3`: to assign to a view that has no name is to write into what it shows.
  const Tensor& operator=(Operand src) && { return copy_(src.tensor(), src.at()); }                      // NOLINT
  const Tensor& operator=(const autograd::NumberAt& value) && { return fill_(value.number, value.at); }  // NOLINT
  /// A tensor without history; undefined when the array is.
  explicit Tensor(core::Array&& array)
      : body_(array.defined() ? autograd::Body::make(std::move(array)) : core::Ref<autograd::Body>()) {}
  explicit Tensor(const core::Array& array) : Tensor(core::Array(array)) {}

  bool defined() const noexcept { return static_cast<bool>(body_); }
  /// The numbers. GradError when undefined.
  const core::Array& array() const { return body().array; }

  IntArrayRef sizes() const { return array().sizes(); }
  IntArrayRef strides() const { return array().strides(); }
  std::int64_t size(std::int64_t dim) const { return array().size(dim); }
  std::int64_t stride(std::int64_t dim) const { return array().stride(dim); }
  std::int64_t dim() const { return array().dim(); }
  std::int64_t ndimension() const { return dim(); }
  std::int64_t numel() const { return array().numel(); }
  DType dtype() const { return array().dtype(); }
  ScalarType scalar_type() const { return dtype(); }
  Device device() const { return {}; }
  TensorOptions options() const { return TensorOptions().dtype(dtype()); }
  std::int64_t element_size() const { return array().element_size(); }
  std::int64_t nbytes() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(numel()) * static_cast<std::uint64_t>(element_size()));
  }
  std::int64_t storage_offset() const { return array().storage_offset(); }
  bool is_contiguous() const { return array().is_contiguous(); }
  bool is_floating_point() const { return gradus::is_floating_point(dtype()); }
  /// Whether two handles are the same tensor.
  bool is_same(const Tensor& other) const noexcept { return body_ == other.body_; }

  template <class T>
  T* data_ptr() const {
    return array().data_ptr<T>();
  }
  void* data_ptr() const { return array().data(); }
  template <class T, std::size_t N>
  TensorAccessor<T, N> accessor() const {
    return array().accessor<T, N>();
  }
  template <class T>
  T item() const {
    return array().item<T>();
  }
  Scalar item() const { return array().item(); }

  // History.

  /// Whether a gradient flows to this tensor.
  bool requires_grad() const { return static_cast<bool>(edge()); }
  /// Asks for (or ceases to ask for) a gradient. GradError for integers, and for a result of an operation when false.
  const Tensor& requires_grad_(bool requires_grad = true) const;
  const Tensor& set_requires_grad(bool requires_grad) const { return requires_grad_(requires_grad); }
  bool is_leaf() const;
  /// The node that made this tensor; null for a leaf.
  core::Ref<autograd::Node> grad_fn() const;
  /// Which of grad_fn's outputs this is.
  int output_nr() const;
  /// The gradient that has been accumulated; undefined when none has.
  const Tensor& grad() const;
  Tensor& mutable_grad() const;
  void zero_grad() const { mutable_grad() = Tensor(); }
  /// Keeps this tensor's gradient in `.grad` although it is no leaf.
  void retain_grad() const;
  bool retains_grad() const;
  /// Accumulates d(this)/d(leaf) into every leaf's `.grad`. `gradient` may be absent for a single element only. With
  /// `inputs`, only into those. Errors leave every `.grad` as it was; those of hooks after accumulation, complete.
  void backward(const Tensor& gradient = {}, std::optional<bool> retain_graph = {}, bool create_graph = false,
                const std::vector<Tensor>& inputs = {}) const;
  /// The same numbers without history; shares storage, and the counter of writes with it.
  Tensor detach() const;
  const Tensor& detach_() const;
  /// As detach: an alias. In-place changes through it are noticed where a saved value is used.
  Tensor data() const { return detach(); }
  /// Replaces the numbers of this very tensor (all copies of the handle see it), history untouched.
  void set_data(const Tensor& other) const;
  bool is_view() const { return body().view != nullptr; }
  /// How often the storage has been written to in place.
  std::uint64_t version() const { return array().storage()->write_count(); }

  /// Sees, and may replace, each gradient of this tensor. Returns an id for remove_hook. A hook returns a Tensor or void.
  template <class F>
  unsigned register_hook(F&& hook) const {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Tensor>>) {
      return add_hook([h = std::forward<F>(hook)](const Tensor& g) mutable {
        h(g);
        return Tensor();
      });
    } else {
      return add_hook(autograd::Hook(std::forward<F>(hook)));
    }
  }
  void remove_hook(unsigned id) const;
  /// Called with this leaf's `.grad` after each accumulation into it.
  void register_post_accumulate_grad_hook(std::function<void(Tensor&)> hook) const;

  // Operations: each is the free function of the same name in functions.h, this tensor its first operand.

  Tensor neg(Location at = Location::here()) const { return gradus::neg({*this, at}); }
  Tensor abs(Location at = Location::here()) const { return gradus::abs({*this, at}); }
  Tensor sign(Location at = Location::here()) const { return gradus::sign({*this, at}); }
  Tensor square(Location at = Location::here()) const { return gradus::square({*this, at}); }
  Tensor relu(Location at = Location::here()) const { return gradus::relu({*this, at}); }
  Tensor floor(Location at = Location::here()) const { return gradus::floor({*this, at}); }
  Tensor ceil(Location at = Location::here()) const { return gradus::ceil({*this, at}); }
  Tensor round(Location at = Location::here()) const { return gradus::round({*this, at}); }
  Tensor trunc(Location at = Location::here()) const { return gradus::trunc({*this, at}); }
  Tensor sqrt(Location at = Location::here()) const { return gradus::sqrt({*this, at}); }
  Tensor rsqrt(Location at = Location::here()) const { return gradus::rsqrt({*this, at}); }
  Tensor reciprocal(Location at = Location::here()) const { return gradus::reciprocal({*this, at}); }
  Tensor exp(Location at = Location::here()) const { return gradus::exp({*this, at}); }
  Tensor exp2(Location at = Location::here()) const { return gradus::exp2({*this, at}); }
  Tensor expm1(Location at = Location::here()) const { return gradus::expm1({*this, at}); }
  Tensor log(Location at = Location::here()) const { return gradus::log({*this, at}); }
  Tensor log1p(Location at = Location::here()) const { return gradus::log1p({*this, at}); }
  Tensor log2(Location at = Location::here()) const { return gradus::log2({*this, at}); }
  Tensor log10(Location at = Location::here()) const { return gradus::log10({*this, at}); }
  Tensor sin(Location at = Location::here()) const { return gradus::sin({*this, at}); }
  Tensor cos(Location at = Location::here()) const { return gradus::cos({*this, at}); }
  Tensor tan(Location at = Location::here()) const { return gradus::tan({*this, at}); }
  Tensor asin(Location at = Location::here()) const { return gradus::asin({*this, at}); }
  Tensor acos(Location at = Location::here()) const { return gradus::acos({*this, at}); }
  Tensor atan(Location at = Location::here()) const { return gradus::atan({*this, at}); }
  Tensor sinh(Location at = Location::here()) const { return gradus::sinh({*this, at}); }
  Tensor cosh(Location at = Location::here()) const { return gradus::cosh({*this, at}); }
  Tensor tanh(Location at = Location::here()) const { return gradus::tanh({*this, at}); }
  Tensor sigmoid(Location at = Location::here()) const { return gradus::sigmoid({*this, at}); }
  Tensor erf(Location at = Location::here()) const { return gradus::erf({*this, at}); }
  Tensor isnan(Location at = Location::here()) const { return gradus::isnan({*this, at}); }
  Tensor isinf(Location at = Location::here()) const { return gradus::isinf({*this, at}); }
  Tensor isfinite(Location at = Location::here()) const { return gradus::isfinite({*this, at}); }
  Tensor logical_not(Location at = Location::here()) const { return gradus::logical_not({*this, at}); }
  Tensor add(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add({*this, at}, b, alpha);
  }
  Tensor add(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add({*this, at}, b, alpha);
  }
  Tensor sub(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub({*this, at}, b, alpha);
  }
  Tensor sub(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub({*this, at}, b, alpha);
  }
  Tensor mul(const Tensor& b, Location at = Location::here()) const { return gradus::mul({*this, at}, b); }
  Tensor mul(const Scalar& b, Location at = Location::here()) const { return gradus::mul({*this, at}, b); }
  Tensor div(const Tensor& b, Location at = Location::here()) const { return gradus::div({*this, at}, b); }
  Tensor div(const Scalar& b, Location at = Location::here()) const { return gradus::div({*this, at}, b); }
  Tensor pow(const Tensor& b, Location at = Location::here()) const { return gradus::pow({*this, at}, b); }
  Tensor pow(const Scalar& b, Location at = Location::here()) const { return gradus::pow({*this, at}, b); }
  Tensor eq(const Tensor& b, Location at = Location::here()) const { return gradus::eq({*this, at}, b); }
  Tensor eq(const Scalar& b, Location at = Location::here()) const { return gradus::eq({*this, at}, b); }
  Tensor ne(const Tensor& b, Location at = Location::here()) const { return gradus::ne({*this, at}, b); }
  Tensor ne(const Scalar& b, Location at = Location::here()) const { return gradus::ne({*this, at}, b); }
  Tensor lt(const Tensor& b, Location at = Location::here()) const { return gradus::lt({*this, at}, b); }
  Tensor lt(const Scalar& b, Location at = Location::here()) const { return gradus::lt({*this, at}, b); }
  Tensor le(const Tensor& b, Location at = Location::here()) const { return gradus::le({*this, at}, b); }
  Tensor le(const Scalar& b, Location at = Location::here()) const { return gradus::le({*this, at}, b); }
  Tensor gt(const Tensor& b, Location at = Location::here()) const { return gradus::gt({*this, at}, b); }
  Tensor gt(const Scalar& b, Location at = Location::here()) const { return gradus::gt({*this, at}, b); }
  Tensor ge(const Tensor& b, Location at = Location::here()) const { return gradus::ge({*this, at}, b); }
  Tensor ge(const Scalar& b, Location at = Location::here()) const { return gradus::ge({*this, at}, b); }
  Tensor maximum(const Tensor& b, Location at = Location::here()) const { return gradus::maximum({*this, at}, b); }
  Tensor minimum(const Tensor& b, Location at = Location::here()) const { return gradus::minimum({*this, at}, b); }
  Tensor fmod(const Tensor& b, Location at = Location::here()) const { return gradus::fmod({*this, at}, b); }
  Tensor remainder(const Tensor& b, Location at = Location::here()) const { return gradus::remainder({*this, at}, b); }
  Tensor atan2(const Tensor& b, Location at = Location::here()) const { return gradus::atan2({*this, at}, b); }
  Tensor logical_and(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_and({*this, at}, b);
  }
  Tensor logical_or(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_or({*this, at}, b);
  }
  Tensor logical_xor(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_xor({*this, at}, b);
  }
  Tensor matmul(const Tensor& b, Location at = Location::here()) const { return gradus::matmul({*this, at}, b); }
  Tensor mm(const Tensor& b, Location at = Location::here()) const { return gradus::mm({*this, at}, b); }
  Tensor bmm(const Tensor& b, Location at = Location::here()) const { return gradus::bmm({*this, at}, b); }
  Tensor mv(const Tensor& b, Location at = Location::here()) const { return gradus::mv({*this, at}, b); }
  Tensor dot(const Tensor& b, Location at = Location::here()) const { return gradus::dot({*this, at}, b); }
  Tensor addmm(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
               Location at = Location::here()) const {
    return gradus::addmm({*this, at}, a, b, beta, alpha);
  }
  Tensor repeat(IntArrayRef repeats, Location at = Location::here()) const {
    return gradus::repeat({*this, at}, repeats);
  }
  Tensor where(const Tensor& condition, const Tensor& other, Location at = Location::here()) const {
    return gradus::where({condition, at}, *this, other);
  }
  Tensor clamp(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
               Location at = Location::here()) const {
    return gradus::clamp({*this, at}, low, high);
  }
  Tensor clamp_min(const Scalar& low, Location at = Location::here()) const {
    return gradus::clamp_min({*this, at}, low);
  }
  Tensor clamp_max(const Scalar& high, Location at = Location::here()) const {
    return gradus::clamp_max({*this, at}, high);
  }
  Tensor masked_fill(const Tensor& mask, const Scalar& value, Location at = Location::here()) const {
    return gradus::masked_fill({*this, at}, mask, value);
  }
  Tensor sum(Location at = Location::here()) const { return gradus::sum({*this, at}); }
  Tensor sum(DType dtype, Location at = Location::here()) const { return gradus::sum({*this, at}, {}, false, dtype); }
  Tensor sum(IntArrayRef dim, bool keepdim = false, std::optional<DType> dtype = {},
             Location at = Location::here()) const {
    return gradus::sum({*this, at}, dim, keepdim, dtype);
  }
  Tensor mean(Location at = Location::here()) const { return gradus::mean({*this, at}); }
  Tensor mean(DType dtype, Location at = Location::here()) const { return gradus::mean({*this, at}, {}, false, dtype); }
  Tensor mean(IntArrayRef dim, bool keepdim = false, std::optional<DType> dtype = {},
              Location at = Location::here()) const {
    return gradus::mean({*this, at}, dim, keepdim, dtype);
  }
  Tensor var(Location at = Location::here()) const { return gradus::var({*this, at}); }
  /// Of exactly a bool: `x.var(0)` is over dimension 0.
  Tensor var(::std::same_as<bool> auto unbiased, Location at = Location::here()) const {
    return gradus::var({*this, at}, IntArrayRef(), unbiased);
  }
  Tensor var(IntArrayRef dim, bool unbiased = true, bool keepdim = false, Location at = Location::here()) const {
    return gradus::var({*this, at}, dim, unbiased, keepdim);
  }
  Tensor std(Location at = Location::here()) const { return gradus::std({*this, at}); }
  /// Of exactly a bool: `x.std(0)` is over dimension 0.
  Tensor std(::std::same_as<bool> auto unbiased, Location at = Location::here()) const {
    return gradus::std({*this, at}, IntArrayRef(), unbiased);
  }
  Tensor std(IntArrayRef dim, bool unbiased = true, bool keepdim = false, Location at = Location::here()) const {
    return gradus::std({*this, at}, dim, unbiased, keepdim);
  }
  Tensor max(Location at = Location::here()) const { return gradus::max({*this, at}); }
  std::tuple<Tensor, Tensor> max(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const;
  Tensor min(Location at = Location::here()) const { return gradus::min({*this, at}); }
  std::tuple<Tensor, Tensor> min(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const;
  Tensor amax(IntArrayRef dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::amax({*this, at}, dim, keepdim);
  }
  Tensor amin(IntArrayRef dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::amin({*this, at}, dim, keepdim);
  }
  Tensor argmax(std::optional<std::int64_t> dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::argmax({*this, at}, dim, keepdim);
  }
  Tensor argmin(std::optional<std::int64_t> dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::argmin({*this, at}, dim, keepdim);
  }
  Tensor all(Location at = Location::here()) const { return gradus::all({*this, at}); }
  Tensor all(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::all({*this, at}, dim, keepdim);
  }
  Tensor any(Location at = Location::here()) const { return gradus::any({*this, at}); }
  Tensor any(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::any({*this, at}, dim, keepdim);
  }
  Tensor norm(const Scalar& p = 2, Location at = Location::here()) const { return gradus::norm({*this, at}, p); }
  Tensor norm(const Scalar& p, IntArrayRef dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::norm({*this, at}, p, dim, keepdim);
  }
  Tensor cumsum(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumsum({*this, at}, dim, dtype);
  }
  Tensor cumprod(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::cumprod({*this, at}, dim, dtype);
  }
  Tensor prod(std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::prod({*this, at}, dtype);
  }
  Tensor prod(std::int64_t dim, bool keepdim = false, std::optional<DType> dtype = {},
              Location at = Location::here()) const {
    return gradus::prod({*this, at}, dim, keepdim, dtype);
  }
  std::tuple<Tensor, Tensor> sort(std::int64_t dim = -1, bool descending = false, Location at = Location::here()) const;
  std::tuple<Tensor, Tensor> sort(::std::optional<bool> stable, std::int64_t dim = -1, bool descending = false,
                                  Location at = Location::here()) const;
  Tensor argsort(std::int64_t dim = -1, bool descending = false, Location at = Location::here()) const {
    return gradus::argsort({*this, at}, dim, descending);
  }
  std::tuple<Tensor, Tensor> topk(std::int64_t k, std::int64_t dim = -1, bool largest = true, bool sorted = true,
                                  Location at = Location::here()) const;
  Tensor logsumexp(IntArrayRef dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::logsumexp({*this, at}, dim, keepdim);
  }
  Tensor softmax(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::softmax({*this, at}, dim, dtype);
  }
  Tensor log_softmax(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::log_softmax({*this, at}, dim, dtype);
  }
  Tensor reshape(IntArrayRef shape, Location at = Location::here()) const {
    return gradus::reshape({*this, at}, shape);
  }
  Tensor view(IntArrayRef shape, Location at = Location::here()) const;
  Tensor view_as(const Tensor& other, Location at = Location::here()) const;
  Tensor reshape_as(const Tensor& other, Location at = Location::here()) const;
  Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1, Location at = Location::here()) const {
    return gradus::flatten({*this, at}, start_dim, end_dim);
  }
  Tensor permute(IntArrayRef dims, Location at = Location::here()) const { return gradus::permute({*this, at}, dims); }
  Tensor transpose(std::int64_t dim0, std::int64_t dim1, Location at = Location::here()) const {
    return gradus::transpose({*this, at}, dim0, dim1);
  }
  Tensor t(Location at = Location::here()) const { return gradus::t({*this, at}); }
  Tensor movedim(std::int64_t source, std::int64_t destination, Location at = Location::here()) const {
    return gradus::movedim({*this, at}, source, destination);
  }
  Tensor expand(IntArrayRef shape, Location at = Location::here()) const;
  Tensor expand_as(const Tensor& other, Location at = Location::here()) const;
  Tensor squeeze(Location at = Location::here()) const { return gradus::squeeze({*this, at}); }
  Tensor squeeze(std::int64_t dim, Location at = Location::here()) const { return gradus::squeeze({*this, at}, dim); }
  Tensor unsqueeze(std::int64_t dim, Location at = Location::here()) const {
    return gradus::unsqueeze({*this, at}, dim);
  }
  Tensor select(std::int64_t dim, std::int64_t index, Location at = Location::here()) const {
    return gradus::select({*this, at}, dim, index);
  }
  Tensor slice(std::int64_t dim, std::optional<std::int64_t> start = {}, std::optional<std::int64_t> stop = {},
               std::int64_t step = 1, Location at = Location::here()) const {
    return gradus::slice({*this, at}, dim, start, stop, step);
  }
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length, Location at = Location::here()) const {
    return gradus::narrow({*this, at}, dim, start, length);
  }
  Tensor diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1,
                  Location at = Location::here()) const {
    return gradus::diagonal({*this, at}, offset, dim1, dim2);
  }
  Tensor as_strided(IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset = {},
                    Location at = Location::here()) const {
    return gradus::as_strided({*this, at}, shape, strides, storage_offset);
  }
  std::vector<Tensor> split(std::int64_t size, std::int64_t dim = 0, Location at = Location::here()) const;
  std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0, Location at = Location::here()) const;
  std::vector<Tensor> unbind(std::int64_t dim = 0, Location at = Location::here()) const;
  Tensor operator[](autograd::IndexAt index) const { return gradus::select({*this, index.at}, 0, index.index); }
  /// As Python's x[...]: integers, Slice, None, Ellipsis. A view.
  Tensor index(std::initializer_list<TensorIndex> indices, Location at = Location::here()) const;
  Tensor clone(Location at = Location::here()) const { return gradus::clone({*this, at}); }
  Tensor contiguous(Location at = Location::here()) const;
  Tensor flip(IntArrayRef dims, Location at = Location::here()) const { return gradus::flip({*this, at}, dims); }
  Tensor to(DType dtype, Location at = Location::here()) const;
  Tensor to(const TensorOptions& options, Location at = Location::here()) const;
  Tensor to(Device, Location = Location::here()) const { return *this; }
  Tensor to(DeviceType type, Location at = Location::here()) const { return to(Device(type), at); }
  Tensor to(Device, DType dtype, Location at = Location::here()) const { return to(dtype, at); }
  Tensor cpu() const { return *this; }
  Tensor type_as(const Tensor& other, Location at = Location::here()) const { return to(other.dtype(), at); }
  Tensor index_select(std::int64_t dim, const Tensor& index, Location at = Location::here()) const {
    return gradus::index_select({*this, at}, dim, index);
  }
  Tensor gather(std::int64_t dim, const Tensor& index, Location at = Location::here()) const {
    return gradus::gather({*this, at}, dim, index);
  }
  Tensor tril(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::tril({*this, at}, diagonal);
  }
  Tensor triu(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::triu({*this, at}, diagonal);
  }
  bool equal(const Tensor& other) const { return gradus::equal(*this, other); }
  bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const {
    return gradus::allclose(*this, other, rtol, atol, equal_nan);
  }

  // In-place changes (inplace.cpp), with correct history for this tensor, its base and its views. GradError on a leaf
  // that requires grad while recording, and on a tensor whose elements overlap.

  const Tensor& add_(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const;
  const Tensor& add_(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const;
  const Tensor& sub_(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const;
  const Tensor& sub_(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const;
  const Tensor& mul_(const Tensor& b, Location at = Location::here()) const;
  const Tensor& mul_(const Scalar& b, Location at = Location::here()) const;
  const Tensor& div_(const Tensor& b, Location at = Location::here()) const;
  const Tensor& div_(const Scalar& b, Location at = Location::here()) const;
  const Tensor& neg_(Location at = Location::here()) const;
  const Tensor& abs_(Location at = Location::here()) const;
  const Tensor& exp_(Location at = Location::here()) const;
  const Tensor& log_(Location at = Location::here()) const;
  const Tensor& sqrt_(Location at = Location::here()) const;
  const Tensor& relu_(Location at = Location::here()) const;
  const Tensor& tanh_(Location at = Location::here()) const;
  const Tensor& sigmoid_(Location at = Location::here()) const;
  const Tensor& clamp_(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
                       Location at = Location::here()) const;
  const Tensor& copy_(const Tensor& src, Location at = Location::here()) const;
  const Tensor& fill_(const Scalar& value, Location at = Location::here()) const;
  const Tensor& zero_(Location at = Location::here()) const;

  // Random numbers, from the default generator unless one is given; which ones, core/ops/random.h says. No gradient flows
  // through what they overwrite.

  /// Uniform in [from, to). ValueError when from > to.
  const Tensor& uniform_(double from = 0, double to = 1, const std::optional<core::Generator>& generator = {},
                         Location at = Location::here()) const;
  /// ValueError when the standard deviation is negative.
  const Tensor& normal_(double mean = 0, double std = 1, const std::optional<core::Generator>& generator = {},
                        Location at = Location::here()) const;
  /// Density lambda e^(-lambda x). ValueError unless lambda > 0.
  const Tensor& exponential_(double lambda = 1, const std::optional<core::Generator>& generator = {},
                             Location at = Location::here()) const;
  /// 1 with probability p, else 0. ValueError when p is outside [0, 1].
  const Tensor& bernoulli_(double p = 0.5, const std::optional<core::Generator>& generator = {},
                           Location at = Location::here()) const;
  /// With a probability for each element, broadcast to this shape.
  const Tensor& bernoulli_(const Tensor& p, const std::optional<core::Generator>& generator = {},
                           Location at = Location::here()) const;
  /// Integers in [from, to). Without bounds from 0 to the largest number that the dtype counts to without a gap.
  /// ValueError when from >= to or when the dtype cannot hold them.
  const Tensor& random_(std::int64_t from, std::int64_t to, const std::optional<core::Generator>& generator = {},
                        Location at = Location::here()) const;
  const Tensor& random_(std::int64_t to, const std::optional<core::Generator>& generator = {},
                        Location at = Location::here()) const {
    return random_(0, to, generator, at);
  }
  const Tensor& random_(const std::optional<core::Generator>& generator = {}, Location at = Location::here()) const;
  /// These probabilities' draws: `gradus::bernoulli` and `gradus::multinomial`.
  Tensor bernoulli(const std::optional<core::Generator>& generator = {}) const;
  Tensor bernoulli(double p, const std::optional<core::Generator>& generator = {}) const;
  Tensor multinomial(std::int64_t count, bool replacement = false,
                     const std::optional<core::Generator>& generator = {}) const;

  // For operations.

  /// Where this tensor's gradient goes: brought up to date first when it is a view of a base that has been changed.
  const autograd::Edge& edge() const {
    autograd::Body& b = body();
    if (b.is_behind()) follow_base();
    return b.edge;
  }
  autograd::Body& body() const {
    if (!body_) throw_undefined();
    return *body_;
  }
  const core::Ref<autograd::Body>& body_ref() const noexcept { return body_; }
  /// What holds its `.grad`; made when first asked for.
  autograd::LeafNode& leaf() const;
  /// A tensor with a history.
  Tensor(core::Array&& array, autograd::Edge edge) : Tensor(std::move(array)) {
    if (body_) body_->edge = std::move(edge);
  }
  Tensor(const core::Array& array, autograd::Edge edge) : Tensor(core::Array(array), std::move(edge)) {}

  explicit Tensor(core::Ref<autograd::Body> body) noexcept : body_(std::move(body)) {}

 private:
  [[noreturn]] static void throw_undefined();
  unsigned add_hook(autograd::Hook hook) const;
  void follow_base() const;

  core::Ref<autograd::Body> body_;
};

using TensorList = std::vector<Tensor>;

inline Tensor var(Operand x, ::std::same_as<bool> auto unbiased) { return var(x, IntArrayRef(), unbiased); }
inline Tensor std(Operand x, ::std::same_as<bool> auto unbiased) { return std(x, IntArrayRef(), unbiased); }

inline autograd::OperandList::OperandList(const std::vector<Tensor>& tensors, Location at) {
  operands_.reserve(tensors.size());
  for (const Tensor& t : tensors) operands_.emplace_back(t, at);
}

}  // namespace gradus

#include "operators.h"  // IWYU pragma: export
