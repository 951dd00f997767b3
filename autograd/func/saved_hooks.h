// What operations save for backward, kept in another way: packed when it is saved, unpacked when backward asks for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../graph/observer.h"
#include "../graph/saved.h"
#include "../tensor/tensor.h"

namespace gradus::func {

namespace detail {

/// An observer to whom each value that the calling thread's operations save is offered; one that an inner observer has
/// taken is not.
class GRADUS_API SavedValues : public autograd::Observer {
 public:
  SavedValues() noexcept;
  ~SavedValues() override;
  void recorded(autograd::Node& node, const Operand* inputs, int count, const std::vector<core::Array>&) override;
  /// Offers the value of a tensor that is kept by no operation to the calling thread's.
  static void offer(autograd::Saved& value, const Operand& of);

 protected:
  /// May pack it. `what`: the operation's name, for messages.
  virtual void take(std::string_view what, autograd::Saved& value) = 0;
  /// Whether a value is left alone: by default one in the memory of a leaf that requires a gradient. Such a tensor has
  /// an owner: keeping its numbers costs nothing.
  virtual bool leaves_alone(const core::Array& value, const Operand* inputs, int count) const;

 private:
  SavedValues* outer_;
};

}  // namespace detail

/// While it lives, what the calling thread's operations save goes through `pack`, and what that returned (of any type)
/// goes through `unpack` when backward needs it: a Tensor of the shape and dtype that was saved (ValueError otherwise),
/// as often as it is asked for, on backward's thread. Nothing that they compute is recorded. The innermost pair takes
/// all. As torch.autograd.graph.saved_tensors_hooks.
///
///     const func::SavedTensorsHooks hooks([](const Tensor& x) { return x.to(kBFloat16); },
///                                         [](const Tensor& packed) { return packed.to(kFloat); });
class GRADUS_API SavedTensorsHooks : public detail::SavedValues {
 public:
  using Unpack = std::function<Tensor()>;
  template <class P, class U>
  SavedTensorsHooks(P pack, U unpack)
      : SavedTensorsHooks(std::function<Unpack(const Tensor&)>([pack, unpack](const Tensor& x) -> Unpack {
          using Packed = std::decay_t<decltype(pack(x))>;
          return [unpack, packed = std::make_shared<const Packed>(pack(x))] { return unpack(*packed); };
        })) {}

 protected:
  explicit SavedTensorsHooks(std::function<Unpack(const Tensor&)> pack);
  void take(std::string_view what, autograd::Saved& value) override;
  bool leaves_alone(const core::Array&, const Operand*, int) const override { return false; }

 private:
  std::function<Unpack(const Tensor&)> pack_;  // what it returns is empty for a value that stays as it is
};

/// What operations save is written to files in a folder, which must exist, and read back from there: the same bits.
/// Left in memory are values of fewer than `min_bytes`, and parameters. A file is removed when nothing needs it any
/// more. FileError when it cannot be written or read.
class GRADUS_API SaveOnDisk : public SavedTensorsHooks {
 public:
  explicit SaveOnDisk(std::string folder, std::int64_t min_bytes = 4096);

 protected:
  bool leaves_alone(const core::Array& value, const Operand* inputs, int count) const override {
    return SavedValues::leaves_alone(value, inputs, count);
  }
};

/// What operations save in float32 and float64 is kept in float16: gradients carry its rounding (relative 2^-11; of
/// elements below 2^-14, about 6.1e-5, absolute 2^-25). Left as they are are values of fewer than `min_bytes`,
/// parameters, and values out of float16's range: with an element beyond 65,504, with one that would become 0 (up to
/// 2^-25), or with none that reaches 2^-14.
class GRADUS_API SaveAsHalf : public SavedTensorsHooks {
 public:
  explicit SaveAsHalf(std::int64_t min_bytes = 4096);

 protected:
  bool leaves_alone(const core::Array& value, const Operand* inputs, int count) const override {
    return SavedValues::leaves_alone(value, inputs, count);
  }
};

}  // namespace gradus::func
