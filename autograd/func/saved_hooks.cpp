#include "saved_hooks.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "../graph/grad_mode.h"

namespace gradus::func {

using core::Array;

namespace detail {

namespace {
thread_local SavedValues* innermost = nullptr;
}

SavedValues::SavedValues() noexcept : outer_(innermost) { innermost = this; }
// They may die in any order. One that is not here is another thread's: ~Observer sees to that.
SavedValues::~SavedValues() {
  SavedValues** at = &innermost;
  while (*at != nullptr && *at != this) at = &(*at)->outer_;
  if (*at != nullptr) *at = outer_;
}

void SavedValues::recorded(autograd::Node& node, const Operand* inputs, int count, const std::vector<Array>&) {
  node.visit_saved([&](const char*, int, autograd::Saved& value) {
    if (value.packed() || !value.value().defined() || leaves_alone(value.value(), inputs, count)) return;
    take(node.name(), value);
  });
}

void SavedValues::offer(autograd::Saved& value, const Operand& of) {
  for (SavedValues* hooks = innermost; hooks != nullptr && !value.packed(); hooks = hooks->outer_) {
    if (!hooks->leaves_alone(value.value(), &of, 1)) hooks->take("checkpoint", value);
  }
}

bool SavedValues::leaves_alone(const Array& value, const Operand* inputs, int count) const {
  return std::any_of(inputs, inputs + count, [&](const Operand& input) {
    const Tensor& x = input.tensor();
    return x.defined() && x.requires_grad() && x.is_leaf() && x.body().array.storage() == value.storage();
  });
}

}  // namespace detail

SavedTensorsHooks::SavedTensorsHooks(std::function<Unpack(const Tensor&)> pack) : pack_(std::move(pack)) {}

void SavedTensorsHooks::take(std::string_view what, autograd::Saved& saved) {
  const NoGradGuard no_grad;
  const Array value = saved.value();
  Unpack unpack = pack_(Tensor(value));
  if (!unpack) return;
  saved.pack([unpack = std::move(unpack), shape = value.shape(), dtype = value.dtype(), what = std::string(what)] {
    const NoGradGuard quiet;
    const Tensor x = unpack();
    if (!x.defined() || x.sizes() != IntArrayRef(shape) || x.dtype() != dtype) {
      core::fail<ValueError>("SavedTensorsHooks: unpack must return a tensor like that which {} saved ({}, {}): {}",
                             what, shape, dtype,
                             x.defined() ? fmt::format("{}, {}", x.sizes(), x.dtype()) : "an undefined one");
    }
    return x.array();
  });
}

namespace {

// The dimensions by their strides, the longest first: an array permuted so lies in memory as contiguous ones do.
core::Dims order_of(const Array& x) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.dim()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return x.strides()[static_cast<int>(a)] > x.strides()[static_cast<int>(b)];
  });
  return order;
}
core::Dims inverse(const core::Dims& order) {
  core::Dims back = order;
  for (int d = 0; d < order.size(); ++d) back[static_cast<int>(order[d])] = d;
  return back;
}

// A value's numbers in a file of its own.
class OnDisk {
 public:
  OnDisk(const std::string& folder, const Array& value)
      : order_(order_of(value)), shape_(value.permute(order_).shape()), dtype_(value.dtype()) {
    static std::atomic<std::uint64_t> number{0};
    path_ = fmt::format("{}/saved-{}-{}", folder, ::getpid(), number++);
    const Array dense = value.permute(order_).contiguous();
    std::ofstream file(path_, std::ios::binary);
    file.write(static_cast<const char*>(dense.data()), bytes());
    file.close();
    if (!file) {
      const int error = errno;
      std::remove(path_.c_str());
      core::fail<FileError>("SaveOnDisk: {} must be writable, and have room for {} bytes: {}", path_, bytes(),
                            std::strerror(error));
    }
  }
  ~OnDisk() { std::remove(path_.c_str()); }
  OnDisk(const OnDisk&) = delete;
  OnDisk& operator=(const OnDisk&) = delete;

  Array read() const {
    const Array dense = core::empty(shape_, dtype_);
    std::ifstream file(path_, std::ios::binary);
    file.read(static_cast<char*>(dense.data()), bytes());
    if (!file || file.peek() != std::ifstream::traits_type::eof()) {
      core::fail<FileError>("SaveOnDisk: {} must be as it was written: it has gone, or has not {} bytes", path_,
                            bytes());
    }
    return dense.permute(inverse(order_));
  }

 private:
  std::streamsize bytes() const { return static_cast<std::streamsize>(core::numel_of(shape_) * size_of(dtype_)); }
  core::Dims order_;
  core::Shape shape_;
  DType dtype_;
  std::string path_;
};

std::int64_t bytes_of(const Array& x) { return x.numel() * x.element_size(); }

}  // namespace

SaveOnDisk::SaveOnDisk(std::string folder, std::int64_t min_bytes)
    : SavedTensorsHooks([folder = std::move(folder), min_bytes](const Tensor& x) -> Unpack {
        const Array& value = x.array();
        if (value.numel() == 0 || bytes_of(value) < min_bytes || value.may_overlap_itself()) return {};
        return [file = std::make_shared<const OnDisk>(folder, value)] { return Tensor(file->read()); };
      }) {}

SaveAsHalf::SaveAsHalf(std::int64_t min_bytes)
    : SavedTensorsHooks([min_bytes](const Tensor& x) -> Unpack {
        const Array& value = x.array();
        const DType dtype = value.dtype();
        if ((dtype != kFloat32 && dtype != kFloat64) || value.numel() == 0 || bytes_of(value) < min_bytes ||
            value.may_overlap_itself())
          return {};
        const double largest = core::reduce(core::Reduction::Max, core::abs(value), {}).item<double>();
        if (!(largest <= 65504) || (largest != 0 && largest < 0x1p-14)) return {};
        const core::Dims order = order_of(value);
        const Array half = value.permute(order).to(kFloat16);
        const auto nonzero = [](const Array& a) {
          return core::reduce(core::Reduction::Sum, core::ne(a, core::scalar(0, a.dtype())).to(kInt64), {})
              .item<std::int64_t>();
        };
        if (nonzero(half) != nonzero(value)) return {};  // a zero may be divided by
        return [half, dtype, back = inverse(order)] { return Tensor(half.to(dtype).permute(back)); };
      }) {}

}  // namespace gradus::func
