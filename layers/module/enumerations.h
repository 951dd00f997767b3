// What options choose between, as the frontend's constants: `kMean`, `kReflect`, `kBilinear`. One constant may mean
// something to several options (`kMean` to losses and to bags of embeddings), so each is of a type of its own, in
// namespace enumtype, that becomes the value of whichever enumeration is asked for.
#pragma once

#include <cstdint>
#include <string>

#include "../../core/base/export.h"

namespace gradus {

/// How the losses of single elements become one: left as they are, their mean (which each loss defines), their sum.
enum class Reduction : std::uint8_t { None, Mean, Sum };

namespace nn {

/// Of the Kullback-Leibler divergence: Mean over all elements, BatchMean: the sum over the first dimension's size.
enum class KLDivLossReduction : std::uint8_t { None, Mean, Sum, BatchMean };
/// What is put around a tensor: zeros, another constant, or its own elements.
enum class PaddingMode : std::uint8_t { Zeros, Constant, Reflect, Replicate, Circular };
/// Padding by what it achieves: none, or as much as gives y the extents of x (stride 1; an odd element goes behind).
enum class ConvPaddingMode : std::uint8_t { Given, Valid, Same };
/// How values between the elements of a tensor are found.
enum class InterpolateMode : std::uint8_t { Nearest, Linear, Bilinear, Bicubic, Trilinear, Area, NearestExact };
using UpsampleMode = InterpolateMode;
enum class GridSampleMode : std::uint8_t { Bilinear, Nearest, Bicubic };
/// What lies outside of what is sampled: zeros, the nearest border, or the inside mirrored.
enum class GridSamplePaddingMode : std::uint8_t { Zeros, Border, Reflection };
/// What becomes of the rows of a bag.
enum class EmbeddingBagMode : std::uint8_t { Sum, Mean, Max };
enum class RNNNonlinearity : std::uint8_t { Tanh, ReLU };
enum class TransformerActivation : std::uint8_t { ReLU, GELU };

namespace init {
/// What keeps its variance: the values going forward (fan in) or the gradients going back (fan out).
enum class FanMode : std::uint8_t { FanIn, FanOut };
/// The function that follows the weights.
enum class Nonlinearity : std::uint8_t {
  Linear,
  Conv1D,
  Conv2D,
  Conv3D,
  ConvTranspose1D,
  ConvTranspose2D,
  ConvTranspose3D,
  Sigmoid,
  Tanh,
  ReLU,
  LeakyReLU
};
using FanModeType = FanMode;
using NonlinearityType = Nonlinearity;
}  // namespace init

// "mean", "reflect": as Python has them.
GRADUS_API const char* to_string(KLDivLossReduction value);
GRADUS_API const char* to_string(PaddingMode value);
GRADUS_API const char* to_string(ConvPaddingMode value);
GRADUS_API const char* to_string(InterpolateMode value);
GRADUS_API const char* to_string(GridSampleMode value);
GRADUS_API const char* to_string(GridSamplePaddingMode value);
GRADUS_API const char* to_string(EmbeddingBagMode value);
GRADUS_API const char* to_string(RNNNonlinearity value);
GRADUS_API const char* to_string(TransformerActivation value);

/// As modules print them.
template <class E>
requires requires(E value) { to_string(value); }
std::string text_of(E value) { return to_string(value); }

}  // namespace nn

GRADUS_API const char* to_string(Reduction value);
inline std::string text_of(Reduction value) { return to_string(value); }

namespace detail {
template <auto value>
struct Means {
  constexpr operator decltype(value)() const noexcept { return value; }  // NOLINT(google-explicit-constructor)
};
}  // namespace detail

/// A constant, or the enumeration's own value: what an option that is an E can be made from.
template <class C, class E>
concept ChoiceOf = requires(const C& choice, void (*take)(E)) {
  take(choice);
};

namespace enumtype {
using detail::Means;
using nn::init::FanMode;
using nn::init::Nonlinearity;
struct kNone : Means<Reduction::None>, Means<nn::KLDivLossReduction::None> {};
struct kMean : Means<Reduction::Mean>, Means<nn::KLDivLossReduction::Mean>, Means<nn::EmbeddingBagMode::Mean> {};
struct kSum : Means<Reduction::Sum>, Means<nn::KLDivLossReduction::Sum>, Means<nn::EmbeddingBagMode::Sum> {};
struct kMax : Means<nn::EmbeddingBagMode::Max> {};
struct kBatchMean : Means<nn::KLDivLossReduction::BatchMean> {};
struct kZeros : Means<nn::PaddingMode::Zeros>, Means<nn::GridSamplePaddingMode::Zeros> {};
struct kConstant : Means<nn::PaddingMode::Constant> {};
struct kReflect : Means<nn::PaddingMode::Reflect> {};
struct kReplicate : Means<nn::PaddingMode::Replicate> {};
struct kCircular : Means<nn::PaddingMode::Circular> {};
struct kBorder : Means<nn::GridSamplePaddingMode::Border> {};
struct kReflection : Means<nn::GridSamplePaddingMode::Reflection> {};
struct kValid : Means<nn::ConvPaddingMode::Valid> {};
struct kSame : Means<nn::ConvPaddingMode::Same> {};
struct kNearest : Means<nn::InterpolateMode::Nearest>, Means<nn::GridSampleMode::Nearest> {};
struct kLinear : Means<nn::InterpolateMode::Linear>, Means<Nonlinearity::Linear> {};
struct kBilinear : Means<nn::InterpolateMode::Bilinear>, Means<nn::GridSampleMode::Bilinear> {};
struct kBicubic : Means<nn::InterpolateMode::Bicubic>, Means<nn::GridSampleMode::Bicubic> {};
struct kTrilinear : Means<nn::InterpolateMode::Trilinear> {};
struct kArea : Means<nn::InterpolateMode::Area> {};
struct kNearestExact : Means<nn::InterpolateMode::NearestExact> {};
struct kReLU : Means<Nonlinearity::ReLU>, Means<nn::RNNNonlinearity::ReLU>, Means<nn::TransformerActivation::ReLU> {};
struct kGELU : Means<nn::TransformerActivation::GELU> {};
struct kTanh : Means<Nonlinearity::Tanh>, Means<nn::RNNNonlinearity::Tanh> {};
struct kSigmoid : Means<Nonlinearity::Sigmoid> {};
struct kLeakyReLU : Means<Nonlinearity::LeakyReLU> {};
struct kConv1D : Means<Nonlinearity::Conv1D> {};
struct kConv2D : Means<Nonlinearity::Conv2D> {};
struct kConv3D : Means<Nonlinearity::Conv3D> {};
struct kConvTranspose1D : Means<Nonlinearity::ConvTranspose1D> {};
struct kConvTranspose2D : Means<Nonlinearity::ConvTranspose2D> {};
struct kConvTranspose3D : Means<Nonlinearity::ConvTranspose3D> {};
struct kFanIn : Means<FanMode::FanIn> {};
struct kFanOut : Means<FanMode::FanOut> {};
}  // namespace enumtype

inline constexpr enumtype::kNone kNone;
inline constexpr enumtype::kMean kMean;
inline constexpr enumtype::kSum kSum;
inline constexpr enumtype::kMax kMax;
inline constexpr enumtype::kBatchMean kBatchMean;
inline constexpr enumtype::kZeros kZeros;
inline constexpr enumtype::kConstant kConstant;
inline constexpr enumtype::kReflect kReflect;
inline constexpr enumtype::kReplicate kReplicate;
inline constexpr enumtype::kCircular kCircular;
inline constexpr enumtype::kBorder kBorder;
inline constexpr enumtype::kReflection kReflection;
inline constexpr enumtype::kValid kValid;
inline constexpr enumtype::kSame kSame;
inline constexpr enumtype::kNearest kNearest;
inline constexpr enumtype::kLinear kLinear;
inline constexpr enumtype::kBilinear kBilinear;
inline constexpr enumtype::kBicubic kBicubic;
inline constexpr enumtype::kTrilinear kTrilinear;
inline constexpr enumtype::kArea kArea;
inline constexpr enumtype::kNearestExact kNearestExact;
inline constexpr enumtype::kReLU kReLU;
inline constexpr enumtype::kGELU kGELU;
inline constexpr enumtype::kTanh kTanh;
inline constexpr enumtype::kSigmoid kSigmoid;
inline constexpr enumtype::kLeakyReLU kLeakyReLU;
inline constexpr enumtype::kConv1D kConv1D;
inline constexpr enumtype::kConv2D kConv2D;
inline constexpr enumtype::kConv3D kConv3D;
inline constexpr enumtype::kConvTranspose1D kConvTranspose1D;
inline constexpr enumtype::kConvTranspose2D kConvTranspose2D;
inline constexpr enumtype::kConvTranspose3D kConvTranspose3D;
inline constexpr enumtype::kFanIn kFanIn;
inline constexpr enumtype::kFanOut kFanOut;

}  // namespace gradus
