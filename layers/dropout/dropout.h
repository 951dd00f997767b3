// Dropout (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15, 2014).
//
//   p is the probability of zeroing a unit. (The paper's p is that of keeping it: 1 - p here.) With a mask m of
//   independent units, m = 1 with probability 1 - p, else 0:
//
//                training                    evaluation
//   y         =  m x / (1 - p)               x
//   dL/dx     =  m dL/dy / (1 - p)           dL/dy
//
//   so that the mean of y over the masks is x. The paper's own, classic form leaves the scaling to evaluation:
//
//   y         =  m x                         (1 - p) x
//   dL/dx     =  m dL/dy                     (1 - p) dL/dy
//
//   The mask is a function of a position in the counter-based random stream (core/ops/random.h): the rule keeps no state,
//   and whoever runs it again with the same attributes sees the same mask. A zeroed unit is 0 even where x is infinite
//   or NaN. Channel-wise, for images, there is one unit of the mask for each sample and channel.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../../core/ops/random.h"
#include "../module/layer.h"

namespace gradus::nn {

/// (y, mask) of x in training. mask, Bool, is true where a unit is kept; its shape is x's, or channel-wise [N, C, 1, ..].
struct DropoutRule {
  static constexpr std::string_view name = "dropout";
  static constexpr std::string_view formula =
      "y = m x / (1 - p), m = 1 with probability 1 - p else 0, dx = m dy / (1 - p)";
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t shape_only = 1u << 0;  // the gradient reads the mask, not x

  struct Attrs {
    double p = 0.5;
    core::RandomPosition position;  ///< the mask's unit i is kept when word i < floor((1 - p) 2^32)
    bool classic = false;
    bool channelwise = false;
    /// What a kept unit is multiplied by. Nothing is kept at p = 1, and 0 spares the formulas an infinity there.
    double scale() const { return classic ? 1 : p < 1 ? 1 / (1 - p) : 0; }
    static constexpr auto fields = named("p", &Attrs::p, "position", &Attrs::position, "classic", &Attrs::classic,
                                         "channelwise", &Attrs::channelwise);
  };
  /// The shape of the mask for an input. Its product is how many words of the random stream a mask takes. ShapeError
  /// when channel-wise and x has fewer than 2 dimensions.
  GRADUS_API static core::Shape mask_shape(const core::Shape& x, bool channelwise);

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  /// ValueError when p is not in [0, 1], DTypeError when x is not floating.
  GRADUS_API static std::tuple<core::Array, core::Array> forward(const Attrs& attrs, const core::Array& x);
  /// Each example has a mask of its own.
  GRADUS_API static std::tuple<Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::OutArray<1> mask);
};

/// `Dropout(0.5)`, `DropoutOptions(0.5).classic(true)`.
struct DropoutOptions {
  DropoutOptions(double p = 0.5) : p_(p) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(double, p);
  GRADUS_ARG(bool, inplace) = false;  ///< overwrites the input: GradError on a leaf that requires grad
  GRADUS_ARG(bool, classic) = false;  ///< no scaling in training; times 1 - p in evaluation

 public:
  static constexpr auto fields = named("p", &DropoutOptions::p_, "inplace", &DropoutOptions::inplace_,
                                       unless(false, "classic"), &DropoutOptions::classic_);
};
using Dropout1dOptions = DropoutOptions;
using Dropout2dOptions = DropoutOptions;
using Dropout3dOptions = DropoutOptions;

