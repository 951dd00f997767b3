#include "max_unpool.h"

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "adaptive_max_pool.h"

namespace gradus::nn {

using autograd::Scope;

namespace {

template <std::size_t D>
Tensor max_unpool(Operand x, const Tensor& indices, const functional::MaxUnpoolFuncOptions<D>& o) {
  constexpr const char* names[] = {"max_unpool1d", "max_unpool2d", "max_unpool3d"};
  constexpr const char* forms[] = {"[C, L] or [N, C, L]", "[C, H, W] or [N, C, H, W]",
                                   "[C, D, H, W] or [N, C, D, H, W]"};
  constexpr const char* op = names[D - 1];
  core::expect_dims(op, "input", x.tensor(), D + 1, D + 2, forms[D - 1]);
  core::expect_defined(op, "indices", indices);
  const auto dims = static_cast<std::size_t>(x.tensor().dim());
  const IntArrayRef from = x.tensor().sizes().slice(dims - D);
  core::Dims size;
  for (std::size_t d = 0; d < D; ++d) {
    if (o.stride()[d] < 1) core::fail<ValueError>("{}: the stride must be above 0: {}", op, IntArrayRef(o.stride()));
    std::int64_t usual = 0, twice = 0;
    if (__builtin_mul_overflow(from[d] - 1, o.stride()[d], &usual) ||
        __builtin_add_overflow(usual, o.kernel_size()[d], &usual) ||
        __builtin_mul_overflow(o.padding()[d], 2, &twice) || __builtin_sub_overflow(usual, twice, &usual)) {
      core::fail<ValueError>(
          "{}: the output's size, (n - 1) stride + kernel_size - 2 padding, must fit into 64 bits: "
          "stride {}, kernel_size {}, padding {} for input {}",
          op, IntArrayRef(o.stride()), IntArrayRef(o.kernel_size()), IntArrayRef(o.padding()), x.tensor().sizes());
    }
    size.push_back(usual);
  }
  if (o.output_size()) {
    const std::vector<std::int64_t>& given = *o.output_size();
    if (given.size() != D && given.size() != D + 2 && given.size() != dims) {
      core::fail<ShapeError>("{}: output_size must have {} numbers, or as many as the input: {} for input {}", op, D,
                             IntArrayRef(given), x.tensor().sizes());
    }
    for (std::size_t d = 0; d < D; ++d) {
      const std::int64_t usual = size[static_cast<int>(d)], wanted = given[given.size() - D + d];
      if (wanted < usual - o.stride()[d] || wanted > usual + o.stride()[d]) {
        core::fail<ValueError>("{}: output_size must be from {} to {} in dimension {}: {} for input {}", op,
                               usual - o.stride()[d], usual + o.stride()[d], d, IntArrayRef(given), x.tensor().sizes());
      }
      size[static_cast<int>(d)] = wanted;
    }
  }
  return core::in_name_of(op, [&] {
    const Scope scope(x.at());
    if constexpr (D == 1) {  // a plane of one row
      return autograd::detail::as_result(
          gradus::max_unpool2d(x.tensor().unsqueeze(-2), indices.unsqueeze(-2), {1, size[0]}).squeeze(-2));
    } else if constexpr (D == 2) {
      return gradus::max_unpool2d(x.tensor(), indices, size);
    } else {
      return gradus::max_unpool3d(x.tensor(), indices, size, o.stride(), o.padding());
    }
  });
}

}  // namespace

Tensor functional::max_unpool1d(Operand x, const Tensor& indices, const MaxUnpool1dFuncOptions& options) {
  return max_unpool(x, indices, options);
}
Tensor functional::max_unpool2d(Operand x, const Tensor& indices, const MaxUnpool2dFuncOptions& options) {
  return max_unpool(x, indices, options);
}
Tensor functional::max_unpool3d(Operand x, const Tensor& indices, const MaxUnpool3dFuncOptions& options) {
  return max_unpool(x, indices, options);
}

template <std::size_t D, class Derived>
MaxUnpoolBase<D, Derived>::MaxUnpoolBase(ExpandingArray<D> kernel_size)
    : MaxUnpoolBase(MaxUnpoolOptions<D>(kernel_size)) {}
template <std::size_t D, class Derived>
MaxUnpoolBase<D, Derived>::MaxUnpoolBase(const MaxUnpoolOptions<D>& chosen) : options(chosen) {}
template <std::size_t D, class Derived>
Tensor MaxUnpoolBase<D, Derived>::unpool(Operand x, const Tensor& indices,
                                         const std::optional<std::vector<std::int64_t>>& output_size) const {
  return max_unpool(x, indices,
                    functional::MaxUnpoolFuncOptions<D>(options.kernel_size())
                        .stride(options.stride())
                        .padding(options.padding())
                        .output_size(output_size));
}
template <std::size_t D, class Derived>
Tensor MaxUnpoolBase<D, Derived>::compute(Operand x, const Tensor& indices) {
  return unpool(x, indices, std::nullopt);
}
template <std::size_t D, class Derived>
Tensor MaxUnpoolBase<D, Derived>::forward(Operand x, const Tensor& indices,
                                          const std::optional<std::vector<std::int64_t>>& output_size) try {
  const Scope scope(x.at(), this->path());
  return unpool(x, indices, output_size);
} catch (...) {
  detail::rethrow_from(*this, x.at());
}
template class MaxUnpoolBase<1, MaxUnpool1dImpl>;
template class MaxUnpoolBase<2, MaxUnpool2dImpl>;
template class MaxUnpoolBase<3, MaxUnpool3dImpl>;
MaxUnpool1dImpl::~MaxUnpool1dImpl() = default;
MaxUnpool2dImpl::~MaxUnpool2dImpl() = default;
MaxUnpool3dImpl::~MaxUnpool3dImpl() = default;

}  // namespace gradus::nn
