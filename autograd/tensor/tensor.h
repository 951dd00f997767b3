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
/// seen through all. Function names, arguments, defaults and meanings are those of PyTorch's C++ frontend. Operations are
/// members and free functions, family by family: autograd/ops/pointwise.h and its neighbours.
class GRADUS_API Tensor : public autograd::PointwiseMembers<Tensor>,
                          public autograd::ReductionMembers<Tensor>,
                          public autograd::ScanMembers<Tensor>,
                          public autograd::ProductMembers<Tensor>,
                          public autograd::LinalgMembers<Tensor>,
                          public autograd::ViewMembers<Tensor>,
                          public autograd::JoiningMembers<Tensor> {
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
  Tensor& detach_() const;
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

  // Operations that are no free functions; the others come by family from the bases. As Python's x[...]: integers, Slice,
  // None, Ellipsis; a view.

  Tensor view(IntArrayRef shape, Location at = Location::here()) const;
  Tensor view_as(const Tensor& other, Location at = Location::here()) const;
  Tensor reshape_as(const Tensor& other, Location at = Location::here()) const;
  Tensor expand(IntArrayRef shape, Location at = Location::here()) const;
  Tensor expand_as(const Tensor& other, Location at = Location::here()) const;
  Tensor operator[](autograd::IndexAt index) const { return gradus::select({*this, index.at}, 0, index.index); }
  /// As Python's x[...]: integers, Slice, None, Ellipsis. A view.
  Tensor index(std::initializer_list<TensorIndex> indices, Location at = Location::here()) const;
  Tensor contiguous(Location at = Location::here()) const;
  Tensor to(DType dtype, Location at = Location::here()) const;
  Tensor to(const TensorOptions& options, Location at = Location::here()) const;
  Tensor to(Device, Location = Location::here()) const { return *this; }
  Tensor to(DeviceType type, Location at = Location::here()) const { return to(Device(type), at); }
  Tensor to(Device, DType dtype, Location at = Location::here()) const { return to(dtype, at); }
  Tensor cpu() const { return *this; }
  Tensor type_as(const Tensor& other, Location at = Location::here()) const { return to(other.dtype(), at); }

  // In-place changes (inplace.cpp), with correct history for this tensor, its base and its views. GradError on a leaf
  // that requires grad while recording, and on a tensor whose elements overlap.

  Tensor& copy_(const Tensor& src, Location at = Location::here()) const;
  Tensor& fill_(const Scalar& value, Location at = Location::here()) const;
  Tensor& zero_(Location at = Location::here()) const;

  // Random numbers, from the default generator unless one is given; which ones, core/ops/random.h says. No gradient flows
  // through what they overwrite.

  /// Uniform in [from, to). ValueError when from > to.
  Tensor& uniform_(double from = 0, double to = 1, const std::optional<core::Generator>& generator = {},
                   Location at = Location::here()) const;
  /// ValueError when the standard deviation is negative.
  Tensor& normal_(double mean = 0, double std = 1, const std::optional<core::Generator>& generator = {},
                  Location at = Location::here()) const;
  /// Density lambda e^(-lambda x). ValueError unless lambda > 0.
  Tensor& exponential_(double lambda = 1, const std::optional<core::Generator>& generator = {},
                       Location at = Location::here()) const;
  /// 1 with probability p, else 0. ValueError when p is outside [0, 1].
  Tensor& bernoulli_(double p = 0.5, const std::optional<core::Generator>& generator = {},
                     Location at = Location::here()) const;
  /// With a probability for each element, broadcast to this shape.
  Tensor& bernoulli_(const Tensor& p, const std::optional<core::Generator>& generator = {},
                     Location at = Location::here()) const;
  /// Integers in [from, to). Without bounds from 0 to the largest number that the dtype counts to without a gap.
  /// ValueError when from >= to or when the dtype cannot hold them.
  Tensor& random_(std::int64_t from, std::int64_t to, const std::optional<core::Generator>& generator = {},
                  Location at = Location::here()) const;
  Tensor& random_(std::int64_t to, const std::optional<core::Generator>& generator = {},
                  Location at = Location::here()) const {
    return random_(0, to, generator, at);
  }
  Tensor& random_(const std::optional<core::Generator>& generator = {}, Location at = Location::here()) const;
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

static_assert(sizeof(Tensor) == sizeof(void*), "a handle, and nothing else");

using TensorList = std::vector<Tensor>;

inline Tensor var(Operand x, ::std::same_as<bool> auto unbiased) { return var(x, IntArrayRef(), unbiased); }
inline Tensor std(Operand x, ::std::same_as<bool> auto unbiased) { return std(x, IntArrayRef(), unbiased); }

}  // namespace gradus

#include "operators.h"  // IWYU pragma: export