namespace functional {
/// `DropoutFuncOptions().p(0.2).training(is_training())`; training unless said otherwise.
struct DropoutFuncOptions {
  GRADUS_ARG(double, p) = 0.5;
  GRADUS_ARG(bool, training) = true;
  GRADUS_ARG(bool, inplace) = false;
  GRADUS_ARG(bool, classic) = false;
};
using Dropout1dFuncOptions = DropoutFuncOptions;
using Dropout2dFuncOptions = DropoutFuncOptions;
using Dropout3dFuncOptions = DropoutFuncOptions;
GRADUS_API Tensor dropout(Operand x, const DropoutFuncOptions& options = {});
/// Channel-wise: [N, C, L] or [C, L]; [N, C, ..]; [N, C, D, H, W] or [C, D, H, W]. ShapeError.
GRADUS_API Tensor dropout1d(Operand x, const Dropout1dFuncOptions& options = {});
GRADUS_API Tensor dropout2d(Operand x, const Dropout2dFuncOptions& options = {});
GRADUS_API Tensor dropout3d(Operand x, const Dropout3dFuncOptions& options = {});
}  // namespace functional

/// What dropout zeroes: single units, or whole channels of data of so many dimensions.
enum class DropoutUnits : std::uint8_t { Single, Channels1d, Channels2d, Channels3d };

/// What Dropout and its channel-wise forms share.
template <DropoutUnits units, class Derived>
class GRADUS_API DropoutBase : public Layer<Derived> {
 public:
  explicit DropoutBase(double p);
  /// ValueError when p is not in [0, 1].
  explicit DropoutBase(const DropoutOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override;
  /// The mask (Bool, true where kept) of the last forward in training; undefined before. Evaluation leaves it alone. Of
  /// whole channels it is [N, C, 1, ..].
  const Tensor& mask() const { return mask_; }

  DropoutOptions options;

 private:
  Tensor mask_;
};

/// Zeroes units at random in training, the identity in evaluation. Each forward in training takes its mask from the
/// default generator.
///
/// The paper's advice (its appendix A): p = 0.2 for real-valued inputs and 0.2 to 0.5 for hidden units; n / (1 - p)
/// units where n would do without dropout; a momentum of 0.95 to 0.99, or 10 to 100 times the learning rate that would
/// be right without, for the gradients of different masks cancel each other; a learning rate that decays strongly; and,
/// with such rates, the norm of each unit's incoming weights held below c = 3 to 4 (max-norm, `optim::max_norm_`).
class GRADUS_API DropoutImpl : public DropoutBase<DropoutUnits::Single, DropoutImpl> {
 public:
  using DropoutBase::DropoutBase;
  ~DropoutImpl() override;
};
GRADUS_MODULE(Dropout);

/// The same with whole channels zeroed: neighbouring pixels are alike, and zeroing one tells the network little. Input
/// [N, C, ..] of at least 2 dimensions.
class GRADUS_API Dropout2dImpl : public DropoutBase<DropoutUnits::Channels2d, Dropout2dImpl> {
 public:
  using DropoutBase::DropoutBase;
  ~Dropout2dImpl() override;
};
GRADUS_MODULE(Dropout2d);

class GRADUS_API Dropout1dImpl : public DropoutBase<DropoutUnits::Channels1d, Dropout1dImpl> {
 public:
  using DropoutBase::DropoutBase;
  ~Dropout1dImpl() override;
};
GRADUS_MODULE(Dropout1d);

class GRADUS_API Dropout3dImpl : public DropoutBase<DropoutUnits::Channels3d, Dropout3dImpl> {
 public:
  using DropoutBase::DropoutBase;
  ~Dropout3dImpl() override;
};
GRADUS_MODULE(Dropout3d);

extern template class DropoutBase<DropoutUnits::Single, DropoutImpl>;
extern template class DropoutBase<DropoutUnits::Channels1d, Dropout1dImpl>;
extern template class DropoutBase<DropoutUnits::Channels2d, Dropout2dImpl>;
extern template class DropoutBase<DropoutUnits::Channels3d, Dropout3dImpl>;

}  // namespace gradus::nn

namespace gradus {
/// x with units zeroed with probability p and the rest scaled by 1 / (1 - p) when `train`; else x itself.
GRADUS_API Tensor dropout(Operand x, double p, bool train);
}  // namespace gradus
