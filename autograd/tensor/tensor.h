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
class GRADUS_API Tensor : public autograd::ElementwiseMembers<Tensor>,
                          public autograd::SpecialMembers<Tensor>,
                          public autograd::ActivationMembers<Tensor>,
                          public autograd::StatisticsMembers<Tensor>,
                          public autograd::DistanceMembers<Tensor>,
                          public autograd::AliasMembers<Tensor>,
                          public autograd::ReductionMembers<Tensor>,
                          public autograd::ScanMembers<Tensor>,
                          public autograd::ProductMembers<Tensor>,
                          public autograd::LinalgMembers<Tensor>,
                          public autograd::ViewMembers<Tensor>,
                          public autograd::ShapeMembers<Tensor>,
                          public autograd::JoiningMembers<Tensor>,
                          public autograd::IndexingMembers<Tensor>,
                          public autograd::LogicMembers<Tensor> {
 public:
  /// Undefined.
  Tensor() noexcept = default;
  Tensor(const Tensor&) noexcept = default;
  Tensor(Tensor&&) noexcept = default;
  ~Tensor() = default;
  Tensor& operator=(const Tensor&) & noexcept = default;
  Tensor& operator=(Tensor&&) & noexcept = default;
  /// `x[0] = y`, `x.index({Slice(), 1}) = 3`: to assign to a view that has no name is to write into what it shows.
  /// ValueError where nobody would see it, as in `x[mask] = y`: index_put_ writes to places that tensors name.
  const Tensor& operator=(Operand src) &&;                      // NOLINT
  const Tensor& operator=(const autograd::NumberAt& value) &&;  // NOLINT
  /// A tensor without history; undefined when the array is.
  explicit Tensor(core::Array&& array)
      : body_(array.defined() ? autograd::Body::make(std::move(array)) : core::Ref<autograd::Body>()) {}
  explicit Tensor(const core::Array& array) : Tensor(core::Array(array)) {}

  bool defined() const noexcept { return static_cast<bool>(body_); }
  /// The numbers. GradError when undefined.
  const core::Array& array() const {
    const autograd::Body& b = body();
    if (b.batch != nullptr) throw_batched();
    return b.array;
  }

  IntArrayRef sizes() const { return body().array.sizes(); }
  IntArrayRef strides() const { return body().array.strides(); }
  std::int64_t size(std::int64_t dim) const { return body().array.size(dim); }
  std::int64_t stride(std::int64_t dim) const { return body().array.stride(dim); }
  std::int64_t dim() const { return body().array.dim(); }
  std::int64_t ndimension() const { return dim(); }
  std::int64_t numel() const { return body().array.numel(); }
  DType dtype() const { return body().array.dtype(); }
  ScalarType scalar_type() const { return dtype(); }
  Device device() const { return {}; }
  TensorOptions options() const { return TensorOptions().dtype(dtype()); }
  std::int64_t element_size() const { return body().array.element_size(); }
  std::int64_t itemsize() const { return element_size(); }
  std::int64_t nbytes() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(numel()) * static_cast<std::uint64_t>(element_size()));
  }
  std::int64_t storage_offset() const { return body().array.storage_offset(); }
  bool is_contiguous() const { return body().array.is_contiguous(); }
  bool is_contiguous(MemoryFormat format) const;
  Layout layout() const { return kStrided; }
  bool is_cpu() const { return true; }
  bool is_cuda() const { return false; }
  std::int64_t get_device() const { return -1; }  ///< the CPU has no number
  DType type() const { return dtype(); }          ///< what `to` and `toType` take
  std::string toString() const;                   ///< "CPUFloatType"
  bool is_floating_point() const { return gradus::is_floating_point(dtype()); }
  bool is_signed() const { return dtype() != kBool && dtype() != kUInt8; }
  bool is_complex() const { return false; }
  bool is_sparse() const { return false; }
  /// False: what is made in an InferenceMode is a tensor like any other.
  bool is_inference() const { return false; }
  /// Whether the two share memory.
  bool is_alias_of(const Tensor& other) const { return array().storage() == other.array().storage(); }
  /// Whether two handles are the same tensor.
  bool is_same(const Tensor& other) const noexcept { return body_ == other.body_; }
  /// How many handles there are of this tensor; 0 when undefined.
  int use_count() const noexcept { return defined() ? body_->use_count() : 0; }
  /// Undefined from now on; other handles are not touched.
  void reset() noexcept { body_ = core::Ref<autograd::Body>(); }

  template <class T>
  T* data_ptr() const {
    return array().data_ptr<T>();
  }
  void* data_ptr() const { return array().data(); }
  template <class T>
  const T* const_data_ptr() const {
    return data_ptr<std::remove_const_t<T>>();
  }
  const void* const_data_ptr() const { return data_ptr(); }
  template <class T>
  T* mutable_data_ptr() const {
    return data_ptr<T>();
  }
  void* mutable_data_ptr() const { return data_ptr(); }
  template <class T, std::size_t N>
  TensorAccessor<T, N> accessor() const {
    return array().accessor<T, N>();
  }
  template <class T>
  T item() const {
    return array().item<T>();
  }
  Scalar item() const { return array().item(); }
  /// Whether the one element is not 0. ShapeError when there is not exactly one.
  bool is_nonzero() const;
  /// Writes "[CPUFloatType [2, 3]]" and a new line to standard output.
  void print() const;

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
  Tensor variable_data() const { return detach(); }
  Tensor tensor_data() const { return detach(); }
  template <class T>
  T* data() const {
    return data_ptr<T>();
  }
  /// Replaces the numbers of this very tensor (all copies of the handle see it), history untouched.
  void set_data(const Tensor& other) const;
  bool is_view() const { return body().view != nullptr; }
  /// How often the storage has been written to in place.
  std::uint64_t version() const { return array().storage()->write_count(); }
  std::int64_t _version() const { return static_cast<std::int64_t>(version()); }
  /// What this is a view of. GradError when it is none.
  Tensor _base() const;

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

  // Operations that are no free functions; the others come by family from the bases.

  Tensor view(IntArrayRef shape, Location at = Location::here()) const;
  Tensor view_as(const Tensor& other, Location at = Location::here()) const;
  Tensor reshape_as(const Tensor& other, Location at = Location::here()) const;
  Tensor expand(IntArrayRef shape, Location at = Location::here()) const;
  Tensor expand_as(const Tensor& other, Location at = Location::here()) const;
  Tensor operator[](autograd::IndexAt index) const { return gradus::select({*this, index.at}, 0, index.index); }
  /// x.index({index}): a view for a 0-d integer tensor, else a copy of what it picks.
  Tensor operator[](Operand index) const;
  Tensor contiguous(Location at = Location::here()) const;
  Tensor contiguous(MemoryFormat format, Location at = Location::here()) const;
  Tensor to(DType dtype, Location at = Location::here()) const;
  Tensor to(const TensorOptions& options, Location at = Location::here()) const;
  Tensor to(Device, Location = Location::here()) const { return *this; }
  Tensor to(DeviceType type, Location at = Location::here()) const { return to(Device(type), at); }
  Tensor to(Device, DType dtype, Location at = Location::here()) const { return to(dtype, at); }
  // With a copy even where nothing changes, when asked for; nothing is done in the background.
  Tensor to(DType dtype, bool non_blocking, bool copy = false, std::optional<MemoryFormat> format = {},
            Location at = Location::here()) const;
  Tensor to(const TensorOptions& options, bool non_blocking, bool copy = false, std::optional<MemoryFormat> format = {},
            Location at = Location::here()) const;
  Tensor to(Device, DType dtype, bool non_blocking, bool copy = false, std::optional<MemoryFormat> format = {},
            Location at = Location::here()) const {
    return to(dtype, non_blocking, copy, format, at);
  }
  Tensor to(const Tensor& other, bool non_blocking = false, bool copy = false, std::optional<MemoryFormat> format = {},
            Location at = Location::here()) const {
    return to(other.dtype(), non_blocking, copy, format, at);
  }
  Tensor to(MemoryFormat format, Location at = Location::here()) const { return contiguous(format, at); }
  Tensor toType(DType dtype, Location at = Location::here()) const { return to(dtype, at); }
  Tensor cpu() const { return *this; }
  Tensor pin_memory() const { return *this; }  ///< there is nobody to copy it from
  bool is_pinned() const { return false; }
  Tensor cuda() const { return to(Device(kCUDA)); }  ///< ValueError: there is none
  Tensor type_as(const Tensor& other, Location at = Location::here()) const { return to(other.dtype(), at); }

  // In-place changes (inplace.cpp), with correct history for this tensor, its base and its views. GradError on a leaf
  // that requires grad while recording, and on a tensor whose elements overlap.

  Tensor& copy_(const Tensor& src, Location at = Location::here()) const;
  Tensor& copy_(const Tensor& src, bool /*non_blocking*/, Location at = Location::here()) const {
    return copy_(src, at);
  }
  Tensor& fill_(const Scalar& value, Location at = Location::here()) const;
  /// With a 0-d tensor's number, and a gradient for it.
  Tensor& fill_(const Tensor& value, Location at = Location::here()) const;
  Tensor& zero_(Location at = Location::here()) const;

  // In place of another view (shapes_inplace.cpp): this very tensor gets its geometry, no number is touched, and the
  // history goes on. GradError on a leaf that requires grad, and a view of one, while recording.

  Tensor& transpose_(std::int64_t dim0, std::int64_t dim1, Location at = Location::here()) const;
  Tensor& swapaxes_(std::int64_t axis0, std::int64_t axis1, Location at = Location::here()) const;
  Tensor& swapdims_(std::int64_t dim0, std::int64_t dim1, Location at = Location::here()) const;
  Tensor& t_(Location at = Location::here()) const;
  Tensor& squeeze_(Location at = Location::here()) const;
  Tensor& squeeze_(std::int64_t dim, Location at = Location::here()) const;
  Tensor& unsqueeze_(std::int64_t dim, Location at = Location::here()) const;
  /// GradError, too, where there are views of a tensor with a history.
  Tensor& as_strided_(IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset = {},
                      Location at = Location::here()) const;
  /// Contiguous, of other sizes: the first elements stay, those that are new are not initialised. Where the memory does not
  /// suffice it moves. GradError when the tensor requires grad; ValueError when it has to grow and others share its memory.
  Tensor& resize_(IntArrayRef size, std::optional<MemoryFormat> format = {}, Location at = Location::here()) const;

  // Tensors of this one's dtype, unless the options name another.

  Tensor new_empty(IntArrayRef size, const TensorOptions& options = {}) const;
  Tensor new_empty_strided(IntArrayRef size, IntArrayRef stride, const TensorOptions& options = {}) const;
  Tensor new_zeros(IntArrayRef size, const TensorOptions& options = {}) const;
  Tensor new_ones(IntArrayRef size, const TensorOptions& options = {}) const;
  Tensor new_full(IntArrayRef size, const Scalar& value, const TensorOptions& options = {}) const;

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
  /// The same address for all handles of one tensor: the key of its state in an optimizer.
  autograd::Body* unsafeGetTensorImpl() const noexcept { return body_.get(); }
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
  [[noreturn]] void throw_batched() const;
  unsigned add_hook(autograd::Hook hook) const;
  void follow_base() const;

  core::Ref<autograd::Body> body_;
};

static_assert(sizeof(Tensor) == sizeof(void*), "a handle, and nothing else");

using TensorList = std::vector<Tensor>;

inline std::int64_t numel(const Tensor& x) { return x.numel(); }
inline bool is_floating_point(const Tensor& x) { return x.is_floating_point(); }
inline bool is_signed(const Tensor& x) { return x.is_signed(); }
inline bool is_complex(const Tensor& x) { return x.is_complex(); }
inline bool is_nonzero(const Tensor& x) { return x.is_nonzero(); }
inline Tensor detach(const Tensor& x) { return x.detach(); }
/// The dtype of a result of these, as `+` of them has it.
GRADUS_API DType result_type(const Tensor& a, const Tensor& b);
GRADUS_API DType result_type(const Tensor& a, const Scalar& b);
GRADUS_API DType result_type(const Scalar& a, const Tensor& b);
GRADUS_API DType result_type(const Scalar& a, const Scalar& b);

/// Of exactly a dtype: `sum(x, {})` is over all dimensions.
inline Tensor sum(Operand x, ::std::same_as<DType> auto dtype) { return sum(x, IntArrayRef(), false, dtype); }
inline Tensor mean(Operand x, ::std::same_as<DType> auto dtype) { return mean(x, IntArrayRef(), false, dtype); }
inline Tensor var(Operand x, ::std::same_as<bool> auto unbiased) { return var(x, IntArrayRef(), unbiased); }
inline Tensor std(Operand x, ::std::same_as<bool> auto unbiased) { return std(x, IntArrayRef(), unbiased); }
inline ::std::tuple<Tensor, Tensor> std_mean(Operand x, ::std::same_as<bool> auto unbiased) {
  return std_mean(x, IntArrayRef(), unbiased);
}
inline ::std::tuple<Tensor, Tensor> var_mean(Operand x, ::std::same_as<bool> auto unbiased) {
  return var_mean(x, IntArrayRef(), unbiased);
}

}  // namespace gradus

#include "operators.h"     // IWYU pragma: export
#include "tensor_index.h"  // IWYU pragma: export
